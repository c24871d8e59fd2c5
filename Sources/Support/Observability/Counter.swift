internal import Synchronization

/// A number that only grows, counted from any thread without a lock.
package final class Counter: Sendable {
    // safety: every access is one atomic operation, ordered with all others on the same counter;
    // no reader concludes anything about other memory from it, except where the reader says why.
    private let count = Atomic<UInt64>(0)

    package init() {}

    /// What has been counted.
    package var value: UInt64 { count.load(ordering: .sequentiallyConsistent) }

    /// Counts `amount` more and gives the new total; wraps after 2^64.
    @discardableResult
    package func add(_ amount: UInt64 = 1) -> UInt64 {
        count.wrappingAdd(amount, ordering: .sequentiallyConsistent).newValue
    }
}
