import Foundation
import MarketModel
import ProgramDecoding
import Testing

@Suite struct ProgramWalkTests {
    private let pumpID = Address.pump.text(on: .solana)
    private let foreign = Address("Jito4APyf642JPZPx3hGc6WWJ8zPKtRbRs4P815Awbb")

    /// TradeEvent of its first form.
    static func trade(_ tokens: UInt64, mint: Address = .named(1), isBuy: Bool = true) -> [UInt8] {
        Bytes("bddb7fd34ee661ee").key(mint).u64(1_000_000).u64(tokens).bool(isBuy)
            .key(.named(2)).u64(1_700_000_000)
            .u64(30_001_000_000).u64(1_072_000_000_000_000).u64(1_000_000).u64(792_000_000_000_000)
            .bytes
    }

    static func buy(limit: UInt64 = 5) -> [UInt8] {
        Bytes("66063d1201daebea").u64(9).u64(limit).bytes
    }

    static let accounts: [Address] = (0..<12).map { .named(UInt8(30 + $0)) }

    private func data(_ payload: [UInt8]) -> String {
        "Program data: \(Data(payload).base64EncodedString())"
    }

    private func trades(_ made: MadeTransaction) -> [Trade] {
        made.events().events.compactMap {
            if case .trade(let trade) = $0.event { return trade }
            return nil
        }
    }

    /// A buy with its event in a call and in a line, in either order.
    private func both(lineFirst: Bool, _ payload: [UInt8]) -> MadeTransaction {
        var made = MadeTransaction()
        made.call(.pump, accounts: Self.accounts, data: Self.buy())
        made.eventCall(.pump, height: 2, payload)
        made.log("Program \(pumpID) invoke [1]")
        if lineFirst { made.log(data(payload)) }
        made.log("Program \(pumpID) invoke [2]")
        made.log("Program \(pumpID) consumed 2000 of 100000 compute units")
        made.log("Program \(pumpID) success")
        if !lineFirst { made.log(data(payload)) }
        made.log("Program \(pumpID) success")
        return made
    }

    @Test(arguments: [true, false])
    func `an event that comes both ways counts once`(lineFirst: Bool) {
        #expect(trades(both(lineFirst: lineFirst, Self.trade(5))).map(\.tokenAmount) == [5])
    }

    @Test func `two equal events in calls and lines are two`() {
        var made = MadeTransaction()
        made.call(.pump, accounts: Self.accounts, data: Self.buy())
        made.eventCall(.pump, height: 2, Self.trade(5))
        made.eventCall(.pump, height: 2, Self.trade(5))
        made.log("Program \(pumpID) invoke [1]")
        for _ in 0..<2 {
            made.log(data(Self.trade(5)))
            made.log("Program \(pumpID) invoke [2]")
            made.log("Program \(pumpID) success")
        }
        made.log("Program \(pumpID) success")
        #expect(trades(made).map(\.tokenAmount) == [5, 5])
    }

    @Test func `an event that only a line has is added to those of calls`() {
        var made = both(lineFirst: true, Self.trade(5))
        made.call(.pump, accounts: Self.accounts, data: Self.buy())
        made.log("Program \(pumpID) invoke [1]")
        made.log(data(Self.trade(6)))
        made.log("Program \(pumpID) success")
        #expect(trades(made).map(\.tokenAmount) == [5, 6])
    }

    @Test func `another program's event of the same kind is nothing`() {
        let id = foreign.text(on: .solana)
        var made = MadeTransaction()
        made.call(foreign, accounts: Self.accounts, data: [1])
        made.call(.pump, height: 2, accounts: Self.accounts, data: Self.buy())
        made.eventCall(foreign, height: 2, Self.trade(7))
        made.log("Program \(id) invoke [1]")
        made.log("Program \(pumpID) invoke [2]")
        made.log("Program \(pumpID) success")
        made.log(data(Self.trade(7)))
        made.log("Program \(id) success")
        let (events, tally) = made.events()
        #expect(events.isEmpty)
        #expect(tally.failed == [.pumpCurve: [.noEvent: 1]])
    }

