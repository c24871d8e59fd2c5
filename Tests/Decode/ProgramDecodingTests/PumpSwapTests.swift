import Foundation
import MarketModel
import ProgramDecoding
import Testing

@Suite struct PumpSwapTests {
    static let pool = Address.named(9)
    private static let token = Address.named(1)
    private static let usdc = Address("EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v")

    /// What the tail of an event says from 2026-07 on.
    struct Tail {
        var name = "buy"
        var virtual: Int128?
        var supply: UInt64 = 900
    }

    /// BuyEvent: 1,000 base for 5,000 quote, 10 + 20 + 30 of fees and 7 of cashback.
    static func buy(
        pool: Address = pool,
        quoteIn: UInt64 = 5000,
        userQuoteIn: UInt64 = 5067,
        vaultQuote: UInt64 = 1_000_000,
        tail: Tail? = nil
    ) -> [UInt8] {
        let event = Bytes("67f4521f2cf57777").u64(1_700_000_000)
            .u64(1000).u64(6000).u64(1).u64(2).u64(200_000).u64(vaultQuote)
            .u64(quoteIn).u64(1).u64(10).u64(2).u64(20).u64(5010).u64(userQuoteIn)
            .key(pool).key(.named(2)).key(.named(70)).key(.named(71)).key(.named(72))
            .key(.named(73))
        guard let tail else { return event.bytes }
        var longer = event.key(.named(74)).u64(3).u64(30).bool(true).u64(0).u64(0).u64(0).u64(0)
            .u64(990).text(tail.name).u64(4).u64(7).u64(5000).u64(10)
        if let virtual = tail.virtual {
            // Then holder rewards and what waits: the newest form.
            longer = longer.i128(virtual).bool(true).u64(tail.supply).u64(0).u64(0).u64(0)
        }
        return longer.bytes
    }

    /// SellEvent: 1,000 base for 5,000 quote, 10 + 20 of fees.
    static func sell(pool: Address = pool) -> [UInt8] {
        Bytes("3e2f370aa503dc2a").u64(1_700_000_000)
            .u64(1000).u64(4000).u64(1).u64(2).u64(200_000).u64(1_000_000)
            .u64(5000).u64(1).u64(10).u64(2).u64(20).u64(4990).u64(4970)
            .key(pool).key(.named(2)).key(.named(70)).key(.named(71)).key(.named(72))
            .key(.named(73)).bytes
    }

    private static func made(
        _ instruction: String,
        _ event: [UInt8],
        base: Address = token,
        quote: Address = .sol
    ) -> MadeTransaction {
        var made = MadeTransaction()
        made.call(
            .amm,
            accounts: [pool, .named(31), .named(32), base, quote, .named(80)],
            data: Bytes(instruction).u64(1).u64(2).bytes
        )
        made.eventCall(.amm, height: 2, event)
        return made
    }

    private func trade(_ made: MadeTransaction) throws -> Trade {
        let (events, tally) = made.events()
        #expect(tally.failed.isEmpty)
        #expect(events.count == 1)
        guard case .trade(let trade)? = events.first?.event else {
            throw TestFailure()
        }
        return trade
    }

    private struct TestFailure: Error {}

    @Test func `an exact-out buy keeps the liquidity fee in the vault`() throws {
        let tail = Tail(virtual: 0)
        let trade = try trade(Self.made("66063d1201daebea", Self.buy(tail: tail)))
        #expect(trade.exactness == .exactOut && trade.limit == 6000)
        #expect(trade.quoteAmount == 5000 && trade.traderQuoteAmount == 5067)
        #expect(trade.before == Reserves(token: 200_000, quote: 1_000_000))
        #expect(trade.after == Reserves(token: 199_000, quote: 1_005_010))
        #expect(trade.fees.total == 67 && trade.fees.buybackInside == 10)
    }

    @Test func `an exact-in buy has its amounts the other way round`() throws {
        let event = Self.buy(
            quoteIn: 5067,
            userQuoteIn: 5000,
            tail: Tail(name: "buy_exact_quote_in_v2", virtual: 0)
        )
        let trade = try trade(Self.made("c2ab1c46684d5b2f", event))
        #expect(trade.exactness == .exactIn && trade.limit == 990)
        #expect(trade.quoteAmount == 5000 && trade.traderQuoteAmount == 5067)
        #expect(trade.after == Reserves(token: 199_000, quote: 1_005_010))
    }

    @Test(
        arguments: [
            (Int128?.none, 1_000_000), (0, 1_000_000), (17_584_505_288, 17_585_505_288),
            (-400_000, 600_000),
        ] as [(Int128?, UInt128)]
    )
    func `the price counts quote that is not in the vault`(
        virtual: Int128?,
        effective: UInt128
    ) throws {
        let event = Self.buy(tail: Tail(virtual: virtual))
        let trade = try trade(Self.made("66063d1201daebea", event))
        #expect(trade.virtualQuote == virtual)
        #expect(trade.before?.quote == effective)
        #expect(trade.after?.quote == effective + 5010)
        #expect(trade.baseSupply == (virtual == nil ? nil : 900))
    }

