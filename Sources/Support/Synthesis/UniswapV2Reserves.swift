/// Reserves of a Uniswap V2 pair and its arithmetic with the fee of 0.3 %.
///
/// Raw token units; reserves stay below 2^112 as in the contract.
struct UniswapV2Reserves: Equatable, Sendable {
    static let reserveMax: UInt128 = (1 << 112) - 1
    /// LP tokens that the first deposit locks for ever.
    static let minimumLiquidity: UInt128 = 1_000

    private(set) var reserve0: UInt128
    private(set) var reserve1: UInt128
    /// Supply of LP tokens.
    private(set) var supply: UInt128

    /// A pair after a first deposit; LP supply is the root of the product.
    init(reserve0: UInt128, reserve1: UInt128) {
        precondition(reserve0 <= Self.reserveMax && reserve1 <= Self.reserveMax)
        self.reserve0 = reserve0
        self.reserve1 = reserve1
        // Both roots are below 2^56, so their product is close enough to the root of the product.
        supply = SolanaMath.squareRoot(reserve0) * SolanaMath.squareRoot(reserve1)
    }

    /// What the router gets for an input: floor(x·997·out / (in·1000 + x·997)).
    func output(of input: UInt128, zeroForOne: Bool) -> UInt128 {
        let (reserveIn, reserveOut) = zeroForOne ? (reserve0, reserve1) : (reserve1, reserve0)
        let net = input * 997
        return Self.multiply(net, reserveOut, dividedBy: reserveIn * 1_000 + net)
    }

    /// Exchanges an input for its output.
    mutating func swap(_ input: UInt128, zeroForOne: Bool) -> UInt128 {
        let output = output(of: input, zeroForOne: zeroForOne)
        if zeroForOne {
            reserve0 += input
            reserve1 -= output
        } else {
            reserve1 += input
            reserve0 -= output
        }
        precondition(reserve0 <= Self.reserveMax && reserve1 <= Self.reserveMax)
        return output
    }

    /// Adds `amount0` and as much of token 1 as keeps the price; gives the LP tokens minted.
    mutating func mint(amount0: UInt128) -> (amount1: UInt128, liquidity: UInt128) {
        let amount1 = Self.multiply(amount0, reserve1, dividedBy: reserve0)
        let liquidity = min(
            Self.multiply(amount0, supply, dividedBy: reserve0),
            Self.multiply(amount1, supply, dividedBy: reserve1)
        )
        reserve0 += amount0
        reserve1 += amount1
        supply += liquidity
        return (amount1, liquidity)
    }

    /// Takes out the share of so many LP tokens.
    mutating func burn(_ liquidity: UInt128) -> (amount0: UInt128, amount1: UInt128) {
        let amount0 = Self.multiply(liquidity, reserve0, dividedBy: supply)
        let amount1 = Self.multiply(liquidity, reserve1, dividedBy: supply)
        reserve0 -= amount0
        reserve1 -= amount1
        supply -= liquidity
        return (amount0, amount1)
    }

    /// `a * b / c`, rounded down, with a product of 256 bits; the result must fit 128.
    static func multiply(_ a: UInt128, _ b: UInt128, dividedBy c: UInt128) -> UInt128 {
        let product = a.multipliedFullWidth(by: b)
        precondition(product.high < c, "the quotient does not fit")
        return c.dividingFullWidth(product).quotient
    }
}
