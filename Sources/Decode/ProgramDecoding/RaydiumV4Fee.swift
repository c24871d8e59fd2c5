import MarketModel

/// The fee of Raydium v4, which no log tells: 25 of 10,000 of the input, rounded up, on the pools
/// that keep the default.
enum RaydiumV4Fee {
    private static let numerator: UInt128 = 25
    private static let denominator: UInt128 = 10_000

    /// The fee of a swap in units of its input; nil when the swap did not follow the default, as on
    /// a pool with a fee of its own.
    static func of(_ swap: RaydiumV4Log.Swap) -> UInt128? {
        let amountIn = UInt128(swap.amountIn)
        let amountOut = UInt128(swap.amountOut)
        let reserveIn = UInt128(swap.isCoinIn ? swap.poolCoin : swap.poolPC)
        let reserveOut = UInt128(swap.isCoinIn ? swap.poolPC : swap.poolCoin)
        return swap.isExactIn
            ? ofExactIn(amountIn, amountOut, reserveIn, reserveOut)
            : ofExactOut(amountIn, amountOut, reserveIn, reserveOut)
    }

    private static func ofExactIn(
        _ amountIn: UInt128,
        _ amountOut: UInt128,
        _ reserveIn: UInt128,
        _ reserveOut: UInt128
    ) -> UInt128? {
        // All four are of 64 bits: neither the sums nor the fee can leave 128.
        guard let fee = Exact.mulDivUp(amountIn, numerator, denominator)?.value else { return nil }
        let net = amountIn - fee
        let expected = Exact.mulDiv(reserveOut, net, reserveIn + net)
        return expected?.value == amountOut ? fee : nil
    }

    private static func ofExactOut(
        _ amountIn: UInt128,
        _ amountOut: UInt128,
        _ reserveIn: UInt128,
        _ reserveOut: UInt128
    ) -> UInt128? {
        guard amountOut < reserveOut,
            let net = Exact.mulDivUp(reserveIn, amountOut, reserveOut - amountOut)?.value,
            let expected = Exact.mulDivUp(net, denominator, denominator - numerator)?.value,
            expected == amountIn, net <= amountIn
        else { return nil }
        return amountIn - net
    }
}
