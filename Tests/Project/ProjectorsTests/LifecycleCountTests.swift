import MarketModel
import Projection
import Testing

@testable import Projectors

@Suite struct LifecycleCountTests {
    // MARK: Milestones

    @Test func `each threshold is reached once, with several by one trade`() throws {
        let run = MonitorRun()
        var coin = CurveScript(1)
        try run.slot(nil, Move(.tokenCreated(coin.creation)))
        try run.slot(nil, Move(coin.buy(300_000_000_000_000, by: address(1))))  // 53.9 SOL
        #expect(try run.market(coin.token).milestones == 1)
        try run.slot(nil, Move(coin.sell(300_000_000_000_000, by: address(1))))
        try run.slot(nil, Move(coin.buy(300_000_000_000_000, by: address(1))))
        try run.slot(nil, Move(coin.buy(downTo: 100_000_000_000_000, by: address(1))))  // 223 SOL
        #expect(try run.market(coin.token).milestones == 3)
        let told = run.notices.filter { $0.kind == "token_milestone" }
        #expect(
            told.map { $0.details[0].value } == ["50000000000", "100000000000", "200000000000"]
        )
        let first = try #require(
            run.row(
                TokenMilestoneRow.self,
                .init(token: coin.token, threshold: 50_000_000_000)
            )
        )
        #expect(first.position == 1_001)
        #expect(first.isSeen)
        #expect(first.crossings == 1)
    }

    @Test func `armed again, a threshold is told again only after a fall below four fifths`()
        throws
    {
        var parameters = MonitorParameters(.solana)
        parameters.lifecycle.rearmsMilestones = true
        let run = MonitorRun(parameters)
        var coin = CurveScript(1)
        let step: UInt128 = 300_000_000_000_000
        try run.slot(nil, Move(.tokenCreated(coin.creation)))
        try run.slot(nil, Move(coin.buy(step, by: address(1))))  // 53.9
        try run.slot(nil, Move(coin.sell(step / 4, by: address(1))))  // 44.7: above 40
        try run.slot(nil, Move(coin.buy(step / 4, by: address(1))))
        #expect(run.notices.filter { $0.kind == "token_milestone" }.count == 1)
        try run.slot(nil, Move(coin.sell(step, by: address(1))))  // 27.96
        try run.slot(nil, Move(coin.buy(step, by: address(1))))
        let told = run.notices.filter { $0.kind == "token_milestone" }
        #expect(told.count == 2)
        #expect(told.last?.details.last == .init("crossings", "2"))
    }

    @Test func `a partial token's first cap passes thresholds without news`() throws {
        let run = MonitorRun()
        var coin = CurveScript(1)
        _ = coin.buy(downTo: 100_000_000_000_000, by: address(1))
        try run.slot(nil, Move(coin.buy(1, by: address(2))))
        #expect(run.notices.filter { $0.kind == "token_milestone" }.isEmpty)
        let row = try #require(
            run.row(
                TokenMilestoneRow.self,
                .init(token: coin.token, threshold: 200_000_000_000)
            )
        )
        #expect(row.isSeen == false)
    }

    // MARK: Traders

    @Test func `traders, holders and makers are counted one by one`() throws {
        let run = MonitorRun()
        var coin = CurveScript(1)
        try run.slot(
            nil,
            Move(.tokenCreated(coin.creation), coin.buy(10_000_000, by: coin.creator))
        )
        try run.slot(nil, Move(coin.buy(20_000_000, by: address(1))))
        try run.slot(nil, Move(coin.buy(30_000_000, by: address(2))))
        try run.slot(nil, Move(coin.sell(20_000_000, by: address(1))))
        try run.slot(nil, Move(coin.buy(5_000_000, by: address(2))))
        try run.slot(nil, Move(coin.sell(4_000_000, by: coin.creator)))
        let market = try run.market(coin.token)
        #expect(market.traders == 3)
        #expect(market.moreTraders == 0)
        #expect(market.holders == 2)
        #expect(market.trades == 6)
        #expect(market.buys == 4)
        #expect(market.creatorBought == 10_000_000)
        #expect(market.creatorSold == 4_000_000)
        let trader = try #require(
            run.row(TokenTraderRow.self, .init(token: coin.token, trader: address(2)))
        )
        #expect(trader.bought == 35_000_000)
        #expect(trader.buys == 2)
        #expect(trader.firstPosition == 1_002)
        #expect(trader.lastPosition == 1_004)
        let creator = try #require(run.row(TokenCreatorRow.self, coin.creator))
        #expect(creator.created == 1)
        #expect(creator.completed == 0)
        #expect(creator.buys == 1)
        #expect(creator.sells == 1)
    }

    @Test func `beyond the limit traders are estimated and keep no rows`() throws {
        var parameters = MonitorParameters(.solana)
        parameters.lifecycle.exactTradersMax = 10
        let run = MonitorRun(parameters)
        var coin = CurveScript(1)
        try run.slot(nil, Move(.tokenCreated(coin.creation)))
        for round in 0..<2 {
            for trader in 0..<200 as Range<UInt64> {
                try run.slot(nil, Move(coin.buy(1_000_000, by: address(5_000 + trader))))
            }
            let market = try run.market(coin.token)
            #expect(market.traders == 10)
            // 190 others; linear counting is off by less than 1 in 20 here.
            #expect((185...195).contains(market.moreTraders), "\(market.moreTraders) in \(round)")
            #expect(market.trades == UInt64(200 * (round + 1)))
        }
        let key = TokenTraderKey(token: coin.token, trader: address(5_010))
        #expect(run.row(TokenTraderRow.self, key) == nil)
    }

    @Test func `completions and migrations count for the creator of the coin`() throws {
        let run = MonitorRun()
        var coin = CurveScript(1)
        try run.slot(nil, Move(.tokenCreated(coin.creation)))
        // The fees go to somebody else now; the coin stays the first one's.
        try run.slot(
            nil,
            Move(
                .creatorChanged(
                    CreatorChanged(venue: .pumpCurve, token: coin.token, creator: address(40))
                )
            )
        )
        try run.slot(nil, Move(coin.buy(downTo: 0, by: address(1)), coin.completion))
        try run.slot(nil, Move(events: coin.migration))
        let creator = try #require(run.row(TokenCreatorRow.self, coin.creator))
        #expect(creator.created == 1)
        #expect(creator.completed == 1)
        #expect(creator.migrated == 1)
        #expect(try run.token(coin.token).creator == address(40))
        #expect(run.row(TokenCreatorRow.self, address(40)) == nil)
    }

    @Test func `the first slots tell dev, bundle, snipers and early buyers apart`() throws {
        let run = MonitorRun()
        var coin = CurveScript(1)
        try run.slot(
            nil,
            Move(.tokenCreated(coin.creation), coin.buy(9_000_000, by: coin.creator)),
            Move(coin.buy(1_000_000, by: address(1))),
            Move(coin.buy(1_000_000, by: address(1)), coin.buy(1_000_000, by: address(2)))
        )
        try run.slot(1_002, Move(coin.buy(1_000_000, by: address(3))))
        try run.slot(1_003, Move(coin.buy(1_000_000, by: address(4))))
        try run.slot(1_025, Move(coin.sell(500_000, by: address(4))))
        try run.slot(1_026, Move(coin.buy(1_000_000, by: address(5))))
        let start = try #require(run.row(TokenStartRow.self, coin.token))
        #expect(start.devBuys == 1)
        #expect(start.devTokens == 9_000_000)
        #expect(start.bundleBuyers == 2)
        #expect(start.sniperBuyers == 1)
        #expect(start.earlyBuyers == 5)
        #expect(start.earlyBuys == 6)
        #expect(start.earlyTrades == 7)
        #expect(start.earlyQuoteSold > 0)
    }

    // MARK: Accounts

    @Test func `an account seeds a partial token and is compared with a whole one`() throws {
        let run = MonitorRun()
        var coin = CurveScript(1)
        _ = coin.buy(1_000_000, by: address(1))
        // The coin's name is not known yet: what the account says waits for it.
        try run.slot(nil, accounts: [coin.account()])
        #expect(run.row(TokenRow.self, coin.token) == nil)
        try run.slot(nil, Move(coin.buy(1_000_000, by: address(1))), accounts: [coin.account()])
        #expect(try run.token(coin.token).supply == 1_000_000_000_000_000)
        #expect(run.row(MonitorDrift<LifecycleOwner>.self, coin.token) == nil)
        // An unseen trade: the account differs, the events' value stays.
        let known = try run.market(coin.token)
        _ = coin.buy(1_000_000, by: address(2))
        try run.slot(nil, accounts: [coin.account()])
        try run.slot(nil, accounts: [coin.account()])
        let drift = try #require(run.row(MonitorDrift<LifecycleOwner>.self, coin.token))
        #expect(drift.count == 2)
        #expect(drift.kinds == [.token, .quote, .realTokens])
        #expect(drift.firstPosition == 1_002)
        #expect(try run.market(coin.token) == known)
        #expect(run.told(coin.token).filter { $0 == "token_drift" }.count == 1)
    }

    @Test func `a complete account completes a partial token and is drift for a whole one`()
        throws
    {
        let run = MonitorRun()
        var coin = CurveScript(1)
        try run.slot(nil, Move(coin.buy(1_000_000, by: address(1))))
        try run.slot(nil, accounts: [coin.account(isComplete: true)])
        #expect(try run.token(coin.token).phase == .complete)
        #expect(try run.token(coin.token).isCompleteInferred)
        #expect(try run.token(coin.token).completedPosition == nil)
        var whole = CurveScript(2)
        try run.slot(nil, Move(.tokenCreated(whole.creation)))
        try run.slot(nil, Move(whole.buy(1_000_000, by: address(1))))
        try run.slot(nil, accounts: [whole.account(isComplete: true)])
        #expect(try run.token(whole.token).phase == .trading)
        let drift = try #require(run.row(MonitorDrift<LifecycleOwner>.self, whole.token))
        #expect(drift.kinds == .completeness)
    }

    @Test func `a mint seeds a supply that nothing told, and may not grow`() throws {
        let run = MonitorRun()
        var pool = PoolScript(address(61), token: address(60), base: 1_000, quote: 1_000)
        try run.slot(nil, Move(pool.buy(1, by: address(1))))
        #expect(try run.market(address(60)).marketCap == nil)
        let mint = AccountFact(
            account: address(60),
            content: .mint(supply: 5_000, decimals: 6)
        )
        try run.slot(nil, accounts: [mint])
        #expect(try run.token(address(60)).supply == 5_000)
        try run.slot(nil, Move(pool.buy(1, by: address(1))))
        #expect(try run.market(address(60)).marketCap == pool.quote * 5_000 / pool.base)
        #expect(run.row(MonitorDrift<LifecycleOwner>.self, address(60)) == nil)
        let more = AccountFact(account: address(60), content: .mint(supply: 5_001, decimals: 6))
        try run.slot(nil, accounts: [more])
        let drift = try #require(run.row(MonitorDrift<LifecycleOwner>.self, address(60)))
        #expect(drift.kinds == .supply)
        #expect(try run.token(address(60)).supply == 5_000)
    }

    @Test func `a pool's supply of the newest event makes the cap`() throws {
        let run = MonitorRun()
        var pool = PoolScript(
            address(61),
            token: address(60),
            base: 1_000_000_000,
            quote: 2_000_000_000
        )
        guard case .trade(var trade) = pool.buy(1_000, by: address(1)) else { return }
        trade.baseSupply = 999_402_810_502_777
        try run.slot(nil, Move(.trade(trade)))
        let market = try run.market(address(60))
        #expect(market.supply == 999_402_810_502_777)
        #expect(market.marketCap == pool.quote * 999_402_810_502_777 / pool.base)
    }
}
