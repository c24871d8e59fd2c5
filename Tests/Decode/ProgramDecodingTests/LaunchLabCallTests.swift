import Foundation
import MarketModel
import Testing

@testable import ProgramDecoding

/// Calls of Raydium LaunchLab in made transactions, and the real ones.
struct LaunchLabCallTests {
    private static let token = Address.named("token mint")
    private static let curve = Address.named("curve")
    private static let payer = Address.named("payer")

    /// An event as the program gives it: as a call to itself.
    private func leave(_ payload: RaydiumPayload, in tape: inout RaydiumTape) {
        tape.call(
            .launchLabProgram,
            [.named("event authority")],
            RaydiumPayload("e445a52e51cb9a1d").adding(payload.bytes).bytes,
            depth: 2
        )
    }

    private func tradeTape(_ instruction: String, _ event: RaydiumPayload?) -> RaydiumTape {
        var list = (0..<15).map { Address.named("filler \($0)") }
        list[0] = Self.payer
        list[4] = Self.curve
        list[9] = Self.token
        list[10] = .wrappedSOL
        var tape = RaydiumTape()
        tape.call(
            .launchLabProgram,
            list,
            RaydiumPayload(instruction).u64(1_000, 900, 0).bytes
        )
        if let event { leave(event, in: &tape) }
        return tape
    }

    /// Sold before and after, raised before and after; fees of protocol, platform, creator, sharer.
    private func event(
        sold: (UInt64, UInt64),
        raised: (UInt64, UInt64),
        amounts: (UInt64, UInt64),
        fees: (UInt64, UInt64, UInt64?, UInt64),
        isSell: UInt8,
        status: UInt8 = 0
    ) -> RaydiumPayload {
        let head = RaydiumPayload("bddb7fd34ee661ee").key(Self.curve)
            .u64(8_000, 10_000, 500, sold.0, raised.0, sold.1, raised.1)
            .u64(amounts.0, amounts.1, fees.0, fees.1)
        guard let creator = fees.2 else { return head.u64(fees.3).u8(isSell, status) }
        return head.u64(creator, fees.3).u8(isSell, status, 1)
    }

    @Test(arguments: [true, false])
    func `a buy pays its fees on top of what the curve raises`(isNewForm: Bool) throws {
        let event = self.event(
            sold: (100, 250),
            raised: (40, 130),
            amounts: (isNewForm ? 107 : 103, 150),
            fees: (5, 7, isNewForm ? 4 : nil, 1),
            isSell: 0
        )
        #expect(event.bytes.count == (isNewForm ? 147 : 138))
        let (facts, tally) = tradeTape("faea0d7bd59c13ec", event).decode()
        #expect(tally.decoded == [.launchLab: 1])
        let trade = try #require(facts?.trades.first)
        #expect(trade.venue == .launchLab)
        #expect(trade.pool == Self.curve)
        #expect(trade.curve == Self.curve)
        #expect(trade.token == Self.token)
        #expect(trade.quote == .wrappedSOL)
        #expect(trade.trader == Self.payer)
        #expect(trade.side == .buy)
        #expect(trade.exactness == .exactIn)
        #expect(trade.limit == 900)
        #expect(trade.tokenAmount == 150)
        #expect(trade.quoteAmount == 90)
        #expect(trade.fees.venue == 13)
        #expect(trade.fees.creator == (isNewForm ? 4 : nil))
        #expect(trade.traderQuoteAmount == (isNewForm ? 107 : 103))
        #expect(trade.before == Reserves(token: 9_900, quote: 540))
        #expect(trade.after == Reserves(token: 9_750, quote: 630))
        #expect(trade.realTokenReserves == 7_750)
        #expect(trade.realQuoteReserves == 130)
        #expect(facts?.events.count == 1)
        #expect(trade.flags.isEmpty)
    }

    @Test
    func `a sell gets what the curve gives less its fees`() throws {
        let event = self.event(
            sold: (250, 100),
            raised: (130, 40),
            amounts: (150, 73),
            fees: (5, 7, 4, 1),
            isSell: 1
        )
        let trade = try #require(tradeTape("5fc8472208090ba6", event).decode().facts?.trades.first)
        #expect(trade.side == .sell)
        #expect(trade.exactness == .exactOut)
        #expect(trade.tokenAmount == 150)
        #expect(trade.quoteAmount == 90)
        #expect(trade.traderQuoteAmount == 73)
        #expect(trade.after == Reserves(token: 9_900, quote: 540))
    }

