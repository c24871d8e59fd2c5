import Foundation
import MarketModel
import ProgramDecoding
import Testing

@Suite struct PumpCurveTests {
    private static let mint = Address.named(1)
    private static let usdc = Address("EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v")
    private static let agent = Address("BwWK17cbHxwWBKZkUYvzxLcNQ1YVyaFezduWbtm2de6s")

    /// TradeEvent of 2026-10, the newest form: 379 bytes, the name and 34 for each shareholder.
    private static func newest(
        isBuy: Bool = true,
        quote: Address = .zero,
        shareholders: Int = 0,
        user: Address = .named(2)
    ) -> [UInt8] {
        let isSOL = quote.isZero
        func sol(_ amount: UInt64) -> UInt64 { isSOL ? amount : 0 }
        var event = Bytes("bddb7fd34ee661ee").key(mint).u64(sol(10_000)).u64(500).bool(isBuy)
            .key(user).u64(1_700_000_000)
            .u64(sol(100_000)).u64(9000).u64(sol(70_000)).u64(8000)
            .key(.zero).u64(95).u64(96).key(.named(3)).u64(30).u64(31)
            .bool(true).u64(0).u64(0).u64(0).u64(0)
            .text(isBuy ? "buy_v3" : "sell_v3").bool(false).u64(5).u64(6).u64(5000).u64(48)
            .u32(UInt32(shareholders))
        for number in 0..<shareholders { event = event.key(.named(UInt8(150 + number))).u16(10) }
        return
            event.key(quote).u64(10_000).u64(100_000).u64(70_000)
            .u64(30).u64(31).u64(400).bytes
    }

    private static func made(_ instruction: String, _ event: [UInt8]) -> MadeTransaction {
        var made = MadeTransaction()
        made.call(
            .pump,
            accounts: (0..<27).map { .named(UInt8(100 + $0)) },
            data: Bytes(instruction).u64(1).u64(66).bytes
        )
        made.eventCall(.pump, height: 2, event)
        return made
    }

    private func trade(_ made: MadeTransaction) throws -> Trade {
        guard case .trade(let trade)? = made.events().events.first?.event else {
            throw TestFailure()
        }
        return trade
    }

    private struct TestFailure: Error {}

    @Test(arguments: [0, 1, 3])
    func `the newest form of a trade adds no fee twice`(shareholders: Int) throws {
        let event = Self.newest(shareholders: shareholders)
        #expect(event.count == 379 + "buy_v3".utf8.count + 34 * shareholders)
        let trade = try trade(Self.made("07051dc4f5176550", event))
        #expect(trade.quoteAmount == 10_000)
        // Holder rewards repeat the creator's fee, the buyback lies in the protocol's.
        #expect(trade.traderQuoteAmount == 10_000 + 96 + 31 + 6)
        #expect(trade.after == Reserves(token: 9000, quote: 100_000))
        #expect(trade.before == Reserves(token: 9500, quote: 90_000))
        #expect(trade.realTokenReserves == 8000 && trade.realQuoteReserves == 70_000)
        #expect(trade.creator == .named(3) && trade.quote == .sol)
        #expect(trade.fees.buybackInside == 48)
        #expect(trade.curve == .named(105) && trade.limit == 66)
        for count in 1...64 {
            let longer = event + [UInt8](repeating: 7, count: count)
            let (events, tally) = Self.made("07051dc4f5176550", longer).events()
            #expect(events.map(\.event) == [.trade(trade)])
            #expect(tally.unknownTailBytes == UInt64(count))
        }
    }

    @Test func `a seller gets what is left after the fees`() throws {
        let trade = try trade(Self.made("1c92de7726c469d5", Self.newest(isBuy: false)))
        #expect(trade.side == .sell && trade.exactness == .exactIn)
        #expect(trade.traderQuoteAmount == 10_000 - 96 - 31 - 6)
        #expect(trade.before == Reserves(token: 8500, quote: 110_000))
    }

    @Test func `a coin in another quote has its own amounts`() throws {
        let trade = try trade(Self.made("b817ee6167c5d33d", Self.newest(quote: Self.usdc)))
        #expect(trade.quote == Self.usdc && trade.quoteAmount == 10_000)
        #expect(trade.after?.quote == 100_000 && trade.realQuoteReserves == 70_000)
        let wrapped = try self.trade(Self.made("b817ee6167c5d33d", Self.newest(quote: .sol)))
        #expect(wrapped.quote == .sol && wrapped.quoteAmount == 10_000)
    }

    @Test func `the trading agent is told from people`() throws {
        let event = Self.newest(user: Self.agent)
        #expect(try trade(Self.made("07051dc4f5176550", event)).flags == .mayhemAgent)
    }

