// The life of the C core in this process, and where its log lines go.

import CGRPC
import Platform

/// Keeps the C core running while it exists. Every completion queue holds one, and calls,
/// channels and servers hold their queue: the core stops after the last object of its own is gone.
final class GRPCLibrary: Sendable {
    init() {
        CoreLog.install()
        grpc_init()
    }

    deinit { grpc_shutdown() }
}

/// The core's error lines. The core would write them to standard error, into the middle of a
/// progress bar; here they go to a sink, or nowhere while there is none. The reason of a failed
/// call is in its status in any case.
package enum CoreLog {
    private struct State {
        var sink: (@Sendable (String) -> Void)?
        var isInstalled = false
        var isCapturing = false
        var captured: [String] = []
    }
    private static let linesMax = 16
    private static let state = Monitor(State())
    /// Only one capture at a time, so that lines are not taken for another's.
    private static let capturing = Monitor(false)

    /// Sends the core's error lines to `sink` from now on; nil drops them.
    ///
    /// - Parameter sink: called on any thread, also inside the core: it must be quick and must not
    ///   call this module.
    package static func setSink(_ sink: (@Sendable (String) -> Void)?) {
        state.withLock { $0.sink = sink }
    }

    fileprivate static func install() {
        let isFirst = state.withLock { state in
            defer { state.isInstalled = true }
            return !state.isInstalled
        }
        if isFirst { gpr_set_log_function(coreLogged) }
    }

    fileprivate static func took(_ line: String) {
        let sink = state.withLock { state in
            if state.isCapturing, state.captured.count < linesMax { state.captured.append(line) }
            return state.sink
        }
        sink?(line)
    }

    /// Runs `body` and gives the error lines that the core wrote meanwhile. The core tells the
    /// reason of a failed bind in no other way.
    static func capture<Result>(_ body: () -> Result) -> (result: Result, lines: [String]) {
        capturing.wait { (isBusy: inout Bool) -> Void? in
            if isBusy { return nil }
            isBusy = true
            return ()
        }
        state.withLock {
            $0.isCapturing = true
            $0.captured = []
        }
        let result = body()
        let lines = state.withLock { state in
            state.isCapturing = false
            return state.captured
        }
        capturing.update { $0 = false }
        return (result, lines)
    }
}

// A file-level function, so that it belongs to no actor: the core calls it on any thread.
private func coreLogged(_ arguments: UnsafeMutablePointer<gpr_log_func_args>?) {
    guard let text = arguments?.pointee.message else { return }
    CoreLog.took(String(cString: text))
}
