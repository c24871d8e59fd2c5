package import MarketModel

/// Trades replayed on other reserves than those they met: what a victim would have got without the
/// front. The formulas of the venues with a constant product, in integers:
///
/// - Curves of pump.fun: a buy of `n` quote gives `(n - 1) * T / (Q + n - 1)` tokens, a sell of `x`
///   tokens gives `x * Q / (T + x)`.
/// - All others: an input of `n` without fees gives `n * R / (S + n)`, where R is the reserve that
///   pays and S the one that takes.
///
/// What stays in the pool of a fee on the input grows the pool; on PumpSwap the liquidity providers'
/// part of a sell's output stays behind.
package struct TradeReplay {
    /// What the pool would hold by now.
    package private(set) var reserves: Reserves

    package init(from reserves: Reserves) {
        self.reserves = reserves
    }

    /// Trades a leg's input on these reserves.
    ///
    /// - Parameter leg: its input is taken as it was, whatever its instruction fixed.
    /// - Returns: what would have come out, before fees on it.
    package mutating func apply(_ leg: TradeLeg) -> UInt128 {
        let output = TradeReplay.output(of: leg, on: reserves)
        switch leg.side {
        case .buy:
            reserves.quote = reserves.quote.plus(leg.keptInput)
            reserves.token = reserves.token.minus(output)
        case .sell:
            let fee = Exact.mulDivUp(output, UInt128(leg.outputFeeBasisPoints), 10_000)
            reserves.token = reserves.token.plus(leg.keptInput)
            reserves.quote = reserves.quote.minus(output.minus(fee?.value ?? output))
        }
        return output
    }

    /// What a leg's input gives on some reserves.
    package static func output(
        of leg: TradeLeg,
        on reserves: Reserves,
        inputAdded: UInt128 = 0
    ) -> UInt128 {
        var input = leg.pricedInput.plus(inputAdded)
        if leg.venue == .pumpCurve, leg.side == .buy { input = input.minus(1) }
        let (paying, taking) =
            leg.side == .buy
            ? (reserves.token, reserves.quote) : (reserves.quote, reserves.token)
        // An empty pool gives nothing.
        return Exact.mulDiv(paying, input, taking.plus(input))?.value ?? 0
    }

    /// Whether the formula gives what happened, from the reserves that the leg met; of a leg that
    /// fixed its output, within what one unit of input buys.
    package static func reproduces(_ leg: TradeLeg) -> Bool {
        guard let before = leg.before else { return false }
        let output = output(of: leg, on: before)
        if output == leg.output { return true }
        let next = TradeReplay.output(of: leg, on: before, inputAdded: 1)
        return leg.marks.contains(.exactOut) && output <= leg.output && leg.output <= next
    }

    /// A trade's input as the formula takes it, and by how much it grew the pool.
    static func inputs(of trade: Trade) -> (priced: UInt128, kept: UInt128) {
        let input = trade.side == .buy ? trade.quoteAmount : trade.tokenAmount
        switch trade.venue {
        case .pumpCurve, .launchLab:
            return (input, input)
        case .pumpSwap:
            guard trade.side == .buy else { return (input, input) }
            // An event without the fee counts as one without a fee.
            return (input, input.plus(trade.fees.liquidity ?? 0))
        case .raydiumV4, .raydiumCPMM, .raydiumCLMM:
            let isCharged = trade.fees.isInToken == (trade.side == .sell)
            let priced = isCharged ? input.minus(trade.fees.total) : input
            return (priced, grown(trade) ?? input)
        case .uniswapV2, .uniswapV3:
            let fee = Exact.mulDivUp(input, 3, 1_000)
            return (input.minus(fee?.value ?? input), grown(trade) ?? input)
        }
    }

    /// The part of a sell's output that stays in the pool, in basis points. A fee that was rounded up
    /// gives its rate back exactly when the output is above 10,000.
    static func outputFee(of trade: Trade) -> UInt16 {
        guard trade.venue == .pumpSwap, trade.side == .sell, let fee = trade.fees.liquidity,
            let rate = UInt64.basisPoints(fee, of: trade.quoteAmount)
        else { return 0 }
        return UInt16(min(rate, 10_000))
    }

    private static func grown(_ trade: Trade) -> UInt128? {
        guard let before = trade.before, let after = trade.after else { return nil }
        let (old, new) =
            trade.side == .buy ? (before.quote, after.quote) : (before.token, after.token)
        return new >= old ? new - old : nil
    }
}
