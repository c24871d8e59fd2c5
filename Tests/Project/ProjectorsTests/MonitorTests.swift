import MarketModel
import Projection
import Testing

@testable import Projectors

@Suite struct MonitorTests {
    // MARK: Parameters

    @Test func `known quotes are those whose text stands beside them`() throws {
        #expect(
            MonitorParameters(.solana).quotes.map { $0.text(on: .solana) } == [
                "So11111111111111111111111111111111111111112",
                "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v",
                "Es9vMFrzaCERmJfrF4H2FYD4KCoNkY11McCe8BenwNYB",
            ]
        )
        let polygon = MonitorParameters(.evm(137))
        #expect(
            polygon.quotes.map { $0.text(on: polygon.chain) } == [
                "0x0d500b1d8e8ef31e21c99d1db9a6444d3adf1270",
                "0x3c499c542cef5e3811e1192ce70d8cc03d5c3359",
                "0x2791bca1f2de4661ed88a30c99a7a9449aa84174",
                "0xc2132d05d31c914a87c6611c10748aeb04b58e8f",
            ]
        )
        #expect(MonitorParameters(.evm(1)).quotes.isEmpty)
    }

    @Test func `of two known quotes the stronger one is the quote`() {
        let parameters = MonitorParameters(.solana)
        let (sol, dollar) = (KnownQuote.wrappedSOL, KnownQuote.usdc)
        #expect(parameters.isQuoteFirst(sol, dollar) == true)
        #expect(parameters.isQuoteFirst(dollar, sol) == false)
        #expect(parameters.isQuoteFirst(address(1), dollar) == false)
        #expect(parameters.isQuoteFirst(dollar, address(1)) == true)
        #expect(parameters.isQuoteFirst(address(1), address(2)) == nil)
    }

    @Test func `whatever changes rows changes the configuration`() {
        let solana = MonitorParameters(.solana)
        func texts(_ parameters: MonitorParameters) -> (String, String) {
            let store = StateStore(parameters.chain)
            return (
                LifecycleProjector(store, parameters).configuration,
                LiquidityProjector(store, parameters).configuration
            )
        }
        let (lifecycle, liquidity) = texts(solana)
        #expect(
            lifecycle.hasPrefix(
                "chain=solana\nquotes=So11111111111111111111111111111111111111112,EPj"
            )
        )
        #expect(lifecycle.contains("\nnear_graduation_bps=9000\nnear_hysteresis_bps=500\n"))
        #expect(liquidity.contains("\ndrain_bps=9000\n"))
        #expect(liquidity.hasSuffix("\n"))
        let changes: [(inout MonitorParameters) -> Void] = [
            { $0.lifecycle.devBuyCountsAsTrading = true },
            { $0.lifecycle.nearGraduationBasisPoints = 1 },
            { $0.lifecycle.nearHysteresisBasisPoints = 1 },
            { $0.lifecycle.milestones[0].thresholds.removeLast() },
            { $0.lifecycle.rearmsMilestones = true },
            { $0.lifecycle.rearmPercent = 1 },
            { $0.lifecycle.exactTradersMax = 1 },
            { $0.lifecycle.sniperSlots = 1 },
            { $0.lifecycle.earlySlots = 1 },
            { $0.lifecycle.startQuote = 1 },
            { $0.lifecycle.startTokens = 1 },
            { $0.lifecycle.startRealTokens = 1 },
            { $0.lifecycle.supply = 1 },
            { $0.lifecycle.legacyUntil = 1 },
            { $0.lifecycle.legacyPoolTokens = 1 },
            { $0.slotMilliseconds = 1 },
        ]
        for (number, change) in changes.enumerated() {
            var parameters = solana
            change(&parameters)
            #expect(texts(parameters).0 != lifecycle, "change \(number)")
        }
        let others: [(inout MonitorParameters) -> Void] = [
            { $0.liquidity.drainBasisPoints = 1 },
            { $0.liquidity.unlockBasisPoints = 1 },
            { $0.liquidity.fallBasisPoints = 1 },
            { $0.liquidity.fallWindow = 1 },
            { $0.liquidity.moveBasisPoints = 1 },
            { $0.liquidity.quoteFloor[0].amount = 1 },
            { $0.quotes.removeLast() },
        ]
        for (number, change) in others.enumerated() {
            var parameters = solana
            change(&parameters)
            #expect(texts(parameters).1 != liquidity, "change \(number)")
        }
    }

    // MARK: Time

    @Test func `a slot without a time is reckoned from the last one that has any`() throws {
        let run = MonitorRun()
        var coin = CurveScript(1)
        try run.slot(1_000, Move(.tokenCreated(coin.creation)), time: .some(nil))
        #expect(try run.token(coin.token).createdTime == nil)
        try run.slot(2_000, time: .some(1_760_000_000))
        coin = CurveScript(2)
        try run.slot(2_004, Move(.tokenCreated(coin.creation)), time: .some(nil))
        // Four slots of 400 ms are 1.6 s, rounded down.
        #expect(try run.token(coin.token).createdTime == 1_760_000_001)
        #expect(try run.token(coin.token).isTimeEstimated)
        coin = CurveScript(3)
        try run.slot(2_005, Move(.tokenCreated(coin.creation)), time: .some(1_760_000_009))
        #expect(try run.token(coin.token).createdTime == 1_760_000_009)
        #expect(try run.token(coin.token).isTimeEstimated == false)
    }

    @Test func `times and slots at the ends of their ranges do not trap`() throws {
        let run = MonitorRun()
        var coin = CurveScript(1)
        try run.slot(1, Move(.tokenCreated(coin.creation)), time: .some(.max))
        try run.slot(
            .max - 1,
            Move(coin.buy(downTo: 0, by: address(1)), coin.completion),
            time: .some(nil)
        )
        try run.slot(.max, Move(events: coin.migration), time: .some(.min))
        #expect(try run.token(coin.token).phase == .migrated)
    }

    // MARK: Gaps

    @Test func `slots that are not proved make ranges, and rows are incomplete since them`()
        throws
    {
        let run = MonitorRun()
        for position in 1_000...1_009 as ClosedRange<UInt64> {
            let isGap = [1_002, 1_003, 1_004, 1_007].contains(position)
            try run.slot(position, evidence: isGap ? .unproved : .counted)
        }
        func from(_ through: UInt64) -> UInt64? {
            run.row(MonitorGap<LifecycleOwner>.self, through)?.from
        }
        #expect(from(1_004) == 1_002)
        #expect(from(1_007) == 1_007)
        #expect(from(1_002) == nil)
        #expect(from(1_003) == nil)
        #expect(run.row(MonitorGap<LiquidityOwner>.self, 1_004)?.from == 1_002)
        let ranges: [(from: UInt64, through: UInt64)] = [(1_007, 1_007), (1_002, 1_004)]
        func since(_ first: UInt64) -> UInt64? {
            MonitorTimes<LifecycleOwner>.incompleteSince(first: first, ranges: ranges)
        }
        #expect(since(1_000) == 1_002)
        #expect(since(1_003) == 1_003)
        #expect(since(1_005) == 1_007)
        #expect(since(1_008) == nil)
    }

    @Test func `skipped slots do not end a range`() throws {
        let run = MonitorRun()
        var bundle = MonitorRun.bundle(1_000, [], evidence: .unproved)
        try run.apply(bundle)
        bundle = MonitorRun.bundle(1_005, [], evidence: .unproved)
        bundle.parent = 1_000
        try run.apply(bundle)
        #expect(run.row(MonitorGap<LifecycleOwner>.self, 1_005)?.from == 1_000)
    }

    @Test func `how a chain was observed is no part of its digest`() throws {
        let proved = MonitorRun()
        let unproved = MonitorRun()
        var coin = CurveScript(1)
        let creation = Move(.tokenCreated(coin.creation))
        let buy = Move(coin.buy(1_000, by: address(1)))
        try proved.slot(1_000, creation)
        try unproved.slot(1_000, creation, evidence: .unproved)
        _ = coin.buy(1_000, by: address(2))
        try proved.slot(1_001, buy)
        try unproved.slot(1_001, buy, accounts: [coin.account()])
        #expect(unproved.row(MonitorDrift<LifecycleOwner>.self, coin.token) != nil)
        #expect(proved.engine.chainDigest == unproved.engine.chainDigest)
    }
}
