import MarketModel
import Projection
import Testing

@testable import Projectors

struct CopyTradingTests {
    static let leader = TradingNames.address(1)
    static let follower = TradingNames.address(2)
    var leader: Address { CopyTradingTests.leader }
    var follower: Address { CopyTradingTests.follower }

    /// A buy on a fresh curve.
    private func buy(_ token: UInt64, by trader: Address) -> Trade {
        var pool = CurvePool(token: TradingNames.address(10_000 + token))
        return pool.buy(net: 200_000_000, by: trader)
    }

    /// Tokens that others buy, one each, so that there is something to compare with.
    private func crowd(_ scene: inout TradingScene, tokens: Range<UInt64>) {
        for token in tokens {
            scene.add(buy(token, by: TradingNames.address(200 + token)))
        }
        scene.next()
    }

    /// The leader buys tokens, the follower some slots later.
    private func follows(
        _ scene: inout TradingScene,
        tokens: Range<UInt64>,
        lag: UInt64 = 3,
        by other: Address = CopyTradingTests.follower
    ) {
        for token in tokens {
            scene.add(buy(token, by: leader))
            if lag > 0 { scene.next(lag) }
            scene.add(buy(token, by: other))
            scene.next(20)
        }
    }

    private func folded(
        _ scene: TradingScene,
        _ change: (inout TradingParameters) -> Void = { _ in }
    ) throws -> TradingFolded {
        try scene.folded {
            $0.leaders = [leader]
            change(&$0)
        }
    }

    @Test func `a relation is told once, with its lag and lift, and later follows count`() throws {
        var scene = TradingScene()
        crowd(&scene, tokens: 100..<130)
        follows(&scene, tokens: 0..<5, lag: 3)
        let folded = try folded(scene)
        let rows = folded.found(.copyTrading)
        try #require(rows.count == 1)
        #expect(rows[0].attacker == follower)
        #expect(rows[0].other == leader)
        #expect(rows[0].token == TradingNames.address(10_002))
        // Three tokens each of 33: 3 * 33 / (3 * 3) = 11.
        #expect(rows[0].evidence == "tokens=3 median_lag=3 lift=11")
        #expect(rows[0].legs.map(\.role) == [.leader, .follower])
        #expect(rows[0].legs[1].slot == rows[0].legs[0].slot + 3)
        let pair = folded.projector.copyTrading.pairs[
            CopyTradingPair.Key(leader: leader, follower: follower)
        ]
        #expect(pair?.copies == 2)
        #expect(pair?.lift == 11)
        #expect(pair?.medianLag == 3)
    }

