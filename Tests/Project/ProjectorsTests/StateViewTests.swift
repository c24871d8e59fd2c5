import MarketModel
import Projection
import RecordModel
import Testing

@testable import Projectors

/// What is made of tables when somebody asks.
@Suite struct StateViewTests {
    /// The rows of a view, each by the names of its columns.
    private func rows(
        _ name: String,
        _ engine: ProjectionEngine
    ) throws -> [[String: ColumnValue]] {
        let view = try #require(StateView.all.first { $0.schema.name == name })
        #expect(view.isMade(of: engine.store))
        let columns = (view.schema.key + view.schema.columns).map(\.name)
        return try view.rows(of: engine).map { listed in
            Dictionary(uniqueKeysWithValues: zip(columns, try view.schema.values(listed)))
        }
    }

    // MARK: Windows

    /// A trade of each of some wallets in one slot.
    private func trade(
        _ wallets: some Swift.Sequence<UInt64>,
        _ pool: inout CurvePool,
        in scene: inout TradingScene
    ) {
        for wallet in wallets {
            scene.add(pool.buy(net: 1_000_000, by: TradingNames.address(wallet)))
        }
    }

    @Test func `windows hold the minute that goes on and the whole ones before it`() throws {
        let token = TradingNames.address(500)
        var pool = CurvePool(token: token)
        var other = SwapPool(pool: TradingNames.address(600), token: token)
        var scene = TradingScene()
        scene.time = 1_699_999_980  // a whole minute, 24 h before the last
        // By minutes from the last one: 1440 (too old), 1439, 60, 59, 5, 4, 0.
        let minutes: [(ago: UInt64, wallets: ClosedRange<UInt64>)] = [
            (1_440, 1...2), (1_439, 2...4), (60, 4...5), (59, 5...7), (5, 7...8), (4, 8...10),
            (0, 10...10),
        ]
        var last: UInt64 = 1_440
        for (ago, wallets) in minutes {
            if last > ago { scene.next((last - ago) * 150) }
            last = ago
            trade(wallets, &pool, in: &scene)
        }
        scene.add(other.buy(net: 5_000_000, by: TradingNames.address(8)))
        let folded = try scene.folded()
        let rows = try rows("pool_windows", folded.engine)
        let curve = rows.filter { $0["pool"] == .address(token) }
        // Python: the union of the ranges, and the number of trades.
        let expected: [(seconds: Int, wallets: Int, buys: Int)] = [
            (60, 1, 1), (300, 3, 4), (3_600, 6, 9), (86_400, 9, 14),
        ]
        #expect(curve.map { $0["seconds"] } == expected.map { .number("\($0.seconds)") })
        #expect(curve.map { $0["wallets"] } == expected.map { .number("\($0.wallets)") })
        #expect(curve.map { $0["buys"] } == expected.map { .number("\($0.buys)") })
        #expect(curve.allSatisfy { $0["is_wallets_exact"] == .boolean(true) })
        #expect(curve.allSatisfy { $0["buy_pressure"] == .number("10000") })
        // Over both pools, wallet 8 once.
        let tokens = try self.rows("token_windows", folded.engine)
        #expect(
            tokens.map { $0["pools"] } == [String](repeating: "2", count: 4).map { .number($0) }
        )
        #expect(tokens.map { $0["wallets"] } == ["2", "3", "6", "9"].map { .number($0) })
        #expect(tokens.map { $0["buys"] } == ["2", "5", "10", "15"].map { .number($0) })
        let venues = try self.rows("venue_windows", folded.engine)
        #expect(venues.count == 8)
        #expect(Set(venues.map { $0["pools"] }) == [.number("1")])
    }

    @Test func `windows follow the slots when nobody trades`() throws {
        var pool = CurvePool(token: TradingNames.address(500))
        var scene = TradingScene()
        scene.time = 1_699_999_980
        trade(1...3, &pool, in: &scene)
        scene.next(149)
        #expect(try rows("pool_windows", scene.folded().engine).count == 4)
        scene.next(1)
        #expect(try rows("pool_windows", scene.folded().engine).count == 3)
        scene.next(4 * 150)
        #expect(try rows("pool_windows", scene.folded().engine).count == 2)
        scene.next(1_435 * 150)
        #expect(try rows("pool_windows", scene.folded().engine).isEmpty)
    }

    @Test func `many wallets are counted about`() throws {
        var pool = CurvePool(token: TradingNames.address(500))
        var scene = TradingScene()
        for start in stride(from: UInt64(1), to: 1_501, by: 300) {
            trade(start..<start + 400, &pool, in: &scene)
            scene.next(150)
        }
        let rows = try rows("pool_windows", scene.folded().engine)
        let hour = try #require(rows.first { $0["seconds"] == .number("3600") })
        #expect(hour["is_wallets_exact"] == .boolean(false))
        guard case .number(let digits)? = hour["wallets"], let wallets = Int(digits) else {
            Issue.record("no number of wallets")
            return
        }
        // 1,600 wallets; five standard errors.
        #expect((1_472...1_728).contains(wallets))
        #expect(hour["buys"] == .number("2000"))
    }

    @Test func `a wallet that is taken back leaves no trace in a window`() throws {
        var pool = CurvePool(token: TradingNames.address(500))
        var scene = TradingScene()
        trade(1...70, &pool, in: &scene)
        scene.next()
        let before = try rows("pool_windows", scene.folded().engine)
        let folded = try scene.folded()
        var more = TradingScene(slot: scene.slot + 1)
        more.time = scene.time
        trade(71...80, &pool, in: &more)
        let bundle = more.bundles[0]
        try folded.apply(bundle)
        #expect(try rows("pool_windows", folded.engine) != before)
        try folded.undo(bundle.position)
        #expect(try rows("pool_windows", folded.engine) == before)
    }

    // MARK: Figures

    @Test func `a pool's yield, rate and locked shares follow from its tables`() throws {
        let run = MonitorRun()
        try run.slot(nil, Move(LiquidityTests.opening(50_000_000_000_000, 72_530_000_000)))
        var pool = PoolScript(
            LiquidityTests.pool,
            token: LiquidityTests.token,
            base: 50_000_000_000_000,
            quote: 72_530_000_000
        )
        // Ten seconds later.
        try run.slot(1_025, Move(pool.buy(1_000_000_000_000, by: address(1))))
        let row = try #require(try rows("pool_figures", run.engine).first)
        let state = try run.state(LiquidityTests.pool)
        // Python: 1480204082 moved, 2960409 of it for liquidity; the other numbers follow.
        #expect(row["age_seconds"] == .number("10"))
        #expect(row["volume_24h"] == .number("1480204082"))
        #expect(row["fees_24h"] == .number("2960409"))
        #expect(row["apr_24h_simple"] == .number("630694"))
        #expect(row["locked_bps"] == .number("0"))
        #expect(row["growth"] == .number("18447113005054407115"))
        #expect(row["yield"] == .number("19999808"))
        #expect(row["yield_24h"] == ColumnValue.none)
        #expect(state.tvl == 148_026_328_982)
        let positions = try rows("position_figures", run.engine)
        #expect(positions.count == 1)
        #expect(positions[0]["owner"] == .address(LiquidityTests.maker))
        #expect(positions[0]["il_bps"] == .number("1"))
        #expect(positions[0]["share_bps"] == .number("9999"))
        // A day and a half later one trade more: what was before that day is where it began.
        try run.slot(1_025 + 324_000, Move(pool.sell(400_000_000_000, by: address(1))))
        let later = try #require(try rows("pool_figures", run.engine).first)
        // Python: 599,296,878 moved, 1,198,594 of it for liquidity.
        #expect(later["age_seconds"] == .number("129610"))
        #expect(later["volume_24h"] == .number("599296878"))
        #expect(later["fees_24h"] == .number("1198594"))
        #expect(later["apr_24h_simple"] == .number("29"))
        #expect(later["yield_24h"] == .number("8163236"))
    }

    @Test func `a token's holders and its silence follow from its tables`() throws {
        let run = MonitorRun()
        var curve = CurveScript(5)
        try run.slot(nil, Move(.tokenCreated(curve.creation)))
        // Eleven hold 1 to 11 million; the creator bought 4 and sold 3.
        for number in 1...11 as ClosedRange<UInt64> {
            let event = curve.buy(UInt128(number) * 1_000_000_000_000, by: address(number))
            try run.slot(nil, Move(event))
        }
        let creator = curve.creator
        try run.slot(nil, Move(curve.buy(4_000_000_000_000, by: creator)))
        try run.slot(nil, Move(curve.sell(3_000_000_000_000, by: creator)))
        var row = try #require(try rows("token_figures", run.engine).first)
        #expect(row["creator_sold_bps"] == .number("7500"))
        #expect(row["net_held"] == .number("67000000000000"))
        // 11 + ... + 2 of 67.
        #expect(row["top10_bps"] == .number("9701"))
        #expect(row["is_abandoned"] == .boolean(false))
        #expect(row["idle_slots"] == .number("0"))
        let last = run.position
        try run.slot(last + 216_000)
        row = try #require(try rows("token_figures", run.engine).first)
        #expect(row["is_abandoned"] == .boolean(false))
        try run.slot()
        row = try #require(try rows("token_figures", run.engine).first)
        #expect(row["is_abandoned"] == .boolean(true))
        #expect(row["idle_slots"] == .number("216001"))
    }

    @Test func `dollars come from the newest recorded price alone`() throws {
        let parameters = MonitorParameters(.solana)
        let engine = ProjectionEngine(.solana) { store in
            [
                LifecycleProjector(store, parameters), LiquidityProjector(store, parameters),
                EnrichmentProjector(store),
            ]
        }
        var curve = CurveScript(5)
        var notices: [Notice] = []
        func slot(_ position: UInt64, _ moves: [Move], _ facts: [(String, String)] = []) throws {
            var bundle = MonitorRun.bundle(position, moves)
            bundle.facts = facts.enumerated().map { place, fact in
                OutsideFact(
                    namespace: "price",
                    key: fact.0,
                    value: .text(fact.1),
                    sequence: position * 10 + UInt64(place)
                )
            }
            try engine.take(.apply(bundle), at: Sequence(position), notices: &notices)
        }
        func dollars() throws -> ColumnValue? {
            try rows("token_figures", engine).first?["market_cap_usd_cents"]
        }
        try slot(1_000, [Move(.tokenCreated(curve.creation))])
        try slot(1_001, [Move(curve.buy(1_000_000_000_000, by: address(1)))])
        #expect(try dollars() == ColumnValue.none)
        try slot(1_002, [], [("SOL/USD", "100"), ("SOL/USD", "171.25"), ("USDC/USD", "1")])
        // Python: 30,027,985,076 lamports for 1,072 M tokens, 1,000 M in all.
        #expect(try dollars() == .number("479691"))
        try slot(1_003, [], [("SOL/USD", "-1"), ("SOL/USD", "1e3"), ("SOL/USD", "")])
        #expect(try dollars() == .number("479691"))
    }

    @Test(
        arguments: [
            ("0", 0), ("171.25", 171_250_000_000), ("0.000000001", 1), ("1", 1_000_000_000),
            ("1.", nil), (".5", nil), ("1.2.3", nil), ("1.0000000001", nil), ("+1", nil),
            ("1234567890123456789", nil), ("", nil), ("١", nil),
        ] as [(String, UInt128?)]
    )
    func `a price is a plain decimal number`(text: String, value: UInt128?) {
        #expect(QuotePrices.billionths(text) == value)
    }

    @Test func `views of a state without their tables are not made`() {
        let engine = TradingFolded().engine
        let names = StateView.all.filter { $0.isMade(of: engine.store) }.map(\.schema.name)
        #expect(names == ["pool_windows", "token_windows", "venue_windows"])
    }
}
