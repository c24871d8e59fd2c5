import MarketModel
import Projection
import Testing

@testable import Projectors

/// Sandwiches on pools of concentrated liquidity. What trades gave, the prices behind them and the
/// losses are those of a Python model with fractions.
@Suite struct ConcentratedTests {
    /// What goes in, what comes out, and the price behind it.
    private typealias Step = (input: UInt128, output: UInt128, price: UInt128)

    private struct Vector: CustomTestStringConvertible {
        var testDescription: String
        var liquidity: UInt128
        var start: UInt128
        var isTokenFirst: Bool
        var sells = false
        /// Front, victims, back.
        var steps: [Step]
        var losses: [UInt128]
        var lossQuote: UInt128
        var basisPoints: UInt64
    }

    private static let vectors = [
        Vector(
            testDescription: "the token is side 0",
            liquidity: 3_000_000_000_000,
            start: 5_534_023_222_112_865_484,
            isTokenFirst: true,
            steps: [
                (5_000_000_000, 55_111_258_442, 5_564_690_934_135_407_613),
                (20_000_000_000, 214_501_553_233, 5_687_361_782_225_576_131),
                (7_000_000_000, 72_905_859_454, 5_730_296_579_057_135_112),
                (55_111_258_442, 5_274_761_814, 5_697_862_518_640_600_291),
            ],
            losses: [2_358_058_702, 789_666_120],
            lossQuote: 292_480_056,
            basisPoints: 108
        ),
        Vector(
            testDescription: "the token is side 1",
            liquidity: 2_000_000_000_000,
            start: 64_563_604_257_983_430_656,
            isTokenFirst: false,
            steps: [
                (4_000_000_000, 48_538_579_369, 64_115_914_882_317_647_682),
                (15_000_000_000, 176_176_450_329, 62_490_973_936_793_541_370),
                (48_538_579_369, 4_189_018_951, 62_937_544_089_009_753_874),
            ],
            losses: [2_437_285_628],
            lossQuote: 204_683_498,
            basisPoints: 136
        ),
        Vector(
            testDescription: "victims sell",
            liquidity: 3_000_000_000_000,
            start: 5_534_023_222_112_865_484,
            isTokenFirst: true,
            sells: true,
            steps: [
                (20_000_000_000, 1_791_925_109, 5_523_004_827_482_038_817),
                (60_000_000_000, 5_333_216_262, 5_490_211_335_654_343_821),
                (1_791_925_109, 20_138_426_549, 5_501_202_184_294_699_826),
            ],
            losses: [21_237_333],
            lossQuote: 21_237_333,
            basisPoints: 39
        ),
    ]

    private func trade(_ vector: Vector, _ place: Int) -> Trade {
        let step = vector.steps[place]
        let isBack = place == vector.steps.count - 1
        let buys = isBack == vector.sells
        let isAttacker = place == 0 || isBack
        var trade = Trade(
            venue: .raydiumCLMM,
            pool: TradingNames.address(600),
            token: vector.isTokenFirst
                ? TradingNames.address(500) : Address(Bytes32(words: (.max, 0, 0, 500))),
            quote: TradingNames.sol,
            side: buys ? .buy : .sell,
            trader: TradingNames.address(isAttacker ? 1 : 100 + UInt64(place)),
            tokenAmount: buys ? step.output : step.input,
            quoteAmount: buys ? step.input : step.output,
            traderQuoteAmount: buys ? step.input : step.output
        )
        trade.exactness = .exactIn
        trade.sqrtPriceX64 = step.price
        trade.liquidity = vector.liquidity
        return trade
    }

