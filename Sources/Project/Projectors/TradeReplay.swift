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
    /// - Returns: what would have come out, as the leg counts its own output.
    package mutating func apply(_ leg: TradeLeg) -> UInt128 {
        let output = TradeReplay.output(of: leg, on: reserves)
        let leaving =
            leg.marks.contains(.netOutput)
            ? output : output.minus(TradeReplay.fee(on: output, of: leg))
        switch leg.side {
        case .buy:
            reserves.quote = reserves.quote.plus(leg.keptInput)
            reserves.token = reserves.token.minus(leaving)
        case .sell:
            reserves.token = reserves.token.plus(leg.keptInput)
            reserves.quote = reserves.quote.minus(leaving)
        }
        return output
    }

    /// What a leg's input gives on some reserves, as the leg counts its own output.
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
        let output = Exact.mulDiv(paying, input, taking.plus(input))?.value ?? 0
        return leg.marks.contains(.netOutput) ? output.minus(fee(on: output, of: leg)) : output
    }

    private static func fee(on output: UInt128, of leg: TradeLeg) -> UInt128 {
        // The divisor is not zero.
        Exact.mulDivUp(output, UInt128(leg.outputFeeBasisPoints), 10_000)?.value ?? 0
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

    /// What a leg really got, to compare with: the event's amount, or, where the formula does not give
    /// that, what the formula gives on the reserves that the leg met, so that only the difference of
    /// reserves counts.
    static func measure(of leg: TradeLeg) -> UInt128 {
        guard let before = leg.before, !reproduces(leg) else { return leg.output }
        return output(of: leg, on: before)
    }
}

/// What the amounts of an event mean to the formula.
extension TradeReplay {
    /// A trade's input as the formula takes it, and by how much it grew the pool.
    static func inputs(of trade: Trade) -> (priced: UInt128, kept: UInt128) {
        let input = trade.side == .buy ? trade.quoteAmount : trade.tokenAmount
        // An event without the fee counts as one without a fee.
        let liquidity = trade.fees.liquidity ?? 0
        switch (trade.venue, trade.side) {
        case (.pumpCurve, _), (.launchLab, _):
            return (input, input)
        case (.pumpSwap, .buy):
            // In a pool whose base is the quote, the fee is on the token.
            return trade.fees.isInToken ? (input, input) : (input, input.plus(liquidity))
        case (.pumpSwap, .sell):
            return (trade.fees.isInToken ? input.minus(liquidity) : input, input)
        case (.raydiumV4, _), (.raydiumCPMM, _), (.raydiumCLMM, _):
            let isCharged = trade.fees.isInToken == (trade.side == .sell)
            return (isCharged ? input.minus(trade.fees.total) : input, input)
        case (.uniswapV2, _), (.uniswapV3, _):
            // 3 of 1,000, as V2 has it.
            let fee = Exact.mulDivUp(input, 3, 1_000)?.value ?? input
            return (input.minus(fee), input)
        }
    }

    /// Whether the event's output is what left the pool, after a part of it stayed behind: a buy on a
    /// PumpSwap pool whose base is the quote.
    static func isOutputNet(_ trade: Trade) -> Bool {
        trade.venue == .pumpSwap && trade.side == .buy && trade.fees.isInToken
    }

    /// The part of the output that stays in the pool, in basis points: PumpSwap alone. A fee that was
    /// rounded up gives its rate back exactly when the output is above 10,000.
    static func outputFee(of trade: Trade) -> UInt16 {
        guard trade.venue == .pumpSwap, let fee = trade.fees.liquidity else { return 0 }
        let whole: UInt128
        switch (trade.side, trade.fees.isInToken) {
        case (.sell, false): whole = trade.quoteAmount
        case (.buy, true): whole = trade.tokenAmount.plus(fee)
        case (.buy, false), (.sell, true): return 0
        }
        guard let rate = UInt64.basisPoints(fee, of: whole) else { return 0 }
        return UInt16(min(rate, 10_000))
    }
}
