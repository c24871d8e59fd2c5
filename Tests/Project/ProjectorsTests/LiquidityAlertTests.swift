import MarketModel
import Projection
import Testing

@testable import Projectors

@Suite struct LiquidityAlertTests {
    static let token = LiquidityTests.token
    static let pool = LiquidityTests.pool

    static func script(_ base: UInt128, _ quote: UInt128) -> PoolScript {
        PoolScript(pool, token: token, base: base, quote: quote)
    }

    // MARK: Falls and moves

    @Test func `a fall of TVL within the window is told once`() throws {
        let run = MonitorRun()
        var script = Self.script(1_000_000_000, 100_000_000_000)
        try run.slot(1_000, Move(script.buy(1_000, by: address(1))))
        // Quote of constant product: selling as many tokens as there are halves it.
        try run.slot(1_010, Move(script.sell(200_000_000, by: address(1))))  // -17 %
        #expect(run.told(Self.pool).filter { $0 == "tvl_fall" }.isEmpty)
        try run.slot(1_020, Move(script.sell(300_000_000, by: address(1))))  // -33 % in all
        try run.slot(1_030, Move(script.sell(300_000_000, by: address(1))))
        #expect(run.told(Self.pool).filter { $0 == "tvl_fall" }.count == 1)
        // In the next window it is news again, from the high of the one before.
        try run.slot(1_051, Move(script.sell(10_000_000, by: address(1))))
        #expect(run.told(Self.pool).filter { $0 == "tvl_fall" }.count == 2)
        #expect(try run.state(Self.pool).fallWindow == 7)
    }

    @Test func `a fall slower than two windows is none, and one from standing TVL is one`()
        throws
    {
        let run = MonitorRun()
        var script = Self.script(1_000_000_000, 100_000_000_000)
        try run.slot(1_000, Move(script.buy(1_000, by: address(1))))
        try run.slot(1_200, Move(script.sell(200_000_000, by: address(1))))
        try run.slot(1_500, Move(script.sell(250_000_000, by: address(1))))
        #expect(run.told(Self.pool).filter { $0 == "tvl_fall" }.isEmpty)
        // Nothing happened for long; what stood all that time is what it falls from.
        try run.slot(9_000, Move(script.sell(2_000_000_000, by: address(1))))
        #expect(run.told(Self.pool).filter { $0 == "tvl_fall" }.count == 1)
    }

    @Test func `small pools are not told about`() throws {
        let run = MonitorRun()
        var script = Self.script(1_000_000_000, 900_000_000)
        try run.slot(1_000, Move(script.buy(1_000, by: address(1))))
        try run.slot(1_001, Move(script.sell(900_000_000, by: address(1))))
        #expect(run.told(Self.pool).isEmpty)
    }

    @Test func `a move of the price is one within a slot, whatever happens in between`() throws {
        let run = MonitorRun()
        var script = Self.script(1_000_000_000, 100_000_000_000)
        script.liquidityBasisPoints = 0
        try run.slot(nil, Move(script.buy(1_000, by: address(1))))
        // 100 million of 1,000: the price rises by 1 / 0.81, 23 %.
        try run.slot(nil, Move(script.buy(100_000_000, by: address(1))))
        try run.slot(
            nil,
            Move(script.buy(100_000_000, by: address(1))),
            Move(script.sell(100_000_000, by: address(1)))
        )
        let moves = run.notices.filter { $0.kind == "price_move" }
        #expect(moves.count == 1)
        #expect(moves.first?.details == [.init("bps", "2345")])
        #expect(moves.first?.position == 1_001)
    }

    // MARK: Accounts

    static func facts(
        _ base: UInt64,
        _ quote: UInt64,
        virtual: Int128? = 0,
        waiting: [UInt128] = [],
        venue: Venue = .pumpSwap,
        isReversed: Bool = false
    ) -> [AccountFact] {
        let mints = [token, KnownQuote.wrappedSOL]
        let vaults = [address(340), address(341)]
        var state = PoolAccountState(
            venue: venue,
            mints: isReversed ? mints.reversed() : mints,
            vaults: isReversed ? vaults.reversed() : vaults,
            waitingFees: waiting
        )
        state.shares = 5_000
        state.shareToken = LiquidityTests.shareToken
        state.virtualQuote = virtual
        return [
            AccountFact(account: pool, content: .pool(state)),
            AccountFact(
                account: vaults[0],
                content: .tokenAccount(mint: token, owner: pool, amount: base)
            ),
            AccountFact(
                account: vaults[1],
                content: .tokenAccount(mint: mints[1], owner: pool, amount: quote)
            ),
        ]
    }

