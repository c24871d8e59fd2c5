import CGeyser
import Foundation
import Testing

@testable import Synthesis

/// Base64 by Foundation, independent of the program's own.
enum Data64 {
    static func encode(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }

    static func decode(_ text: Substring) throws -> [UInt8] {
        Array(try #require(Data(base64Encoded: String(text))))
    }
}

/// Reads the events of the programs by the offsets of their published layouts.
struct PumpEventTests {
    /// Payloads of `Program data:` lines of one Geyser stream, in order of arrival.
    private static func events(_ options: SynthesisOptions) throws -> [[UInt8]] {
        var events: [[UInt8]] = []
        for message in SynthesisRun.messages(SynthesisRun.steps(options), stream: 1) {
            let update = try #require(geyser__subscribe_update__unpack(nil, message.count, message))
            defer { geyser__subscribe_update__free_unpacked(update, nil) }
            guard
                update.pointee.update_oneof_case
                    == GEYSER__SUBSCRIBE_UPDATE__UPDATE_ONEOF_TRANSACTION
            else { continue }
            let info = try #require(update.pointee.transaction.pointee.transaction).pointee
            let meta = try #require(info.meta).pointee
            for index in 0..<meta.n_log_messages {
                let line = String(cString: try #require(meta.log_messages[index]))
                guard line.hasPrefix("Program data: ") else { continue }
                events.append(try Data64.decode(line.dropFirst(14)))
            }
        }
        return events
    }

    private static var options: SynthesisOptions {
        var options = SynthesisOptions()
        options.slots = 160
        options.ethereumBlocks = 0
        options.tradesPerSlot = 10
        options.votesPerSlot = 1
        return options
    }

    private static let market = Result { try events(options) }

    private func number(_ event: [UInt8], _ offset: Int) -> UInt64 {
        event[offset..<(offset + 8)].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    private func discriminator(_ event: [UInt8]) -> String {
        event.prefix(8).map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    }

    /// EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v
    static let usdc: [UInt8] = [
        0xc6, 0xfa, 0x7a, 0xf3, 0xbe, 0xdb, 0xad, 0x3a, 0x3d, 0x65, 0xf3, 0x6a, 0xab, 0xc9, 0x74,
        0x31, 0xb1, 0xbb, 0xe4, 0xc2, 0xd2, 0xf6, 0xe0, 0xe4, 0x7c, 0xa6, 0x02, 0x03, 0x45, 0x2f,
        0x5d, 0x61,
    ]

    @Test func `events have the lengths of their layouts`() throws {
        let expected: [String: Set<Int>] = [
            // trade: buy, sell, buy_exact_sol_in, buy_exact_quote_in
            "bddb7fd34ee661ee": [358, 359, 371, 373],
            "5f72619cd42e9808": [144],  // complete
            "bde95db95c94ea94": [200],  // migration
            "67f4521f2cf57777": [465, 480],  // pool buy, buy_exact_quote_in
            "3e2f370aa503dc2a": [417],  // pool sell
            "b1310cd2a076a774": [334],  // create pool
            "78f83d531f8e6b90": [256],  // deposit
            "1609851aa02c47c0": [256],  // withdraw
        ]
        var seen: [String: Set<Int>] = [:]
        for event in try Self.market.get() {
            seen[discriminator(event), default: []].insert(event.count)
        }
        let creations = seen.removeValue(forKey: "1b72a94ddeeb6376")
        #expect(creations?.allSatisfy { $0 > 250 } == true)
        #expect(seen == expected)
    }

    @Test func `older layouts are prefixes`() throws {
        var options = Self.options
        options.layout = .january2026
        var lengths: [String: Set<Int>] = [:]
        for event in try Self.events(options) {
            lengths[discriminator(event), default: []].insert(event.count)
        }
        #expect(lengths["bddb7fd34ee661ee"] == [265, 266, 278])
        #expect(lengths["67f4521f2cf57777"] == [408, 423])
        #expect(lengths["3e2f370aa503dc2a"] == [360])
        #expect(lengths["5f72619cd42e9808"] == [112])
    }

    @Test func `each trade moves its curve by the published formula`() throws {
        var reserves: [[UInt8]: (quote: UInt64, tokens: UInt64)] = [:]
        var trades = (sol: 0, usdc: 0)
        for event in try Self.market.get()
        where discriminator(event) == "bddb7fd34ee661ee" {
            let mint = Array(event[8..<40])
            let tokens = number(event, 48)
            // The quote and its amounts stand at the end; those of SOL are zero when it is another.
            let end = event.count
            let isSOL = Array(event[end - 56..<end - 24]) == [UInt8](repeating: 0, count: 32)
            let sol = number(event, end - 24)
            let after = (quote: number(event, end - 16), tokens: number(event, 105))
            for (offset, other) in [(40, end - 24), (97, end - 16), (113, end - 8)] {
                #expect(number(event, offset) == (isSOL ? number(event, other) : 0))
            }
            if !isSOL { #expect(Array(event[end - 56..<end - 24]) == Self.usdc) }
            #expect(event.count != (isSOL ? 373 : 371))
            let isBuy = event[56] == 1
            let before =
                isBuy
                ? (quote: after.quote - sol, tokens: after.tokens + tokens)
                : (quote: after.quote + sol, tokens: after.tokens - tokens)
            let start: UInt64 = isSOL ? 30_000_000_000 : 4_500_000_000
            #expect(after.quote - number(event, end - 8) == start)
            let expected = reserves[mint] ?? (start, 1_073_000_000_000_000)
            #expect(before == expected)
            let product = UInt128(tokens) * UInt128(before.quote)
            switch event.count {
            case 358: #expect(UInt128(sol) == product / UInt128(before.tokens - tokens) + 1)
            case 359: #expect(UInt128(sol) == product / UInt128(before.tokens + tokens))
            default: break
            }
            #expect(number(event, 169) == (sol * 95 + 9_999) / 10_000)
            #expect(number(event, 217) == (sol * 30 + 9_999) / 10_000)
            reserves[mint] = after
            if isSOL { trades.sol += 1 } else { trades.usdc += 1 }
        }
        #expect(trades.sol > 300)
        #expect(trades.usdc > 30)
    }

    @Test func `each pool operation starts from where the last one ended`() throws {
        var reserves: [[UInt8]: (base: UInt64, quote: UInt64)] = [:]
        var operations = 0
        for event in try Self.market.get() {
            let pool: [UInt8]
            let provides = event.count == 256
            let before = (
                base: number(event, provides ? 56 : 48), quote: number(event, provides ? 64 : 56)
            )
            var after = before
            switch discriminator(event) {
            case "b1310cd2a076a774":
                reserves[Array(event[173..<205])] = (number(event, 132), number(event, 140))
                continue
            case "67f4521f2cf57777":
                pool = Array(event[120..<152])
                let net = event.count == 465 ? number(event, 64) : number(event, 112)
                after = (before.base - number(event, 16), before.quote + net + number(event, 80))
            case "3e2f370aa503dc2a":
                pool = Array(event[120..<152])
                let paid = number(event, 104)
                after = (before.base + number(event, 16), before.quote - paid)
            case "78f83d531f8e6b90":
                pool = Array(event[96..<128])
                after = (before.base + number(event, 72), before.quote + number(event, 80))
            case "1609851aa02c47c0":
                pool = Array(event[96..<128])
                after = (before.base - number(event, 72), before.quote - number(event, 80))
            default: continue
            }
            let expected = try #require(reserves[pool])
            #expect(before == expected)
            reserves[pool] = after
            operations += 1
        }
        #expect(operations > 100)
    }

    @Test func `a full curve completes once, rests and becomes a pool`() throws {
        var complete: Set<[UInt8]> = []
        var migrated = (sol: 0, usdc: 0)
        for event in try Self.market.get() {
            switch discriminator(event) {
            case "bddb7fd34ee661ee":
                let mint = Array(event[8..<40])
                #expect(!complete.contains(mint), "a trade after completion")
            case "5f72619cd42e9808":
                #expect(complete.insert(Array(event[40..<72])).inserted)
            case "bde95db95c94ea94":
                #expect(complete.contains(Array(event[40..<72])))
                #expect(number(event, 72) == 206_900_000_000_000)
                if Array(event[168..<200]) == Self.usdc {
                    // 793.1 * 4,500 / 279.9 USDC, rounded up; of USDC there is no migration fee.
                    #expect((12_750_803_859...12_750_805_000).contains(number(event, 80)))
                    #expect(number(event, 88) == 0)
                    migrated.usdc += 1
                    continue
                }
                // What was raised less the migration fee; rounding adds lamports to 85.005 SOL.
                #expect((84_990_359_056...84_990_360_000).contains(number(event, 80)))
                #expect(number(event, 88) == 15_000_001)
                migrated.sol += 1
            default: break
            }
        }
        #expect(migrated.sol > 0)
        #expect(migrated.usdc > 0)
    }
}
