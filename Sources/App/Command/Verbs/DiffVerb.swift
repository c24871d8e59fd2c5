import Platform
import SegmentLog

/// `tapedeck diff`
let diffVerb = Verb(
    name: "diff",
    summary: "compare the frames of two recordings",
    details: [
        "Streams are paired by source, transport and order of their first frames; then the frames "
            + "of a pair are compared one after the other: kind, wire byte, flags and payload. "
            + "The recorder's own events and the interleaving of streams do not count. Where two "
            + "frames part, the place is shown in decoded form (updates, requests, JSON text) and "
            + "as bytes, with the sequences on both sides. After a frame that one side lacks, all "
            + "later ones of that pair differ: the first tells.",
        "Damage on either side is reported; when all else is the same the exit code is 3.",
    ],
    operands: [
        Operand(placeholder: "A", kind: .recording, help: "The directory of a recording"),
        Operand(placeholder: "B", kind: .recording, help: "The directory of the other"),
    ],
    flags: [
        Flag(name: "times", help: "Times and mask keys must be the same, too"),
        Flag(
            name: "limit",
            value: ("N", .count(1...10_000)),
            fallback: "10",
            help: "Stop after this many differences"
        ),
        SharedFlags.format(["text", "json"]),
    ],
    examples: [
        .init(
            purpose: "whether recording a served recording gave the same frames",
            line: "tapedeck diff deck again"
        ),
        .init(
            purpose: "whether an export and import kept everything",
            line: "tapedeck diff --times deck back"
        ),
    ],
    exitCodes: [.ok, .findings, .divergence],
    run: runDiff
)

private func runDiff(_ arguments: ParsedArguments) throws -> ExitCode {
    let console = Console()
    let clock = SystemClock()
    let interrupt = try Interrupt()
    let paths = arguments.operands
    let readers = try paths.map { try RecordingReader(path: $0, disk: LinuxFileSystem()) }
    var line = ProgressLine(
        label: "diff",
        unit: "frames",
        total: nil,
        style: console.progressStyle,
        now: clock.monotonicNanoseconds()
    )
    var diff = RecordingDiff(readers[0], readers[1])
    diff.comparesTimes = arguments.has("times")
    diff.limit = Int(arguments.count("limit") ?? 10)
    diff.isAsked = { interrupt.isAsked }
    diff.progress = { frames in
        if let text = line.update(done: frames, now: clock.monotonicNanoseconds()) {
            console.talk(text)
        }
    }
    let result = try diff.run()
    if let text = line.finish() { console.talk(text) }
    let report = DiffReport(left: paths[0], right: paths[1], result: result)
    for damage in result.damage { console.complain("tapedeck diff", "damage: \(damage)") }
    for reader in readers {
        if let damage = reader.manifestDamage {
            console.complain("tapedeck diff", "damage: \(damage)")
        }
    }
    try console.write(arguments.text("format") == "json" ? report.json : report.text)
    if !report.isSame { return .divergence }
    let isWhole = result.damage.isEmpty && readers.allSatisfy { $0.manifestDamage == nil }
    return isWhole ? .ok : .findings
}
