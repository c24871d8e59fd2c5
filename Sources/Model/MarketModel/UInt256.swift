/// An unsigned number of 256 bits: what the product of two amounts needs.
package struct UInt256: Hashable, Comparable, Sendable {
    /// Bits 128 to 255.
    package let high: UInt128
    /// Bits 0 to 127.
    package let low: UInt128

    package init(high: UInt128, low: UInt128) {
        self.high = high
        self.low = low
    }

    /// `a * b`, exactly.
    package init(_ a: UInt128, times b: UInt128) {
        (high, low) = a.multipliedFullWidth(by: b)
    }

    package static func < (left: UInt256, right: UInt256) -> Bool {
        left.high == right.high ? left.low < right.low : left.high < right.high
    }

    /// `self - other`; `other` is not above `self`.
    package func minus(_ other: UInt256) -> UInt256 {
        precondition(other <= self, "a difference below zero")
        let (low, borrows) = low.subtractingReportingOverflow(other.low)
        return UInt256(high: high - other.high - (borrows ? 1 : 0), low: low)
    }

    /// Whether it is zero.
    package var isZero: Bool { high == 0 && low == 0 }

    /// `self + other`; nil when it does not fit.
    package func plus(_ other: UInt128) -> UInt256? {
        let (low, carries) = low.addingReportingOverflow(other)
        let (high, overflows) = high.addingReportingOverflow(carries ? 1 : 0)
        return overflows ? nil : UInt256(high: high, low: low)
    }

    /// Quotient and remainder, by long division: one bit of the quotient after the other.
    ///
    /// - Parameter divisor: above zero.
    /// - Returns: both, exactly.
    package func divided(by divisor: UInt256) -> (quotient: UInt256, remainder: UInt256) {
        precondition(!divisor.isZero, "a division by zero")
        var remainder = UInt256(high: 0, low: 0)
        var quotient = remainder
        for position in stride(from: 255, through: 0, by: -1) {
            let bit =
                position >= 128
                ? high >> UInt128(position - 128) & 1 : low >> UInt128(position) & 1
            let overflows = remainder.high >> 127 == 1
            remainder = remainder.shifted(with: bit)
            let fits = overflows || remainder >= divisor
            if fits { remainder = remainder.wrappingMinus(divisor) }
            quotient = quotient.shifted(with: fits ? 1 : 0)
        }
        return (quotient, remainder)
    }

    /// One place to the left, modulo 2^256, with another lowest bit.
    private func shifted(with bit: UInt128) -> UInt256 {
        UInt256(high: high << 1 | low >> 127, low: low << 1 | bit)
    }

    /// Scales and divides, by long division: one bit of the quotient after the other.
    ///
    /// - Parameters:
    ///   - scale: any number.
    ///   - divisor: above zero.
    /// - Returns: `floor(self * scale / divisor)`, at most the greatest 64-bit number, and whether
    ///   nothing was rounded off.
    package func ratio(times scale: UInt64, over divisor: UInt256) -> (UInt64, isExact: Bool) {
        precondition(divisor.high > 0 || divisor.low > 0, "a division by zero")
        // self * scale, as 64 bits above 256.
        let lowProduct = low.multipliedFullWidth(by: UInt128(scale))
        let highProduct = high.multipliedFullWidth(by: UInt128(scale))
        let (middle, carries) = highProduct.low.addingReportingOverflow(lowProduct.high)
        let top = highProduct.high + (carries ? 1 : 0)
        if top == 0, middle == 0, divisor.high == 0 {
            let (quotient, rest) = UInt128(lowProduct.low)
                .quotientAndRemainder(dividingBy: divisor.low)
            return (UInt64(clamping: quotient), rest == 0)
        }
        var remainder = UInt256(high: 0, low: 0)
        var quotient: UInt64 = 0
        var isSaturated = false
        for position in stride(from: 319, through: 0, by: -1) {
            let bit: UInt128
            switch position {
            case 256...: bit = top >> UInt128(position - 256) & 1
            case 128...: bit = middle >> UInt128(position - 128) & 1
            default: bit = UInt128(lowProduct.low) >> UInt128(position) & 1
            }
            let overflows = remainder.high >> 127 == 1
            remainder = UInt256(
                high: remainder.high << 1 | remainder.low >> 127,
                low: remainder.low << 1 | bit
            )
            if quotient >> 63 == 1 { isSaturated = true }
            quotient <<= 1
            if overflows || remainder >= divisor {
                remainder = remainder.wrappingMinus(divisor)
                quotient |= 1
            }
        }
        return isSaturated ? (.max, false) : (quotient, remainder.high == 0 && remainder.low == 0)
    }

    /// `self - other` modulo 2^256.
    private func wrappingMinus(_ other: UInt256) -> UInt256 {
        let (low, borrows) = low.subtractingReportingOverflow(other.low)
        return UInt256(high: high &- other.high &- (borrows ? 1 : 0), low: low)
    }
}
