import LogCare
import Platform
import SegmentLog

/// `tapedeck gaps`
let gapsVerb = Verb(
    name: "gaps",
    summary: "list what is missing in a recording, or give gaps up",
    details: [
        "A gap is what the recorder says may be missing of a source: open, bounded (its upper end "
            + "is known), filled (fetched and proved) or abandoned. from and to are the last "
            + "record below and the first one above it, with their slots or blocks and times. "
            + "Holes are sequences that the recording says are missing, damage is what cannot be "
            + "read.",
        "Exit code 3 means that something is missing: an open or bounded gap, a hole, or damage. "
            + "No other verb exits 3 for gaps.",
        "State waits before what an open gap may lack. --abandon gives gaps up in a recording "
            + "that nobody writes: a run that says so is added to it, 'rebuild' and 'state' go on "
            + "behind them, and what they touch is listed as incomplete. It cannot be undone. A "
            + "gap that is not open is refused with exit code 1.",
    ],
    operands: [SharedFlags.recording],
    flags: [
        Flag(name: "open", help: "Leave out gaps that were filled or abandoned"),
        Flag(
            name: "abandon",
            value: ("ID|all", .text),
            isRepeatable: true,
            help: "Give up a gap by its number in this list, or all that are open"
        ),
        Flag(name: "reason", value: ("TEXT", .text), help: "Why; recorded with --abandon"),
        SharedFlags.format(["text", "json", "ndjson", "csv"]),
    ],
    examples: [
        .init(purpose: "what is missing after a night", line: "tapedeck gaps deck --open"),
        .init(
            purpose: "nobody can fill it any more",
            line: "tapedeck gaps deck --abandon 4711 --reason 'the provider keeps one hour'"
        ),
        .init(purpose: "for a spreadsheet", line: "tapedeck gaps deck --format csv"),
    ],
    exitCodes: [.ok, .findings],
    run: { arguments in
        let console = Console()
        let path = arguments.operands[0]
        let abandonment = try GapAbandonment(arguments, path: path)
        let reader = try RecordingReader(path: path, disk: LinuxFileSystem())
        let watch = try ReadingProgress("gaps", reader, console)
        var history: GapHistory
        do throws(CareError) { history = try GapHistory(reader) { watch.update($0) } } catch {
            throw error.failure
        }
        watch.finish()
        try abandonment?.run(&history, console)
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
        // What was asked for is done, whatever else is missing.
        return history.hasFindings && abandonment == nil ? .findings : .ok
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
