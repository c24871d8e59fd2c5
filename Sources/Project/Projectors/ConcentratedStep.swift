package import MarketModel

/// One trade of a pool with concentrated liquidity that stayed within one range: the liquidity was the
/// same before and after it, and the two prices give what came out. Square roots of the price of side 1
/// in side 0, times 2^64.
package struct ConcentratedStep: Hashable, Sendable {
    package var before: UInt128
    package var after: UInt128
    package var liquidity: UInt64

    package init(before: UInt128, after: UInt128, liquidity: UInt64) {
        self.before = before
        self.after = after
        self.liquidity = liquidity
    }

    /// The step of a trade; nil when it was none, or none that can be followed exactly.
    ///
    /// - Parameters:
    ///   - trade: with price and liquidity after it.
    ///   - last: price and liquidity before it; nil when they are not known.
    package init?(_ trade: Trade, after last: ConcentratedPrice?) {
        guard let last, let price = trade.sqrtPriceX64, trade.liquidity == last.liquidity,
            let liquidity = UInt64(exactly: last.liquidity), liquidity > 0
        else { return nil }
        before = last.sqrtPrice
        after = price
        self.liquidity = liquidity
        let isFirst = ConcentratedRange.isTokenFirst(trade.token, trade.quote)
        let range = ConcentratedRange(liquidity: liquidity)
        // Side 0 going in lets the price fall.
        let isFirstIn = isFirst == (trade.side == .sell)
        guard isFirstIn ? after < before : after > before,
            let given = range.output(from: before, to: after)
        else { return nil }
        let output = trade.side == .buy ? trade.tokenAmount : trade.quoteAmount
        // Of a fixed output the price goes as far as is needed, and no more is given than was asked.
        let isExact = given == output
        guard isExact || trade.exactness == .exactOut && given == output.plus(1) else { return nil }
    }
}

extension ConcentratedStep {
    /// Reserves of a pool of constant product with the same price and depth, before and after; each
    /// rounded down. Nil without a price, or when one does not fit.
    package func reserves(isTokenFirst: Bool) -> (before: Reserves, after: Reserves)? {
        guard let before = reserves(at: before, isTokenFirst),
            let after = reserves(at: after, isTokenFirst)
        else { return nil }
        return (before, after)
    }

    private func reserves(at price: UInt128, _ isTokenFirst: Bool) -> Reserves? {
        guard price > 0 else { return nil }
        let first = UInt128(liquidity) << 64 / price
        guard let second = Exact.mulDiv(UInt128(liquidity), price, 1 << 64), !second.isSaturated
        else { return nil }
        return isTokenFirst
            ? Reserves(token: first, quote: second.value)
            : Reserves(token: second.value, quote: first)
    }
}

/// Price and liquidity in range of a pool.
package struct ConcentratedPrice: Hashable, Sendable {
    /// Square root of the price of side 1 in side 0, times 2^64.
    package var sqrtPrice: UInt128
    package var liquidity: UInt128

    package init(sqrtPrice: UInt128, liquidity: UInt128) {
        self.sqrtPrice = sqrtPrice
        self.liquidity = liquidity
    }
}

