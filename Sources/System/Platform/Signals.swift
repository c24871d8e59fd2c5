import CLinux
import Glibc

/// Signals as something to wait for. Create it before the first thread starts: threads inherit
/// the mask, and a thread of the gRPC core that lacks it would let SIGTERM kill the process.
package struct Signals: Sendable {
    private let descriptor: Int32

    /// Blocks SIGINT, SIGTERM and SIGHUP for the whole process, and ignores SIGPIPE.
    ///
    /// - Throws: the error of `pthread_sigmask` or `signalfd`.
    package init() throws(SystemError) {
        Signals.ignoreBrokenPipes()
        var set = sigset_t()
        sigemptyset(&set)
        for number in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&set, number) }
        let code = pthread_sigmask(SIG_BLOCK, &set, nil)
        if code != 0 { throw SystemError(call: "pthread_sigmask", errno: code) }
        descriptor = signalfd(-1, &set, Int32(SFD_CLOEXEC))
        if descriptor < 0 { throw .last("signalfd") }
    }

    /// Makes writing to a pipe that nobody reads an error like any other, for the whole process.
    package static func ignoreBrokenPipes() { signal(SIGPIPE, SIG_IGN) }

    /// Waits for the next signal.
    ///
    /// - Parameter timeoutNanoseconds: how long to wait; nil waits for ever.
    /// - Returns: the signal's number, or nil when the time has passed.
    package func wait(timeoutNanoseconds: UInt64?) -> Int32? {
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        let milliseconds = timeoutNanoseconds.map { Int32(clamping: ($0 + 999_999) / 1_000_000) }
        let ready = poll(&request, 1, milliseconds ?? -1)
        guard ready == 1 else { return nil }
        var information = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        guard Glibc.read(descriptor, &information, size) == size else { return nil }
        return Int32(bitPattern: information.ssi_signo)
    }
}