    @Test
    func `the buy that ends a curve completes it`() throws {
        let event = self.event(
            sold: (7_000, 8_000),
            raised: (40, 400),
            amounts: (360, 1_000),
            fees: (0, 0, 0, 0),
            isSell: 0,
            status: 1
        )
        let facts = try #require(tradeTape("18d3742869039938", event).decode().facts)
        #expect(facts.trades.first?.realTokenReserves == 0)
        guard case .curveCompleted(let completed) = facts.events.last?.event else {
            Issue.record("not completed")
            return
        }
        #expect(completed.venue == .launchLab)
        #expect(completed.token == Self.token)
        #expect(completed.curve == Self.curve)
        #expect(completed.user == Self.payer)
        #expect(facts.events[0].place < facts.events[1].place)
    }

    @Test
    func `contradicting amounts are invalid, the greatest do not trap`() throws {
        func failure(_ event: RaydiumPayload) -> [Strategy: [ParseFailure: UInt64]] {
            tradeTape("faea0d7bd59c13ec", event).decode().tally.failed
        }
        let invalid: [Strategy: [ParseFailure: UInt64]] = [.launchLab: [.invalid: 1]]
        let less = event(
            sold: (250, 100),
            raised: (1, 2),
            amounts: (1, 1),
            fees: (0, 0, 0, 0),
            isSell: 0
        )
        #expect(failure(less) == invalid)
        let dear = event(
            sold: (250, 100),
            raised: (9, 2),
            amounts: (1, 1),
            fees: (5, 5, 0, 0),
            isSell: 1
        )
        #expect(failure(dear) == invalid)
        let most = event(
            sold: (0, .max),
            raised: (0, .max),
            amounts: (.max, .max),
            fees: (.max, .max, .max, .max),
            isSell: 0
        )
        let trade = try #require(tradeTape("faea0d7bd59c13ec", most).decode().facts?.trades.first)
        #expect(trade.traderQuoteAmount == 5 * UInt128(UInt64.max))
        #expect(trade.after == nil)
        #expect(trade.realTokenReserves == nil)
    }

    @Test
    func `the same event of another program is nobody's`() {
        var tape = tradeTape("faea0d7bd59c13ec", nil)
        #expect(tape.decode().tally.failed == [.launchLab: [.noEvent: 1]])
        let event = self.event(
            sold: (1, 2),
            raised: (1, 2),
            amounts: (1, 1),
            fees: (0, 0, 0, 0),
            isSell: 0
        )
        tape.call(
            .named("foreign"),
            [.named("event authority")],
            RaydiumPayload("e445a52e51cb9a1d").adding(event.bytes).bytes,
            depth: 2
        )
        #expect(tape.decode().tally.failed == [.launchLab: [.noEvent: 1]])
    }

    @Test(.enabled(if: RaydiumShared.isPresent, RaydiumShared.absent))
    func `the real coin and its first buy are told in full`() throws {
        var events: [MarketEvent] = []
        for read in try RaydiumShared.transactions("real.bin") where read.slot == 345_646_824 {
            var decoder = ProgramDecoder()
            var tally = ParseTally()
            let facts = decoder.decode(read.transaction, read.bytes.span.bytes, tally: &tally)
            events += (facts?.events ?? []).map(\.event)
        }
        guard events.count == 2, case .tokenCreated(let created) = events[0],
            case .trade(let trade) = events[1]
        else {
            Issue.record("\(events.count) events")
            return
        }
        let mint = "AqFe2tk1BRx6czUuRPGUZ8mtvcBGDZYsG6oPvELwzray"
        #expect(created.token.text(on: .solana) == mint)
        #expect(created.name == "PenguX")
        #expect(created.symbol == "PEX")
        #expect(created.quote == .wrappedSOL)
        #expect(created.supply == 1_000_000_000_000_000)
        #expect(created.realTokenReserves == 800_000_000_000_000)
        #expect(created.tokenProgram == .tokenProgram)
        #expect(created.creator == created.user)
        #expect(trade.token.text(on: .solana) == mint)
        #expect(trade.curve == created.curve)
        #expect(trade.traderQuoteAmount == 1_000_000_000)
        #expect(trade.quoteAmount == 990_000_000)
        #expect(trade.fees.venue == 10_000_000)
        #expect(trade.tokenAmount == 96_087_352_138_307)
        #expect(trade.realTokenReserves == 703_912_647_861_693)
        #expect(trade.before == Reserves(token: 1_066_666_666_666_666, quote: 10_000_000_000))
    }
}

// MARK: Migrations

