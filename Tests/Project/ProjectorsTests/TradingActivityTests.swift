import MarketModel
import Projection
import Testing

@testable import Projectors

/// Minutes, wallets, measures, alerts.
struct TradingActivityTests {
    let token = TradingNames.address(500)
    let pool = TradingNames.address(600)

    private func minute(_ folded: TradingFolded, _ minute: Int64) -> TradeBucket? {
        let key = TokenMinute.Key(token: token, quote: TradingNames.sol, minute: minute)
        return folded.projector.tokenMinutes[key]?.bucket
    }

    @Test func `minutes add up what pools and the token traded, wallets counted once`() throws {
        var curve = CurvePool(token: token)
        var swap = SwapPool(pool: pool, token: token)
        var scene = TradingScene()
        scene.time = 1_699_999_980  // a whole minute
        let a = TradingNames.address(1)
        let b = TradingNames.address(2)
        var trades: [Trade] = []
        var elsewhere: [Trade] = []
        for slot in 0..<300 {
            let buy = curve.buy(net: 100_000_000, by: slot % 2 == 0 ? a : b)
            let other = swap.sell(tokens: 1_000_000_000, by: a)
            scene.add(buy)
            scene.add(other)
            trades.append(buy)
            elsewhere.append(other)
            scene.next()
        }
        let folded = try scene.folded()
        for (order, start) in [Int64(1_699_999_980), 1_700_000_040].enumerated() {
            let own = trades[150 * order..<150 * order + 150]
            let others = elsewhere[150 * order..<150 * order + 150]
            let bucket = try #require(minute(folded, start))
            #expect(bucket.buys == 150)
            #expect(bucket.sells == 150)
            #expect(bucket.traders == 2)
            #expect(bucket.quoteBought == own.reduce(0) { $0 + $1.quoteAmount })
            #expect(bucket.quoteSold == others.reduce(0) { $0 + $1.quoteAmount })
            #expect(bucket.tokensBought == own.reduce(0) { $0 + $1.tokenAmount })
            #expect(bucket.tokensSold == 150_000_000_000)
            #expect(bucket.fees.liquidity == others.reduce(0) { $0 + ($1.fees.liquidity ?? 0) })
            let all = own + others
            #expect(bucket.fees.venue == all.reduce(0) { $0 + ($1.fees.venue ?? 0) })
            #expect(bucket.fees.creator == all.reduce(0) { $0 + ($1.fees.creator ?? 0) })
            #expect(!bucket.isTimeEstimated)
            let key = PoolMinute.Key(pool: pool, minute: start)
            let row = try #require(folded.projector.poolMinutes[key])
            #expect(row.venue == .pumpSwap)
            #expect(row.bucket.sells == 150)
            #expect(row.bucket.buys == 0)
            #expect(row.bucket.traders == 1)
            let curveKey = PoolMinute.Key(pool: token, minute: start)
            #expect(folded.projector.poolMinutes[curveKey]?.bucket.traders == 2)
        }
    }

    @Test func `a block without a time belongs to the minute that its slot number gives`() throws {
        let folded = TradingFolded()
        var curve = CurvePool(token: token)
        for (slot, time) in [(UInt64(10), Int64(120)), (159, nil), (160, nil)] {
            var scene = TradingScene(slot: slot)
            scene.add(curve.buy(net: 1_000, by: TradingNames.address(1)))
            var bundle = scene.bundles[0]
            bundle.time = time
            try folded.apply(bundle)
        }
        // 149 slots are 59.6 seconds, 150 are 60.
        #expect(minute(folded, 120)?.buys == 2)
        #expect(minute(folded, 120)?.isTimeEstimated == true)
        #expect(minute(folded, 180)?.buys == 1)
    }

    @Test func `without any time there are no minutes, and nothing else is lost`() throws {
        let folded = TradingFolded()
        var curve = CurvePool(token: token)
        var scene = TradingScene()
        let trader = TradingNames.address(1)
        scene.add(curve.buy(net: 1_000, by: trader))
        var bundle = scene.bundles[0]
        bundle.time = nil
        try folded.apply(bundle)
        #expect(folded.projector.tokenMinutes.rowCount == 0)
        let key = TradingTrader.Key(trader: trader, quote: TradingNames.sol)
        #expect(folded.projector.traders[key]?.buys == 1)
    }

