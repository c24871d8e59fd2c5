import MarketModel
import Projection
import Testing

@testable import Projectors

/// Generators of what looks like a sandwich and is none: one for each class of false positives.
struct SandwichNegativeTests {
    let attacker = TradingNames.address(1)
    let stranger = TradingNames.address(2)
    let token = TradingNames.address(500)
    static let sandwiches: [DetectionClass] = [.sandwich, .sandwichUnprofitable, .wide]

    private func sandwiches(_ folded: TradingFolded) -> [DetectionLabel] {
        folded.labels.filter { SandwichNegativeTests.sandwiches.contains($0.kind) }
    }

    /// A front of one SOL, one victim of three, and a back of everything, each trade changed by the
    /// caller; the scene is a sandwich when it changes nothing.
    private func scene(
        payers: (Address?, Address?, Address?) = (nil, nil, nil),
        gap: UInt32 = 1,
        tip: UInt128 = 10_000,
        fraction: (UInt128, UInt128) = (1, 1),
        links: [WalletLink] = [],
        victimLinks: [WalletLink] = [],
        _ change: (inout Trade, inout Trade, inout Trade) -> Void = { _, _, _ in }
    ) -> TradingScene {
        var pool = CurvePool(token: token)
        var scene = TradingScene()
        var front = pool.buy(net: 1_000_000_000, by: attacker)
        var victim = pool.buy(net: 3_000_000_000, by: stranger)
        var back = pool.sell(
            tokens: front.tokenAmount * fraction.0 / fraction.1,
            by: attacker
        )
        change(&front, &victim, &back)
        scene.add(front, at: 10, payer: payers.0)
        scene.add(victim, at: 10 + gap, payer: payers.1, links: victimLinks)
        scene.add(back, at: 10 + 2 * gap, payer: payers.2, tip: tip, links: links)
        return scene
    }

    @Test func `the unchanged scene is a sandwich`() throws {
        #expect(sandwiches(try scene().folded()).count == 1)
    }

    @Test func `a bot that buys and sells in a loop is none, whoever trades in between`() throws {
        var pool = CurvePool(token: token)
        var scene = TradingScene()
        for round in 0..<4 {
            let bought = pool.buy(net: 1_000_000_000, by: attacker)
            scene.add(bought)
            // One stranger trades within one round only.
            if round == 3 { scene.add(pool.buy(net: 3_000_000_000, by: stranger)) }
            scene.add(pool.sell(tokens: bought.tokenAmount, by: attacker), tip: 10_000)
        }
        let folded = try scene.folded()
        #expect(sandwiches(folded) == [])
        // Four round trips are wash trades, told once.
        #expect(folded.told("wash").count == 1)
        let key = TradingWash.Key(pool: token, trader: attacker)
        #expect(folded.projector.wash[key]?.roundTrips == 4)
    }

    @Test func `a victim of the attacker's own cluster is none`() throws {
        // The attacker pays the victim's fees.
        #expect(sandwiches(try scene(payers: (nil, attacker, nil)).folded()) == [])
        // So too when somebody else pays for the attacker.
        let payer = TradingNames.address(4)
        #expect(sandwiches(try scene(payers: (payer, attacker, payer)).folded()) == [])
        #expect(sandwiches(try scene(payers: (payer, nil, payer)).folded()).count == 1)
        // The attacker sends the victim tokens afterwards.
        let link = WalletLink(token: token, from: attacker, to: stranger, amount: 5)
        #expect(sandwiches(try scene(links: [link]).folded()) == [])
        let other = WalletLink(token: token, from: stranger, to: attacker, amount: 5)
        #expect(sandwiches(try scene(victimLinks: [other]).folded()) == [])
    }

    @Test func `a program's wallet that trades for different payers is no attacker`() throws {
        let payers = (TradingNames.address(11), TradingNames.address(12), TradingNames.address(13))
        let router = TradingNames.address(900)
        let routed = scene(payers: payers) { front, _, back in
            front.router = router
            back.router = router
        }
        #expect(sandwiches(try routed.folded()) == [])
    }

    @Test func `pump.fun's agent is neither attacker nor victim`() throws {
        let agent = scene { front, _, back in
            front.flags.insert(.mayhemAgent)
            back.flags.insert(.mayhemAgent)
        }
        #expect(sandwiches(try agent.folded()) == [])
        let run = scene { _, victim, _ in victim.flags.insert(.mayhemAgent) }
        #expect(sandwiches(try run.folded()) == [])
    }

    @Test func `buying on one pool and selling on another is none`() throws {
        let elsewhere = scene { _, _, back in
            back.pool = TradingNames.address(777)
            back.venue = .pumpSwap
        }
        #expect(sandwiches(try elsewhere.folded()) == [])
    }

    @Test func `two arbitrages through the pool in opposite directions are none`() throws {
        var near = CurvePool(token: token)
        var far = SwapPool(pool: TradingNames.address(600), token: token)
        far.vault = 20_000_000_000
        var scene = TradingScene()
        // Buys far below and sells here, then the other way round after a stranger moved it.
        let bought = near.buy(net: 1_000_000_000, by: attacker)
        var dear = far.sell(tokens: bought.tokenAmount, by: attacker)
        dear.traderQuoteAmount = bought.traderQuoteAmount + 50_000
        scene.add(bought, dear)
        scene.add(near.buy(net: 3_000_000_000, by: stranger))
        var cheap = far.buy(net: 1_000_000_000, by: attacker)
        cheap.tokenAmount = bought.tokenAmount
        var sold = near.sell(tokens: cheap.tokenAmount, by: attacker)
        sold.traderQuoteAmount = cheap.traderQuoteAmount + 50_000
        scene.add(cheap, sold, tip: 10_000)
        let folded = try scene.folded()
        #expect(sandwiches(folded) == [])
        #expect(folded.found(.arbitrage).count == 2)
    }

