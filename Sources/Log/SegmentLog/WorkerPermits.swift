import Platform

/// How many threads may work at the same time, whatever they work on.
package final class WorkerPermits: Sendable {
    // safety: a Monitor; any thread takes and gives.
    private let free: Monitor<Int>

    /// - Parameter count: how many, at least 1.
    package init(_ count: Int) { free = Monitor(max(1, count)) }

    /// Takes a permit when one is free.
    package func tryTake() -> Bool {
        free.withLock { free in
            guard free > 0 else { return false }
            free -= 1
            return true
        }
    }

    /// Waits for a permit and takes it.
    package func take() {
        free.wait { free -> Void? in
            guard free > 0 else { return nil }
            free -= 1
            return ()
        }
    }

    /// Gives a permit back.
    package func give() { free.update { $0 += 1 } }
}
