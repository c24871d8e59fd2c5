package import MarketModel

/// What one trade did to the price, and how much worse it might have become for the trader. Basis
/// points, rounded down.
package struct TradeMeasures: Hashable, Sendable {
    /// By how much the execution was worse than the price before; nil without reserves.
    package var impact: Int64?
    /// By how much the price moved; nil without reserves.
    package var move: Int64?
    /// What the trader's limit had left; 10,000 when he set none. Nil when the limit is not known.
    package var tolerance: Int64?

    /// Of a trade as it happened.
    package init(_ trade: Trade) {
        impact = TradeMeasures.impact(
            trade.side,
            tokens: trade.tokenAmount,
            quote: trade.quoteAmount,
            before: trade.before
        )
        move = TradeMeasures.move(before: trade.before, after: trade.after)
        tolerance = TradeMeasures.tolerance(trade)
    }

    package init(impact: Int64?, move: Int64?, tolerance: Int64?) {
        self.impact = impact
        self.move = move
        self.tolerance = tolerance
    }

    /// How far the price of an exchange was from the price before it, against the trader.
    ///
    /// - Parameters:
    ///   - side: what the trader did.
    ///   - tokens: what the pool gave or took.
    ///   - quote: what moved the pool.
    ///   - before: the reserves before.
    /// - Returns: nil when something is zero or unknown.
    package static func impact(
        _ side: Trade.Side,
        tokens: UInt128,
        quote: UInt128,
        before: Reserves?
    ) -> Int64? {
        guard let before else { return nil }
        let divisor = (tokens, before.quote)
        switch side {
        case .buy:
            return Exact.difference(
                quote,
                before.token,
                minus: tokens,
                before.quote,
                times: 10_000,
                over: divisor
            )
        case .sell:
            return Exact.difference(
                tokens,
                before.quote,
                minus: quote,
                before.token,
                times: 10_000,
                over: divisor
            )
        }
    }

    /// How far the price moved, upwards above zero; nil when something is zero or unknown.
    package static func move(before: Reserves?, after: Reserves?) -> Int64? {
        guard let before, let after else { return nil }
        return Exact.difference(
            after.quote,
            before.token,
            minus: before.quote,
            after.token,
            times: 10_000,
            over: (before.quote, after.token)
        )
    }

    /// Of a trade whose instruction fixed one side and bounded the other.
    private static func tolerance(_ trade: Trade) -> Int64? {
        guard let limit = trade.limit else { return nil }
        switch (trade.exactness, trade.side) {
        case (.exactOut, .buy):
            return slack(limit, above: trade.traderQuoteAmount, over: trade.traderQuoteAmount)
        case (.exactOut, .sell):
            return slack(limit, above: trade.tokenAmount, over: trade.tokenAmount)
        case (.exactIn, .buy):
            return slack(trade.tokenAmount, above: limit, over: trade.tokenAmount)
        case (.exactIn, .sell):
            return slack(trade.traderQuoteAmount, above: limit, over: trade.traderQuoteAmount)
        case (.unknown, _):
            return nil
        }
    }

    private static func slack(
        _ greater: UInt128,
        above less: UInt128,
        over whole: UInt128
    ) -> Int64? {
        Exact.difference(greater, 1, minus: less, 1, times: 10_000, over: (whole, 1))
    }
}