    @Test func `without one of its conditions there is no relation`() throws {
        func relations(
            crowd tokens: Range<UInt64> = 100..<130,
            _ change: (inout TradingParameters) -> Void = { _ in },
            _ act: (inout TradingScene) -> Void
        ) throws -> Int {
            var scene = TradingScene()
            crowd(&scene, tokens: tokens)
            act(&scene)
            return try folded(scene, change).found(.copyTrading).count
        }
        #expect(try relations { follows(&$0, tokens: 0..<3) } == 1)
        #expect(try relations { follows(&$0, tokens: 0..<2) } == 0)  // too few tokens
        #expect(try relations { follows(&$0, tokens: 0..<3, lag: 11) } == 0)  // too late
        #expect(try relations { follows(&$0, tokens: 0..<3, lag: 6) } == 0)  // median above 5
        #expect(try relations { follows(&$0, tokens: 0..<3, lag: 5) } == 1)
        #expect(try relations { follows(&$0, tokens: 0..<3, lag: 0) } == 1)  // one transaction on
        // 3 * 14 / (3 * 3) is below 5, 3 * 15 / 9 is not.
        #expect(try relations(crowd: 100..<111) { follows(&$0, tokens: 0..<3) } == 0)
        #expect(try relations(crowd: 100..<112) { follows(&$0, tokens: 0..<3) } == 1)
        // Half of the leader's buys, and less than half.
        #expect(
            try relations(crowd: 100..<200) { scene in
                for token in UInt64(50)..<53 { scene.add(buy(token, by: leader)) }
                scene.next(20)
                follows(&scene, tokens: 0..<3)
            } == 1
        )
        #expect(
            try relations(crowd: 100..<200) { scene in
                for token in UInt64(50)..<54 { scene.add(buy(token, by: leader)) }
                scene.next(20)
                follows(&scene, tokens: 0..<3)
            } == 0
        )
        // The follower buys nearly every token: 13 of 43.
        #expect(
            try relations { scene in
                for token in UInt64(50)..<60 { scene.add(buy(token, by: follower)) }
                scene.next(20)
                follows(&scene, tokens: 0..<3)
            } == 0
        )
        // Bought before the leader did, so not for the first time.
        #expect(
            try relations { scene in
                for token in UInt64(0)..<3 { scene.add(buy(token, by: follower)) }
                scene.next(20)
                follows(&scene, tokens: 0..<3)
            } == 0
        )
        // Nobody leads.
        #expect(try relations({ $0.leaders = [] }) { follows(&$0, tokens: 0..<3) } == 0)
    }

    @Test func `buys of the creating slot are no copies`() throws {
        for isCreated in [false, true] {
            var scene = TradingScene()
            crowd(&scene, tokens: 100..<130)
            for token in UInt64(0)..<3 {
                let address = TradingNames.address(10_000 + token)
                let created = TokenCreated(
                    venue: .pumpCurve,
                    token: address,
                    quote: TradingNames.sol,
                    curve: address,
                    user: TradingNames.address(7),
                    creator: TradingNames.address(7),
                    name: "",
                    symbol: "",
                    uri: ""
                )
                scene.add(
                    buy(token, by: leader),
                    events: isCreated ? [.tokenCreated(created)] : []
                )
                scene.add(buy(token, by: follower))
                scene.next(20)
            }
            #expect(try folded(scene).found(.copyTrading).count == (isCreated ? 0 : 1))
        }
    }

    @Test func `the earliest of several leaders has the follower`() throws {
        let second = TradingNames.address(3)
        var scene = TradingScene()
        crowd(&scene, tokens: 100..<140)
        for token in UInt64(0)..<4 {
            scene.add(buy(token, by: leader))
            scene.next()
            scene.add(buy(token, by: second))
            scene.next()
            scene.add(buy(token, by: follower))
            scene.next(20)
        }
        let folded = try folded(scene) { $0.leaders = [leader, second] }
        let rows = folded.found(.copyTrading)
        // The second follows the leader too; the follower is the leader's alone.
        #expect(rows.map(\.attacker) == [second, follower])
        #expect(rows.map(\.other) == [leader, leader])
    }

    @Test func `follows are forgotten after the window of days`() throws {
        var scene = TradingScene()
        crowd(&scene, tokens: 100..<130)
        follows(&scene, tokens: 0..<2)
        // Seven days of slots, at two fifths of a second each.
        scene.next(7 * 86_400 * 5 / 2)
        follows(&scene, tokens: 2..<3)
        #expect(try folded(scene).found(.copyTrading).isEmpty)
    }

    @Test func `a wallet leads once it has closed enough positions with a gain`() throws {
        func scene(closed: UInt64, losing: UInt64) -> TradingScene {
            var scene = TradingScene()
            for token in UInt64(1_000)..<1_000 + closed {
                var pool = CurvePool(token: TradingNames.address(10_000 + token))
                let bought = pool.buy(net: 100_000_000, by: leader)
                scene.add(bought)
                if token >= 1_000 + losing {
                    _ = pool.buy(net: 3_000_000_000, by: TradingNames.address(9))
                }
                scene.next(20)
                scene.add(pool.sell(tokens: bought.tokenAmount, by: leader))
                scene.next(20)
            }
            crowd(&scene, tokens: 100..<150)
            follows(&scene, tokens: 0..<3)
            return scene
        }
        func relations(_ scene: TradingScene) throws -> Int {
            try scene.folded { $0.copySniperBasisPoints = 10_000 }.found(.copyTrading).count
        }
        #expect(try relations(scene(closed: 20, losing: 10)) == 1)
        #expect(try relations(scene(closed: 19, losing: 0)) == 0)
        #expect(try relations(scene(closed: 20, losing: 11)) == 0)
    }

    @Test func `days shift out of the window one by one`() {
        for days in 1...8 {
            var counts = CopyTradingDays(day: 100, days: days)
            for day in Int64(100)..<120 {
                counts.advance(to: day)
                for _ in 0...day - 100 { counts.add() }
                // 1 + 2 + 3 ... of the newest days.
                let newest = UInt64(day - 100 + 1)
                let oldest = newest >= UInt64(days) ? newest - UInt64(days) + 1 : 1
                #expect(counts.total(at: day) == (oldest...newest).reduce(0, +))
            }
            #expect(counts.total(at: 119 + Int64(days)) == 0)
            counts.advance(to: .max)
            #expect(counts.total(at: .max) == 0)
            // Time that goes back counts as now.
            counts.advance(to: 0)
            counts.add()
            #expect(counts.total(at: .max) == 1)
        }
    }
}
