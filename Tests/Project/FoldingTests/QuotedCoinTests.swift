import Folding
import MarketModel
import Platform
import Projection
import Projectors
import SegmentLog
import Synthesis
import Testing

/// Coins that are priced in USDC, from the wire to the state.
@Suite struct QuotedCoinTests {
    /// What the last trade of a curve says, read from the bytes of its event.
    private struct Curve: Equatable {
        var quote: UInt128
        var tokens: UInt128
        var trades: UInt64
    }

    private static let usdc: [UInt8] = [
        0xc6, 0xfa, 0x7a, 0xf3, 0xbe, 0xdb, 0xad, 0x3a, 0x3d, 0x65, 0xf3, 0x6a, 0xab, 0xc9, 0x74,
        0x31, 0xb1, 0xbb, 0xe4, 0xc2, 0xd2, 0xf6, 0xe0, 0xe4, 0x7c, 0xa6, 0x02, 0x03, 0x45, 0x2f,
        0x5d, 0x61,
    ]

    private static func number(_ bytes: [UInt8], _ offset: Int) -> UInt128 {
        bytes[offset..<(offset + 8)].reversed().reduce(0) { $0 << 8 | UInt128($1) }
    }

    /// Curves by their coin, from TradeEvents that programs sent to themselves. The name of the
    /// instruction is at 258, behind it are 37 bytes, the quote's mint and three amounts.
    private static func curves(_ options: SynthesisOptions) -> [[UInt8]: Curve] {
        let mark: [UInt8] = [
            0xe4, 0x45, 0xa5, 0x2e, 0x51, 0xcb, 0x9a, 0x1d, 0xbd, 0xdb, 0x7f, 0xd3, 0x4e, 0xe6,
            0x61,
            0xee,
        ]
        var curves: [[UInt8]: Curve] = [:]
        MarketSynthesis(options).run { step in
            guard case .message(.incoming, let message) = step.event else { return }
            for found in message.ranges(of: mark) {
                let event = Array(message[(found.lowerBound + 8)...].prefix(420))
                let end = 262 + Int(number(event, 258) & 0xFFFF_FFFF) + 37 + 56
                guard Array(event[end - 56..<end - 24]) == usdc else { continue }
                let mint = Array(event[8..<40])
                curves[mint] = Curve(
                    quote: number(event, end - 16),
                    tokens: number(event, 105),
                    trades: (curves[mint]?.trades ?? 0) + 1  // the first
                )
            }
        }
        return curves
    }

    @Test func `coins in USDC stand in the state as their events say`() throws {
        var options = SynthesisOptions()
        options.seed = 81
        options.slots = 80
        options.ethereumBlocks = 0
        options.votesPerSlot = 0
        options.failedPerMille = 0
        options.tokens = 10
        options.usdcPerMille = 500
        let expected = Self.curves(options)
        #expect(expected.count == 5)
        let store = try FoldTestMarket { $0 = options }.fold().engine.store
        let usdc = try Address(solana: "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v")
        var markets: [Address: TokenMarketRow] = [:]
        for listed in try #require(try store.rows(of: TokenMarketRow.schema.name)) {
            var key = RowReader(listed.key)
            var columns = RowReader(listed.row)
            markets[try TokenMarketRow.decodeKey(&key)] = try TokenMarketRow(from: &columns)
        }
        var quoted: Set<[UInt8]> = []
        var pools = 0
        for listed in try #require(try store.rows(of: TokenRow.schema.name)) {
            var key = RowReader(listed.key)
            var columns = RowReader(listed.row)
            let token = try TokenRow.decodeKey(&key)
            let row = try TokenRow(from: &columns)
            guard row.venue == .pumpCurve else { continue }
            let curve = expected[token.bytes]
            #expect((row.quote == usdc) == (curve != nil))
            guard let curve else { continue }
            quoted.insert(token.bytes)
            #expect(row.startQuote == 4_500_000_000)
            #expect(row.startTokens == 1_073_000_000_000_000)
            guard row.phase < .migrated else {
                #expect(row.migrationFee == 0)
                pools += 1
                continue
            }
            let market = try #require(markets[token])
            #expect(market.quote == curve.quote)
            #expect(market.tokens == curve.tokens)
            #expect(market.trades == curve.trades)
        }
        #expect(quoted == Set(expected.keys))
        #expect(pools > 0)
        let inUSDC = try #require(try store.rows(of: PoolRow.schema.name)).count { listed in
            var columns = RowReader(listed.row)
            // A row that is none counts as none.
            return (try? PoolRow(from: &columns))?.quote == usdc
        }
        #expect(inUSDC == pools)
    }
}
