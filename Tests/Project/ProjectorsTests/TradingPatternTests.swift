import MarketModel
import Projection
import Testing

@testable import Projectors

/// Front-runs, back-runs, cycles.
struct TradingPatternTests {
    let runner = TradingNames.address(1)
    let victim = TradingNames.address(2)
    let token = TradingNames.address(500)

    /// A buy, and a larger one right behind it that had 1 % left to its limit.
    private func pair(
        gap: UInt32 = 1,
        net: UInt128 = 500_000_000,
        priority: (UInt128, UInt128) = (9, 1),
        tip: UInt128 = 0,
        limit: (UInt128, UInt128) = (99, 100),
        others: Int = 0
    ) -> TradingScene {
        var pool = CurvePool(token: token)
        var scene = TradingScene()
        let front = pool.buy(net: net, by: runner)
        var run = pool.buy(net: 2_000_000_000, by: victim)
        run.limit = run.tokenAmount * limit.0 / limit.1
        scene.add(front, at: 10, tip: tip, priority: priority.0)
        scene.add(run, at: 10 + gap, priority: priority.1)
        for other in 0..<others {
            let trader = TradingNames.address(50 + UInt64(other))
            scene.add(pool.buy(net: 100_000_000, by: trader), at: 50 + 9 * UInt32(other))
        }
        return scene
    }

    @Test func `a buy that outbids the larger one behind it is a possible front-run`() throws {
        let rows = try pair().folded().found(.possibleFrontRun)
        #expect(rows.map(\.attacker) == [runner])
        #expect(rows.map(\.other) == [victim])
        // 30, and 10 for standing right before it.
        #expect(rows.map(\.confidence) == [40])
        #expect(try pair(gap: 2).folded().found(.possibleFrontRun).map(\.confidence) == [30])
        let tipped = try pair(tip: 5).folded().found(.possibleFrontRun)
        #expect(tipped.map(\.confidence) == [50])
    }

    @Test func `without one of its marks it is none`() throws {
        let scenes = [
            pair(gap: 3),  // too far
            pair(net: 99_000_000),  // below the floor of 0.1 SOL
            pair(net: 190_000_000),  // below a tenth of the victim's
            pair(priority: (1, 1)),  // neither bid more nor tipped
            pair(limit: (79, 100)),  // the victim had more than 20 % left
            pair(others: 3),  // a crowd of five buys
        ]
        for scene in scenes {
            #expect(try scene.folded().found(.possibleFrontRun) == [])
        }
        #expect(try pair(net: 200_000_000).folded().found(.possibleFrontRun).count == 1)
        #expect(try pair(limit: (84, 100)).folded().found(.possibleFrontRun).count == 1)
        #expect(try pair(others: 2).folded().found(.possibleFrontRun).count == 1)
        #expect(try pair(priority: (0, 1), tip: 1).folded().found(.possibleFrontRun).count == 1)
    }

    @Test func `one victim is told once, and one of a sandwich is not told again`() throws {
        var pool = CurvePool(token: token)
        var scene = TradingScene()
        let front = pool.buy(net: 1_000_000_000, by: runner)
        scene.add(front, at: 10, priority: 9)
        scene.add(pool.buy(net: 1_000_000_000, by: TradingNames.address(3)), at: 11, priority: 9)
        var run = pool.buy(net: 2_000_000_000, by: victim)
        run.limit = run.tokenAmount
        scene.add(run, at: 12, priority: 1)
        let folded = try scene.folded()
        #expect(folded.found(.possibleFrontRun).map(\.attacker) == [TradingNames.address(3)])
        scene.add(pool.sell(tokens: front.tokenAmount, by: runner), at: 13, tip: 9)
        let closed = try scene.folded()
        #expect(closed.found(.possibleFrontRun) == [])
        #expect(closed.found(.sandwich).count == 1)
    }

    /// A large buy on one pool; the next transaction buys the token elsewhere and sells it there.
    private func backRun(gap: UInt32 = 1, isClosed: Bool = true, tip: UInt128 = 0) -> TradingScene {
        var near = CurvePool(token: token)
        var far = SwapPool(pool: TradingNames.address(600), token: token)
        far.vault = 6_000_000_000
        var scene = TradingScene()
        scene.add(near.buy(net: 5_000_000_000, by: victim), at: 10)
        let bought = far.buy(net: 100_000_000, by: runner)
        let sold = near.sell(tokens: bought.tokenAmount, by: runner)
        if isClosed {
            scene.add(bought, sold, at: 10 + gap, tip: tip)
        } else {
            scene.add(sold, at: 10 + gap, tip: tip)
        }
        return scene
    }

