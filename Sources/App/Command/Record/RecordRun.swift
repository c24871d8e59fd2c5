import Capture
import EthereumSource
import Foundation
import GeyserSource
import Observability
import Platform
import SegmentLog
import WebSocketTransport

/// One run of `record`: opens the recording, lets the sources work, watches, and ends in order.
struct RecordRun {
    let plan: RecordPlan
    let path: String
    let replaces: Bool
    let printsAcks: Bool

    private static let second: UInt64 = 1_000_000_000
    /// How long the streams may take to end after they were asked to.
    private static let endNanosecondsMax = 10 * second

    private let clock = SystemClock()
    private let disk = LinuxFileSystem()
    private let console = Console()

    init(plan: RecordPlan, path: String, replaces: Bool, printsAcks: Bool) {
        self.plan = plan
        self.path = path
        self.replaces = replaces
        self.printsAcks = printsAcks
    }

    /// Records until a limit, a signal, or the end of all sources.
    ///
    /// - Parameter signals: made before the first thread.
    /// - Returns: `ok`; a source that never streamed is a failure.
    /// - Throws: `VerbFailure` or what stopped the log.
    func run(signals: Signals) throws -> ExitCode {
        let redactor = Redactor(plan.secrets)
        if replaces { try RecordingRemoval(path: path, disk: disk).run() }
        let bytesBefore = storedBytes()
        let talk = RecordTalk(console: console, clock: clock, bytesBefore: bytesBefore)
        let retention = RetentionTalk { talk.say("tapedeck record: \($0)") }
        let stateWatch: StateWatch? =
            plan.log.retention == nil
            ? nil : try StateWatch(path) { talk.say("tapedeck record: \($0)") }
        let log = try open(retention, stateWatch)
        report(log.recovery, log.writerEpoch)
        let capture = CaptureLog(
            log: log,
            redactor: redactor,
            clock: clock,
            framesMax: plan.framesMax,
            observer: { talk.tell($0) }
        )
        let acks = printsAcks ? try AckPrinter(log: log, clock: clock) : nil
        let sockets = try EventLoop()
        let loop = CaptureLoop(
            sources: sources(sockets),
            capture: capture,
            positions: RecordedPositions(),
            gapPolicy: plan.gapPolicy
        )
        let startedAt = clock.monotonicNanoseconds()
        var seed = SystemRandom()
        try loop.start(seed: seed.next())
        let stored = { storedBytes() &+ retention.retiredBytes }
        let cause = watch(signals, capture, loop, acks, talk, stored, startedAt: startedAt)
        let hurry = Monitor(cause.hasPrefix("signal"))
        try endOnSignal(signals, hurry, talk)
        loop.stop()
        let deadline = clock.monotonicNanoseconds() + Self.endNanosecondsMax
        let isEnded = loop.waitEnded(deadline: deadline)
        if !isEnded {
            talk.say("tapedeck record: some streams did not end in time; they are cut off")
        }
        sockets.stop()
        waitForDisk(capture, loop, hurry, talk, stored)
        var failure: String?
        do { try log.close(cause: cause) } catch { failure = redactor.text("\(error)") }
        if isEnded { loop.join() }
        acks?.finish(log.watermarks.durable)
        talk.finish()
        let elapsed = clock.monotonicNanoseconds() - startedAt
        summarise(capture, loop, elapsed: elapsed, stored: stored(), before: bytesBefore)
        if failure != nil || capture.log.failure != nil {
            console.say(
                "not all of it could be written: records behind \(log.watermarks.durable) were not "
                    + "acknowledged, and what of them is missing stands as a hole; see "
                    + "'tapedeck gaps \(path)'"
            )
        }
        if case .logFailed(let text)? = capture.stop, failure ?? text == text {
            // Said when it happened; closing fails for the same reason.
            return .failed
        }
        if let failure { throw VerbFailure(code: .failed, message: failure) }
        let silent = loop.statuses.filter { !$0.wasAccepted }.map(\.id)
        guard silent.isEmpty else {
            throw VerbFailure(
                code: .failed,
                message: "never streamed: \(silent.joined(separator: ", "))"
            )
        }
        return .ok
    }

    private func open(
        _ retention: RetentionTalk,
        _ watch: StateWatch?
    ) throws(LogError) -> LogWriter {
        var options = plan.log
        options.toolVersion = toolVersion
        options.positionReader = RecordedPositions()
        options.retainedState = watch
        options.onRetention = {
            retention.tell($0)
            watch?.take($0)
        }
        return try LogWriter(
            path: path,
            disk: disk,
            clock: clock,
            random: SystemRandom(),
            options: options
        )
    }

    private func sources(_ sockets: EventLoop) -> [any FrameSource] {
        plan.sources.map { source -> any FrameSource in
            switch source {
            case .geyser(let options): GeyserSubscription(options, clock: clock)
            case .ethereum(let options): EthereumSubscription(options, loop: sockets)
            }
        }
    }