extension LaunchLabCallTests {
    private func migrated(_ tape: RaydiumTape) throws -> CurveMigrated {
        let (facts, tally) = tape.decode()
        #expect(tally.decoded[.launchLab] == 1)
        for event in try #require(facts).events {
            if case .curveMigrated(let migrated) = event.event { return migrated }
        }
        throw ParseFailure.noEvent
    }

    /// The transfer of a sum out of the vault of the quote to somebody.
    private func take(_ amount: UInt64, from vault: Address, in tape: inout RaydiumTape) {
        tape.call(
            .tokenProgram,
            [vault, .wrappedSOL, .named("somebody"), .named("authority")],
            RaydiumPayload().u8(12).u64(amount).u8(9).bytes,
            depth: 2
        )
    }

    @Test
    func `a migration to CPMM tells what the new pool began with`() throws {
        var list = (0..<28).map { Address.named("filler \($0)") }
        list[0] = Self.payer
        list[1] = Self.token
        list[2] = .wrappedSOL
        list[5] = .named("new pool")
        list[17] = Self.curve
        list[19] = .named("vault of token")
        list[20] = .named("vault of quote")
        var tape = RaydiumTape()
        tape.call(.launchLabProgram, list, RaydiumPayload("885cc8671cda908c").bytes)
        take(15, from: .named("vault of quote"), in: &tape)
        var pool = (0..<20).map { Address.named("pool filler \($0)") }
        pool[3] = .named("new pool")
        pool[4] = .wrappedSOL
        pool[5] = Self.token
        tape.call(
            .raydiumCPMMProgram,
            pool,
            RaydiumPayload("afaf6d1f0d989bed").u64(85_000, 206_900, 0).bytes,
            depth: 2
        )
        tape.call(
            .tokenProgram,
            [.named("vault of quote"), .wrappedSOL, .named("pool vault"), .named("authority")],
            RaydiumPayload().u8(12).u64(85_000).u8(9).bytes,
            depth: 3
        )
        let migrated = try self.migrated(tape)
        #expect(migrated.venue == .launchLab)
        #expect(migrated.token == Self.token)
        #expect(migrated.curve == Self.curve)
        #expect(migrated.pool == .named("new pool"))
        #expect(migrated.user == Self.payer)
        #expect(migrated.tokenAmount == 206_900)
        #expect(migrated.quoteAmount == 85_000)
        #expect(migrated.fee == 15)
        // The pool itself is an event of its own.
        let pools = tape.decode().facts?.events.filter {
            if case .poolCreated = $0.event { true } else { false }
        }
        #expect(pools?.count == 1)
    }

    @Test
    func `a migration to v4 tells what the new pool began with`() throws {
        var list = (0..<32).map { Address.named("filler \($0)") }
        list[0] = Self.payer
        list[1] = Self.token
        list[2] = .wrappedSOL
        list[13] = .named("new pool")
        list[23] = Self.curve
        list[25] = .named("vault of token")
        list[26] = .named("vault of quote")
        var tape = RaydiumTape()
        tape.call(
            .launchLabProgram,
            list,
            RaydiumPayload("cf52c091fecf91df").u64(1, 1).u8(0).bytes
        )
        var pool = (0..<21).map { Address.named("pool filler \($0)") }
        pool[4] = .named("new pool")
        pool[8] = Self.token
        pool[9] = .wrappedSOL
        tape.call(
            .raydiumV4Program,
            pool,
            RaydiumPayload().u8(1, 254).u64(0, 85_000, 206_900).bytes,
            depth: 2
        )
        let migrated = try self.migrated(tape)
        #expect(migrated.pool == .named("new pool"))
        #expect(migrated.curve == Self.curve)
        #expect(migrated.tokenAmount == 206_900)
        #expect(migrated.quoteAmount == 85_000)
        #expect(migrated.fee == 0)
    }

    @Test
    func `a migration that opens nothing known is told by the vaults, or not at all`() throws {
        var list = (0..<28).map { Address.named("filler \($0)") }
        list[1] = Self.token
        list[2] = .wrappedSOL
        list[19] = .named("vault of token")
        list[20] = .named("vault of quote")
        var tape = RaydiumTape()
        tape.call(.launchLabProgram, list, RaydiumPayload("885cc8671cda908c").bytes)
        #expect(tape.decode().tally.failed == [.launchLab: [.noEvent: 1]])
        take(85_000, from: .named("vault of quote"), in: &tape)
        take(206_900, from: .named("vault of token"), in: &tape)
        let migrated = try self.migrated(tape)
        #expect(migrated.tokenAmount == 206_900)
        #expect(migrated.quoteAmount == 85_000)
        #expect(migrated.fee == 0)
    }
}
