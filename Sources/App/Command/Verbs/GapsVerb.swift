import LogCare
import Platform
import SegmentLog

/// `tapedeck gaps`
let gapsVerb = Verb(
    name: "gaps",
    summary: "list everything that is missing in a recording",
    details: [
        "A gap is what the recorder says may be missing of a source: open, bounded (its upper end "
            + "is known), filled (fetched and proved) or abandoned. from and to are the last "
            + "record below and the first one above it, with their slots or blocks and times. "
            + "Holes are sequences that the recording says are missing, damage is what cannot be "
            + "read.",
        "Exit code 3 means that something is missing: an open or bounded gap, a hole, or damage. "
            + "No other verb exits 3 for gaps.",
    ],
    operands: [SharedFlags.recording],
    flags: [
        Flag(name: "open", help: "Leave out gaps that were filled or abandoned"),
        SharedFlags.format(["text", "json", "ndjson", "csv"]),
    ],
    examples: [
        .init(purpose: "what is missing after a night", line: "tapedeck gaps deck --open"),
        .init(purpose: "for a spreadsheet", line: "tapedeck gaps deck --format csv"),
    ],
    exitCodes: [.ok, .findings],
    run: { arguments in
        let console = Console()
        let path = arguments.operands[0]
        let reader = try RecordingReader(path: path, disk: LinuxFileSystem())
        let watch = try ReadingProgress("gaps", reader, console)
        let history: GapHistory
        do throws(CareError) { history = try GapHistory(reader) { watch.update($0) } } catch {
            throw error.failure
        }
        watch.finish()
        let report = GapReport(
            path: path,
            history: history,
            isOpenOnly: arguments.has("open")
        )
        let text =
            switch arguments.text("format") {
            case "json": report.json
            case "ndjson": report.ndjson
            case "csv": report.csv
            default: report.text
            }
        try console.write(text)
        return history.hasFindings ? .findings : .ok
    }
)

/// Progress of a verb that reads a recording once.
final class ReadingProgress {
    private var line: ProgressLine
    private let console: Console
    private let clock = SystemClock()

    init(_ verb: String, _ reader: RecordingReader, _ console: Console) throws(LogError) {
        self.console = console
        line = ProgressLine(
            label: verb,
            unit: "bytes",
            total: try reader.segmentBytes(),
            style: console.progressStyle,
            now: clock.monotonicNanoseconds()
        )
    }

    /// So many bytes are done.
    func update(_ done: UInt64) {
        if let text = line.update(done: done, now: clock.monotonicNanoseconds()) {
            console.talk(text)
        }
    }

    /// All is done.
    func finish() { if let text = line.finish() { console.talk(text) } }
}