    @Test func `accounts seed a pool that was not seen`() throws {
        let run = MonitorRun()
        try run.slot(nil, accounts: Self.facts(1_000, 2_000, virtual: -50))
        let row = try run.pool(Self.pool)
        #expect(row.isPartial)
        #expect(row.token == Self.token)
        #expect(row.isReversed == false)
        let state = try run.state(Self.pool)
        #expect(state.token == 1_000)
        #expect(state.quote == 1_950)
        #expect(state.virtualQuote == -50)
        #expect(state.shares == 5_000)
        #expect(state.tvl == 3_900)
        // Its share token is known from now on.
        let burn = SharesBurned(
            shareToken: LiquidityTests.shareToken,
            owner: address(9),
            shares: 10
        )
        try run.slot(nil, Move(.sharesBurned(burn)))
        #expect(try run.state(Self.pool).burntShares == 10)
    }

    @Test func `accounts may come in any order and over several slots`() throws {
        let run = MonitorRun()
        let facts = Self.facts(
            1_000,
            2_000,
            virtual: nil,
            waiting: [30, 7],
            venue: .raydiumV4,
            isReversed: true
        )
        try run.slot(nil, accounts: [facts[0]])
        #expect(try run.state(Self.pool).quote == nil)
        try run.slot(nil, accounts: [facts[2]])
        #expect(try run.state(Self.pool).quote == nil)
        try run.slot(nil, accounts: [facts[1]])
        let state = try run.state(Self.pool)
        // Waiting fees stand in the order of the mints: quote first.
        #expect(state.token == 993)
        #expect(state.quote == 1_970)
        #expect(try run.pool(Self.pool).isReversed == true)
        #expect(try run.pool(Self.pool).token == Self.token)
    }

    @Test func `a vault that differs from events is drift and changes nothing`() throws {
        let run = MonitorRun()
        var script = Self.script(1_000_000, 2_000_000)
        let first = script.buy(10, by: address(1))
        try run.slot(
            nil,
            Move(first),
            accounts: Self.facts(UInt64(script.base), UInt64(script.quote))
        )
        #expect(run.row(MonitorDrift<LiquidityOwner>.self, Self.pool) == nil)
        let known = try run.state(Self.pool)
        try run.slot(nil, accounts: Self.facts(UInt64(script.base) + 5, UInt64(script.quote)))
        let drift = try #require(run.row(MonitorDrift<LiquidityOwner>.self, Self.pool))
        #expect(drift.kinds == .token)
        #expect(try run.state(Self.pool) == known)
        #expect(run.told(Self.pool) == ["pool_drift"])
    }

    @Test func `where events leave a part untold, vaults are no drift but shares are`() throws {
        let run = MonitorRun()
        try run.slot(
            nil,
            Move(LiquidityTests.opening(1_000_000, 1_000_000, venue: .raydiumV4)),
            accounts: Self.facts(999_999, 1_000_000, virtual: nil, venue: .raydiumV4)
        )
        let drift = try #require(run.row(MonitorDrift<LiquidityOwner>.self, Self.pool))
        #expect(drift.kinds == .supply)
    }

    @Test func `accounts of a shape that no pool has are left alone`() throws {
        let run = MonitorRun()
        let odd = PoolAccountState(venue: .pumpSwap, mints: [Self.token], vaults: [])
        try run.slot(nil, accounts: [AccountFact(account: Self.pool, content: .pool(odd))])
        #expect(run.row(PoolRow.self, Self.pool) == nil)
    }

    @Test func `vaults seed concentrated liquidity, and trades go on from there`() throws {
        let run = MonitorRun()
        try run.slot(
            nil,
            accounts: Self.facts(9_000, 44_000, virtual: nil, venue: .raydiumCLMM)
        )
        #expect(try run.state(Self.pool).tvl == nil)  // no price yet
        #expect(try run.state(Self.pool).shares == nil)
        var trade = Trade(
            venue: .raydiumCLMM,
            pool: Self.pool,
            token: Self.token,
            quote: KnownQuote.wrappedSOL,
            side: .sell,
            trader: address(1),
            tokenAmount: 1_000,
            quoteAmount: 4_000,
            traderQuoteAmount: 4_000
        )
        trade.sqrtPriceX64 = 1 << 65
        try run.slot(nil, Move(.trade(trade)))
        let state = try run.state(Self.pool)
        #expect(state.token == 10_000)
        #expect(state.quote == 40_000)
        #expect(state.tvl == 80_000)
        #expect(state.isEstimated)
    }

    @Test func `payouts of fees are no income`() throws {
        let run = MonitorRun()
        var script = Self.script(1_000_000, 2_000_000)
        try run.slot(nil, Move(script.buy(10, by: address(1))))
        let before = try run.state(Self.pool)
        let payout = FeePayout(
            venue: .pumpSwap,
            entity: Self.pool,
            recipient: address(2),
            quote: KnownQuote.wrappedSOL,
            amount: 77
        )
        try run.slot(nil, Move(.feePayout(payout)))
        let after = try run.state(Self.pool)
        #expect(after.feesPaidOut == 77)
        #expect(after.feesVenue == before.feesVenue)
        #expect(after.feesCreator == before.feesCreator)
    }
}
