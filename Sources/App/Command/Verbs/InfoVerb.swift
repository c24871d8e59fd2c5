import Platform
import SegmentFormat
import SegmentLog

/// Recordings up to this size are read whole by `info`: a second or two.
private let wholeBytesMax: UInt64 = 1 << 30

/// `tapedeck info`
let infoVerb = Verb(
    name: "info",
    summary: "say what a recording holds",
    details: [
        "Tells the recording's identity, runs, sources with their streams and how they ended, gaps, "
            + "segments, sizes, times, slots and blocks. A recording above 1 GiB is not read whole "
            + "unless --deep is given: then only the newest segment is, what was in force before "
            + "it, and the indexes of the others. Damage met on the way is reported and exits 3; "
            + "only 'tapedeck verify' checks every byte."
    ],
    operands: [SharedFlags.recording],
    flags: [
        Flag(name: "deep", help: "Read every record, however large the recording is"),
        SharedFlags.format(["text", "json"]),
    ],
    examples: [
        .init(purpose: "sources, runs, size and times", line: "tapedeck info deck"),
        .init(
            purpose: "the same for a script, as one JSON object",
            line: "tapedeck info deck --format json"
        ),
    ],
    exitCodes: [.ok, .findings],
    run: runInfo
)

private func runInfo(_ arguments: ParsedArguments) throws -> ExitCode {
    let console = Console()
    let clock = SystemClock()
    let reader = try RecordingReader(path: arguments.operands[0], disk: LinuxFileSystem())
    // A sealed segment's size is in the manifest; what is active is at most one segment.
    let sealed = reader.segments.reduce(UInt64(0)) { $0 &+ ($1.sealed?.fileBytes ?? 0) }  // active
    var line = ProgressLine(
        label: "info",
        unit: "records",
        total: nil,
        style: console.progressStyle,
        now: clock.monotonicNanoseconds()
    )
    let survey = try RecordingSurvey(
        reader,
        isComplete: arguments.has("deep") || sealed <= wholeBytesMax
    ) { records in
        if let text = line.update(done: records, now: clock.monotonicNanoseconds()) {
            console.talk(text)
        }
    }
    if let text = line.finish() { console.talk(text) }
    let report = SurveyReport(reader, survey)
    for damage in report.damage { console.complain("tapedeck info", "damage: \(damage)") }
    try console.write(arguments.text("format") == "json" ? report.json : report.text)
    return report.damage.isEmpty ? .ok : .findings
}
