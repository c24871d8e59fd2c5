import Platform
import RecordModel
import SegmentLog

/// Prints the durable sequence on standard output whenever it has moved: what is printed, a power
/// loss cannot take.
final class AckPrinter: Sendable {
    private struct State {
        var isStopping = false
        /// The reader has gone.
        var isOver = false
        var printed = RecordModel.Sequence.none
    }

    private let log: LogWriter
    private let clock: any Clock
    private let state = Monitor(State())
    private let thread = Monitor<Platform.Thread?>(nil)

    init(log: LogWriter, clock: any Clock) throws(SystemError) {
        self.log = log
        self.clock = clock
        // What was durable before this run is not news.
        state.withLock { $0.printed = log.recovery.lastSequenceKept }
        let started = try Platform.Thread(name: "acks") { [self] in run() }
        thread.withLock { $0 = started }
    }

    /// Whether nobody reads any more.
    var isOver: Bool { state.withLock { $0.isOver } }

    /// Prints the last sequence and ends. To be called after the log is closed.
    func finish(_ durable: RecordModel.Sequence) {
        state.update { $0.isStopping = true }
        let running = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        running?.join()
        print(durable)
    }

    private func run() {
        while !state.withLock({ $0.isStopping || $0.isOver }) {
            let printed = state.withLock { $0.printed }
            let deadline = clock.monotonicNanoseconds() + 200_000_000
            let marks = log.waitDurable(beyond: printed, deadline: deadline)
            print(marks.durable)
            // A log that has stopped answers at once.
            if log.failure != nil { return }
        }
    }

    private func print(_ durable: RecordModel.Sequence) {
        state.withLock { state in
            guard durable > state.printed, !state.isOver else { return }
            state.printed = durable
            do throws(SystemError) {
                try Terminal.write("\(durable)\n", to: .output)
            } catch { state.isOver = true }
        }
    }
}