    @Test func `a route counts once for its wallet and in every pool`() throws {
        let trader = TradingNames.address(1)
        let second = TradingNames.address(501)
        var first = SwapPool(pool: pool, token: token)
        var last = SwapPool(pool: TradingNames.address(601), token: second)
        var sold = first.sell(tokens: 5_000_000, by: trader)
        var bought = last.buy(net: sold.traderQuoteAmount * 9 / 10, by: trader)
        sold.flags = .multiHop
        bought.flags = .multiHop
        var scene = TradingScene()
        scene.add(sold, bought)
        let folded = try scene.folded()
        let key = TradingTrader.Key(trader: trader, quote: TradingNames.sol)
        let row = try #require(folded.projector.traders[key])
        #expect(row.sells == 1)
        #expect(row.buys == 0)
        #expect(row.volume == sold.traderQuoteAmount)
        #expect(row.received == sold.traderQuoteAmount)
        #expect(row.spent == bought.traderQuoteAmount)
        #expect(
            row.profit == Int128(sold.traderQuoteAmount) - Int128(bought.traderQuoteAmount)
        )
        #expect(folded.projector.poolMinutes.rowCount == 2)
    }

    @Test func `positions close at nine tenths, and win when more came back`() throws {
        let trader = TradingNames.address(1)
        var curve = CurvePool(token: token)
        var scene = TradingScene()
        let bought = curve.buy(net: 1_000_000_000, by: trader)
        scene.add(bought)
        _ = curve.buy(net: 9_000_000_000, by: TradingNames.address(9))
        scene.next(20)
        scene.add(curve.sell(tokens: bought.tokenAmount * 89 / 100, by: trader))
        scene.next(20)
        let key = TradingTrader.Key(trader: trader, quote: TradingNames.sol)
        #expect(try scene.folded().projector.traders[key]?.closed == 0)
        scene.add(curve.sell(tokens: bought.tokenAmount * 2 / 100, by: trader))
        let folded = try scene.folded()
        #expect(folded.projector.traders[key]?.closed == 1)
        #expect(folded.projector.traders[key]?.wins == 1)
        let position = TradePosition.Key(token: token, trader: trader)
        #expect(folded.projector.positions[position]?.isClosed == true)
    }

    @Test func `the impact of a curve's buy is t of T - t`() throws {
        var dice = TradingDice(state: 5)
        for _ in 0..<200 {
            var curve = CurvePool(token: token)
            let tokens = dice.amount(in: 1_000_000_000...400_000_000_000_000)
            let left = curve.virtualTokens - tokens
            let trade = curve.buy(tokens: tokens, by: TradingNames.address(1))
            let measures = TradeMeasures(trade)
            // q = t * Q / (T - t) + 1: the one unit more can lift the quotient by one.
            let closed = Int64(tokens * 10_000 / left)
            let impact = try #require(measures.impact)
            #expect(impact == closed || impact == closed + 1)
        }
    }

    @Test func `tolerance is what the limit had left of what the trader paid or got`() {
        func tolerance(
            _ side: Trade.Side,
            _ exactness: Trade.Exactness,
            limit: UInt128?,
            tokens: UInt128 = 1_000,
            quote: UInt128 = 2_000
        ) -> Int64? {
            var trade = Trade(
                venue: .pumpSwap,
                pool: pool,
                token: token,
                quote: TradingNames.sol,
                side: side,
                trader: pool,
                tokenAmount: tokens,
                quoteAmount: 5,
                traderQuoteAmount: quote
            )
            trade.exactness = exactness
            trade.limit = limit
            return TradeMeasures(trade).tolerance
        }
        #expect(tolerance(.buy, .exactOut, limit: 2_100) == 500)
        #expect(tolerance(.buy, .exactIn, limit: 990) == 100)
        #expect(tolerance(.buy, .exactIn, limit: 0) == 10_000)
        #expect(tolerance(.sell, .exactIn, limit: 1_500) == 2_500)
        #expect(tolerance(.sell, .exactOut, limit: 1_001) == 10)
        #expect(tolerance(.buy, .exactIn, limit: 1, tokens: 0) == nil)
        #expect(tolerance(.buy, .exactIn, limit: nil) == nil)
        #expect(tolerance(.buy, .unknown, limit: 5) == nil)
        #expect(tolerance(.buy, .exactOut, limit: 1_999) == -5)
        #expect(tolerance(.buy, .exactOut, limit: .max, quote: 1) == .max)
    }

    @Test func `whales and high impacts are told from their thresholds on`() throws {
        func folded(_ net: UInt128) throws -> TradingFolded {
            var curve = CurvePool(token: token)
            var scene = TradingScene()
            scene.add(curve.buy(net: net, by: TradingNames.address(1)))
            return try scene.folded()
        }
        #expect(try folded(9_999_999_999).told("whale").isEmpty)
        #expect(try folded(10_000_000_000).told("whale").count == 1)
        // On 30 SOL a buy of q has an impact of about q / 30.
        #expect(try folded(1_480_000_000).told("high_impact").isEmpty)
        #expect(try folded(1_510_000_000).told("high_impact").count == 1)
        var small = CurvePool(token: token, virtualQuote: 3_000_000_000)
        var scene = TradingScene()
        scene.add(small.buy(net: 999_999_999, by: TradingNames.address(1)))
        #expect(try scene.folded().told("high_impact").isEmpty)
    }

    @Test func `the newest trades leave after their slots`() throws {
        let folded = TradingFolded { $0.recentSlots = 6 }
        var curve = CurvePool(token: token)
        for slot in UInt64(0)..<20 {
            var scene = TradingScene(slot: slot)
            scene.add(curve.buy(net: 1_000_000, by: TradingNames.address(slot)))
            try folded.apply(scene.bundles[0])
            let first = TradingRecent.Key(slot: 0, pool: .zero)
            let last = TradingRecent.Key(slot: .max, pool: .zero)
            let kept = folded.projector.recent.keys(in: first...last).map(\.slot)
            #expect(kept == Array((slot >= 5 ? slot - 5 : 0)...slot))
        }
    }
}