    private func report(_ recovery: RecoveryReport, _ writerEpoch: UInt64) {
        if recovery.isNew { return }
        console.say(
            "\(path): going on behind record \(recovery.lastSequenceKept), writer epoch "
                + "\(writerEpoch)"
        )
        if !recovery.previousRunEnded {
            console.say("\(path): the run before did not end in order")
        }
        for cut in recovery.cuts {
            console.say(
                "\(path): segment \(cut.ordinal) had \(cut.bytes) torn bytes at its end; they are "
                    + "kept in \(cut.keptAside)"
            )
        }
        for text in recovery.damage { console.say("\(path): \(text)") }
    }

    /// Watches until something ends the recording.
    ///
    /// - Returns: what, in a word or two, for the run's last record.
    private func watch(
        _ signals: Signals,
        _ capture: CaptureLog,
        _ loop: CaptureLoop,
        _ acks: AckPrinter?,
        _ talk: RecordTalk,
        _ stored: () -> UInt64,
        startedAt: UInt64
    ) -> String {
        // A limit beyond the clock's end is none.
        let end = plan.nanosecondsMax.map { startedAt.addingReportingOverflow($0) }
            .map { $0.overflow ? UInt64.max : $0.partialValue }
        while true {
            let now = clock.monotonicNanoseconds()
            let left = end.map { $0 > now ? $0 - now : 0 }
            let pause = min(left ?? 100_000_000, 100_000_000)
            if let signal = signals.wait(timeoutNanoseconds: pause) { return "signal \(signal)" }
            switch capture.stop {
            case .framesReached: return "frames reached"
            case .logFailed: return "log failed"
            case nil: break
            }
            if loop.waitEnded(deadline: 0) { return "sources ended" }
            if acks?.isOver == true { return "acknowledgements not read" }
            if left == 0 { return "time reached" }
            talk.update(capture, loop, stored: stored)
        }
    }

    /// A signal while the recording ends says not to wait for a full disk; another one ends the
    /// process at once, and recovery then does what is left to do.
    private func endOnSignal(
        _ signals: Signals,
        _ hurry: Monitor<Bool>,
        _ talk: RecordTalk
    ) throws {
        _ = try Platform.Thread(name: "signals") {
            while signals.wait(timeoutNanoseconds: nil) != nil {
                let isFirst = hurry.withLock { isHurried in
                    defer { isHurried = true }
                    return !isHurried
                }
                if isFirst { continue }
                talk.say("tapedeck record: ended at once; the next start repairs the recording")
                _exit(ExitCode.failed.rawValue)
            }
        }
    }

    /// Waits until all that was received is written: closing gives up at once on a full disk, and
    /// nobody asked to end in a hurry, unless by a signal.
    private func waitForDisk(
        _ capture: CaptureLog,
        _ loop: CaptureLoop,
        _ hurry: Monitor<Bool>,
        _ talk: RecordTalk,
        _ stored: () -> UInt64
    ) {
        while capture.log.failure == nil, !hurry.withLock({ $0 }) {
            let marks = capture.log.watermarks
            if marks.written == marks.appended { return }
            talk.update(capture, loop, stored: stored)
            Platform.Thread.sleep(nanoseconds: 5_000_000)
        }
    }

    private func summarise(
        _ capture: CaptureLog,
        _ loop: CaptureLoop,
        elapsed: UInt64,
        stored: UInt64,
        before: UInt64
    ) {
        let frames = capture.frames.value
        let bytes = capture.bytes.value
        let grown = stored > before ? stored - before : 0
        let ratio = grown > 0 ? bytes * 10 / grown : 0
        let gaps = capture.gaps.value
        let (abandoned, open) = (capture.gapsAbandoned.value, loop.openGaps)
        console.say(
            "recorded \(frames) frames, \(ByteCount.text(bytes)), in \(TimeSpan.text(elapsed)) "
                + "into \(path); \(ByteCount.text(grown)) on disk, ratio \(ratio / 10).\(ratio % 10); "
                + (gaps == 0 ? "no gap" : gaps == 1 ? "1 gap" : "\(gaps) gaps")
                + (abandoned == 0 ? "" : ", \(abandoned) given up")
        )
        if open > 0 {
            console.say(
                "\(open == 1 ? "1 gap is" : "\(open) gaps are") open: see "
                    + "'tapedeck gaps \(path) --open'"
            )
        }
        console.say("next: tapedeck info \(path)")
    }

    /// Bytes of all segments.
    private func storedBytes() -> UInt64 {
        let layout = RecordingLayout(path)
        var total: UInt64 = 0
        do {
            for name in try disk.list(layout.segments) where name.hasSuffix(".seg") {
                let path = layout.segments + "/" + name
                // What is no file is not opened: a pipe would wait for ever.
                guard try disk.kind(of: path) == .file else { continue }
                let file = try disk.open(path, .readOnly)
                total += try file.size()
                try file.close()
            }
        } catch {
            // Only figures for people; a segment that goes away meanwhile is not counted.
        }
        return total
    }
}
