import MarketModel
import Projection
import Testing

@testable import Projectors

@Suite struct LifecycleTests {
    // MARK: A standard coin; numbers are those of real ones

    @Test func `a fresh coin starts at a market cap of 27 point 958993476 SOL`() throws {
        let run = MonitorRun()
        let coin = CurveScript(1)
        try run.slot(nil, Move(.tokenCreated(coin.creation)))
        let row = try run.token(coin.token)
        #expect(row.phase == .created)
        #expect(row.origin == .curve)
        let text = TokenTextRow(name: "Coin", symbol: "COIN", uri: "https://example.com/coin")
        #expect(run.row(TokenTextRow.self, coin.token) == text)
        #expect(row.createdPosition == 1_000)
        #expect(row.createdTransaction == 11)
        #expect(row.isStartDefault == false)
        let market = try run.market(coin.token)
        #expect(market.marketCap == 27_958_993_476)
        #expect(market.highestCap == 27_958_993_476)
        #expect(market.progress == 0)
        #expect(run.told(coin.token) == ["token_created"])
    }

    @Test func `a whole life passes through every phase`() throws {
        let run = MonitorRun()
        var coin = CurveScript(1)
        try run.slot(nil, Move(.tokenCreated(coin.creation)))
        // One buy of everything costs 85,005,359,057 lamports; the last is left for another slot.
        try run.slot(nil, Move(coin.buy(1_000_000, by: address(1))))
        #expect(try run.token(coin.token).phase == .trading)
        try run.slot(nil, Move(coin.buy(downTo: 10_000_000, by: address(2))))
        #expect(try run.token(coin.token).phase == .nearGraduation)
        #expect(try run.market(coin.token).progress == 9_999)
        try run.slot(1_100, Move(coin.buy(downTo: 0, by: address(3)), coin.completion))
        var row = try run.token(coin.token)
        #expect(row.phase == .complete)
        #expect(row.isCompleteInferred == false)
        #expect(row.completedPosition == 1_100)
        #expect(row.graduationSlots == 100)
        #expect(row.graduationSeconds == 40)
        #expect(try run.market(coin.token).progress == 10_000)
        // Three buys instead of one round up by one lamport more.
        #expect(coin.rQ == 85_005_359_058)

        try run.slot(nil, Move(events: coin.migration))
        row = try run.token(coin.token)
        #expect(row.phase == .migrated)
        #expect(row.pool == coin.pool)
        #expect(row.migratedTokens == 206_900_000_000_000)
        #expect(row.migratedQuote == 84_990_359_057)
        #expect(row.migrationFee == 15_000_001)
        var pool = PoolScript(
            coin.pool,
            token: coin.token,
            base: 206_900_000_000_000,
            quote: 84_990_359_057
        )
        try run.slot(nil, Move(pool.buy(1_000_000, by: address(4))))
        row = try run.token(coin.token)
        #expect(row.phase == .poolLive)
        #expect(row.livePosition == 1_102)
        #expect(
            run.told(coin.token).filter { $0 != "token_milestone" } == [
                "token_created", "token_trading", "token_near_graduation", "token_complete",
                "token_migrated", "token_pool_live",
            ]
        )
    }

    @Test func `one buy of everything costs 85,005,359,057 lamports and ends at 410 point 88 SOL`()
        throws
    {
        let run = MonitorRun()
        var coin = CurveScript(1)
        try run.slot(
            nil,
            Move(
                .tokenCreated(coin.creation),
                coin.buy(downTo: 0, by: coin.creator),
                coin.completion
            )
        )
        let market = try run.market(coin.token)
        #expect(market.realQuote == 85_005_359_057)
        #expect(market.quote == 115_005_359_057)
        #expect(market.marketCap == 410_880_168_120)
        try run.slot(nil, Move(events: coin.migration))
        // The pool starts 15,000,001 lamports below what was raised.
        #expect(try run.market(coin.token).quote == 84_990_359_056)
        #expect(try run.market(coin.token).marketCap == 410_779_889_105)
        #expect(try run.market(coin.token).highestCap == 410_880_168_120)
        #expect(try run.market(coin.token).highestPosition == 1_000)
    }

    @Test func `a second call of a migration changes nothing`() throws {
        let run = MonitorRun()
        var coin = CurveScript(1)
        try run.slot(nil, Move(.tokenCreated(coin.creation)))
        try run.slot(nil, Move(coin.buy(downTo: 0, by: address(1)), coin.completion))
        try run.slot(nil, Move(events: coin.migration))
        let before = try run.token(coin.token)
        try run.slot(nil, Move(events: coin.migration))
        #expect(try run.token(coin.token) == before)
    }

    // MARK: Phases

    static let near = TokenStep.curveTrade(progress: 9_000, begins: true)
    static let below = TokenStep.curveTrade(progress: 8_500, begins: true)
    static let leaving = TokenStep.curveTrade(progress: 8_499, begins: true)
    static let dev = TokenStep.curveTrade(progress: 100, begins: false)

    /// Each row: a step, and what it makes of each phase in the order of raw values.
    static let table: [(TokenStep, [TokenPhase])] = [
        (
            .created,
            [
                .created, .created, .trading, .nearGraduation, .complete, .migrated, .poolLive,
                .raydiumLegacy,
            ]
        ),
        (
            dev,
            [
                .unknown, .created, .trading, .trading, .complete, .migrated, .poolLive,
                .raydiumLegacy,
            ]
        ),
        (
            leaving,
            [
                .trading, .trading, .trading, .trading, .complete, .migrated, .poolLive,
                .raydiumLegacy,
            ]
        ),
        (
            below,
            [
                .trading, .trading, .trading, .nearGraduation, .complete, .migrated, .poolLive,
                .raydiumLegacy,
            ]
        ),
        (
            near,
            [
                .nearGraduation, .nearGraduation, .nearGraduation, .nearGraduation, .complete,
                .migrated, .poolLive, .raydiumLegacy,
            ]
        ),
        (
            .completed,
            [
                .complete, .complete, .complete, .complete, .complete, .migrated, .poolLive,
                .raydiumLegacy,
            ]
        ),
        (
            .migrated,
            [
                .migrated, .migrated, .migrated, .migrated, .migrated, .migrated, .poolLive,
                .raydiumLegacy,
            ]
        ),
        (
            .poolTrade,
            [
                .poolLive, .poolLive, .poolLive, .poolLive, .poolLive, .poolLive, .poolLive,
                .raydiumLegacy,
            ]
        ),
        (
            .legacyPool,
            [
                .raydiumLegacy, .raydiumLegacy, .raydiumLegacy, .raydiumLegacy, .raydiumLegacy,
                .migrated, .poolLive, .raydiumLegacy,
            ]
        ),
    ]

    @Test func `every step leads from every phase where the table says`() {
        let parameters = LifecycleParameters(.solana)
        for (step, phases) in Self.table {
            for (from, to) in zip(TokenPhase.allCases, phases) {
                #expect(from.next(after: step, parameters) == to, "\(from) after \(step)")
            }
        }
    }

    @Test func `near graduation is told once each time it is entered`() throws {
        let run = MonitorRun()
        var coin = CurveScript(1)
        let one: UInt128 = 7_931_000_000_000  // one per cent of what is for sale
        try run.slot(nil, Move(.tokenCreated(coin.creation)))
        try run.slot(nil, Move(coin.buy(89 * one, by: address(1))))
        try run.slot(nil, Move(coin.buy(2 * one, by: address(1))))  // 91: in
        try run.slot(nil, Move(coin.sell(2 * one, by: address(1))))  // 89: still in
        try run.slot(nil, Move(coin.buy(2 * one, by: address(1))))  // 91
        #expect(try run.token(coin.token).nearEntries == 1)
        try run.slot(nil, Move(coin.sell(7 * one, by: address(1))))  // 84: out
        #expect(try run.token(coin.token).phase == .trading)
        try run.slot(nil, Move(coin.buy(7 * one, by: address(1))))  // 91: in again
        #expect(try run.token(coin.token).nearEntries == 2)
        #expect(try run.token(coin.token).nearPosition == 1_002)
        #expect(run.told(coin.token).filter { $0 == "token_near_graduation" }.count == 2)
    }

    @Test func `a creator's buy in the creating transaction begins no trading unless told to`()
        throws
    {
        for counts in [false, true] {
            var parameters = MonitorParameters(.solana)
            parameters.lifecycle.devBuyCountsAsTrading = counts
            let run = MonitorRun(parameters)
            var coin = CurveScript(1)
            try run.slot(
                nil,
                Move(.tokenCreated(coin.creation), coin.buy(5_000_000, by: coin.creator))
            )
            #expect(try run.token(coin.token).phase == (counts ? .trading : .created))
            // The same wallet in another transaction trades like anybody.
            try run.slot(nil, Move(coin.buy(5_000_000, by: coin.creator)))
            #expect(try run.token(coin.token).phase == .trading)
        }
    }

    @Test func `an emptied curve is complete even when no event says so`() throws {
        let run = MonitorRun()
        var coin = CurveScript(1)
        try run.slot(nil, Move(.tokenCreated(coin.creation)))
        try run.slot(nil, Move(coin.buy(downTo: 0, by: address(1))))
        let row = try run.token(coin.token)
        #expect(row.phase == .complete)
        #expect(row.isCompleteInferred)
        #expect(row.completedPosition == 1_001)
        #expect(run.told(coin.token).filter { $0 == "token_complete" }.count == 1)
    }

    @Test func `the event of completion may stand later in the same slot`() throws {
        let run = MonitorRun()
        var coin = CurveScript(1)
        try run.slot(nil, Move(.tokenCreated(coin.creation)))
        try run.slot(nil, Move(coin.buy(downTo: 0, by: address(1))), Move(coin.completion))
        #expect(try run.token(coin.token).isCompleteInferred == false)
    }

    @Test func `a pool of a curve on sale moves neither phase nor price`() throws {
        let run = MonitorRun()
        var coin = CurveScript(1)
        try run.slot(nil, Move(.tokenCreated(coin.creation)))
        try run.slot(nil, Move(coin.buy(1_000_000_000, by: address(1))))
        let cap = try run.market(coin.token).marketCap
        var side = PoolScript(
            address(4_444),
            token: coin.token,
            base: 1_000_000_000,
            quote: 900_000_000_000
        )
        side.creatorBasisPoints = 0
        try run.slot(nil, Move(side.buy(1_000, by: address(2))))
        let row = try run.token(coin.token)
        #expect(row.phase == .trading)
        #expect(row.pool == nil)
        #expect(try run.market(coin.token).marketCap == cap)
        #expect(try run.market(coin.token).trades == 2)
    }

    // MARK: Late subscription

    @Test func `a token first seen in a trade is partial and trades`() throws {
        let run = MonitorRun()
        var coin = CurveScript(1)
        _ = coin.buy(downTo: 396_550_000_000_000, by: address(1))  // half
        try run.slot(nil, Move(coin.buy(1, by: address(2))))
        let row = try run.token(coin.token)
        #expect(row.origin == .partial)
        #expect(row.phase == .trading)
        #expect(row.curve == coin.curve)
        #expect(row.creator == coin.creator)
        #expect(row.firstCreator == nil)
        #expect(row.createdPosition == nil)
        #expect(row.isStartDefault)
        #expect(try run.market(coin.token).progress == 5_000)
        #expect(try #require(run.notices.first).details.contains(.init("origin", "partial")))
    }

    @Test func `a completion seen before anything else makes a complete, partial token`() throws {
        let run = MonitorRun()
        let coin = CurveScript(1)
        try run.slot(nil, Move(coin.completion))
        let row = try run.token(coin.token)
        #expect(row.phase == .complete)
        #expect(row.origin == .partial)
        #expect(row.graduationSlots == nil)
    }

    @Test func `a pool that pays the coin's creator proves a migration that was missed`() throws {
        let run = MonitorRun()
        var coin = CurveScript(1)
        try run.slot(nil, Move(.tokenCreated(coin.creation)))
        try run.slot(nil, Move(coin.buy(1_000_000_000, by: address(1))))
        var pool = PoolScript(
            coin.pool,
            token: coin.token,
            base: 206_900_000_000_000,
            quote: 84_990_359_056
        )
        try run.slot(9_000, Move(pool.buy(1_000, by: address(2))))
        let row = try run.token(coin.token)
        #expect(row.phase == .poolLive)
        #expect(row.pool == coin.pool)
        #expect(row.isPoolInferred)
        #expect(row.isCompleteInferred)
        #expect(row.completedPosition == nil)
    }

    @Test func `a trade on the curve disproves a pool that was only inferred`() throws {
        let run = MonitorRun()
        var coin = CurveScript(1)
        var side = PoolScript(
            address(4_444),
            token: coin.token,
            base: 1_000_000_000,
            quote: 900_000_000_000
        )
        try run.slot(nil, Move(side.buy(1_000, by: address(2))))
        #expect(try run.token(coin.token).phase == .poolLive)
        try run.slot(nil, Move(coin.buy(1_000_000, by: address(1))))
        let row = try run.token(coin.token)
        #expect(row.phase == .trading)
        #expect(row.pool == nil)
        #expect(try run.market(coin.token).priceVenue == .pumpCurve)
    }

    @Test func `a pool's opening makes a token without a curve`() throws {
        let run = MonitorRun()
        var created = PoolCreated(
            venue: .raydiumCPMM,
            pool: address(51),
            token: address(50),
            quote: KnownQuote.usdc,
            isReversed: false,
            isRawOrientation: false,
            creator: address(52)
        )
        created.reserves = Reserves(token: 1_000_000, quote: 2_000_000)
        try run.slot(nil, Move(.poolCreated(created)))
        let row = try run.token(address(50))
        #expect(row.origin == .pool)
        #expect(row.phase == .unknown)
        #expect(row.pool == address(51))
        // Nothing tells a supply, so there is no cap.
        #expect(try run.market(address(50)).marketCap == nil)
        #expect(try run.market(address(50)).quote == 2_000_000)
    }

    @Test func `a coin of 2024 graduates to Raydium with 79,005,359,249 lamports`() throws {
        let run = MonitorRun()
        var coin = CurveScript(1)
        var creation = coin.creation
        creation.virtualReserves = nil
        creation.realTokenReserves = nil
        creation.supply = nil
        let time: Int64?? = .some(1_724_000_000)
        try run.slot(nil, Move(.tokenCreated(creation)), time: time)
        #expect(try run.market(coin.token).marketCap == 27_958_993_476)
        #expect(try run.token(coin.token).isStartDefault)
        try run.slot(
            nil,
            Move(coin.buy(downTo: 0, by: address(1)), coin.completion),
            time: time
        )
        var created = PoolCreated(
            venue: .raydiumV4,
            pool: address(70),
            token: coin.token,
            quote: KnownQuote.wrappedSOL,
            isReversed: true,
            isRawOrientation: false,
            creator: address(71)
        )
        created.reserves = Reserves(token: 206_900_000_000_000, quote: 79_005_359_249)
        try run.slot(nil, Move(.poolCreated(created)), time: time)
        let row = try run.token(coin.token)
        #expect(row.phase == .raydiumLegacy)
        #expect(row.pool == address(70))
        // 79,005,359,249 * 10^15 / 206.9 * 10^12, by hand.
        #expect(try run.market(coin.token).marketCap == 381_852_872_155)

        // Another coin, of which only this is seen: the tokens tell.
        created.token = address(80)
        created.pool = address(81)
        try run.slot(nil, Move(.poolCreated(created)), time: time)
        #expect(try run.token(address(80)).phase == .raydiumLegacy)
        // After 2025-03 it is a pool like any.
        created.token = address(90)
        created.pool = address(91)
        try run.slot(nil, Move(.poolCreated(created)), time: .some(1_743_465_600))
        #expect(try run.token(address(90)).phase == .unknown)
    }

    // MARK: Mayhem

    @Test func `the agent's trades make prices but neither trading nor counts`() throws {
        let run = MonitorRun()
        var coin = CurveScript(1)
        var creation = coin.creation
        creation.isMayhem = true
        try run.slot(nil, Move(.tokenCreated(creation)))
        guard case .trade(var trade) = coin.buy(1_000_000_000_000, by: address(33)) else { return }
        trade.flags.insert(.mayhemAgent)
        try run.slot(nil, Move(.trade(trade)))
        let market = try run.market(coin.token)
        #expect(market.trades == 0)
        #expect(market.agentTrades == 1)
        #expect(market.traders == 0)
        #expect(market.quoteBought == 0)
        #expect(market.quote == coin.vQ)
        #expect(try run.token(coin.token).phase == .created)
        #expect(run.row(TokenTraderRow.self, .init(token: coin.token, trader: address(33))) == nil)
    }

    @Test func `a reset moves the price, and progress stays within its bounds`() throws {
        let run = MonitorRun()
        var coin = CurveScript(1)
        try run.slot(nil, Move(.tokenCreated(coin.creation)))
        try run.slot(nil, Move(coin.buy(1_000_000_000_000, by: address(1))))
        // The agent sold more into the curve than was for sale at the start.
        let reset = CurveReset(
            venue: .pumpCurve,
            token: coin.token,
            before: Reserves(token: coin.vT, quote: coin.vQ),
            after: Reserves(token: 1_073_000_000_000_000, quote: 35_982_708),
            realTokenReserves: 900_000_000_000_000,
            realQuoteReserves: 0
        )
        try run.slot(nil, Move(.curveReset(reset)))
        let market = try run.market(coin.token)
        #expect(market.quote == 35_982_708)
        #expect(market.marketCap == 33_534_676)  // 35,982,708 / 1.073, by hand
        #expect(market.progress == 0)
        #expect(market.realTokens == 900_000_000_000_000)
    }
}

extension Move {
    /// A transaction of several events.
    init(events: [MarketEvent]) {
        self.init()
        self.events = events
    }
}
