import MarketModel
import Projection
import Testing

@testable import Projectors

@Suite struct LiquidityTests {
    static let token = address(300)
    static let pool = address(301)
    static let shareToken = address(302)
    static let maker = address(303)

    static func opening(
        _ token: UInt128,
        _ quote: UInt128,
        shares: UInt128? = nil,
        venue: Venue = .pumpSwap,
        isReversed: Bool = false
    ) -> MarketEvent {
        var created = PoolCreated(
            venue: venue,
            pool: pool,
            token: Self.token,
            quote: KnownQuote.wrappedSOL,
            isReversed: isReversed,
            isRawOrientation: false,
            creator: maker
        )
        created.reserves = Reserves(token: token, quote: quote)
        created.shareToken = shareToken
        created.shares = shares ?? Exact.squareRoot(token, times: quote)
        created.lockedShares = 100
        created.index = 3
        return .poolCreated(created)
    }

    static func change(
        _ direction: LiquidityChange.Direction,
        shares: UInt128,
        of before: UInt128,
        token: UInt128,
        quote: UInt128,
        by owner: Address,
        reserves: Reserves? = nil
    ) -> MarketEvent {
        var change = LiquidityChange(
            venue: .pumpSwap,
            pool: pool,
            token: Self.token,
            quote: KnownQuote.wrappedSOL,
            direction: direction,
            owner: owner,
            tokenAmount: token,
            quoteAmount: quote,
            shares: shares
        )
        change.sharesBefore = before
        change.before = reserves
        return .liquidity(change)
    }

    static func history(_ run: MonitorRun, _ slot: UInt64, ordinal: UInt32 = 1) -> PoolEventRow? {
        run.row(
            PoolEventRow.self,
            PoolEventKey(
                pool: pool,
                slot: slot,
                transaction: 11,
                instruction: 2,
                inner: 1,
                ordinal: ordinal
            )
        )
    }

    static func position(_ run: MonitorRun, _ owner: Address) throws -> PoolPositionRow {
        try #require(run.row(PoolPositionRow.self, PoolPositionKey(pool: pool, owner: owner)))
    }

    // MARK: Openings

    @Test func `a pool is opened with its maker's shares, less those that stay locked`() throws {
        let run = MonitorRun()
        // A real opening of 2026-08: 50,000,000 tokens and 72.53 SOL give 1,904,337,155,022.
        try run.slot(nil, Move(Self.opening(50_000_000_000_000, 72_530_000_000)))
        let row = try run.pool(Self.pool)
        #expect(row.isPartial == false)
        #expect(row.isCanonical == false)
        #expect(row.startShares == 1_904_337_155_022)
        let state = try run.state(Self.pool)
        #expect(state.shares == 1_904_337_155_022)
        #expect(state.lockedShares == 100)
        #expect(state.tvl == 145_060_000_000)
        #expect(state.owners == 1)
        #expect(try Self.position(run, Self.maker).shares == 1_904_337_154_922)
        let event = try #require(Self.history(run, 1_000))
        #expect(event.kind == .initial)
        #expect(event.share == 10_000)
        #expect(run.told(Self.pool) == ["pool_created"])
    }

    @Test func `the pool of a migration is canonical and its shares are burnt`() throws {
        let run = MonitorRun()
        var coin = CurveScript(1)
        _ = coin.buy(downTo: 0, by: address(1))
        let burn = SharesBurned(
            shareToken: coin.shareToken,
            owner: address(66),
            shares: 4_193_388_282_504
        )
        try run.slot(nil, Move(events: coin.migration + [.sharesBurned(burn)]))
        let state = try run.state(coin.pool)
        #expect(try run.pool(coin.pool).isCanonical == true)
        #expect(state.token == 206_900_000_000_000)
        #expect(state.quote == 84_990_359_056)
        // isqrt(206.9e12 * 84,990,359,056), from a big integer.
        #expect(state.shares == 4_193_388_282_604)
        #expect(state.burntShares == 4_193_388_282_504)
        #expect(state.owners == 0)
        let locked = LiquidityFormulas.lockedBasisPoints(
            locked: state.lockedShares,
            burnt: state.burntShares,
            of: try #require(state.shares)
        )
        #expect(locked == 10_000)
    }

    @Test func `without logs a pool of number 0 with a creator's fee counts as canonical`() throws {
        let run = MonitorRun()
        var coin = CurveScript(1)
        _ = coin.buy(downTo: 0, by: address(1))
        var move = Move(events: [coin.migration[0]])
        move.hasCutLogs = true
        try run.slot(nil, move)
        #expect(try run.pool(coin.pool).isCanonical == true)
        #expect(try run.token(coin.token).phase == .migrated)
    }

