import Foundation
import MarketModel
import ProgramDecoding
import Testing

/// Nothing that a stranger can write traps, loops or claims memory without end.
@Suite struct HostileTransactionTests {
    private let pumpID = Address.pump.text(on: .solana)

    @Test func `indices outside the keys are counted`() {
        var made = MadeTransaction()
        _ = made.key(.pump)
        made.call(index: 200, 1, true, [0, 255, 3], [1])
        made.call(index: .max, 2, true, [], [])
        let (facts, tally) = made.decode()
        #expect(facts == nil)
        #expect(tally.callsWithoutProgram == 2)
    }

    @Test func `an account outside the keys leaves the trade without its pool's mints`() throws {
        var made = MadeTransaction()
        let pool = Address.named(9)
        let event = PumpSwapTests.buy(pool: pool)
        let program = UInt32(made.key(.amm))
        let first = UInt8(made.key(pool))
        let sell = Bytes("66063d1201daebea").u64(1).u64(2).bytes
        made.call(index: program, 1, true, [first, 0, 0, 0, 250], sell)
        made.eventCall(.amm, height: 2, event)
        made.call(index: program, 1, true, [first, 0, 0], sell)
        made.eventCall(.amm, height: 2, event)
        #expect(made.decode().facts == nil)
        #expect(made.decode().tally.failed == [.pumpSwap: [.badIndex: 1, .missingAccount: 1]])
    }

    @Test(arguments: [
        "!!!!", "AAA", "AAAA=AAA", "A===", "=AAA", "AB==CD==", "vdt/007mYe4", "AA\u{0}A",
    ])
    func `hostile Base64 is a failure of its call`(text: String) {
        var made = MadeTransaction()
        made.call(.pump, accounts: ProgramWalkTests.accounts, data: ProgramWalkTests.buy())
        made.log("Program \(pumpID) invoke [1]")
        made.log("Program data: \(text)")
        made.log("Program \(pumpID) success")
        #expect(made.decode().facts == nil)
        #expect(made.decode().tally.failed == [.pumpCurve: [.invalid: 1]])
    }

    @Test func `a line of ten megabytes is left alone and counted`() {
        var made = MadeTransaction()
        made.call(.pump, accounts: ProgramWalkTests.accounts, data: ProgramWalkTests.buy())
        made.log("Program \(pumpID) invoke [1]")
        made.log("Program data: " + String(repeating: "AAAA", count: 2_500_000))
        made.log("Program log: " + String(repeating: "x", count: 10_000_000))
        made.log("Program " + String(repeating: "1", count: 10_000_000))
        made.log("Program \(pumpID) success")
        #expect(made.decode().tally.failed == [.pumpCurve: [.tooLarge: 1]])
        #expect(made.walk().payloads.isEmpty)
    }

    @Test func `thousands of events are bounded and counted`() {
        var made = MadeTransaction()
        made.call(.pump, accounts: ProgramWalkTests.accounts, data: ProgramWalkTests.buy())
        for amount in 0..<3000 {
            made.eventCall(.pump, height: 2, ProgramWalkTests.trade(UInt64(amount)))
        }
        let (events, tally) = made.events()
        #expect(events.count == 512)
        #expect(Set(events.map(\.place)).count == events.count)
        #expect(events.map(\.place) == events.map(\.place).sorted())
        #expect(tally.failed == [.pumpCurve: [.tooLarge: 3000 - 512]])
    }

    @Test func `thousands of lines are bounded and counted`() {
        var made = MadeTransaction()
        made.call(.pump, accounts: ProgramWalkTests.accounts, data: ProgramWalkTests.buy())
        made.log("Program \(pumpID) invoke [1]")
        for amount in 0..<3000 {
            let payload = Data(ProgramWalkTests.trade(UInt64(amount)))
            made.log("Program data: \(payload.base64EncodedString())")
        }
        made.log("Program \(pumpID) success")
        let (events, tally) = made.events()
        #expect(events.count == 512)
        // Those left out and the one call that gave the others.
        #expect(tally.failed == [.pumpCurve: [.tooLarge: 3000 - 512]])
        #expect(tally.decoded == [.pumpCurve: 1])
    }