    @Test func `an arbitrage right behind a large trade is a back-run and a cycle`() throws {
        let folded = try backRun(tip: 1_000).folded()
        let back = folded.found(.backRun)
        #expect(back.map(\.attacker) == [runner])
        #expect(back.map(\.other) == [victim])
        #expect(back.map(\.confidence) == [100])
        let cycles = folded.found(.arbitrage)
        try #require(cycles.count == 1)
        var far = SwapPool(pool: TradingNames.address(600), token: token)
        far.vault = 6_000_000_000
        var near = CurvePool(token: token)
        _ = near.buy(net: 5_000_000_000, by: victim)
        let bought = far.buy(net: 100_000_000, by: runner)
        let sold = near.sell(tokens: bought.tokenAmount, by: runner)
        let profit = Int128(sold.traderQuoteAmount) - Int128(bought.traderQuoteAmount)
        #expect(profit > 0)
        #expect(cycles[0].gross == profit)
        #expect(cycles[0].net == profit - 6_000)
        #expect(cycles[0].quote == TradingNames.sol)
        #expect(cycles[0].legs.map(\.role) == [.hop, .hop])
        #expect(cycles[0].pool == far.pool)
    }

    @Test func `a back-run stands at most two places behind and closes or pays a tip`() throws {
        #expect(try backRun(gap: 2).folded().found(.backRun).map(\.confidence) == [80])
        #expect(try backRun(gap: 3).folded().found(.backRun) == [])
        #expect(try backRun(isClosed: false).folded().found(.backRun) == [])
        let tipped = try backRun(isClosed: false, tip: 7).folded()
        #expect(tipped.found(.backRun).map(\.confidence) == [80])
        #expect(tipped.found(.arbitrage) == [])
    }

    @Test func `a trade that moved little is not back-run`() throws {
        var pool = CurvePool(token: token)
        var scene = TradingScene()
        // 0.9 % of impact: t / (T - t) with fees apart.
        scene.add(pool.buy(net: 270_000_000, by: victim), at: 10)
        scene.add(pool.sell(tokens: 1_000_000_000, by: runner), at: 11, tip: 9)
        #expect(try scene.folded().found(.backRun) == [])
        var larger = CurvePool(token: token)
        var second = TradingScene()
        second.add(larger.buy(net: 310_000_000, by: victim), at: 10)
        second.add(larger.sell(tokens: 1_000_000_000, by: runner), at: 11, tip: 9)
        #expect(try second.folded().found(.backRun).count == 1)
    }

    /// Steps by mint: what goes in, what comes out, at which pool.
    private func hop(
        _ mintIn: UInt64,
        _ amountIn: UInt128,
        _ mintOut: UInt64,
        _ amountOut: UInt128,
        _ pool: UInt64
    ) -> BackRunCycle.Hop {
        var trade = Trade(
            venue: .pumpSwap,
            pool: TradingNames.address(pool),
            token: TradingNames.address(mintOut),
            quote: TradingNames.address(mintIn),
            side: .buy,
            trader: runner,
            tokenAmount: amountOut,
            quoteAmount: amountIn,
            traderQuoteAmount: amountIn
        )
        trade.flags = .multiHop
        return BackRunCycle.Hop(trade)
    }

    @Test func `a cycle goes on with what came out, within one percent, and ends where it began`() {
        let parameters = TradingParameters(.solana)
        func cycles(_ hops: BackRunCycle.Hop...) -> [[Int]] {
            BackRunCycle.all(in: hops, parameters).map(\.hops)
        }
        let a = hop(1, 100, 2, 50, 90)
        let b = hop(2, 50, 3, 70, 91)
        #expect(cycles(a, b, hop(3, 70, 1, 101, 92)) == [[0, 1, 2]])
        #expect(cycles(a, b, hop(3, 70, 1, 100, 92)) == [])  // nothing earned
        #expect(cycles(a, b, hop(3, 70, 1, 99, 92)) == [])
        #expect(cycles(a, b, hop(3, 90, 1, 200, 92)) == [])  // more than came out
        #expect(cycles(a, hop(2, 50, 1, 101, 90)) == [])  // one pool
        #expect(cycles(a, hop(2, 50, 1, 101, 91)) == [[0, 1]])
        #expect(cycles(a, hop(9, 1, 8, 1, 95), hop(2, 50, 1, 101, 91)) == [[0, 2]])
        #expect(cycles(hop(2, 50, 1, 101, 91), a) == [])  // in the wrong order
        // Two in one transaction.
        #expect(
            cycles(a, hop(2, 50, 1, 101, 91), hop(5, 9, 6, 9, 96), hop(6, 9, 5, 10, 97))
                == [[0, 1], [2, 3]]
        )
        #expect(cycles() == [])
    }
}
