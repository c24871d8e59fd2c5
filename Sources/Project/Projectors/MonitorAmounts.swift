// Arithmetic on amounts that holds at its ends instead of trapping.

extension UInt128 {
    /// The sum, or the greatest number when it is above that.
    func plus(_ other: UInt128) -> UInt128 {
        let (sum, overflows) = addingReportingOverflow(other)
        return overflows ? .max : sum
    }

    /// The difference, or zero when it is below that.
    func minus(_ other: UInt128) -> UInt128 {
        self > other ? self &- other : 0
    }
}

extension UInt64 {
    /// `floor(part * 10,000 / whole)`, at most 2^64 - 1; nil when the whole is zero.
    static func basisPoints(_ part: UInt128, of whole: UInt128) -> UInt64? {
        guard whole > 0 else { return nil }
        // Almost every amount is below 2^114, where one plain division does.
        let (product, overflows) = part.multipliedReportingOverflow(by: 10_000)
        guard overflows else { return UInt64(clamping: product / whole) }
        let (high, low) = part.multipliedFullWidth(by: 10_000)
        guard high < whole else { return .max }
        return UInt64(clamping: whole.dividingFullWidth((high, low)).quotient)
    }
}
