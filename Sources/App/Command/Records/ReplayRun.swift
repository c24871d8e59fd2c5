import Platform
import RecordModel
import Replay
import SegmentFormat
import SegmentLog

/// Plays a range of a recording for a person or a program at the other end of standard output.
struct ReplayRun {
    let reader: RecordingReader
    /// Whose range is played.
    let stage: ReplayStage
    /// How records are printed; nil prints none.
    var format: RecordPrinter.Format?
    /// Folds what is played and says what it notices; nil for none.
    var monitor: ReplayMonitor?
    var skipsDamage = false
    let clock: any Clock
    /// Takes lines away.
    let write: ([UInt8]) throws -> Void
    /// Tells the person one thing.
    let report: (String) -> Void
    /// Told the number of records now and then.
    var progress: (UInt64) -> Void = { _ in }

    /// How a replay ended.
    enum Ending: Equatable {
        case end
        case stopped
        /// Before a damaged place.
        case damage
    }

    /// What a replay did.
    struct Summary: Equatable {
        var frames: UInt64 = 0
        var events: UInt64 = 0
        var bytes: UInt64 = 0
        var holes: UInt64 = 0
        var damage: UInt64 = 0
        /// The last record that was delivered.
        var last = Sequence.none
        var jitter = JitterHistogram()
        /// How long it took, in nanoseconds of the clock.
        var took: UInt64 = 0
        var ending = Ending.end

        var records: UInt64 { frames + events }
        var code: ExitCode {
            if ending == .stopped { return .failed }
            return damage > 0 ? .findings : .ok
        }
    }

    /// Bytes that are collected when nothing is waited for.
    private static let bufferBytes = 1 << 20

    /// Plays until the end, a stop, or damage that may not be skipped.
    ///
    /// - Returns: what was done.
    /// - Throws: `LogError`, or what `write` throws.
    func run() throws -> Summary {
        var summary = Summary()
        let began = clock.monotonicNanoseconds()
        if let damage = reader.manifestDamage, !tell("\(damage)", &summary) { return summary }
        let player = try ReplayPlayer(reader, on: stage)
        var printer = format.map { RecordPrinter($0, sources: StreamSources(reader)) }
        stage.start()
        loop: while true {
            switch try player.next() {
            case .record(let due):
                try deliver(player.cursor, due, &printer, &summary)
            case .hole(let hole):
                summary.holes += 1
                printer?.add(hole)
                try monitor?.takeMissing(through: hole.last, isDamage: false)
            case .damage(let damage):
                guard tell("\(damage)", &summary) else { break loop }
                if format != .text { printer?.add(damage) }
                if damage.isLoss {
                    let last = player.cursor.expected.previous
                    try monitor?.takeMissing(through: last, isDamage: true)
                }
            case .end: break loop
            case .stopped:
                summary.ending = .stopped
                break loop
            }
        }
        try flush(&printer)
        summary.took = clock.monotonicNanoseconds() - began
        return summary
    }

    /// Counts and reports damage.
    ///
    /// - Returns: whether to go on.
    private func tell(_ damage: String, _ summary: inout Summary) -> Bool {
        summary.damage += 1
        if skipsDamage {
            report("skipped damage: \(damage)")
            return true
        }
        report("stopped before damage: \(damage); --skip-damage steps over it")
        summary.ending = .damage
        return false
    }

    private func deliver(
        _ cursor: RecordCursor,
        _ due: UInt64?,
        _ printer: inout RecordPrinter?,
        _ summary: inout Summary
    ) throws {
        let envelope = cursor.envelope
        if printer != nil {
            try printer?.add(envelope, payload: cursor.payloadBytes)
            // A paced record must not wait for the next one.
            let isFull = printer.map { $0.output.count >= Self.bufferBytes } ?? false
            if due != nil || isFull { try flush(&printer) }
        }
        if let monitor {
            try monitor.take(envelope, cursor.unsafePayload)
            let text = monitor.takeText()
            if !text.isEmpty { try write(Array(text.utf8)) }
        }
        if let due { summary.jitter.add(due: due, delivered: clock.monotonicNanoseconds()) }
        if envelope.kind.isDataFrame { summary.frames += 1 } else { summary.events += 1 }
        summary.bytes += UInt64(cursor.unsafePayload.count)
        summary.last = envelope.sequence
        if due != nil || summary.records % 4096 == 0 { progress(summary.records) }
    }

    private func flush(_ printer: inout RecordPrinter?) throws {
        guard let output = printer?.output, !output.isEmpty else { return }
        try write(output)
        printer?.removeWritten()
    }
}