    @Test(.enabled(if: SharedVectors.isPresent, SharedVectors.absent))
    func `real events of other programs with our discriminators are nothing`() throws {
        let rows = try SharedVectors.lines("vectors/solana_events.jsonl").filter {
            ($0["event"] as? String)?.hasSuffix("-collision") == true && $0["b64"] is String
        }
        #expect(rows.count >= 3)
        let id = foreign.text(on: .solana)
        for row in rows {
            var made = MadeTransaction()
            _ = made.key(.pump)
            _ = made.key(.amm)
            made.call(foreign)
            made.log("Program \(id) invoke [1]")
            made.log("Program data: \(try #require(row["b64"] as? String))")
            made.log("Program \(id) success")
            #expect(made.decode().facts == nil)
            #expect(made.decode().tally == ParseTally())
        }
    }

    @Test func `a call to the event entry of another program is no event`() {
        var made = MadeTransaction()
        made.call(foreign, data: [1])
        made.eventCall(.pump, height: 2, Self.trade(7))
        #expect(made.decode().facts == nil)
        #expect(made.walk().events.isEmpty)
    }

    @Test func `cut logs are completed by calls, which is said`() throws {
        var made = MadeTransaction()
        for amount: UInt64 in [5, 6] {
            made.call(.pump, accounts: Self.accounts, data: Self.buy())
            made.eventCall(.pump, height: 2, Self.trade(amount))
        }
        made.log("Program \(pumpID) invoke [1]")
        made.log(data(Self.trade(5)))
        made.log("Log truncated")
        let (facts, tally) = made.decode()
        #expect(try #require(facts).hasCutLogs)
        #expect(trades(made).map(\.tokenAmount) == [5, 6])
        #expect(trades(made).map(\.flags) == [[], .fromCall])
        #expect(tally.decoded == [.pumpCurve: 2])
    }

    @Test func `what cut logs lost and no call has is counted as failed`() {
        var made = MadeTransaction()
        made.call(.pump, accounts: Self.accounts, data: Self.buy())
        made.log("Program \(pumpID) invoke [1]")
        made.log("Log truncated")
        let (facts, tally) = made.decode()
        #expect(facts == nil)
        #expect(tally.failed == [.pumpCurve: [.noEvent: 1]])
    }

    @Test func `text that imitates the log's grammar changes nothing`() {
        let id = foreign.text(on: .solana)
        var made = MadeTransaction()
        made.call(foreign, data: [1])
        made.call(.pump, height: 2, accounts: Self.accounts, data: Self.buy())
        made.log("Program \(id) invoke [1]")
        made.log("Program log: Program \(pumpID) invoke [2]")
        made.log(data(Self.trade(9)))
        made.log("Program \(pumpID) invoke [2")
        made.log("Program \(pumpID) invoke [0]")
        made.log("Program \(pumpID) invoke [2]")
        made.log("Program return: \(id) AAAA")
        made.log("Program consumption: 12 units remaining")
        made.log("Program log: ")
        made.log("Program data:")
        made.log("")
        made.log(data(Self.trade(5)))
        made.log("Program \(pumpID) consumed 3 of 4 compute units")
        made.log("Program \(pumpID) success")
        made.log(data(Self.trade(8)))
        made.log("Program \(id) success")
        #expect(trades(made).map(\.tokenAmount) == [5])
        #expect(trades(made).first?.router == foreign)
    }

    @Test func `a ray_log is Raydium's alone, and Raydium v4 has no other event`() {
        let raydium = Address("675kPX9MHTjS2zt1qfr1NYHuzeLXfQM9H24wFSUt1Mp8")
        let text = Data(Self.trade(5)).base64EncodedString()
        var made = MadeTransaction()
        for program in [Address.pump, raydium] {
            let id = program.text(on: .solana)
            made.call(program, accounts: Self.accounts, data: Self.buy())
            made.log("Program \(id) invoke [1]")
            made.log("Program log: ray_log: \(text)")
            made.log("Program data: \(text)")
            made.log("Program \(id) success")
        }
        let events = made.walk().events
        #expect(events.map(\.program) == [.pumpCurve, .raydiumV4])
        #expect(events.map(\.isRayLog) == [false, true])
        #expect(events.map(\.call) == [0, 1])
    }