    @Test(arguments: [
        ("66063d1201daebea", true, Trade.Exactness.exactOut, 103),
        ("38fc74089edfcd5f", true, .exactIn, 103),
        ("33e685a4017f83ad", false, .exactIn, 103),
        ("b817ee6167c5d33d", true, .exactOut, 110),
        ("c2ab1c46684d5b2f", true, .exactIn, 110),
        ("5df6823ce7e940b2", false, .exactIn, 110),
        ("07051dc4f5176550", true, .exactOut, 105),
        ("e1f7501ed5b38488", true, .exactIn, 105),
        ("1c92de7726c469d5", false, .exactIn, 105),
    ])
    func `every trade instruction fixes exactness, limit and curve`(
        instruction: String,
        isBuy: Bool,
        exactness: Trade.Exactness,
        curve: UInt8
    ) throws {
        let made = Self.made(instruction, Self.newest(isBuy: isBuy))
        let trade = try trade(made)
        #expect(trade.exactness == exactness && trade.limit == 66 && trade.curve == .named(curve))
        #expect(made.decode().tally.decoded == [.pumpCurve: 1])
    }

    @Test func `a hop over a curve has no limit of its own`() throws {
        var made = MadeTransaction()
        made.call(.amm, accounts: [.named(1)], data: Bytes("2b644913e9f66f94").u64(1).u64(2).bytes)
        made.call(.pump, height: 2, accounts: [.named(1)], data: Bytes("e19a7516d756f667").bytes)
        made.eventCall(.pump, height: 3, Self.newest())
        let trade = try trade(made)
        #expect(trade.exactness == .exactIn && trade.limit == nil && trade.curve == nil)
        #expect(trade.router == .amm)
        #expect(made.decode().tally.decoded == [.pumpCurve: 1, .pumpSwap: 1])
    }

    @Test func `the last buy may go on into the pool to come`() throws {
        var made = Self.made("07051dc4f5176550", Self.newest())
        made.eventCall(
            .pump,
            height: 2,
            Bytes("5f72619cd42e9808").key(.named(2)).key(Self.mint).key(.named(105)).u64(1)
                .key(.zero).bytes
        )
        made.eventCall(
            .pump,
            height: 2,
            Bytes("6fb06d8b316cd5fb").key(.named(2)).key(Self.mint).key(.named(105)).key(.zero)
                .u64(1).u64(300).u64(4000).u64(95).u64(38).u64(30).u64(12).u64(19)
                .u64(1).u64(2).u64(3).u64(4).bytes
        )
        let (events, tally) = made.events()
        #expect(events.map { "\($0.place)" } == ["7/0.0/0", "7/0.0/1", "7/0.0/2"])
        guard case .trade(let trade)? = events.last?.event else {
            Issue.record("no trade")
            return
        }
        #expect(trade.flags == .postComplete && trade.side == .buy)
        #expect(trade.tokenAmount == 300 && trade.quoteAmount == 4000)
        #expect(trade.traderQuoteAmount == 4050)
        #expect(trade.fees.buybackInside == 19 && trade.fees.venue == 38)
        // The reserves in the event are those of the pool, not of the curve.
        #expect(trade.before == nil && trade.after == nil && trade.realTokenReserves == nil)
        #expect(trade.pool == Self.mint && trade.curve == .named(105) && trade.quote == .sol)
        #expect(tally.decoded == [.pumpCurve: 1])
    }

