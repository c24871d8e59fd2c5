package import Observability
package import Platform
import RecordModel
package import SegmentLog

/// What all streams of a recording share: the log, the secrets, the clock, the counters, and who
/// is paused.
package final class CaptureLog: Sendable {
    package let log: LogWriter
    package let redactor: Redactor
    package let clock: any Clock
    /// Data frames that arrived and are recorded; WebSocket control frames do not count.
    package let frames = Counter()
    /// Payload bytes of those frames.
    package let bytes = Counter()
    /// Frames with a known secret in them.
    package let framesWithSecret = Counter()
    /// Gaps opened in this run.
    package let gaps = Counter()
    /// Gaps given up in this run.
    package let gapsAbandoned = Counter()

    private let framesMax: UInt64?
    private let tickets = Counter()
    /// How often the log had room again.
    private let roomCalls = Counter()
    private let paused = Monitor<[@Sendable () -> Void]>([])
    private let stopped = Monitor<Stop?>(nil)
    private let observer: @Sendable (CaptureNotice) -> Void

    /// Why nothing more is recorded.
    package enum Stop: Sendable, Equatable {
        /// As many frames as wanted are recorded.
        case framesReached
        /// The log takes nothing more; why, in one sentence.
        case logFailed(String)
    }

    /// What a source needs to pause without missing the call that lets it go on.
    package struct PauseTicket: Sendable {
        fileprivate let roomCalls: UInt64
    }

    /// - Parameters:
    ///   - log: open for writing; the caller closes it after the last stream has ended.
    ///   - redactor: knows all secrets of all sources.
    ///   - clock: gives every record its times.
    ///   - framesMax: data frames to record before `stop` says so; nil for no limit.
    ///   - observer: gets notices, on any thread; it must be quick.
    package init(
        log: LogWriter,
        redactor: Redactor,
        clock: any Clock,
        framesMax: UInt64?,
        observer: @escaping @Sendable (CaptureNotice) -> Void
    ) {
        self.log = log
        self.redactor = redactor
        self.clock = clock
        self.framesMax = framesMax
        self.observer = observer
        log.onRoom { [weak self] in self?.resumeAll() }
    }

    /// Why nothing more is recorded, or nil while recording goes on.
    package var stop: Stop? { stopped.withLock { $0 } }

    /// Tells a person something; the text is redacted here once more.
    func notify(_ severity: CaptureNotice.Severity, source: String? = nil, _ text: String) {
        observer(CaptureNotice(severity, source: source, redactor.text(text)))
    }

    // MARK: Records

    /// Appends an event; after a failure of the log, which is told once, nothing happens.
    ///
    /// - Returns: its sequence, or nil when the log has failed.
    @discardableResult
    func append(
        event kind: RecordKind,
        stream: StreamID = .none,
        _ fields: EventFields
    )
        -> RecordModel.Sequence?
    {
        do throws(LogError) {
            return try log.append(event: kind, stream: stream, fields: fields).sequence
        } catch {
            fail(error)
            return nil
        }
    }

    /// Notes that the log has failed. The first reason counts.
    func fail(_ error: LogError) {
        let isFirst = stopped.update { stop -> Bool in
            if case .logFailed = stop { return false }
            stop = .logFailed(redactor.text("\(error)"))
            return true
        }
        if isFirst { notify(.failure, "\(error)") }
    }

    /// Asks to record one more data frame.
    ///
    /// - Returns: false when enough are recorded.
    func takeFrame() -> Bool {
        guard let framesMax else { return true }
        let number = tickets.add()
        if number >= framesMax {
            stopped.update { if $0 == nil { $0 = .framesReached } }
        }
        return number <= framesMax
    }

    // MARK: Back-pressure

    /// To be taken before an append whose answer may be to pause.
    func pauseTicket() -> PauseTicket { PauseTicket(roomCalls: roomCalls.value) }

    /// To be called once the transport has stopped reading.
    ///
    /// - Parameters:
    ///   - ticket: taken before the append that asked for the pause.
    ///   - resume: lets the transport read again; called once, on any thread; must be quick.
    package func paused(_ ticket: PauseTicket, resume: @escaping @Sendable () -> Void) {
        // The log may have called for room between that append and now. It calls only after the
        // append has left the log's lock, so the ticket's number is from before its call.
        let isLate = paused.withLock { waiting -> Bool in
            if roomCalls.value != ticket.roomCalls { return true }
            waiting.append(resume)
            return false
        }
        if isLate { resume() }
    }

    private func resumeAll() {
        let waiting = paused.withLock { waiting in
            roomCalls.add()
            defer { waiting = [] }
            return waiting
        }
        for resume in waiting { resume() }
    }
}
