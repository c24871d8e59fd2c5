import Platform
import RecordModel
import SegmentLog

/// Prints the records of a range, in order, and goes on past damage after telling of it.
///
/// The outside is handed in: where lines go, where reports go, and what it means to wait.
struct RecordListing {
    let reader: RecordingReader
    let range: ResolvedRange
    let format: RecordPrinter.Format
    /// Wait for more at the end.
    var follows = false
    /// Nothing above the durable mark.
    var isDurableOnly = false
    /// Takes lines away.
    let write: ([UInt8]) throws -> Void
    /// Tells the person one thing.
    let report: (String) -> Void
    /// Whether to stop.
    var isAsked: () -> Bool = { false }
    /// Waits a moment for the writer; only called when following. It is told how often it was
    /// called since the last record.
    var pause: (_ times: Int) -> Void = { _ in }

    /// Bytes that are collected before they are written.
    private static let bufferBytes = 1 << 20

    /// Prints everything.
    ///
    /// - Returns: `ok`, or `findings` when damage was met.
    /// - Throws: `LogError`, or what `write` throws.
    func run() throws -> ExitCode {
        var printer = RecordPrinter(format, sources: StreamSources(reader))
        var code = ExitCode.ok
        if let damage = reader.manifestDamage {
            report("damage: \(damage)")
            code = .findings
        }
        let cursor = try RecordCursor(reader, from: range.first, follows: follows)
        var gate = DurableGate(reader: isDurableOnly ? reader : nil)
        var pauses = 0
        do {
            loop: while !isAsked(), !isPast(cursor.expected) {
                switch try cursor.next() {
                case .record:
                    let envelope = cursor.envelope
                    if isPast(envelope.sequence) { break loop }
                    guard try waitDurable(envelope.sequence, &gate, &printer) else { break loop }
                    try printer.add(envelope, payload: cursor.payloadBytes)
                    pauses = 0
                case .hole(let hole): printer.add(hole)
                case .damage(let damage):
                    if damage.isLoss, isPast(damage.missingFrom) { break loop }
                    report("damage: \(damage)")
                    if format != .text { printer.add(damage) }
                    code = .findings
                case .end:
                    if !follows { break loop }
                    try flush(&printer)
                    pause(pauses)
                    pauses += 1
                }
                if printer.output.count >= Self.bufferBytes { try flush(&printer) }
            }
        } catch let error as LogError {
            // What was read before the failure is right and is not held back.
            try flush(&printer)
            throw error
        }
        try flush(&printer)
        if cursor.tornBytes > 0, !follows {
            report(
                "\(cursor.tornBytes) bytes behind the last whole block: the tail that a crash "
                    + "tore, or a writer at work"
            )
        }
        return code
    }

    /// Whether a sequence lies behind an end that was named. Without one everything is printed up
    /// to the end of the segments, because damage may hide how far they reach.
    private func isPast(_ sequence: Sequence) -> Bool { !range.isOpen && range.isPast(sequence) }

    private func flush(_ printer: inout RecordPrinter) throws {
        guard !printer.output.isEmpty else { return }
        try write(printer.output)
        printer.removeWritten()
    }

    /// Holds a record back until it is durable.
    ///
    /// - Returns: whether it is; false to stop.
    private func waitDurable(
        _ sequence: Sequence,
        _ gate: inout DurableGate,
        _ printer: inout RecordPrinter
    ) throws -> Bool {
        if try gate.admits(sequence, again: false) { return true }
        guard follows else { return false }
        try flush(&printer)
        var pauses = 0
        while !isAsked() {
            if try gate.admits(sequence, again: true) { return true }
            pause(pauses)
            pauses += 1
        }
        return false
    }
}

/// What is known to be durable, as far as it was looked up.
private struct DurableGate {
    private let path: String?
    private let disk = LinuxFileSystem()
    private var mark: Sequence?

    /// - Parameter reader: the recording; nil lets everything pass.
    init(reader: RecordingReader?) { path = reader?.layout.path }

    /// Whether a record is durable; `again` looks at the files anew.
    mutating func admits(_ sequence: Sequence, again: Bool) throws(LogError) -> Bool {
        guard let path else { return true }
        if let mark, !again || sequence <= mark { return sequence <= mark }
        // A reader of its own: the cursor's picture of the segments must not change under it.
        let fresh = try RecordingReader(path: path, disk: disk).durableMark()
        mark = fresh
        return sequence <= fresh
    }
}
