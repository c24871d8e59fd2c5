import Glibc

/// The two clocks a recorder needs. A parameter everywhere, so that tests own time.
package protocol Clock: Sendable {
    /// Nanoseconds since 1970-01-01T00:00:00Z by the wall clock; may step back.
    func wallNanoseconds() -> Int64
    /// Nanoseconds since an arbitrary start (boot); never steps back.
    func monotonicNanoseconds() -> UInt64
}

/// The kernel's clocks: the only reader of real time in the program.
package struct SystemClock: Clock {
    package init() {}

    package func wallNanoseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }

    package func monotonicNanoseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(bitPattern: Int64(time.tv_sec)) &* 1_000_000_000
            &+ UInt64(bitPattern: Int64(time.tv_nsec))
    }
}
