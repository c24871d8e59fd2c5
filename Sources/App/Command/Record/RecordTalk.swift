import Capture
import Observability
import Platform
import RecordModel
import SegmentLog

/// What a running `record` says on standard error: notices as they come, and how it is doing.
final class RecordTalk: Sendable {
    private struct Figures {
        var drawnAt: UInt64?
        var countedAt: UInt64
        var frames: UInt64 = 0
        var bytes: UInt64 = 0
        var isDrawn = false
        var durable: UInt64 = 0
        var durableMovedAt: UInt64
        var hasComplained = false
    }

    private let console: Console
    private let style: ProgressLine.Style
    private let clock: any Clock
    /// Bytes of the recording before this run.
    private let bytesBefore: UInt64
    private let figures: Monitor<Figures>

    init(console: Console, clock: any Clock, bytesBefore: UInt64) {
        self.console = console
        self.bytesBefore = bytesBefore
        self.clock = clock
        style = console.progressStyle
        let now = clock.monotonicNanoseconds()
        figures = Monitor(Figures(countedAt: now, durableMovedAt: now))
    }

    /// Says a line of its own.
    func say(_ text: String) {
        figures.withLock { figures in
            wipe(&figures)
            console.say(text)
        }
    }

    /// Says what the capture noticed.
    func tell(_ notice: CaptureNotice) {
        // Without a source the notice is about the recording.
        let source = notice.source.map { "\($0): " } ?? ""
        figures.withLock { figures in
            wipe(&figures)
            switch notice.severity {
            case .remark: console.say("tapedeck record: \(source)\(notice.text)")
            case .warning, .failure:
                console.complain("tapedeck record", "\(source)\(notice.text)")
            }
        }
    }

    /// Draws the state if it is time: on a terminal five times a second, else every ten seconds.
    func update(_ capture: CaptureLog, _ loop: CaptureLoop, stored: () -> UInt64) {
        let now = clock.monotonicNanoseconds()
        watchDisk(capture, now: now)
        let interval: UInt64 = style == .log ? 10_000_000_000 : 200_000_000
        let isDue = figures.withLock { now >= ($0.drawnAt ?? $0.countedAt) &+ interval }
        guard isDue else { return }
        let bytesOnDisk = stored()
        let marks = capture.log.watermarks
        let statuses = loop.statuses
        figures.withLock { figures in
            figures.drawnAt = now
            let text = line(capture, marks, statuses, bytesOnDisk, &figures, now: now)
            switch style {
            case .log: console.say(text)
            case .terminal(let columns):
                console.talk("\r\(text.prefix(max(1, columns - 1)))\u{1B}[K")
                figures.isDrawn = true
            }
        }
    }

    /// Wipes the line.
    func finish() { figures.withLock { wipe(&$0) } }

    private func wipe(_ figures: inout Figures) {
        if figures.isDrawn { console.talk("\r\u{1B}[K") }
        figures.isDrawn = false
    }

    private func line(
        _ capture: CaptureLog,
        _ marks: Watermarks,
        _ statuses: [CaptureLoop.SourceStatus],
        _ bytesOnDisk: UInt64,
        _ figures: inout Figures,
        now: UInt64
    ) -> String {
        let frames = capture.frames.value
        let bytes = capture.bytes.value
        let milliseconds = max(1, (now - figures.countedAt) / 1_000_000)
        let frameRate = (frames - figures.frames) * 1_000 / milliseconds
        let byteRate = (bytes - figures.bytes) * 1_000 / milliseconds
        if now - figures.countedAt >= 1_000_000_000 {
            figures.countedAt = now
            figures.frames = frames
            figures.bytes = bytes
        }
        let lag = marks.appended.value - min(marks.appended.value, marks.durable.value)
        let sources = statuses.map { "\($0.id) \(Self.word($0.state)) \($0.frames)" }
            .joined(separator: ", ")
        // What this run added; nothing is known before its first block is written.
        let added = bytesOnDisk - min(bytesOnDisk, bytesBefore)
        let ratio = added > 0 ? bytes.multipliedReportingOverflow(by: 10).partialValue / added : 0
        return "record: \(frames) frames, \(frameRate)/s, \(ByteCount.text(byteRate))/s, "
            + "\(ByteCount.text(added)) on disk, ratio \(ratio / 10).\(ratio % 10), "
            + "\(lag) not yet durable; \(sources)"
    }

    /// Says once that the disk takes nothing, and once that it does again.
    private func watchDisk(_ capture: CaptureLog, now: UInt64) {
        let marks = capture.log.watermarks
        let text = figures.withLock { figures -> String? in
            let isIdle = marks.written == marks.appended
            if marks.written.value != figures.durable || isIdle {
                figures.durable = marks.written.value
                figures.durableMovedAt = now
                defer { figures.hasComplained = false }
                return figures.hasComplained ? "the disk takes data again" : nil
            }
            guard now - figures.durableMovedAt > 3_000_000_000, !figures.hasComplained else {
                return nil
            }
            figures.hasComplained = true
            return "the disk takes no data (is it full?); reading has stopped, nothing is lost yet"
        }
        if let text { say("tapedeck record: \(text)") }
    }

    private static func word(_ state: SourceMachine.State) -> String {
        switch state {
        case .idle: "idle"
        case .connecting: "connecting"
        case .open: "open"
        case .streaming: "streaming"
        case .stopping: "stopping"
        case .backingOff(_, isRefused: true): "refused"
        case .backingOff: "waiting"
        case .ended(.done): "ended"
        case .ended(.failed): "failed"
        }
    }
}