    @Test func `calls without end and without order are no tree but do no harm`() {
        var made = MadeTransaction()
        _ = made.key(.pump)
        var state: UInt64 = 7
        for _ in 0..<5000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let height = UInt32(truncatingIfNeeded: state >> 33) % 400
            made.call(.pump, height: max(height, 1), accounts: [.named(1)], data: [1])
            made.log("Program \(pumpID) invoke [\(state >> 40 % 300)]")
            if state >> 50 & 3 == 0 { made.log("Program \(pumpID) success") }
            made.log("Program data: AAAA")
        }
        let walk = made.walk()
        #expect(walk.calls.count == 5000)
        for (position, call) in walk.calls.enumerated() {
            #expect(Int(call.parent) < position && Int(call.end) > position)
            let above = call.parent < 0 ? 0 : walk.calls[Int(call.parent)].depth
            #expect(call.depth == above + 1 || call.depth == .max)
        }
    }

    @Test(.enabled(if: SharedVectors.isPresent, SharedVectors.absent), arguments: [true, false])
    func `no cut of a real event is read as one, but where a form ends`(inLog: Bool) throws {
        for vector in try SharedVectors.pumpEvents() {
            let whole = vector.transaction(inLog: inLog).events().events.count
            #expect(whole == 1)
            for length in 0..<vector.bytes.count {
                let cut = vector.shortened(to: length)
                let (events, tally) = cut.transaction(inLog: inLog).events()
                guard events.isEmpty else {
                    #expect(vector.isEndOfField(length), "\(vector) cut to \(length)")
                    continue
                }
                // A payload too short to be told as an event in a call is none at all.
                let failures = tally.failed.values.first ?? [:]  // nothing failed is told apart
                #expect(
                    failures == [.truncated: 1] || failures == [.noEvent: 1] || length < 8,
                    "\(vector) cut to \(length): \(failures)"
                )
            }
        }
    }

    @Test(.enabled(if: SharedVectors.isPresent, SharedVectors.absent))
    func `unknown bytes behind a real event are counted and change nothing`() throws {
        for vector in try SharedVectors.pumpEvents() {
            let plain = vector.transaction(inLog: true).events()
            #expect(plain.tally.unknownTailBytes == 0)
            guard vector.isNewest else { continue }
            for count in 1...64 {
                let longer = vector.lengthened(by: count)
                let (events, tally) = longer.transaction(inLog: true).events()
                #expect(events == plain.events)
                #expect(tally.unknownTailBytes == UInt64(count))
            }
        }
    }

    @Test func `names of any bytes and lengths are read`() throws {
        let names: [([UInt8], String)] = [
            ([], ""), ([0], "\0"), (Array("🚀 то the moon".utf8), "🚀 то the moon"),
            ([0x41, 0xff, 0x42], "A\u{fffd}B"),
            ([UInt8](repeating: 0x61, count: 5000), String(repeating: "a", count: 128)),
        ]
        for (bytes, text) in names {
            let payload = Bytes("1b72a94ddeeb6376").raw(bytes).raw(bytes).raw(bytes)
                .key(.named(1)).key(.named(2)).key(.named(3)).bytes
            var made = MadeTransaction()
            made.call(.pump, data: Bytes("181ec828051c0777").bytes)
            made.eventCall(.pump, height: 2, payload)
            guard case .tokenCreated(let created)? = made.events().events.first?.event else {
                Issue.record("no creation")
                continue
            }
            #expect(created.name == text)
            #expect(created.uri.utf8.count <= 1024 && created.symbol.utf8.count <= 64)
            #expect(created.creator == .named(3))
        }
        // A length that is not there claims nothing.
        var made = MadeTransaction()
        made.call(.pump, data: Bytes("181ec828051c0777").bytes)
        made.eventCall(.pump, height: 2, Bytes("1b72a94ddeeb6376").u32(.max).text("x").bytes)
        #expect(made.decode().tally.failed == [.pumpCurve: [.truncated: 1]])
    }

    @Test func `values that no program writes are invalid`() {
        var payload = ProgramWalkTests.trade(5)
        payload[56] = 2
        var made = MadeTransaction()
        made.call(.pump, accounts: ProgramWalkTests.accounts, data: ProgramWalkTests.buy())
        made.eventCall(.pump, height: 2, payload)
        #expect(made.decode().tally.failed == [.pumpCurve: [.invalid: 1]])
    }
}

extension EventVector {
    func shortened(to length: Int) -> EventVector { with(Array(bytes[..<length])) }

    func lengthened(by count: Int) -> EventVector {
        with(bytes + [UInt8](repeating: 0xa5, count: count))
    }

    /// Whether it is of the newest form that the decoder knows, so that what follows is unknown.
    var isNewest: Bool {
        ["DepositEvent", "WithdrawEvent", "CompleteEvent", "CompletePumpAmmMigrationEvent"]
            .contains(event) && [256, 144, 200].contains(bytes.count)
    }

    /// Whether a field that was appended later ends at an offset; offsets are those of the
    /// published layouts.
    func isEndOfField(_ offset: Int) -> Bool {
        func string(at offset: Int) -> Int {
            4 + bytes[offset..<offset + 4].enumerated().reduce(0) { $0 + Int($1.1) << (8 * $1.0) }
        }
        var ends: [Int]
        switch event {
        case "TradeEvent":
            ends = [113, 121, 129, 161, 169, 177, 209, 217, 225, 226, 234, 242, 250, 258]
            guard bytes.count > 258 else { break }
            var end = 258
            for size in [string(at: 258), 1, 8, 8, 8, 8, 4, 32, 8, 8, 8, 8, 8, 8] {
                end += size
                ends.append(end)
            }
        case "BuyEvent":
            ends = [312, 344, 352, 360, 361, 369, 377, 385, 393, 401]
            guard bytes.count > 401 else { break }
            var end = 401
            for size in [string(at: 401), 8, 8, 8, 8, 16, 1, 8, 8, 8, 8] {
                end += size
                ends.append(end)
            }
        case "SellEvent": ends = [312, 344, 352, 360, 368, 376, 384, 392, 408, 409, 417, 425, 433]
        case "CreatePoolEvent": ends = [301, 333, 334, 342, 343]
        case "CompleteEvent": ends = [112]
        case "CompletePumpAmmMigrationEvent": ends = [168]
        case "CreateEvent":
            var end = 8
            for _ in 0..<3 { end += string(at: end) }
            ends = [96, 128, 136, 144, 152, 160, 168, 200, 201, 202, 234, 242, 250, 251]
                .map { end + $0 }
        default: ends = []
        }
        return ends.contains(offset)
    }

    private func with(_ bytes: [UInt8]) -> EventVector {
        EventVector(copying: self, bytes: bytes)
    }
}