    @Test(arguments: [-1_000_001, Int128.min, Int128.max])
    func `virtual quote beyond all sense gives no reserves`(virtual: Int128) throws {
        let event = Self.buy(tail: Tail(virtual: virtual))
        let trade = try trade(Self.made("66063d1201daebea", event))
        #expect(trade.before == nil && trade.after == nil)
        #expect(trade.virtualQuote == virtual)
    }

    @Test func `a sell takes what it pays out of the vault, but for the liquidity fee`() throws {
        let trade = try trade(Self.made("33e685a4017f83ad", Self.sell()))
        #expect(trade.side == .sell && trade.exactness == .exactIn && trade.limit == 4000)
        #expect(trade.quoteAmount == 5000 && trade.traderQuoteAmount == 4970)
        #expect(trade.after == Reserves(token: 201_000, quote: 995_010))
    }

    @Test func `who buys wrapped SOL sells the token`() throws {
        let event = Self.buy(tail: Tail(virtual: 0))
        let trade = try trade(
            Self.made("66063d1201daebea", event, base: .sol, quote: Self.token)
        )
        #expect(trade.side == .sell && trade.token == Self.token && trade.quote == .sol)
        #expect(trade.quoteAmount == 1000 && trade.traderQuoteAmount == 1000)
        #expect(trade.tokenAmount == 5010 && trade.fees.isInToken)
        #expect(trade.before == Reserves(token: 1_000_000, quote: 200_000))
        #expect(trade.after == Reserves(token: 1_005_010, quote: 199_000))
        #expect(trade.flags.isEmpty && trade.virtualQuote == nil && trade.baseSupply == nil)
    }

    @Test func `who sells wrapped SOL buys the token`() throws {
        let trade = try trade(
            Self.made("33e685a4017f83ad", Self.sell(), base: .sol, quote: Self.token)
        )
        #expect(trade.side == .buy && trade.quoteAmount == 1000)
        #expect(trade.tokenAmount == 4990)
        #expect(trade.after == Reserves(token: 995_010, quote: 201_000))
    }

    @Test func `the known quotes have an order, and pairs without one stay as they are`() throws {
        let event = Self.buy()
        let usdcBase = try trade(
            Self.made("66063d1201daebea", event, base: Self.usdc, quote: .sol)
        )
        #expect(usdcBase.token == Self.usdc && usdcBase.quote == .sol && usdcBase.side == .buy)
        let solBase = try trade(
            Self.made("66063d1201daebea", event, base: .sol, quote: Self.usdc)
        )
        #expect(solBase.token == Self.usdc && solBase.quote == .sol && solBase.side == .sell)
        let raw = try trade(
            Self.made("66063d1201daebea", event, base: .named(5), quote: .named(6))
        )
        #expect(raw.token == .named(5) && raw.quote == .named(6) && raw.side == .buy)
        #expect(raw.flags == .rawOrientation)
    }

    @Test func `every hop of a route has its own mints, and no limit`() throws {
        let second = Address.named(10)
        var made = MadeTransaction()
        var accounts = (0..<16).map { Address.named(UInt8(100 + $0)) }
        accounts += [Self.token, .sol, Self.pool, .named(90), .named(91)]
        accounts += [.named(5), .sol, second, .named(92), .named(93)]
        made.call(.amm, accounts: accounts, data: Bytes("2b644913e9f66f94").u64(1).u64(2).bytes)
        made.eventCall(.amm, height: 2, Self.sell())
        let event = Self.buy(
            pool: second,
            quoteIn: 5067,
            userQuoteIn: 5000,
            tail: Tail(name: "multi_hop_swap", virtual: 0)
        )
        made.eventCall(.amm, height: 2, event)
        let (events, tally) = made.events()
        #expect(tally.decoded == [.pumpSwap: 1] && tally.failed.isEmpty)
        let trades = events.compactMap { placed -> Trade? in
            if case .trade(let trade) = placed.event { return trade }
            return nil
        }
        #expect(trades.map(\.token) == [Self.token, .named(5)])
        #expect(trades.map(\.side) == [.sell, .buy])
        #expect(trades.map(\.quoteAmount) == [5000, 5000])
        #expect(trades.map(\.traderQuoteAmount) == [4970, 5067])
        #expect(trades.allSatisfy { $0.limit == nil && $0.exactness == .exactIn })
        #expect(trades.allSatisfy { $0.flags == .multiHop })
    }

    @Test func `without the instruction the user's accounts tell the mints`() throws {
        let id = Address.amm.text(on: .solana)
        var made = MadeTransaction()
        _ = made.key(.amm)
        made.balance(.named(70), mint: Self.token, owner: .named(2), before: nil, after: 5)
        made.balance(.named(71), mint: .sol, owner: .named(2), before: 9, after: nil)
        made.log("Program \(id) invoke [1]")
        made.log("Program data: \(Data(Self.sell()).base64EncodedString())")
        made.log("Program \(id) success")
        let trade = try trade(made)
        #expect(trade.token == Self.token && trade.quote == .sol)
    }

