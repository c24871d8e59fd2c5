import MarketModel
import Projection
import Testing

@testable import Projectors

/// What was put into a scene, and what the oracle says of it.
struct PlantedSandwich {
    var label: DetectionLabel
    var gross: Int128
    var losses: [UInt128]
    /// Of all victims, in quote: for each the part of its input for which nothing came out.
    var lossQuote: UInt128
    var input: UInt128
}

extension TradingScene {
    /// Puts a sandwich into the scene: a front, victims, a back that sells exactly what was bought. The
    /// loss is what a copy of the pool gives without the front.
    mutating func plant<Pool: TradingPool>(
        in pool: inout Pool,
        attacker: Address,
        front size: UInt128,
        victims: [(trader: Address, net: UInt128)],
        wide distance: UInt64 = 0,
        tip: UInt128 = 10_000,
        fraction: (UInt128, UInt128) = (1, 1)
    ) -> PlantedSandwich {
        var without = pool
        let bought = pool.buy(net: size, by: attacker)
        let front = add(bought)
        var ids: [TransactionID] = []
        var losses: [UInt128] = []
        var lossQuote: UInt128 = 0
        for victim in victims {
            let real = pool.buy(net: victim.net, by: victim.trader)
            let ideal = without.buy(net: victim.net, by: victim.trader)
            let lost = ideal.tokenAmount - real.tokenAmount
            losses.append(lost)
            lossQuote += victim.net * lost / ideal.tokenAmount
            ids.append(add(real))
        }
        if distance > 0 { next(distance) }
        let sold = pool.sell(
            tokens: bought.tokenAmount * fraction.0 / fraction.1,
            by: attacker
        )
        let back = add(sold, tip: tip)
        let label = DetectionLabel(
            kind: distance > 0 ? .wide : .sandwich,
            slot: slot,
            pool: bought.pool,
            fronts: [front],
            victims: ids,
            backs: [back],
            attacker: attacker,
            isWide: distance > 0
        )
        let gross = Int128(sold.traderQuoteAmount) - Int128(bought.traderQuoteAmount)
        return PlantedSandwich(
            label: label,
            gross: gross,
            losses: losses,
            lossQuote: lossQuote,
            input: victims.reduce(0) { $0 + $1.net }
        )
    }
}

struct SandwichTests {
    let attacker = TradingNames.address(1)
    let token = TradingNames.address(500)

    /// Sizes that earn: a victim that moves the price by more than both fees of the attacker.
    private func victims(_ count: Int, _ dice: inout TradingDice) -> [(Address, UInt128)] {
        (0..<count).map { number in
            (
                TradingNames.address(100 + UInt64(number)),
                dice.amount(in: 1_500_000_000...3_000_000_000)
            )
        }
    }

    private func check(_ folded: TradingFolded, _ planted: PlantedSandwich, cost: UInt128) throws {
        let found = folded.found(planted.label.kind)
        try #require(found.count == 1)
        #expect(folded.labels == [planted.label])
        #expect(found[0].gross == planted.gross)
        #expect(found[0].net == planted.gross - Int128(cost))
        #expect(found[0].cost == cost)
        #expect(found[0].legs.filter { $0.role == .victim }.map(\.loss) == planted.losses)
        #expect(found[0].loss == planted.lossQuote)
        let basisPoints = planted.lossQuote * 10_000 / planted.input
        #expect(found[0].lossBasisPoints == UInt64(basisPoints))
        let severity: DetectionSeverity =
            basisPoints >= 500 ? .critical : basisPoints >= 200 ? .high : .medium
        #expect(found[0].severity == severity)
        #expect(basisPoints >= 50)
        #expect(found[0].isLossExact)
        #expect(found[0].victims == UInt32(planted.losses.count))
        #expect(found[0].inventoryBasisPoints == 0)
        #expect(found[0].link == .sameTrader)
    }