    @Test func `several fields of one line follow one another`() {
        let payload = Self.trade(5)
        let split = [Array(payload[..<8]), Array(payload[8...])]
            .map { Data($0).base64EncodedString() }.joined(separator: " ")
        var made = MadeTransaction()
        made.call(.pump, accounts: Self.accounts, data: Self.buy())
        made.log("Program \(pumpID) invoke [1]")
        made.log("Program data: \(split)")
        made.log("Program \(pumpID) success")
        #expect(trades(made).map(\.tokenAmount) == [5])
    }

    /// A router that buys twice, then sells; other calls in between; deeper and deeper.
    private func routed(tellsHeights: Bool, logs: Bool) -> MadeTransaction {
        let id = foreign.text(on: .solana)
        let middle = Address.named(60)
        var made = MadeTransaction()
        made.call(.computeBudgetProgram, data: [3] + Bytes().u64(123).bytes)
        made.call(foreign, data: [1])
        made.call(
            .pump,
            height: 2,
            tellsHeight: tellsHeights,
            accounts: Self.accounts,
            data: Self.buy(limit: 1)
        )
        made.call(.splToken, height: 3, tellsHeight: tellsHeights, data: [9])
        made.eventCall(.pump, height: 3, tellsHeight: tellsHeights, Self.trade(1))
        made.call(middle, height: 2, tellsHeight: tellsHeights, data: [1])
        made.call(
            .pump,
            height: 3,
            tellsHeight: tellsHeights,
            accounts: Self.accounts,
            data: Self.buy(limit: 2)
        )
        made.eventCall(.pump, height: 4, tellsHeight: tellsHeights, Self.trade(2))
        made.eventCall(.pump, height: 4, tellsHeight: tellsHeights, Self.trade(3))
        guard logs else { return made }
        let m = middle.text(on: .solana)
        let budget = Address.computeBudgetProgram.text(on: .solana)
        let token = Address.splToken.text(on: .solana)
        for line in [
            "\(budget) invoke [1]", "\(budget) success", "\(id) invoke [1]",
            "\(pumpID) invoke [2]", "\(token) invoke [3]",
            "\(token) consumed 112 of 2 compute units", "\(token) success",
            "\(pumpID) invoke [3]", "\(pumpID) success", "\(pumpID) success", "\(m) invoke [2]",
            "\(pumpID) invoke [3]", "\(pumpID) invoke [4]", "\(pumpID) success",
            "\(pumpID) invoke [4]", "\(pumpID) success", "\(pumpID) success", "\(m) success",
            "\(id) success",
        ] {
            made.log("Program \(line)")
        }
        return made
    }

    @Test(arguments: [(true, true), (true, false), (false, true), (false, false)])
    func `every event belongs to the call that gave it`(tellsHeights: Bool, logs: Bool) {
        let made = routed(tellsHeights: tellsHeights, logs: logs)
        let events = made.events().events
        #expect(events.map { "\($0.place)" } == ["7/1.1/0", "7/1.5/0", "7/1.5/1"])
        let trades = trades(made)
        #expect(trades.map(\.tokenAmount) == [1, 2, 3])
        #expect(trades.map(\.limit) == [1, 2, 2])
        #expect(trades.allSatisfy { $0.router == foreign })
        #expect(trades.allSatisfy { $0.exactness == .exactOut && $0.curve == .named(33) })
        #expect(made.decode().facts?.priorityPrice == 123)
    }