    @Test func `boosts tell the vaults and what is burnt`() {
        let burn = Bytes("3f451c16305cc2b9").u64(1).key(Self.token).key(.named(3)).key(Self.pool)
            .key(.named(4)).u64(10).u64(9).u64(8).i128(-7).u64(6).u64(5).u64(4).bytes
        let start = Bytes("ae7c4af90451f611").u64(1).key(Self.token).key(.named(3)).key(Self.pool)
            .i128(70).u64(60).bytes
        var boosted = PoolBoosted(
            venue: .pumpSwap,
            pool: Self.pool,
            token: Self.token,
            virtualQuote: -7
        )
        (boosted.burned, boosted.vaultQuote, boosted.vaultToken) = (8, 6, 5)
        #expect(
            Self.made("694406af000723a2", burn).events().events.map(\.event)
                == [.poolBoosted(boosted)]
        )
        var begun = PoolBoosted(
            venue: .pumpSwap,
            pool: Self.pool,
            token: Self.token,
            virtualQuote: 70
        )
        begun.vaultQuote = 60
        #expect(
            Self.made("8ce9215e845ac28f", start).events().events.map(\.event)
                == [.poolBoosted(begun)]
        )
    }

    @Test func `payouts are no income and name their quote`() {
        let collected = Bytes("e8f5c2eeeada3a59").u64(1).key(.named(40)).u64(77)
            .key(.named(41)).key(.named(42)).bytes
        var made = MadeTransaction()
        made.call(
            .amm,
            accounts: [Self.usdc] + ProgramWalkTests.accounts,
            data: Bytes("a039592ab58b2b42").bytes
        )
        made.eventCall(.amm, height: 2, collected)
        let swept = Bytes("82a42461e48287a5").u64(1).key(Self.pool).key(Self.token).key(.sol)
            .key(.named(43)).key(.named(44)).u64(88).u8(1).bytes
        made.call(.amm, accounts: [.named(1)], data: Bytes("20f6bf3408c949ba").bytes)
        made.eventCall(.amm, height: 2, swept)
        #expect(
            made.events().events.map(\.event) == [
                .feePayout(
                    FeePayout(
                        venue: .pumpSwap,
                        entity: nil,
                        recipient: .named(40),
                        quote: Self.usdc,
                        amount: 77
                    )
                ),
                .feePayout(
                    FeePayout(
                        venue: .pumpSwap,
                        entity: Self.pool,
                        recipient: .named(43),
                        quote: .sol,
                        amount: 88
                    )
                ),
            ]
        )
        #expect(made.decode().tally.decoded.isEmpty && made.decode().tally.failed.isEmpty)
    }

    @Test(arguments: [false, true])
    func `fees that go to the curve's vault are what the account held`(isSecond: Bool) {
        var accounts = (0..<12).map { Address.named(UInt8(100 + $0)) }
        accounts[isSecond ? 1 : 0] = .sol
        let vault = accounts[isSecond ? 7 : 6]
        let recipient = accounts[isSecond ? 8 : 7]
        var made = MadeTransaction()
        let instruction = isSecond ? "01214eb921432c5c" : "8b348655e4e56cf1"
        made.call(.amm, accounts: accounts, data: Bytes(instruction).bytes)
        made.balance(vault, mint: .sol, owner: .named(50), before: 500, after: nil)
        let payout = FeePayout(
            venue: .pumpSwap,
            entity: nil,
            recipient: recipient,
            quote: .sol,
            amount: 500
        )
        #expect(made.events().events.map(\.event) == [.feePayout(payout)])
    }

    @Test func `a withdrawal's burn is part of it, a holder's is not`() {
        let shareToken = Address.named(80)
        let withdrawn = Bytes("1609851aa02c47c0").u64(1).u64(50).u64(1).u64(1).u64(0).u64(0)
            .u64(1000).u64(2000).u64(100).u64(200).u64(500).key(Self.pool).key(.named(2))
            .key(.named(3)).key(.named(4)).key(.named(5)).bytes
        let burn: [UInt8] = [8] + Bytes().u64(33).bytes
        var made = Self.made("b712469c946da122", withdrawn)
        made.call(
            .token2022Program,
            height: 2,
            accounts: [.named(5), shareToken, .named(2)],
            data: burn
        )
        made.call(.token2022Program, accounts: [.named(5), shareToken, .named(2)], data: burn)
        made.call(
            .token2022Program,
            accounts: [.named(5), .named(81), .named(2)],
            data: [15] + Bytes().u64(34).u8(9).bytes
        )
        let events = made.events().events
        #expect(events.map { "\($0.place)" } == ["7/0.0/0", "7/1.0/0"])
        #expect(
            events.last?.event
                == .sharesBurned(
                    SharesBurned(shareToken: shareToken, owner: .named(2), shares: 33)
                )
        )
    }
}
