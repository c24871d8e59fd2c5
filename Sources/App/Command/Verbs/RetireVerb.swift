import Platform
import SegmentLog

/// `tapedeck retire`
let retireVerb = Verb(
    name: "retire",
    summary: "remove the oldest segments of a recording",
    details: [
        "Whole sealed segments go, the oldest first and as few as the limits ask for. The newest "
            + "segment never goes. What a pin ('tapedeck pin') or the oldest checkpoint of stored "
            + "state needs and what recovery found damaged stays unless --force is given. Sequences "
            + "are never renumbered: what went is answered by 'range not available'.",
        "Where state is stored, a base anchor takes the place of what goes: a copy of the newest "
            + "checkpoint, in anchors/, named in recording.json before the first segment is "
            + "removed. A rebuild begins there. Without stored state nothing stands for what went, "
            + "and a rebuild is partial; 'tapedeck rebuild' first helps.",
        "The recording must not be written meanwhile; a running 'tapedeck record' does the same "
            + "with the same flags. A limit that cannot be met is said, and exits 3.",
    ],
    operands: [SharedFlags.recording],
    flags: SharedFlags.retention + [
        Flag(name: "force", help: "Pass over pins, checkpoints and quarantined segments"),
        Flag(name: "dry-run", help: "Only say what would go and what would stay, and why"),
        SharedFlags.format(["text", "json"]),
    ],
    oneOf: [["keep-bytes", "keep-age", "min-free"]],
    examples: [
        .init(
            purpose: "what would go if a month were kept",
            line: "tapedeck retire deck --keep-age 30d --dry-run"
        ),
        .init(
            purpose: "at most 200 GiB, and 50 GiB of free disk",
            line: "tapedeck retire deck --keep-bytes 200GiB --min-free 50GiB"
        ),
    ],
    exitCodes: [.ok, .findings],
    run: runRetire
)

private func runRetire(_ arguments: ParsedArguments) throws -> ExitCode {
    let console = Console()
    let path = arguments.operands[0]
    var policy = RetentionPolicy(arguments)
    policy.isForced = arguments.has("force")
    let retirement = SegmentRetirement(
        path: path,
        disk: LinuxFileSystem(),
        policy: policy,
        state: StateRetention(path, isForced: policy.isForced) {
            console.complain("tapedeck retire", $0)
        }
    )
    let now = SystemClock().wallNanoseconds()
    let isDryRun = arguments.has("dry-run")
    let report = isDryRun ? try retirement.preview(now: now) : try retirement.retire(now: now)
    let isJSON = arguments.text("format") == "json"
    try console.write(isJSON ? report.json(path: path, isDryRun: isDryRun) : report.table)
    for line in report.complaints { console.complain("tapedeck retire", line) }
    let summary = report.summary ?? "nothing to retire"
    console.say("\(path): \(isDryRun ? "would have " : "")\(summary)")
    if let text = report.standIn(isDryRun: isDryRun) { console.say("\(path): \(text)") }
    return report.complaints.isEmpty ? .ok : .findings
}
