import MarketModel

/// Trades of one transaction of which each takes what the one before gave, until it is again what the
/// first one took: an atomic arbitrage when it ends with more.
struct BackRunCycle {
    /// One trade as what went in and what came out.
    struct Hop {
        var pool: Address
        var mintIn: Address
        var amountIn: UInt128
        var mintOut: Address
        var amountOut: UInt128

        init(_ trade: Trade) {
            pool = trade.pool
            switch trade.side {
            case .buy:
                mintIn = trade.quote
                amountIn = trade.traderQuoteAmount
                mintOut = trade.token
                amountOut = trade.tokenAmount
            case .sell:
                mintIn = trade.token
                amountIn = trade.tokenAmount
                mintOut = trade.quote
                amountOut = trade.traderQuoteAmount
            }
        }
    }

    /// Indices of its hops, in order.
    var hops: [Int]
    /// What it begins and ends with.
    var mint: Address
    var profit: UInt128

    /// The cycles that earned something, each hop used once: the one with the earliest first hop comes
    /// first, and every hop goes on with the earliest one that fits.
    ///
    /// - Parameters:
    ///   - hops: the transaction's trades in order; those beyond `cycleLegsMax` are not looked at.
    ///   - parameters: how far amounts may be apart.
    /// - Returns: none for a transaction without one.
    static func all(in hops: [Hop], _ parameters: TradingParameters) -> [BackRunCycle] {
        let count = min(hops.count, parameters.cycleLegsMax)
        var isUsed = [Bool](repeating: false, count: count)
        var cycles: [BackRunCycle] = []
        for first in 0..<count where !isUsed[first] {
            var chain = [first]
            for next in first + 1..<max(count, first + 1) where !isUsed[next] {
                let last = hops[chain[chain.count - 1]]
                guard last.mintOut == hops[next].mintIn, last.amountOut > 0,
                    TradeWindow.isNear(
                        last.amountOut,
                        hops[next].amountIn,
                        basisPoints: parameters.cycleBasisPoints
                    )
                else { continue }
                chain.append(next)
                guard hops[next].mintOut == hops[first].mintIn else { continue }
                let pools = chain.map { hops[$0].pool }
                let profit = hops[next].amountOut.minus(hops[first].amountIn)
                if pools.contains(where: { $0 != pools[0] }), profit > 0 {
                    cycles.append(
                        BackRunCycle(hops: chain, mint: hops[first].mintIn, profit: profit)
                    )
                    for hop in chain { isUsed[hop] = true }
                }
                break
            }
        }
        return cycles
    }
}