/// The formulas of a pool with concentrated liquidity as long as its liquidity stays the same, in the
/// rounding of Raydium's program. With L < 2^64 all of it is exact; nil is what does not fit.
package struct ConcentratedRange: Hashable, Sendable {
    package let liquidity: UInt64

    package init(liquidity: UInt64) {
        self.liquidity = liquidity
    }

    /// Whether a pool's token is its side 0: sides are in the order of their mints.
    package static func isTokenFirst(_ token: Address, _ quote: Address) -> Bool { token < quote }

    /// L * 2^64.
    private var scaled: UInt128 { UInt128(liquidity) << 64 }

    /// What comes out when the price goes from one to another: side 1 when it falls, else side 0.
    package func output(from before: UInt128, to after: UInt128) -> UInt128? {
        after < before
            ? side1(after, before, isRoundedUp: false) : side0(before, after, isRoundedUp: false)
    }

    /// What went in, without fees, when the price went from one to another: the least that moves it
    /// so far.
    package func input(from before: UInt128, to after: UInt128) -> UInt128? {
        after < before
            ? side0(after, before, isRoundedUp: true) : side1(before, after, isRoundedUp: true)
    }

    /// Where the price is after an input without fees.
    ///
    /// - Parameters:
    ///   - input: of side 0 or 1.
    ///   - isFirst: whether it is of side 0, which lets the price fall.
    ///   - before: the price; above zero.
    /// - Returns: nil when it does not fit.
    package func price(after input: UInt128, isFirst: Bool, from before: UInt128) -> UInt128? {
        if isFirst {
            // ceil(L * 2^64 * p / (L * 2^64 + input * p))
            let numerator = UInt256(scaled, times: before)
            guard let divisor = UInt256(input, times: before).plus(scaled) else { return nil }
            let (quotient, rest) = numerator.divided(by: divisor)
            // At most the price before.
            return quotient.high == 0 ? quotient.low.plus(rest.isZero ? 0 : 1) : nil
        }
        guard let moved = Exact.mulDiv(input, 1 << 64, UInt128(liquidity)), !moved.isSaturated
        else { return nil }
        let (price, overflows) = before.addingReportingOverflow(moved.value)
        return overflows ? nil : price
    }

    /// Amount of side 0 between two prices: L * 2^64 * (high - low) / high / low.
    private func side0(_ low: UInt128, _ high: UInt128, isRoundedUp: Bool) -> UInt128? {
        guard low > 0, high >= low else { return nil }
        let first =
            isRoundedUp
            ? Exact.mulDivUp(scaled, high - low, high) : Exact.mulDiv(scaled, high - low, high)
        guard let first, !first.isSaturated else { return nil }
        let (quotient, rest) = first.value.quotientAndRemainder(dividingBy: low)
        return isRoundedUp && rest > 0 ? quotient.plus(1) : quotient
    }

    /// Amount of side 1 between two prices: L * (high - low) / 2^64.
    private func side1(_ low: UInt128, _ high: UInt128, isRoundedUp: Bool) -> UInt128? {
        guard high >= low else { return nil }
        let amount =
            isRoundedUp
            ? Exact.mulDivUp(UInt128(liquidity), high - low, 1 << 64)
            : Exact.mulDiv(UInt128(liquidity), high - low, 1 << 64)
        guard let amount, !amount.isSaturated else { return nil }
        return amount.value
    }
}

/// Trades of such a pool replayed from another price than they met.
struct ConcentratedReplay {
    private let range: ConcentratedRange
    private let isTokenFirst: Bool
    /// The prices between which the liquidity is known to have been the same.
    private let known: ClosedRange<UInt128>
    private var price: UInt128

    /// Begins with the price before the first of some steps; nil unless they follow each other in one
    /// range, nothing between them.
    init?(_ steps: [ConcentratedStep?], token: Address, quote: Address) {
        guard let first = steps.first ?? nil else { return nil }
        var low = min(first.before, first.after)
        var high = max(first.before, first.after)
        var last = first.before
        for step in steps {
            guard let step, step.liquidity == first.liquidity, step.before == last else {
                return nil
            }
            last = step.after
            low = min(low, last)
            high = max(high, last)
        }
        range = ConcentratedRange(liquidity: first.liquidity)
        isTokenFirst = ConcentratedRange.isTokenFirst(token, quote)
        known = low...high
        price = first.before
    }

    /// Trades a step's input from here.
    ///
    /// - Parameters:
    ///   - step: its input is taken as it was, without fees.
    ///   - side: of the trade.
    /// - Returns: what would have come out; nil when the price leaves what is known.
    mutating func apply(_ step: ConcentratedStep, _ side: Trade.Side) -> UInt128? {
        let isFirst = isTokenFirst == (side == .sell)
        guard let input = range.input(from: step.before, to: step.after),
            let next = range.price(after: input, isFirst: isFirst, from: price),
            known.contains(next), let output = range.output(from: price, to: next)
        else { return nil }
        price = next
        return output
    }

    /// What really came out of a step: of a fixed output perhaps one more than was given; nil when
    /// its prices give none.
    func output(of step: ConcentratedStep) -> UInt128? {
        range.output(from: step.before, to: step.after)
    }

    /// Whether a step tells its input to one unit, so that its replay is exact.
    func isExact(_ step: ConcentratedStep, _ side: Trade.Side) -> Bool {
        // One unit of side 1 moves the price by 2^64 / L, which is above one.
        guard isTokenFirst == (side == .sell) else { return true }
        // One unit of side 0 moves it by p^2 / (L * 2^64).
        return UInt256(step.after, times: step.after)
            >= UInt256(high: 0, low: UInt128(step.liquidity) << 64)
    }
}
