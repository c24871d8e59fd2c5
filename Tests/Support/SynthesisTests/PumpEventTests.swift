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

    @Test func `events have the lengths of their layouts`() throws {
        let expected: [String: Set<Int>] = [
            "bddb7fd34ee661ee": [358, 359, 371],  // trade: buy, sell, buy_exact_sol_in
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
        var trades = 0
        for event in try Self.market.get()
        where discriminator(event) == "bddb7fd34ee661ee" {
            let mint = Array(event[8..<40])
            let (sol, tokens) = (number(event, 40), number(event, 48))
            let after = (quote: number(event, 97), tokens: number(event, 105))
            let isBuy = event[56] == 1
            let before =
                isBuy
                ? (quote: after.quote - sol, tokens: after.tokens + tokens)
                : (quote: after.quote + sol, tokens: after.tokens - tokens)
            let expected = reserves[mint] ?? (30_000_000_000, 1_073_000_000_000_000)
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
            trades += 1
        }
        #expect(trades > 300)
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
        var migrated = 0
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
                // What was raised less the migration fee; rounding adds lamports to 85.005 SOL.
                #expect((84_990_359_056...84_990_360_000).contains(number(event, 80)))
                #expect(number(event, 88) == 15_000_001)
                migrated += 1
            default: break
            }
        }
        #expect(migrated > 0)
    }
}
