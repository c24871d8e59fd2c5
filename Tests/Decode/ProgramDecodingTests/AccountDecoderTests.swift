import Foundation
import MarketModel
import ProgramDecoding
import Testing

@Suite struct AccountDecoderTests {
    private static let curveFields = Bytes("17b7f83760d8ac60").u64(11).u64(12).u64(13).u64(14)
        .u64(15).bool(true).key(.named(3)).bool(true).bool(false).key(.named(4)).bytes

    private func decode(_ bytes: [UInt8], owner: Address) -> AccountFact? {
        AccountDecoder.decode(account: .named(99), owner: owner, data: bytes.span.bytes)
    }

    private func curve(_ bytes: [UInt8]) throws -> BondingCurveState {
        guard case .bondingCurve(let state)? = decode(bytes, owner: .pump)?.content else {
            throw TestFailure()
        }
        return state
    }

    private struct TestFailure: Error {}

    @Test(arguments: [49, 81, 82, 83, 115, 150, 151, 166, 200])
    func `a curve is read at every length it ever had`(length: Int) throws {
        let all = Self.curveFields + [UInt8](repeating: 0, count: 200)
        let state = try curve(Array(all[..<length]))
        #expect(state.virtualReserves == Reserves(token: 11, quote: 12))
        #expect(state.realTokenReserves == 13 && state.realQuoteReserves == 14)
        #expect(state.supply == 15 && state.isComplete)
        #expect(state.creator == (length >= 81 ? .named(3) : nil))
        #expect(state.isMayhem == (length >= 82))
        #expect(state.quote == (length >= 115 ? .named(4) : nil))
    }

    @Test func `zeros behind a curve's fields are fields never written`() throws {
        let state = try curve(Array(Self.curveFields[..<49]) + [UInt8](repeating: 0, count: 102))
        #expect(state.creator == nil && state.quote == nil && !state.isMayhem)
    }

    @Test func `what is no curve, pool or token account is nothing`() {
        for length in 0..<49 {
            #expect(decode(Array(Self.curveFields[..<length]), owner: .pump) == nil)
        }
        var other = Self.curveFields
        other[0] ^= 1
        #expect(decode(other, owner: .pump) == nil)
        #expect(decode(Self.curveFields, owner: .amm) == nil)
        #expect(decode(Self.curveFields, owner: .named(5)) == nil)
        for length in 0..<400 {
            let zeros = [UInt8](repeating: 0, count: length)
            for owner in [Address.pump, .amm, .splToken, .token2022Program] {
                #expect(decode(zeros, owner: owner) == nil)
            }
        }
    }

    private static let poolFields = Bytes("f19a6d0411b16dbc").u8(254).u16(3).key(.named(1))
        .key(.named(2)).key(.sol).key(.named(3)).key(.named(4)).key(.named(5)).u64(77)
        .key(.named(6)).bool(false).bool(false).i128(-9).u64(1).bool(false).bool(false)
        .u64(100).u64(11).bytes

    @Test(arguments: [211, 243, 244, 245, 261, 287, 300])
    func `a pool is read at every length it ever had`(length: Int) throws {
        let all = Self.poolFields + [UInt8](repeating: 0, count: 100)
        let content = decode(Array(all[..<length]), owner: .amm)?.content
        guard case .pool(let state)? = content else {
            Issue.record("no pool")
            return
        }
        #expect(state.venue == .pumpSwap && state.mints == [.named(2), .sol])
        #expect(state.vaults == [.named(4), .named(5)])
        #expect(state.shareToken == .named(3) && state.shares == 77)
        #expect(state.coinCreator == (length >= 243 ? .named(6) : nil))
        #expect(state.virtualQuote == (length >= 261 ? -9 : nil))
        #expect(state.waitingFees == (length >= 287 ? [0, 111] : []))
    }

    @Test(.enabled(if: SharedVectors.isPresent, SharedVectors.absent))
    func `real accounts give what others read in them`() throws {
        let rows = try #require(SharedVectors.json("accounts/accounts.json") as? [[String: Any]])
        var counts: [String: Int] = [:]
        for row in rows {
            let text = try #require(row["data_base64"] as? String)
            let bytes = [UInt8](try #require(Data(base64Encoded: text)))
            let key = Address(try #require(row["pubkey"] as? String))
            let owner = Address(try #require(row["owner"] as? String))
            let data = bytes.span.bytes
            let fact = AccountDecoder.decode(account: key, owner: owner, data: data)
            #expect(fact == nil || fact?.account == key)
            func number(_ at: Int) -> UInt64 {
                (0..<8).reduce(0) { $0 | UInt64(bytes[at + $1]) << UInt64(8 * $1) }
            }
            switch fact?.content {
            case .bondingCurve(let state):
                counts["curve", default: 0] += 1
                #expect(state.virtualReserves.token == UInt128(number(8)))
                #expect(state.realTokenReserves == UInt128(number(24)))
                #expect(state.supply == UInt128(number(40)))
                // On every curve of the standard form.
                #expect(
                    state.virtualReserves.token - state.realTokenReserves == 279_900_000_000_000
                )
                #expect(state.quote == nil && state.creator != nil)
            case .pool(let state):
                counts["pool", default: 0] += 1
                #expect(state.mints.contains(.sol) && state.shares == UInt128(number(203)))
            case .tokenAccount(_, _, let amount):
                counts["account", default: 0] += 1
                #expect(amount == number(64))
            case .mint(let supply, let decimals):
                counts["mint", default: 0] += 1
                #expect(decimals == bytes[44] && [6, 9].contains(decimals))
                #expect(supply == number(36))
            case nil: counts["none", default: 0] += 1
            }
        }
        #expect(counts["curve"] == 9 && counts["pool"] == 1)
        #expect(counts["account"] == 5 && counts["mint"] == 2)
    }
}