    // MARK: Trades

    @Test func `a trade leaves its liquidity fee in the pool and counts all fees`() throws {
        let run = MonitorRun()
        try run.slot(nil, Move(Self.opening(50_000_000_000_000, 72_530_000_000)))
        var script = PoolScript(
            Self.pool,
            token: Self.token,
            base: 50_000_000_000_000,
            quote: 72_530_000_000
        )
        // By hand: 10^12 of 50 * 10^12 tokens cost ceil(72.53e9 / 49) = 1,480,204,082 lamports.
        try run.slot(nil, Move(script.buy(1_000_000_000_000, by: address(1))))
        let state = try run.state(Self.pool)
        #expect(state.feesLiquidity == 2_960_409)
        #expect(state.feesVenue == 740_103)
        #expect(state.feesCreator == 14_061_939)
        #expect(state.token == 49_000_000_000_000)
        #expect(state.quote == 74_013_164_491)
        #expect(state.tvl == 148_026_328_982)
        #expect(state.volume == 1_480_204_082)
        #expect(state.trades == 1)
        #expect(state.isEstimated == false)
    }

    @Test func `reserves after are reckoned from flows when the event does not tell`() throws {
        // Each by hand; fees that leave the pool are those of the venue and the creator.
        let before = Reserves(token: 1_000_000, quote: 2_000_000)
        var buy = Trade(
            venue: .raydiumCPMM,
            pool: Self.pool,
            token: Self.token,
            quote: KnownQuote.wrappedSOL,
            side: .buy,
            trader: address(1),
            tokenAmount: 1_000,
            quoteAmount: 2_000,
            traderQuoteAmount: 2_010
        )
        buy.fees.liquidity = 6
        buy.fees.venue = 3
        buy.fees.creator = 1
        #expect(
            PoolReserves.moved(before, by: buy) == Reserves(token: 999_000, quote: 2_002_006)
        )
        var sell = buy
        sell.side = .sell
        sell.traderQuoteAmount = 1_990
        #expect(
            PoolReserves.moved(before, by: sell) == Reserves(token: 1_001_000, quote: 1_998_006)
        )
        sell.fees.isInToken = true
        #expect(
            PoolReserves.moved(before, by: sell) == Reserves(token: 1_000_996, quote: 1_998_010)
        )
        // PumpSwap's own numbers agree with the rule.
        var script = PoolScript(Self.pool, token: Self.token, base: 5_000_000, quote: 7_000_000)
        for event in [script.buy(5_000, by: address(1)), script.sell(7_777, by: address(1))] {
            guard case .trade(let trade) = event, let known = trade.before else { return }
            #expect(PoolReserves.moved(known, by: trade) == trade.after)
        }
    }

    @Test func `fees in tokens count in quote at the price of their trade`() throws {
        let run = MonitorRun()
        try run.slot(nil, Move(Self.opening(1_000_000, 2_000_000)))
        var sell = Trade(
            venue: .raydiumCPMM,
            pool: Self.pool,
            token: Self.token,
            quote: KnownQuote.wrappedSOL,
            side: .sell,
            trader: address(1),
            tokenAmount: 1_000,
            quoteAmount: 1_999,
            traderQuoteAmount: 1_999
        )
        sell.fees.liquidity = 3
        sell.fees.isInToken = true
        try run.slot(nil, Move(.trade(sell)))
        #expect(try run.state(Self.pool).feesLiquidity == 5)  // floor(3 * 1,999 / 1,000)
    }

    @Test func `an unknown pool becomes a partial one by its first trade`() throws {
        let run = MonitorRun()
        var script = PoolScript(Self.pool, token: Self.token, base: 1_000_000, quote: 2_000_000)
        try run.slot(nil, Move(script.buy(10, by: address(1))))
        let row = try run.pool(Self.pool)
        #expect(row.isPartial)
        #expect(row.firstPosition == 1_000)
        #expect(row.createdPosition == nil)
        #expect(try run.state(Self.pool).token == 999_990)
    }

    @Test func `a boosted pool's real TVL leaves the boost out`() throws {
        let run = MonitorRun()
        try run.slot(nil, Move(Self.opening(1_000_000_000, 100_000_000_000)))
        var boost = PoolBoosted(
            venue: .pumpSwap,
            pool: Self.pool,
            token: Self.token,
            virtualQuote: 17_584_505_288
        )
        boost.vaultQuote = 100_000_000_000
        boost.vaultToken = 900_000_000
        try run.slot(nil, Move(.poolBoosted(boost)))
        var state = try run.state(Self.pool)
        #expect(state.isBoosted)
        #expect(state.quote == 117_584_505_288)
        #expect(state.token == 900_000_000)
        #expect(state.tvl == 235_169_010_576)
        #expect(state.tvlReal == 200_000_000_000)
        // Waiting fees alone: what counts is below what is in the vault.
        var script = PoolScript(
            Self.pool,
            token: Self.token,
            base: 900_000_000,
            quote: 100_000_000_000
        )
        script.virtual = -1_000_000_000
        script.liquidityBasisPoints = 0
        try run.slot(nil, Move(script.buy(1, by: address(1))))
        state = try run.state(Self.pool)
        #expect(state.virtualQuote == -1_000_000_000)
        #expect(state.quote == 99_000_000_111)
        #expect(state.tvlReal == 198_000_000_222)
    }

    @Test func `hours hold what happened in them`() throws {
        let run = MonitorRun()
        var script = PoolScript(
            Self.pool,
            token: Self.token,
            base: 1_000_000_000,
            quote: 100_000_000_000
        )
        let hour: Int64 = 1_760_004_000
        try run.slot(nil, Move(script.buy(1_000_000, by: address(1))), time: hour)
        try run.slot(nil, Move(script.sell(500_000, by: address(1))), time: hour + 3_599)
        let end = Reserves(token: script.base, quote: script.quote)
        try run.slot(nil, Move(script.buy(1_000_000, by: address(1))), time: hour + 3_600)
        let key = PoolHourKey(pool: Self.pool, hour: hour)
        let row = try #require(run.row(PoolHourRow.self, key))
        #expect(row.buys == 1)
        #expect(row.sells == 1)
        #expect(row.token == end.token)
        #expect(row.quote == end.quote)
        let next = PoolHourKey(pool: Self.pool, hour: hour + 3_600)
        #expect(try #require(run.row(PoolHourRow.self, next)).buys == 1)
        let state = try run.state(Self.pool)
        let later = try #require(run.row(PoolHourRow.self, next)).feesLiquidity
        #expect(row.feesLiquidity + later == state.feesLiquidity)
    }

    // MARK: Shares

    @Test func `a real deposit and withdrawal move shares, cost and history`() throws {
        let run = MonitorRun()
        let reserves = Reserves(token: 1_652_969_862_671, quote: 4_203_492_200_023_607)
        let supply: UInt128 = 30_415_620_397_455
        try run.slot(
            nil,
            Move(
                Self.change(
                    .add,
                    shares: 184_168_854,
                    of: supply,
                    token: 10_008_857,
                    quote: 25_452_459_334,
                    by: address(1),
                    reserves: reserves
                )
            )
        )
        var state = try run.state(Self.pool)
        #expect(state.shares == 30_415_804_566_309)
        #expect(state.token == 1_652_979_871_528)
        #expect(state.quote == 4_203_517_652_482_941)
        let event = try #require(Self.history(run, 1_000))
        #expect(event.kind == .add)
        #expect(event.share == 0)  // 6 of a million
        // A third of the shares takes a third of the cost, rounded down.
        try run.slot(
            nil,
            Move(
                Self.change(
                    .remove,
                    shares: 61_389_618,
                    of: 30_415_804_566_309,
                    token: 3_336_285,
                    quote: 8_484_153_111,
                    by: address(1)
                )
            )
        )
        let position = try Self.position(run, address(1))
        #expect(position.shares == 122_779_236)
        #expect(position.tokenCost == 10_008_857 - 3_336_285)
        #expect(position.quoteCost == 25_452_459_334 - 8_484_153_111)
        #expect(position.tokenWithdrawn == 3_336_285)
        #expect(position.transfersUnseen == false)
        #expect(position.adds == 1)
        #expect(position.removes == 1)
        state = try run.state(Self.pool)
        #expect(state.adds == 1)
        #expect(state.removes == 1)
        #expect(state.owners == 1)
    }

    @Test func `taking all but the locked shares is a drain`() throws {
        let run = MonitorRun()
        // A real one of 2026-08, of lp_supply - 100.
        try run.slot(
            nil,
            Move(Self.opening(103_113_808_015, 72_459_229_861_346, shares: 2_645_751_311_064))
        )
        try run.slot(
            nil,
            Move(
                Self.change(
                    .remove,
                    shares: 2_645_751_310_964,
                    of: 2_645_751_311_064,
                    token: 103_113_808_011,
                    quote: 72_459_229_858_607,
                    by: Self.maker
                )
            )
        )
        let event = try #require(Self.history(run, 1_001))
        #expect(event.kind == .drain)
        #expect(event.share == 9_999)
        let state = try run.state(Self.pool)
        #expect(state.shares == 100)
        #expect(state.token == 4)
        #expect(state.quote == 2_739)
        #expect(state.owners == 0)
        #expect(
            run.told(Self.pool) == [
                "pool_created", "liquidity_drain", "creator_withdrawal", "tvl_fall",
            ]
        )
    }

    @Test func `more withdrawn than put in shows that shares moved unseen`() throws {
        let run = MonitorRun()
        try run.slot(nil, Move(Self.opening(1_000_000, 1_000_000)))
        try run.slot(
            nil,
            Move(
                Self.change(
                    .remove,
                    shares: 200_000,
                    of: 1_000_000,
                    token: 200_000,
                    quote: 200_000,
                    by: address(5)
                )
            )
        )
        let position = try Self.position(run, address(5))
        #expect(position.transfersUnseen)
        #expect(position.shares == 0)
        #expect(run.told(Self.pool).contains("liquidity_unlock"))
    }

    @Test func `shares that go from wallet to wallet take their cost along`() throws {
        let run = MonitorRun()
        try run.slot(nil, Move(Self.opening(1_000_000, 4_000_000)))  // 2,000,000 shares
        let link = WalletLink(
            token: Self.shareToken,
            from: Self.maker,
            to: address(5),
            amount: 999_950
        )
        try run.slot(nil, Move(links: [link]))
        let from = try Self.position(run, Self.maker)
        let to = try Self.position(run, address(5))
        #expect(from.shares == 999_950)
        #expect(to.shares == 999_950)
        #expect(to.tokenCost == 500_000)
        #expect(to.quoteCost == 2_000_000)
        #expect(from.quoteCost == 2_000_000)
        #expect(try run.state(Self.pool).owners == 2)
    }

    // MARK: Concentrated liquidity

    @Test func `concentrated liquidity has a TVL only when its vaults are known`() throws {
        let run = MonitorRun()
        let unseen = address(310)
        var trade = Trade(
            venue: .raydiumCLMM,
            pool: unseen,
            token: Self.token,
            quote: KnownQuote.wrappedSOL,
            side: .buy,
            trader: address(1),
            tokenAmount: 1_000,
            quoteAmount: 4_000,
            traderQuoteAmount: 4_000
        )
        trade.sqrtPriceX64 = 1 << 65  // a price of 4
        trade.liquidity = 123_456
        trade.tick = 13_863
        try run.slot(nil, Move(.trade(trade)))
        var state = try run.state(unseen)
        #expect(state.tvl == nil)
        #expect(state.liquidity == 123_456)
        #expect(state.tick == 13_863)
        #expect(try run.market(Self.token).quote == nil)

        var created = PoolCreated(
            venue: .raydiumCLMM,
            pool: Self.pool,
            token: Self.token,
            quote: KnownQuote.wrappedSOL,
            isReversed: false,
            isRawOrientation: false,
            creator: Self.maker
        )
        created.index = nil
        var add = LiquidityChange(
            venue: .raydiumCLMM,
            pool: Self.pool,
            token: Self.token,
            quote: KnownQuote.wrappedSOL,
            direction: .add,
            owner: Self.maker,
            tokenAmount: 10_000,
            quoteAmount: 40_000,
            shares: 777
        )
        add.position = address(320)
        add.lowerTick = -100
        add.upperTick = 20_000
        trade.pool = Self.pool
        try run.slot(nil, Move(.poolCreated(created), .liquidity(add), .trade(trade)))
        state = try run.state(Self.pool)
        #expect(state.token == 9_000)
        #expect(state.quote == 44_000)
        #expect(state.tvl == 80_000)
        let key = PoolPositionKey(pool: Self.pool, owner: Self.maker, position: address(320))
        let position = try #require(run.row(PoolPositionRow.self, key))
        #expect(position.shares == 777)
        #expect(position.lowerTick == -100)
        #expect(try #require(Self.history(run, 1_001, ordinal: 2)).share == nil)
    }
}