    @Test(arguments: 1...12)
    func `a sandwich on a curve is found with the exact loss of each victim`(count: Int) throws {
        var dice = TradingDice(state: UInt64(count))
        var pool = CurvePool(token: token)
        var scene = TradingScene()
        let planted = scene.plant(
            in: &pool,
            attacker: attacker,
            front: dice.amount(in: 500_000_000...2_000_000_000),
            victims: victims(count, &dice)
        )
        let folded = try scene.folded()
        try check(folded, planted, cost: 20_000)
        let row = folded.found(.sandwich)[0]
        // 40 + same trader 20 + adjacent 15 + inventory 10 + profit 10 + tip 5.
        #expect(row.confidence == 100)
    }

    @Test(arguments: 1...12)
    func `a sandwich on PumpSwap is found with the exact loss of each victim`(count: Int) throws {
        var dice = TradingDice(state: UInt64(1_000 + count))
        var pool = SwapPool(pool: TradingNames.address(600), token: token)
        var scene = TradingScene()
        let planted = scene.plant(
            in: &pool,
            attacker: attacker,
            front: dice.amount(in: 500_000_000...2_000_000_000),
            victims: victims(count, &dice)
        )
        try check(try scene.folded(), planted, cost: 20_000)
    }

    @Test(arguments: [0, 10, 23, 24, 60, 400])
    func `a sandwich is found among many trades of strangers before it`(others: Int) throws {
        var dice = TradingDice(state: UInt64(3_000 + others))
        var pool = CurvePool(token: token)
        var scene = TradingScene()
        for number in 0..<others {
            let trader = TradingNames.address(20_000 + UInt64(number))
            if number % 2 == 0 {
                scene.add(pool.buy(net: dice.amount(in: 1_000_000...9_000_000), by: trader))
            } else {
                scene.add(pool.sell(tokens: dice.amount(in: 1_000_000...9_000_000), by: trader))
            }
            if number == others / 2 { scene.next() }
        }
        let planted = scene.plant(
            in: &pool,
            attacker: attacker,
            front: 1_000_000_000,
            victims: victims(2, &dice)
        )
        try check(try scene.folded(), planted, cost: 20_000)
    }

    @Test(arguments: 1...6)
    func `a sandwich where the input is charged is found with the exact loss`(count: Int) throws {
        var dice = TradingDice(state: UInt64(2_000 + count))
        var pool = FeeOnInputPool(pool: TradingNames.address(601), token: token)
        var scene = TradingScene()
        let planted = scene.plant(
            in: &pool,
            attacker: attacker,
            front: 3_000_000_000,
            victims: victims(count, &dice).map { ($0.0, $0.1 * 4) }
        )
        try check(try scene.folded(), planted, cost: 20_000)
    }

    @Test(arguments: 1...6, [UInt64(1), 2, 3, 4])
    func `a wide sandwich is told when its back is folded, with less confidence for each slot`(
        count: Int,
        distance: UInt64
    ) throws {
        var dice = TradingDice(state: UInt64(count) * 10 + distance)
        var pool = CurvePool(token: token)
        var scene = TradingScene()
        let planted = scene.plant(
            in: &pool,
            attacker: attacker,
            front: 1_000_000_000,
            victims: victims(count, &dice),
            wide: distance
        )
        let folded = try scene.folded()
        try check(folded, planted, cost: 20_000)
        let row = folded.found(.wide)[0]
        // 40 + 20 + inventory 10 + profit 10 + tip 5, less 5 a slot.
        #expect(row.confidence == UInt8(85 - 5 * distance))
        #expect(row.detectedAt == 1_000 + distance)
    }

    @Test func `front and back five slots apart are no sandwich`() throws {
        var dice = TradingDice(state: 3)
        var pool = CurvePool(token: token)
        var scene = TradingScene()
        _ = scene.plant(
            in: &pool,
            attacker: attacker,
            front: 1_000_000_000,
            victims: victims(2, &dice),
            wide: 5
        )
        #expect(try scene.folded().labels == [])
    }

