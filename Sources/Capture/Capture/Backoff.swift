package import Platform

/// When to try again: doubling delays with jitter, so that many recorders do not come back at the
/// same moment.
package struct Backoff: Sendable, Equatable {
    /// Bounds of the delays, in nanoseconds.
    package struct Limits: Sendable, Equatable {
        /// The first delay.
        package var first: UInt64 = 250_000_000
        /// No delay is longer, jitter included.
        package var longest: UInt64 = 30_000_000_000
        /// The first delay after the server said that it is overloaded.
        package var firstWhenBusy: UInt64 = 5_000_000_000
        /// The longest one after the server said that it is overloaded.
        package var longestWhenBusy: UInt64 = 120_000_000_000
        /// The delay after a permanent refusal; no jitter makes it shorter.
        package var refused: UInt64 = 30_000_000_000
        /// The longest pause that a server may ask for.
        package var retryAfter: UInt64 = 3_600_000_000_000
        /// A stream that delivered for so long starts the delays anew.
        package var resetAfter: UInt64 = 10_000_000_000

        package init() {}
    }

    /// Bounds of the delays.
    package let limits: Limits
    /// Failures since the last reset.
    package private(set) var failures = 0

    package init(_ limits: Limits) { self.limits = limits }

    /// The delay after one more failure: half of it fixed, half by chance.
    ///
    /// - Parameters:
    ///   - advice: what the end of the stream says about trying again.
    ///   - retryAfter: nanoseconds that the server asked to be left alone; nil when it did not.
    ///     Never shortened by chance, only by its limit.
    ///   - random: decides about the jitter.
    /// - Returns: nanoseconds.
    package mutating func next(
        _ advice: StreamEnding.Advice,
        retryAfter: UInt64? = nil,
        random: inout some RandomSource
    ) -> UInt64 {
        failures = min(failures + 1, 1_000)
        let own = delay(advice, random: &random)
        guard let retryAfter else { return own }
        let asked = min(retryAfter, limits.retryAfter)
        // All who were refused at once have the same number.
        return max(own, asked + random.next(below: asked / 8 + 1))
    }

    private func delay(
        _ advice: StreamEnding.Advice,
        random: inout some RandomSource
    ) -> UInt64 {
        if advice == .refused {
            return limits.refused + random.next(below: limits.refused / 4 + 1)
        }
        let isBusy = advice == .busy
        let first = isBusy ? limits.firstWhenBusy : limits.first
        let longest = isBusy ? limits.longestWhenBusy : limits.longest
        var whole = min(first, longest)
        for _ in 1..<failures where whole < longest {
            whole = min(whole.multipliedReportingOverflow(by: 2).partialValue, longest)
        }
        return whole / 2 + random.next(below: whole / 2 + 1)
    }

    /// Forgets the failures.
    package mutating func reset() { failures = 0 }
}
