// Integer arithmetic on amounts. Nothing here traps on any input: what does not fit is said.

/// Exact quotients of products, with an intermediate of 256 bits.
package enum Exact {
    /// A quotient that may not fit.
    package struct Quotient: Hashable, Sendable {
        /// The quotient, or the greatest number when it is above that.
        package let value: UInt128
        /// Whether the true quotient is above 128 bits.
        package let isSaturated: Bool

        package init(value: UInt128, isSaturated: Bool) {
            self.value = value
            self.isSaturated = isSaturated
        }
    }

    /// `floor(a * b / divisor)`; nil when the divisor is zero.
    package static func mulDiv(_ a: UInt128, _ b: UInt128, _ divisor: UInt128) -> Quotient? {
        guard divisor > 0 else { return nil }
        let (high, low) = a.multipliedFullWidth(by: b)
        if high == 0 { return Quotient(value: low / divisor, isSaturated: false) }
        guard high < divisor else { return Quotient(value: .max, isSaturated: true) }
        let (quotient, _) = divisor.dividingFullWidth((high, low))
        return Quotient(value: quotient, isSaturated: false)
    }

    /// `ceil(a * b / divisor)`; nil when the divisor is zero.
    package static func mulDivUp(_ a: UInt128, _ b: UInt128, _ divisor: UInt128) -> Quotient? {
        guard divisor > 0 else { return nil }
        let (high, low) = a.multipliedFullWidth(by: b)
        guard high < divisor else { return Quotient(value: .max, isSaturated: true) }
        let (quotient, rest) =
            high == 0
            ? low.quotientAndRemainder(dividingBy: divisor)
            : divisor.dividingFullWidth((high, low))
        guard rest > 0 else { return Quotient(value: quotient, isSaturated: false) }
        let (value, overflows) = quotient.addingReportingOverflow(1)
        return Quotient(value: overflows ? .max : value, isSaturated: overflows)
    }

    /// Whether `a * b < c * d`, without rounding.
    package static func isLess(
        _ a: UInt128,
        _ b: UInt128,
        _ c: UInt128,
        _ d: UInt128
    ) -> Bool {
        let left = a.multipliedFullWidth(by: b)
        let right = c.multipliedFullWidth(by: d)
        return left.high == right.high ? left.low < right.low : left.high < right.high
    }

    /// `floor((a * b - c * d) * scale / divisor)` with its sign (rounded towards minus infinity),
    /// such as basis points by which `a * b` is above `c * d`; nil when the divisor is zero or
    /// nothing of it fits.
    ///
    /// - Returns: saturated at the ends of 64 bits.
    package static func difference(
        _ a: UInt128,
        _ b: UInt128,
        minus c: UInt128,
        _ d: UInt128,
        times scale: UInt64,
        over divisor: (UInt128, UInt128)
    ) -> Int64? {
        guard divisor.0 > 0, divisor.1 > 0 else { return nil }
        // Nearly all amounts are of 64 bits: their products fit, and a plain division does.
        if (a | b | c | d | divisor.0 | divisor.1) >> 64 == 0 {
            let (left, right) = (a &* b, c &* d)
            let isNegative = left < right
            let distance = isNegative ? right &- left : left &- right
            if distance >> 114 == 0, scale <= 1 << 14 {
                return quotient(
                    distance &* UInt128(scale),
                    over: divisor.0 &* divisor.1,
                    isNegative: isNegative
                )
            }
        }
        let left = UInt256(a, times: b)
        let right = UInt256(c, times: d)
        let isNegative = left < right
        let distance = isNegative ? right.minus(left) : left.minus(right)
        let denominator = UInt256(divisor.0, times: divisor.1)
        let (quotient, isExact) = distance.ratio(times: scale, over: denominator)
        guard isNegative else { return Int64(clamping: quotient) }
        let rounded = isExact ? quotient : quotient.addingReportingOverflow(1).partialValue
        guard rounded <= UInt64(Int64.max), quotient < .max else { return .min }
        return -Int64(rounded)
    }

    /// `floor(distance / divisor)` with a sign, saturated at the ends of 64 bits.
    private static func quotient(
        _ distance: UInt128,
        over divisor: UInt128,
        isNegative: Bool
    ) -> Int64 {
        let (quotient, rest) = distance.quotientAndRemainder(dividingBy: divisor)
        guard isNegative else { return Int64(clamping: quotient) }
        let rounded = rest > 0 ? quotient &+ 1 : quotient
        return rounded > UInt128(Int64.max) ? .min : -Int64(rounded)
    }

    /// `floor(sqrt(a * b))`.
    package static func squareRoot(_ a: UInt128, times b: UInt128) -> UInt128 {
        let product = UInt256(a, times: b)
        var root: UInt128 = 0
        var bit: UInt128 = 1 << 127
        while bit > 0 {
            let next = root | bit
            if UInt256(next, times: next) <= product { root = next }
            bit >>= 1
        }
        return root
    }
}
