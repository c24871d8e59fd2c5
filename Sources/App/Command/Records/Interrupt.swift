import Foundation
import Platform

/// Ctrl-C as a question that a loop can ask. The second one ends the process at once, because the
/// first cannot reach a loop that waits in a write to a reader that has stopped reading.
final class Interrupt: Sendable {
    // safety: `asked` is a Monitor; the watching thread sets it, loops read it.
    private let asked = Monitor(false)
    private let waiters = Monitor<[@Sendable () -> Void]>([])

    /// Takes the signals over; to be called before any other thread is started.
    ///
    /// - Throws: `SystemError` when signals or a thread cannot be had.
    init() throws(SystemError) {
        let signals = try Signals()
        _ = try Thread(name: "interrupt") { [self] in
            while true {
                guard signals.wait(timeoutNanoseconds: nil) != nil else { continue }
                let isFirst = asked.update { asked -> Bool in
                    defer { asked = true }
                    return !asked
                }
                // 130 is what shells report for a process that SIGINT ended.
                if !isFirst { _exit(130) }
                for waiter in waiters.withLock({ $0 }) { waiter() }
            }
        }
    }

    /// Whether to stop.
    var isAsked: Bool { asked.withLock { $0 } }

    /// Registers what to call, on another thread, when the process is asked to stop.
    func onAsked(_ body: @escaping @Sendable () -> Void) {
        waiters.withLock { $0.append(body) }
    }

    /// Waits until asked to stop.
    func wait() { asked.wait { $0 ? () : nil } }

    /// Waits, but not when asked to stop.
    ///
    /// - Parameter nanoseconds: how long, by the monotonic clock.
    func sleep(nanoseconds: UInt64) {
        let deadline = SystemClock().monotonicNanoseconds() &+ nanoseconds
        _ = asked.wait(deadline: deadline) { $0 ? () : nil }
    }
}