    @Test func `a quick flip of a little less, far from the stranger's trade, is none`() throws {
        let flip = scene(gap: 20, tip: 0, fraction: (96, 100))
        #expect(sandwiches(try flip.folded()) == [])
        // Each of the three makes it one again.
        #expect(sandwiches(try scene(gap: 1, tip: 0, fraction: (96, 100)).folded()).count == 1)
        #expect(sandwiches(try scene(gap: 20, tip: 9, fraction: (96, 100)).folded()).count == 1)
        #expect(sandwiches(try scene(gap: 20, tip: 0).folded()).count == 1)
    }

    @Test func `a victim that bought and sold the same itself is none, unless asked for`() throws {
        func nested() -> TradingScene {
            var pool = CurvePool(token: token)
            var scene = TradingScene()
            let front = pool.buy(net: 1_000_000_000, by: attacker)
            scene.add(front)
            let inner = pool.buy(net: 3_000_000_000, by: stranger)
            scene.add(inner)
            scene.add(pool.sell(tokens: front.tokenAmount, by: attacker), tip: 10_000)
            scene.add(pool.sell(tokens: inner.tokenAmount, by: stranger))
            return scene
        }
        #expect(sandwiches(try nested().folded()) == [])
        let counted = try nested().folded { $0.countsRoundTripVictims = true }
        #expect(sandwiches(counted).count == 1)
    }

    @Test func `a leg of a route over several pools is neither front nor back`() throws {
        let front = scene { front, _, _ in front.flags.insert(.multiHop) }
        #expect(sandwiches(try front.folded()) == [])
        let back = scene { _, _, back in back.flags.insert(.multiHop) }
        #expect(sandwiches(try back.folded()) == [])
        // A victim that came over a route was harmed all the same.
        let victim = scene { _, victim, _ in victim.flags.insert(.multiHop) }
        #expect(sandwiches(try victim.folded()).count == 1)
    }

    @Test func `trades of nothing are none`() throws {
        #expect(sandwiches(try scene { front, _, _ in front.tokenAmount = 0 }.folded()) == [])
        #expect(sandwiches(try scene { _, victim, _ in victim.quoteAmount = 0 }.folded()) == [])
    }

    @Test func `front, victim and back stand in three transactions`() throws {
        var pool = CurvePool(token: token)
        var scene = TradingScene()
        let front = pool.buy(net: 1_000_000_000, by: attacker)
        let victim = pool.buy(net: 3_000_000_000, by: stranger)
        let back = pool.sell(tokens: front.tokenAmount, by: attacker)
        scene.add(front, victim, back, tip: 10_000)
        #expect(sandwiches(try scene.folded()) == [])
        var second = TradingScene()
        second.add(front)
        second.add(victim, back, tip: 10_000)
        #expect(sandwiches(try second.folded()) == [])
    }

    @Test func `a stranger who trades the other way is no victim`() throws {
        var pool = CurvePool(token: token)
        _ = pool.buy(net: 5_000_000_000, by: stranger)
        var scene = TradingScene()
        let front = pool.buy(net: 1_000_000_000, by: attacker)
        scene.add(front)
        scene.add(pool.sell(tokens: 10_000_000_000_000, by: stranger))
        scene.add(pool.sell(tokens: front.tokenAmount, by: attacker), tip: 10_000)
        #expect(sandwiches(try scene.folded()) == [])
    }

    @Test func `the links from strong to weak are trader, payer, transfer, amount`() throws {
        let second = TradingNames.address(3)
        let payer = TradingNames.address(4)
        let swapped: (inout Trade, inout Trade, inout Trade) -> Void = { _, _, back in
            back.trader = second
        }
        let cases: [(TradingScene, DetectionLink, UInt8)] = [
            (scene(), .sameTrader, 100),
            (scene(payers: (payer, nil, payer), swapped), .sameFeePayer, 90),
            (
                scene(
                    fraction: (99, 100),
                    links: [WalletLink(token: token, from: attacker, to: second, amount: 9)],
                    swapped
                ), .transfer, 85
            ),
            (scene(swapped), .sameAmount, 85),
        ]
        for (scene, link, confidence) in cases {
            let folded = try scene.folded()
            let rows = folded.found(.sandwich)
            #expect(rows.map(\.link) == [link])
            #expect(rows.map(\.confidence) == [confidence])
            #expect(rows.map(\.other) == [link == .sameTrader ? nil : attacker])
        }
        // Nothing ties them together.
        #expect(sandwiches(try scene(fraction: (99, 100), swapped).folded()) == [])
    }

    @Test func `what is below the least confidence is not told and uses nothing up`() throws {
        let scene = scene(gap: 20, tip: 0)
        #expect(try scene.folded().found(.sandwich).map(\.confidence) == [80])
        let strict = try scene.folded { $0.confidenceMin = 81 }
        #expect(sandwiches(strict) == [])
        #expect(strict.told("wash").count == 1)
    }
}
