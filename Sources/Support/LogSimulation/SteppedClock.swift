import Platform

/// A clock that stands still until it is moved.
package final class SteppedClock: Clock {
    private let monotonic: Monitor<UInt64>
    private static let start: UInt64 = 1_000_000

    package init() { monotonic = Monitor(Self.start) }

    package func monotonicNanoseconds() -> UInt64 { monotonic.withLock { $0 } }

    package func wallNanoseconds() -> Int64 {
        1_700_000_000_000_000_000 + Int64(clamping: monotonicNanoseconds())
    }

    /// Lets time pass.
    package func advance(nanoseconds: UInt64) { monotonic.withLock { $0 += nanoseconds } }
}