    /// Folds a trade that leaves the pool at the first price, then the sandwich in a later slot.
    private func folded(
        _ vector: Vector,
        startsKnown: Bool = true,
        _ change: (Int, inout Trade) -> Void = { _, _ in }
    ) throws -> TradingFolded {
        var scene = TradingScene()
        var first = trade(vector, 1)
        first.trader = TradingNames.address(77)
        first.sqrtPriceX64 = startsKnown ? vector.start : nil
        scene.add(first)
        scene.next(200)
        for place in vector.steps.indices {
            var trade = trade(vector, place)
            change(place, &trade)
            scene.add(trade, tip: place == vector.steps.count - 1 ? 10_000 : 0)
        }
        return try scene.folded()
    }

    private func sandwich(_ folded: TradingFolded) throws -> Detection {
        let found = folded.found(.sandwich) + folded.found(.sandwichUnprofitable)
        #expect(found.count == 1)
        return try #require(found.first)
    }

    @Test(arguments: vectors)
    private func `the loss of victims is exact within one range`(vector: Vector) throws {
        let found = try sandwich(folded(vector))
        #expect(found.legs.filter { $0.role == .victim }.map(\.loss) == vector.losses)
        #expect(found.loss == vector.lossQuote)
        #expect(found.lossBasisPoints == vector.basisPoints)
        #expect(found.isLossExact)
    }

    @Test func `impact and move follow from the prices`() throws {
        let expected: [(impacts: [Int64], move: Int64)] = [
            ([80, 246, 100, 81], 111), ([95, 285], 140),
        ]
        for (vector, expected) in zip(Self.vectors, expected) {
            let folded = try folded(vector)
            let key = TradingRecent.Key(slot: 1_200, pool: TradingNames.address(600))
            let legs = try #require(folded.projector.recent[key]).legs
            let impacts = legs.map(\.measures.impact).prefix(expected.impacts.count)
            #expect(Array(impacts) == expected.impacts.map { $0 })
            #expect(legs[0].measures.move == expected.move)
        }
    }

    private func expectNoLoss(_ folded: TradingFolded) throws {
        let found = try sandwich(folded)
        #expect(found.loss == nil)
        #expect(found.lossBasisPoints == nil)
        #expect(!found.isLossExact)
        #expect(found.legs.allSatisfy { $0.loss == nil })
    }

    @Test(arguments: vectors)
    private func `without the price before the front nothing is said`(vector: Vector) throws {
        try expectNoLoss(folded(vector, startsKnown: false))
    }

    @Test(arguments: vectors, [0, 1])
    private func `where the liquidity changed nothing is said`(
        vector: Vector,
        place: Int
    ) throws {
        try expectNoLoss(folded(vector) { $1.liquidity? += $0 == place ? 1 : 0 })
        try expectNoLoss(folded(vector) { if $0 == place { $1.liquidity = nil } })
        try expectNoLoss(folded(vector) { if $0 == place { $1.sqrtPriceX64 = nil } })
    }

    @Test(arguments: vectors)
    private func `a trade that its prices do not give is not replayed`(vector: Vector) throws {
        let folded = try folded(vector) { place, trade in
            guard place == 1 else { return }
            if vector.sells { trade.quoteAmount += 1 } else { trade.tokenAmount += 1 }
        }
        try expectNoLoss(folded)
    }

    @Test func `a fixed output may be one less than its prices give`() throws {
        let vector = Self.vectors[0]
        let folded = try folded(vector) { place, trade in
            guard place == 1 else { return }
            trade.exactness = .exactOut
            trade.tokenAmount -= 1
        }
        #expect(try sandwich(folded).loss == vector.lossQuote)
    }

    @Test func `numbers at their ends trap nowhere`() {
        let ends: [UInt128] = [0, 1, 1 << 64, 1 << 97, .max - 1, .max]
        for liquidity in [1, 1 << 32, UInt64.max] {
            let range = ConcentratedRange(liquidity: liquidity)
            for first in ends {
                for second in ends {
                    _ = range.output(from: first, to: second)
                    _ = range.input(from: first, to: second)
                    for isFirst in [true, false] {
                        _ = range.price(after: first, isFirst: isFirst, from: second)
                    }
                }
            }
        }
    }
}
