import CLinux
import Glibc

/// One named operating-system thread, joined exactly once by its owner.
package final class Thread: @unchecked Sendable {
    // safety: `handle` is written once in init before any other thread can see the object.
    private let handle: pthread_t
    private let joined = Monitor(false)

    private final class Start {
        let name: String
        let body: @Sendable () -> Void
        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }

    /// Starts a thread that runs `body` once.
    ///
    /// - Parameters:
    ///   - name: shown by debuggers and `top`; the kernel keeps 15 bytes.
    ///   - body: the whole life of the thread.
    /// - Throws: the error of `pthread_create`, such as EAGAIN at the limit of threads.
    package init(
        name: String,
        body: @escaping @Sendable () -> Void
    ) throws(SystemError) {
        let start = Unmanaged.passRetained(Start(name: name, body: body))
        var created = pthread_t()
        let code = pthread_create(&created, nil, threadMain, start.toOpaque())
        if code != 0 {
            start.release()
            throw SystemError(call: "pthread_create", subject: name, errno: code)
        }
        handle = created
    }

    deinit {
        // Nobody can join it any more: its stack is given back when it ends.
        if !joined.withLock({ $0 }) { pthread_detach(handle) }
    }

    /// Waits until the body has returned. A second call returns at once.
    package func join() {
        let isFirst = joined.withLock { done in
            defer { done = true }
            return !done
        }
        if isFirst { pthread_join(handle, nil) }
    }

    fileprivate static func run(_ context: UnsafeMutableRawPointer) {
        let start = Unmanaged<Start>.fromOpaque(context).takeRetainedValue()
        start.name.prefix(15).withCString { _ = clinux_name_thread($0) }
        start.body()
    }

    /// Sleeps the calling thread; signals do not cut it short.
    ///
    /// - Parameter nanoseconds: how long, by the monotonic clock.
    package static func sleep(nanoseconds: UInt64) {
        var left = timespec(
            tv_sec: Int(clamping: nanoseconds / 1_000_000_000),
            tv_nsec: Int(nanoseconds % 1_000_000_000)
        )
        while true {
            let request = left
            if withUnsafePointer(to: request, { clock_nanosleep(CLOCK_MONOTONIC, 0, $0, &left) })
                != EINTR
            {
                return
            }
        }
    }

    /// Sleeps the calling thread until the monotonic clock shows `deadline` nanoseconds.
    package static func sleep(until deadline: UInt64) {
        var time = timespec(
            tv_sec: Int(clamping: deadline / 1_000_000_000),
            tv_nsec: Int(deadline % 1_000_000_000)
        )
        while clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nil) == EINTR {}
    }
}

// A file-level function, so that it belongs to no actor: C calls it on the new thread.
private func threadMain(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context else { preconditionFailure("a thread was started without its context") }
    Thread.run(context)
    return nil
}
