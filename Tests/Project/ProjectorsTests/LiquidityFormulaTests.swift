import MarketModel
import Testing

@testable import Projectors

/// Expected values from real events of 2026 or from big integers in Python.
@Suite struct LiquidityFormulaTests {
    typealias F = LiquidityFormulas

    @Test func `first shares are the root of the product without those that stay locked`() {
        let made = Reserves(token: 206_900_000_000_000, quote: 5_417_238_038)
        #expect(F.firstShares(made, locked: 100) == 1_058_690_960_502)
        #expect(F.firstShares(Reserves(token: 9, quote: 9), locked: 100) == 0)
    }

    @Test func `a deposit rounds up and a withdrawal down`() {
        let pool = Reserves(token: 1_652_969_862_671, quote: 4_203_492_200_023_607)
        #expect(
            F.deposit(184_168_854, of: 30_415_620_397_455, pool)
                == Reserves(token: 10_008_857, quote: 25_452_459_334)
        )
        let other = Reserves(token: 103_113_808_015, quote: 72_459_229_861_346)
        #expect(
            F.withdrawal(2_645_751_310_964, of: 2_645_751_311_064, other)
                == Reserves(token: 103_113_808_011, quote: 72_459_229_858_607)
        )
        #expect(F.deposit(1, of: 0, pool) == nil)
        #expect(F.withdrawal(1, of: 0, pool) == nil)
    }

    @Test func `what counts beside the vault may be below zero`() {
        #expect(F.effective(100, 17) == 117)
        #expect(F.effective(100, -30) == 70)
        #expect(F.effective(100, -300) == 0)
        #expect(F.effective(.max, 1) == .max)
        #expect(F.effective(0, .min) == 0)
        #expect(F.raw(117, 17) == 100)
        #expect(F.raw(70, -30) == 100)
        #expect(F.real(117, 17) == 200)
        #expect(F.real(70, -30) == 140)
    }

    @Test func `the fee rate of a year is floored and follows the age`() {
        // 1 SOL a day on a TVL of 1,000 SOL: 36.5 %.
        let day = F.feeAPRBasisPoints(
            fees: 1_000_000_000,
            seconds: 86_400,
            tvl: 1_000_000_000_000
        )
        #expect(day == 3_650)
        #expect(
            F.feeAPRBasisPoints(fees: 123_456_789, seconds: 3_601, tvl: 98_765_432_100) == 109_469
        )
        #expect(F.feeAPRBasisPoints(fees: 1, seconds: 0, tvl: 1) == nil)
        #expect(F.feeAPRBasisPoints(fees: 1, seconds: 1, tvl: 0) == nil)
        #expect(F.feeAPRBasisPoints(fees: .max, seconds: 1, tvl: 1) == .max)
    }

    @Test func `growth and yield are those of big integers`() {
        let first = Reserves(token: 206_900_000_000_000, quote: 84_990_359_056)
        let later = Reserves(token: 150_000_000_000_000, quote: 117_300_000_000)
        let before = F.growth(first, shares: 4_193_388_282_604)
        let after = F.growth(later, shares: 4_193_388_282_604)
        #expect(before == 18_446_744_073_709_551_616)
        #expect(after == 18_452_247_907_177_192_543)
        #expect(
            F.yield(from: 18_446_744_073_709_551_616, to: 18_452_247_907_177_192_543) == 298_363_410
        )
        #expect(F.yield(from: 3, to: 2) == -333_333_333_334)
        #expect(F.growth(first, shares: 0) == nil)
    }

    @Test func `a loss against holding is one when the price moves either way`() {
        // 1,000 and 1,000 at first; the price is four times as high: 500 and 2,000, fees aside.
        let cost = Reserves(token: 100, quote: 100)
        let now = Reserves(token: 500, quote: 2_000)
        // Held: 100 + 400 = 500; there: 50 tokens and 200, which is 400.
        #expect(F.lossBasisPoints(cost: cost, shares: 10, of: 100, now) == 2_000)
        // Fees can outrun it: floor((1,100 - 1,200) * 10,000 / 1,100).
        let rich = Reserves(token: 600, quote: 6_000)
        #expect(F.lossBasisPoints(cost: cost, shares: 10, of: 100, rich) == -910)
        #expect(F.lossBasisPoints(cost: cost, shares: 10, of: 0, now) == nil)
        let nothing = Reserves(token: 0, quote: 0)
        #expect(F.lossBasisPoints(cost: nothing, shares: 10, of: 100, now) == nil)
    }

    @Test func `concentrated TVL values tokens at the square of the root`() {
        let held = Reserves(token: 1_000_000, quote: 5)
        #expect(F.concentrated(held, sqrtPriceX64: 1 << 65, isReversed: false) == 4_000_005)
        #expect(F.concentrated(held, sqrtPriceX64: 1 << 65, isReversed: true) == 250_005)
        #expect(F.concentrated(held, sqrtPriceX64: 0, isReversed: false) == nil)
        #expect(
            F.concentrated(
                Reserves(token: .max, quote: .max),
                sqrtPriceX64: .max,
                isReversed: false
            ) == .max
        )
        // floor(floor(T * s / 2^64) * s / 2^64) of a real root.
        #expect(
            F.concentrated(
                Reserves(token: 123_456_789_012, quote: 0),
                sqrtPriceX64: 7_654_321_098_765_432_109,
                isReversed: false
            ) == 21_256_359_478
        )
    }

    @Test func `a move is floored with its sign`() {
        let from = Reserves(token: 1_000, quote: 1_000)
        #expect(F.moveBasisPoints(from: from, to: Reserves(token: 900, quote: 1_111)) == 2_344)
        #expect(F.moveBasisPoints(from: from, to: Reserves(token: 1_100, quote: 910)) == -1_728)
        #expect(F.moveBasisPoints(from: from, to: Reserves(token: 0, quote: 1)) == nil)
    }

    @Test func `a part of the cost goes with a part of the shares`() {
        #expect(F.proportion(10, 1, of: 3) == 3)
        #expect(F.proportion(10, 3, of: 3) == 10)
        #expect(F.proportion(10, 4, of: 3) == 10)
        #expect(F.proportion(10, 0, of: 0) == 10)
        #expect(F.proportion(.max, .max - 1, of: .max) == UInt128.max - 1)
    }

    @Test func `basis points are exact at any size`() {
        #expect(UInt64.basisPoints(1, of: 3) == 3_333)
        #expect(UInt64.basisPoints(1, of: 0) == nil)
        #expect(UInt64.basisPoints(.max, of: .max) == 10_000)
        #expect(UInt64.basisPoints(.max - 1, of: .max) == 9_999)
        #expect(UInt64.basisPoints(.max, of: 1) == .max)
    }

    @Test func `the greatest pools come first, equals by their address`() {
        let pools = [(3, 50), (1, 50), (2, 70), (9, 1)] as [(UInt64, UInt128)]
        let ranked = F.greatest(
            pools.map { F.RankedPool(pool: address($0.0), tvl: $0.1) },
            count: 3
        )
        #expect(ranked.map(\.pool) == [address(2), address(1), address(3)])
        #expect(F.greatest(ranked, count: -1).isEmpty)
    }

    @Test func `a token is abandoned after a day without a trade`() {
        let parameters = LifecycleParameters(.solana)
        func isAbandoned(_ last: UInt64?, _ now: UInt64) -> Bool {
            TokenFormulas.isAbandoned(lastTrade: last, first: 1_000, at: now, parameters)
        }
        #expect(isAbandoned(2_000, 218_000) == false)
        #expect(isAbandoned(2_000, 218_001))
        #expect(isAbandoned(nil, 217_001))
        #expect(isAbandoned(5_000, 4_000) == false)
    }

    @Test func `what a creator sold is told of what he bought`() {
        var market = TokenMarketRow()
        #expect(TokenFormulas.creatorSoldBasisPoints(market) == nil)
        market.creatorBought = 3
        market.creatorSold = 1
        #expect(TokenFormulas.creatorSoldBasisPoints(market) == 3_333)
    }
}
