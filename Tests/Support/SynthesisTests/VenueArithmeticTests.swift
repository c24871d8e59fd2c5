import Testing

@testable import Synthesis

struct VenueArithmeticTests {
    // MARK: Bonding curve

    @Test func `a fresh curve costs what the real one costs`() {
        var curve = BondingCurve()
        let all = curve.quote(buying: 793_100_000_000_000)
        #expect(all.amount == 85_005_359_057)
        curve.buy(all)
        #expect(curve.isComplete)
        #expect(curve.virtualQuote == 115_005_359_057)
        #expect(curve.virtualTokens == 279_900_000_000_000)
    }

    @Test func `the product of a curve never falls and its offsets stay`() {
        var random = MarketRandom(seed: 11)
        for _ in 0..<50 {
            var curve = BondingCurve()
            var held: UInt64 = 0
            while !curve.isComplete {
                let product = UInt128(curve.virtualQuote) * UInt128(curve.virtualTokens)
                if held > 0, random.chance(perMille: 400) {
                    let quote = curve.quote(selling: random.number(in: 1...held))
                    curve.sell(quote)
                    held -= quote.tokens
                } else {
                    let budget = random.number(in: 10_000...9_000_000_000)
                    let quote = curve.quote(spending: budget)
                    #expect(quote.amount + quote.fees <= budget)
                    curve.buy(quote)
                    held += quote.tokens
                }
                #expect(UInt128(curve.virtualQuote) * UInt128(curve.virtualTokens) >= product)
                #expect(curve.virtualTokens - curve.realTokens == 279_900_000_000_000)
                #expect(curve.virtualQuote - curve.realQuote == 30_000_000_000)
                #expect(curve.realTokens + held == 793_100_000_000_000)
            }
            #expect(curve.realQuote >= 85_005_359_057)
        }
    }

    // MARK: PumpSwap

    @Test func `a pool keeps its product and gives depositors no more than they bring`() {
        var random = MarketRandom(seed: 12)
        var pool = PumpSwapReserves(base: 206_900_000_000_000, quote: 84_990_359_056)
        #expect(pool.liquidity == 4_193_388_282_604)
        for _ in 0..<2_000 {
            let product = UInt128(pool.base) * UInt128(pool.quote)
            switch random.next(below: 4) {
            case 0: pool.buy(pool.quote(buying: random.number(in: 1...pool.base / 50), .flat))
            case 1: pool.buy(pool.quote(spending: random.number(in: 1_000...3_000_000_000), .flat))
            case 2: pool.sell(pool.quote(selling: random.number(in: 1...pool.base / 50), .flat))
            default:
                let tokens = random.number(in: 1...1_000_000_000)
                let cost = pool.cost(of: tokens)
                pool.deposit(tokens)
                let worth = pool.worth(of: tokens)
                #expect(worth.base <= cost.base)
                #expect(worth.quote <= cost.quote)
                pool.withdraw(tokens)
            }
            #expect(UInt128(pool.base) * UInt128(pool.quote) >= product)
        }
    }

    @Test func `fee tiers follow the market cap`() {
        let sol: UInt128 = 1_000_000_000
        #expect(PumpSwapReserves.Rates.tier(marketCap: 419 * sol).creator == 30)
        #expect(PumpSwapReserves.Rates.tier(marketCap: 420 * sol).creator == 95)
        #expect(PumpSwapReserves.Rates.tier(marketCap: 1_500 * sol).creator == 90)
    }

    // MARK: Raydium

    @Test func `raydium takes a quarter of a percent, rounded up`() {
        // 1,000,001 in: fee 2,501, net 997,500 against 10^9 in and 5·10^9 out.
        let out = RaydiumPool.output(
            of: 1_000_001,
            reserveIn: 1_000_000_000,
            reserveOut: 5_000_000_000
        )
        #expect(out == 4_982_529)
    }

    // MARK: Uniswap V2

    @Test func `a swap gives what the router's formula gives`() {
        var pool = UniswapV2Reserves(
            reserve0: 9_000_000_000_000_000_000_000_000,
            reserve1: 1_900_000_000_000
        )
        // Expected values from an independent implementation with unbounded integers.
        #expect(pool.output(of: 1_000_000_000_000_000_000_000, zeroForOne: true) == 210_454_464)
        #expect(
            pool.output(of: 2_500_000_123, zeroForOne: false) == 11_791_111_451_021_774_967_128
        )
        let product = pool.reserve0.multipliedFullWidth(by: pool.reserve1)
        _ = pool.swap(1_000_000_000_000_000_000_000, zeroForOne: true)
        let after = pool.reserve0.multipliedFullWidth(by: pool.reserve1)
        #expect((after.high, after.low) > (product.high, product.low))
    }

    @Test func `liquidity taken out again is never more than was put in`() {
        var random = MarketRandom(seed: 13)
        var pool = UniswapV2Reserves(reserve0: 5_000_000_000_000_000_000, reserve1: 70_000_000_000)
        for _ in 0..<500 {
            let amount0 = UInt128(random.number(in: 1_000_000_000...1_000_000_000_000_000_000))
            let minted = pool.mint(amount0: amount0)
            let burnt = pool.burn(minted.liquidity)
            #expect(burnt.amount0 <= amount0)
            #expect(burnt.amount1 <= minted.amount1)
        }
    }

    @Test func `square roots are exact at the edges`() {
        for root in [1, 2, 3, 65_535, 1 << 40, (1 << 63) - 1] as [UInt128] {
            #expect(SolanaMath.squareRoot(root * root) == root)
            #expect(SolanaMath.squareRoot(root * root + 2 * root) == root)
            #expect(SolanaMath.squareRoot(root * root - 1) == root - 1)
        }
        #expect(SolanaMath.squareRoot(0) == 0)
    }
}
