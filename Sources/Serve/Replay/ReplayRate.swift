/// How fast a recording is played, exactly: a fraction of two integers, or as fast as it is read.
package enum ReplayRate: Hashable, Sendable {
    /// Nothing is ever waited for.
    case unlimited
    /// So many millionths of the recorded speed: 1,000,000 is as recorded. At least 1.
    case millionths(UInt64)

    /// As recorded.
    package static let recorded = ReplayRate.millionths(1_000_000)

    /// Reads `max`, or a decimal number above zero with up to six places, such as `10` or `0.5`.
    ///
    /// - Returns: nil for any other text, or a number above 1,000,000.
    package init?(_ text: String) {
        if text == "max" {
            self = .unlimited
            return
        }
        let parts = text.utf8.split(
            separator: UInt8(ascii: "."),
            omittingEmptySubsequences: false
        )
        let isDecimal = parts.allSatisfy { part in
            (1...7).contains(part.count) && part.allSatisfy { (0x30...0x39).contains($0) }
        }
        guard isDecimal, (1...2).contains(parts.count) else { return nil }
        func number(_ digits: some Swift.Sequence<UInt8>) -> UInt64 {
            digits.reduce(0) { $0 * 10 + UInt64($1 &- 0x30) }
        }
        var value = number(parts[0]) * 1_000_000
        if parts.count == 2 {
            guard parts[1].count <= 6 else { return nil }
            var fraction = number(parts[1])
            for _ in parts[1].count..<6 { fraction *= 10 }
            value += fraction
        }
        guard (1...1_000_000_000_000).contains(value) else { return nil }
        self = .millionths(value)
    }

    /// How long a stretch of the timeline lasts on the clock; rounded up, so that nothing is early.
    func duration(of timeline: UInt64) -> UInt64 {
        guard case .millionths(let rate) = self else { return 0 }
        let product = timeline.multipliedFullWidth(by: 1_000_000)
        guard product.high < rate else { return .max }
        let (quotient, remainder) = rate.dividingFullWidth((product.high, product.low))
        return remainder == 0 || quotient == .max ? quotient : quotient + 1
    }

    /// How far a stretch of the clock leads on the timeline; rounded down.
    func advance(in duration: UInt64) -> UInt64 {
        guard case .millionths(let rate) = self else { return 0 }
        let product = duration.multipliedFullWidth(by: rate)
        guard product.high < 1_000_000 else { return .max }
        return UInt64(1_000_000).dividingFullWidth((product.high, product.low)).quotient
    }
}