    @Test func `the tree is told by heights, and by logs where the wire has none`() {
        for made in [
            routed(tellsHeights: true, logs: false), routed(tellsHeights: false, logs: true),
        ] {
            let calls = made.walk().calls
            #expect(calls.map(\.depth) == [1, 1, 2, 3, 3, 2, 3, 4, 4])
            #expect(calls.map(\.parent) == [-1, -1, 1, 2, 2, 1, 5, 6, 6])
            #expect(calls.map(\.end) == [1, 9, 5, 4, 5, 9, 9, 8, 9])
            #expect(
                calls.map(\.isUnderMarket)
                    == [false, false, false, true, true, false, false, true, true]
            )
        }
    }

    @Test func `a precompile that logs nothing does not shift the others`() {
        var made = MadeTransaction()
        made.call(Address("Ed25519SigVerify111111111111111111111111111"), data: [1])
        made.call(.pump, accounts: Self.accounts, data: Self.buy(limit: 1))
        made.call(.pump, accounts: Self.accounts, data: Self.buy(limit: 2))
        for amount: UInt64 in [1, 2] {
            made.log("Program \(pumpID) invoke [1]")
            made.log(data(Self.trade(amount)))
            made.log("Program \(pumpID) success")
        }
        #expect(trades(made).map(\.limit) == [1, 2])
    }

    @Test func `without the calls below the top an event of the logs still counts`() {
        let id = foreign.text(on: .solana)
        var made = MadeTransaction()
        made.call(foreign, data: [1])
        made.call(.pump, accounts: Self.accounts, data: Self.buy(limit: 4))
        _ = made.key(.pump)
        made.log("Program \(id) invoke [1]")
        made.log("Program \(pumpID) invoke [2]")
        made.log(data(Self.trade(1)))
        made.log("Program \(pumpID) success")
        made.log("Program \(id) success")
        made.log("Program \(pumpID) invoke [1]")
        made.log(data(Self.trade(2)))
        made.log("Program \(pumpID) success")
        #expect(made.events().events.map { "\($0.place)" } == ["7/0.0/0", "7/1.0/0"])
        #expect(trades(made).map(\.tokenAmount) == [1, 2])
        #expect(trades(made).map(\.limit) == [nil, 4])
    }

    @Test func `a transaction that failed or names no market gives nothing`() {
        var failed = both(lineFirst: true, Self.trade(5))
        failed.change { $0.isFailed = true }
        #expect(failed.decode().facts == nil)
        #expect(failed.decode().tally == ParseTally())
        var other = MadeTransaction()
        other.call(foreign, data: [1])
        #expect(!ProgramDecoder.isOfInterest(other.transaction.keys))
        #expect(other.decode().facts == nil)
        let watched = [
            "6EF8rrecthR5Dkzon8Nwu78hRvfCKubJ14M5uBEwF6P",
            "pAMMBay6oceH9fJKBRHGP5D4bD4sWpmSwMn52FMfXEA",
            "675kPX9MHTjS2zt1qfr1NYHuzeLXfQM9H24wFSUt1Mp8",
            "CPMMoo8L3F4NbTegBCKVNunggL7H1ZpdTHKxQB5qKP1C",
            "CAMMCzo5YL8w4VFF8KVHrK22GGUsp5VTaW7grrKgrWqK",
            "LanMV9sAd7wArD4vJFi2qDdfnVhFxYSUg6eADduJ3uj",
        ]
        for text in watched { #expect(ProgramDecoder.isOfInterest([.named(3), Address(text)])) }
        for text in [
            "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA",
            "11111111111111111111111111111111",
        ] {
            #expect(!ProgramDecoder.isOfInterest([Address(text)]))
        }
    }

    @Test func `what is not known is counted by program and discriminator`() {
        var made = MadeTransaction()
        made.call(.pump, data: [1, 2, 3, 4, 5, 6, 7, 8, 9])
        made.eventCall(.pump, height: 2, [9, 8, 7, 6, 5, 4, 3, 2, 1])
        made.call(.amm, data: [1, 2, 3, 4, 5, 6, 7, 8])
        let (facts, tally) = made.decode()
        #expect(facts == nil)
        let unknown: [ParseTally.Unknown: UInt64] = [
            .init(program: .pump, isEvent: false, discriminator: 0x0102_0304_0506_0708): 1,
            .init(program: .pump, isEvent: true, discriminator: 0x0908_0706_0504_0302): 1,
            .init(program: .amm, isEvent: false, discriminator: 0x0102_0304_0506_0708): 1,
        ]
        #expect(tally.unknown == unknown)
        #expect(tally.failed.isEmpty && tally.decoded.isEmpty)
    }
}
