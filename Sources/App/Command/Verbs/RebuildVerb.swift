import Assembly
import CheckpointStore
import Folding
import Pipeline
import Platform
import Projection
import RecordModel

/// `tapedeck rebuild`
let rebuildVerb = Verb(
    name: "rebuild",
    summary: "make the state of a recording again, or bring it up to date",
    details: [
        "Goes on from the last checkpoint and stores checkpoints under derived/, where any SQL tool "
            + "reads them; --force begins at the first record. State made by other versions or "
            + "with other options is never mixed with it; what an older version made in the same "
            + "way is removed once this state has got as far. An interrupted run goes on where it "
            + "was.",
        "Copies of checkpoints, anchors, are left now and then: the last 8, and the first of each "
            + "hour of a day and of each day of the chain. 'state --at' and 'digest --at' begin "
            + "there, and so does a rebuild when something came that a final slot lacked. Where "
            + "segments were retired it begins at the base anchor that took their place; without "
            + "one of this version the state is partial.",
        "Prints how fast it was, what share of the time each stage took, and what each took in, "
            + "gave on, dropped and failed at.",
    ],
    operands: [SharedFlags.recording],
    flags: FoldFlags.all + [
        Flag(name: "force", help: "Forget stored state and begin at the first record"),
        Flag(name: "follow", help: "Go on with what a recorder adds, until interrupted"),
        Flag(
            name: "checkpoint-slots",
            value: ("N", .count(1...1_000_000)),
            fallback: "15000, with --follow 1000",
            help: "Final slots from one checkpoint to the next; never changes a result"
        ),
        Flag(
            name: "anchor-bytes",
            value: ("SIZE", .size),
            fallback: "8GiB",
            help: "Bytes that copies of old checkpoints may take under derived/; 0 makes none"
        ),
        Flag(name: "in-memory", help: "Store nothing: measure, or see the digest alone"),
    ],
    examples: [
        .init(purpose: "after a crash, or after recording", line: "tapedeck rebuild deck"),
        .init(
            purpose: "beside a recorder",
            line: "tapedeck rebuild deck --follow"
        ),
    ],
    exitCodes: [.ok, .failed, .findings],
    run: runRebuild
)

private func runRebuild(_ arguments: ParsedArguments) throws -> ExitCode {
    let console = Console()
    let path = arguments.operands[0]
    var options = try arguments.foldOptions()
    options.follows = arguments.has("follow")
    // The fallback in the flag's help: what is at hand is read again faster than it is stored.
    let slots = arguments.count("checkpoint-slots") ?? (options.follows ? 1_000 : 15_000)
    options.limits.bundlesPerCheckpoint = Int(clamping: slots)
    options.limits.rowsAheadMin = 32_768
    let isStored = !arguments.has("in-memory")
    if arguments.has("force"), isStored { try StoredState(path, options).remove() }
    var ladder = AnchorLadder()
    // The fallback in the flag's help.
    if let bytes = arguments.size("anchor-bytes") { ladder.bytesMax = bytes }
    let session = try FoldSession("rebuild", path, options, isStored ? .state(ladder) : .log)
    let report = try session.run()
    try session.requireKnownChain(report)
    let fold = session.fold
    if let text = session.start.text(report) { console.say(text) }
    if fold.isPartial {
        console.say(
            "partial: the log begins after segments were removed, and no base anchor of this "
                + "version stands for them"
        )
    }
    console.say(RebuildTalk(fold, report).text)
    if let head = fold.engine.head {
        try console.write(
            "slot \(head.position) chain \(fold.engine.chainDigest)\n"
                + "sequence \(report.last) position \(fold.positionDigest)\n"
        )
    } else {
        console.say("no slot was folded: the recording holds no whole slot yet")
    }
    report.tell("rebuild", console, resumption: arguments.commandLine(without: ["force"]))
    if report.ending == .stopped, options.follows { return .ok }
    return report.code
}

/// What a rebuild did, for people.
private struct RebuildTalk {
    private let fold: StateFold
    private let report: StateFold.Report

    init(_ fold: StateFold, _ report: StateFold.Report) {
        self.fold = fold
        self.report = report
    }

    var text: String {
        let counters = fold.engine.counters
        let seconds = TimeSpan.text(report.tookNanoseconds)
        var lines = [
            "folded \(report.records) records, \(ByteCount.text(report.payloadBytes)), "
                + "\(report.pipeline.transactions) transactions in \(seconds): "
                + "\(rate(report.pipeline.transactions)) tx/s, "
                + "\(ByteCount.text(rate(report.payloadBytes)))/s",
            "slots: \(counters.applied) folded, \(counters.undone) taken back, "
                + "\(counters.settled) final; checkpoints: \(counters.checkpoints), "
                + "\(counters.rowsWritten) rows",
            "time: reading \(share(report.readNanoseconds)), "
                + "decoding \(share(report.parseNanoseconds)) (on all threads), "
                + "folding \(share(report.foldNanoseconds)), "
                + "checkpoints \(share(report.checkpointNanoseconds))",
        ]
        let unproved = fold.assembly.unproved
        if unproved > 0 {
            lines.append("\(unproved) slots were folded without proof that they are whole")
        }
        lines.append(StageTable(fold).text)
        return lines.joined(separator: "\n")
    }

    /// Per second.
    private func rate(_ count: UInt64) -> UInt64 {
        let product = count.multipliedFullWidth(by: 1_000_000_000)
        let nanoseconds = max(report.tookNanoseconds, 1)
        guard product.high < nanoseconds else { return .max }
        return nanoseconds.dividingFullWidth(product).quotient
    }

    private func share(_ nanoseconds: UInt64) -> String {
        let all = max(report.tookNanoseconds, 1)
        let product = nanoseconds.multipliedFullWidth(by: 100)
        guard product.high < all else { return "-" }
        return "\(all.dividingFullWidth(product).quotient) %"
    }
}
