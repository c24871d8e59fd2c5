/// Formulas over what the tables of tokens hold, for outputs and queries.
package enum TokenFormulas {
    /// Whether nobody has traded a token for long.
    ///
    /// - Parameters:
    ///   - lastTrade: slot or block of its last trade; nil when there was none.
    ///   - first: slot or block in which it was first seen.
    ///   - now: slot or block of the question.
    ///   - parameters: how long is long.
    /// - Returns: whether more slots than that lie between.
    package static func isAbandoned(
        lastTrade: UInt64?,
        first: UInt64,
        at now: UInt64,
        _ parameters: LifecycleParameters
    ) -> Bool {
        let last = lastTrade ?? first
        return now > last && now - last > parameters.abandonedSlots
    }

    /// How much of what its makers bought they sold, in basis points; nil when they bought nothing.
    package static func creatorSoldBasisPoints(_ market: TokenMarketRow) -> UInt64? {
        UInt64.basisPoints(market.creatorSold, of: market.creatorBought)
    }
}