    @Test func `virtual reserves may be set anew`() {
        let event = Bytes("757be4b6a1a8dcd6").u64(1).key(Self.mint).u64(1).u64(2).u64(3).u64(4)
            .u64(5).u64(6).bytes
        let reset = CurveReset(
            venue: .pumpCurve,
            token: Self.mint,
            before: Reserves(token: 1, quote: 2),
            after: Reserves(token: 3, quote: 4),
            realTokenReserves: 5,
            realQuoteReserves: 6
        )
        #expect(
            Self.made("3da9bcbf99952a61", event).events().events.map(\.event)
                == [.curveReset(reset)]
        )
    }

    @Test func `five events name a new creator`() {
        let creator = Address.named(9)
        let other = Address.named(8)
        let events: [(String, Bytes)] = [
            ("ed347b25f5fb48d2", Bytes().u64(1).key(Self.mint).key(.named(3)).key(creator)),
            (
                "8ecb06207f69bfa2",
                Bytes().u64(1).key(Self.mint).key(.named(3)).key(.named(4)).key(creator)
            ),
            (
                "4045c0681d1e196b",
                Bytes().u64(1).key(.named(4)).key(Self.mint).key(.named(3)).key(other).key(creator)
            ),
            (
                "6e7ce262aaff1178",
                Bytes().u64(1).key(.named(4)).key(Self.mint).key(.named(3)).key(other).key(creator)
                    .bool(true).bool(false).u64(1).u64(2).bool(true).u64(3).bool(true)
            ),
            (
                "9ba768dcd56cf303",
                Bytes().u64(1).key(Self.mint).key(.named(3)).key(.named(4)).key(other).key(creator)
            ),
        ]
        for (discriminator, fields) in events {
            let made = Self.made("fe94ff70cf8eaaa5", Bytes(discriminator).with(fields.bytes).bytes)
            let (found, tally) = made.events()
            #expect(
                found.map(\.event) == [
                    .creatorChanged(
                        CreatorChanged(venue: .pumpCurve, token: Self.mint, creator: creator)
                    )
                ]
            )
            #expect(tally.unknownTailBytes == 0)
        }
    }

    @Test func `payouts name whose fees, to whom and in what`() {
        func payout(_ entity: Address?, _ to: Address, _ quote: Address) -> MarketEvent {
            .feePayout(
                FeePayout(
                    venue: .pumpCurve,
                    entity: entity,
                    recipient: to,
                    quote: quote,
                    amount: 55
                )
            )
        }
        let to = Address.named(9)
        let rows: [(String, String, Bytes, MarketEvent)] = [
            (
                "1416567bc61cdb84", "7a027f010ebf0caf", Bytes().u64(1).key(to).u64(55),
                payout(nil, to, .sol)
            ),
            (
                "cf118af204221338", "7a027f010ebf0caf",
                Bytes().u64(1).key(to).u64(55).key(Self.usdc),
                payout(nil, to, Self.usdc)
            ),
            (
                "20f6bf3408c949ba", "742b4dbd117a482b",
                Bytes().u64(1).key(Self.mint).key(.named(3)).key(.zero).key(to).u64(55).u8(1),
                payout(Self.mint, to, .sol)
            ),
            (
                "a572670079cef751", "a537817004b3ca28",
                Bytes().u64(1).key(Self.mint).key(.named(3)).key(to).key(.named(4)).u32(2)
                    .key(.named(5)).u16(1).key(.named(6)).u16(2).u64(55),
                payout(Self.mint, to, .sol)
            ),
            (
                "a572670079cef751", "e3bed7ceb0b4a584",
                Bytes().u64(1).key(Self.mint).key(Self.usdc).u64(3).u64(55),
                payout(Self.mint, .zero, Self.usdc)
            ),
            (
                "253a237ebe35e4c5", "e2d6f62107f293e5",
                Bytes().key(to).u64(55).u64(1).u64(2).u64(3), payout(nil, to, .sol)
            ),
            (
                "7af3cc415e741d37", "e2d6f62107f293e5",
                Bytes().key(to).u64(55).u64(1).u64(2).u64(3), payout(nil, to, .named(102))
            ),
        ]
        for (instruction, discriminator, fields, expected) in rows {
            let event = Bytes(discriminator).with(fields.bytes).bytes
            let (events, tally) = Self.made(instruction, event).events()
            #expect(events.map(\.event) == [expected])
            #expect(tally.decoded.isEmpty && tally.failed.isEmpty)
        }
    }

    @Test func `a migration that is repeated is no failure`() {
        var made = MadeTransaction()
        made.call(.pump, accounts: [.named(1)], data: Bytes("9beae792ec9ea21e").bytes)
        #expect(made.decode().facts == nil)
        #expect(made.decode().tally == ParseTally())
        // One that makes a pool and does not say so is.
        made.call(.amm, height: 2, accounts: [.named(1)], data: Bytes("e992d18ecf6840bc").bytes)
        #expect(
            made.decode().tally.failed == [.pumpCurve: [.noEvent: 1], .pumpSwap: [.noEvent: 1]]
        )
    }

    @Test(.enabled(if: SharedVectors.isPresent, SharedVectors.absent))
    func `real instructions of 2026 lead to the coin's curve`() throws {
        let rows = try #require(
            SharedVectors.json("pump_instructions_2026.json") as? [[String: Any]]
        )
        let instruction = try #require(rows.first?["instruction"] as? [String: Any])
        let accounts = try #require(instruction["accounts"] as? [String]).map { Address($0) }
        let data = try Base58.decode(
            try #require(instruction["data_base58"] as? String).utf8,
            charactersMax: 200
        )
        var made = MadeTransaction()
        made.call(.pump, accounts: accounts, data: data)
        made.eventCall(.pump, height: 2, ProgramWalkTests.trade(5, mint: accounts[2]))
        let trade = try trade(made)
        #expect(trade.curve == Address("264oL748gtjJ1DVMFxyAMxsZMVo1ZS4aSVG6i7VAqwWw"))
        #expect(trade.exactness == .exactOut)
        #expect(data.count >= 24 && trade.limit != nil)
    }
}