    @Test func `a wide sandwich needs an equal inventory and a gain, one in a slot does not`()
        throws
    {
        for distance in [UInt64(0), 2] {
            var dice = TradingDice(state: 4)
            var pool = CurvePool(token: token)
            var scene = TradingScene()
            _ = scene.plant(
                in: &pool,
                attacker: attacker,
                front: 1_000_000_000,
                victims: victims(1, &dice),
                wide: distance,
                fraction: (96, 100)
            )
            let folded = try scene.folded()
            #expect(folded.labels.map(\.kind) == (distance == 0 ? [.sandwich] : []))
        }
        // Without a gain: a victim too small to pay both fees.
        for distance in [UInt64(0), 2] {
            var pool = CurvePool(token: token)
            var scene = TradingScene()
            _ = scene.plant(
                in: &pool,
                attacker: attacker,
                front: 1_000_000_000,
                victims: [(TradingNames.address(100), 50_000_000)],
                wide: distance
            )
            let folded = try scene.folded()
            #expect(
                folded.labels.map(\.kind) == (distance == 0 ? [.sandwichUnprofitable] : [])
            )
        }
    }

    @Test func `losses set the severity at 50, 200 and 500 basis points`() {
        #expect(DetectionSeverity(lossBasisPoints: nil) == .unknown)
        #expect(DetectionSeverity(lossBasisPoints: 0) == .low)
        #expect(DetectionSeverity(lossBasisPoints: 49) == .low)
        #expect(DetectionSeverity(lossBasisPoints: 50) == .medium)
        #expect(DetectionSeverity(lossBasisPoints: 199) == .medium)
        #expect(DetectionSeverity(lossBasisPoints: 200) == .high)
        #expect(DetectionSeverity(lossBasisPoints: 499) == .high)
        #expect(DetectionSeverity(lossBasisPoints: 500) == .critical)
    }

    @Test func `a front in several parts is one, and its back closes it once`() throws {
        var pool = CurvePool(token: token)
        var scene = TradingScene()
        let first = pool.buy(net: 700_000_000, by: attacker)
        let front1 = scene.add(first)
        let second = pool.buy(net: 500_000_000, by: attacker)
        let front2 = scene.add(second)
        let victim = scene.add(pool.buy(net: 3_000_000_000, by: TradingNames.address(100)))
        let tokens = first.tokenAmount + second.tokenAmount
        let sold = pool.sell(tokens: tokens, by: attacker)
        let back = scene.add(sold)
        // A second back of the same size finds nothing to close.
        scene.add(pool.sell(tokens: tokens, by: attacker))
        let folded = try scene.folded()
        let found = folded.labels
        try #require(found.count == 1)
        #expect(found[0].fronts == [front1, front2])
        #expect(found[0].victims == [victim])
        #expect(found[0].backs == [back])
        let paid = first.traderQuoteAmount + second.traderQuoteAmount
        #expect(
            folded.found(.sandwich)[0].gross == Int128(sold.traderQuoteAmount) - Int128(paid)
        )
        #expect(folded.found(.sandwich)[0].cost == 15_000)
    }

    @Test func `of the parts that fit, the front is the sum nearest to the back`() throws {
        // A twentieth and the rest: the rest alone is within 5 %, both together are exact.
        for backParts in [1, 2] {
            var pool = CurvePool(token: token)
            var scene = TradingScene()
            let small = pool.buy(net: 30_000_000, by: attacker)
            let front1 = scene.add(small)
            let large = pool.buy(net: 970_000_000, by: attacker)
            let front2 = scene.add(large)
            scene.add(pool.buy(net: 3_000_000_000, by: TradingNames.address(100)))
            let tokens = large.tokenAmount + (backParts == 2 ? small.tokenAmount : 0)
            scene.add(pool.sell(tokens: tokens, by: attacker), tip: 9)
            let found = try scene.folded().labels
            #expect(found.map(\.fronts) == [backParts == 2 ? [front1, front2] : [front2]])
        }
    }

    @Test func `the attacker's other trades in between are no part of the loss`() throws {
        var pool = CurvePool(token: token)
        var without = pool
        var scene = TradingScene()
        let front = pool.buy(net: 1_000_000_000, by: attacker)
        scene.add(front)
        var losses: [UInt128] = []
        for (number, net) in [UInt128(2_000_000_000), 2_500_000_000].enumerated() {
            let trader = TradingNames.address(100 + UInt64(number))
            let real = pool.buy(net: net, by: trader)
            losses.append(without.buy(net: net, by: trader).tokenAmount - real.tokenAmount)
            scene.add(real)
            if number == 0 { scene.add(pool.buy(net: 700_000_000, by: attacker)) }
        }
        scene.add(pool.sell(tokens: front.tokenAmount, by: attacker), tip: 9)
        let row = try #require(try scene.folded().found(.sandwich).first)
        #expect(row.legs.map(\.role) == [.front, .victim, .victim, .back])
        #expect(row.legs.compactMap(\.loss) == losses)
    }

    @Test(arguments: [0, 60, 400])
    func `a back of a little less is found among many trades too`(others: Int) throws {
        var dice = TradingDice(state: UInt64(others))
        var pool = CurvePool(token: token)
        var scene = TradingScene()
        for number in 0..<others {
            let trader = TradingNames.address(20_000 + UInt64(number))
            scene.add(pool.buy(net: dice.amount(in: 1_000_000...9_000_000), by: trader))
        }
        let planted = scene.plant(
            in: &pool,
            attacker: attacker,
            front: 1_000_000_000,
            victims: victims(2, &dice),
            fraction: (97, 100)
        )
        #expect(try scene.folded().labels == [planted.label])
    }

    @Test func `the same attacker can sandwich twice in a slot, with different victims`() throws {
        var dice = TradingDice(state: 9)
        var pool = CurvePool(token: token)
        var scene = TradingScene()
        let first = scene.plant(
            in: &pool,
            attacker: attacker,
            front: 1_000_000_000,
            victims: victims(1, &dice)
        )
        let second = scene.plant(
            in: &pool,
            attacker: attacker,
            front: 900_000_000,
            victims: [(TradingNames.address(300), 2_500_000_000)]
        )
        let folded = try scene.folded()
        #expect(folded.labels == [first.label, second.label])
        #expect(folded.found(.sandwich).map(\.gross) == [first.gross, second.gross])
    }

    @Test func `a sell comes first in a sandwich of sellers`() throws {
        var pool = SwapPool(pool: TradingNames.address(600), token: token)
        var scene = TradingScene()
        var without = pool
        let sold = pool.sell(tokens: 3_000_000_000_000, by: attacker)
        scene.add(sold)
        let trader = TradingNames.address(100)
        let real = pool.sell(tokens: 9_000_000_000_000, by: trader)
        let ideal = without.sell(tokens: 9_000_000_000_000, by: trader)
        scene.add(real)
        // Buys back as many tokens as went out, nearly.
        var net: UInt128 = sold.quoteAmount * 9 / 10
        var probe = pool
        while probe.buy(net: net, by: attacker).tokenAmount < sold.tokenAmount {
            net += 100_000
            probe = pool
        }
        let bought = pool.buy(net: net, by: attacker)
        scene.add(bought)
        let row = try #require(try scene.folded().found(.sandwich).first)
        #expect(row.gross == Int128(sold.traderQuoteAmount) - Int128(bought.traderQuoteAmount))
        #expect(row.gross > 0)
        let loss = ideal.quoteAmount - real.quoteAmount
        #expect(row.legs.first { $0.role == .victim }?.loss == loss)
        #expect(row.loss == loss)
        #expect(row.lossBasisPoints == UInt64(loss * 10_000 / ideal.quoteAmount))
        #expect(row.isLossExact)
    }
}
