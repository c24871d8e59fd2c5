import Platform
import RecordModel
import Replay
import SegmentLog

/// `tapedeck replay`
let replayVerb = Verb(
    name: "replay",
    summary: "play a recording at its own speed or another",
    details: [
        "Records are due as they came: by the monotonic clock inside a run, by the wall clock from "
            + "one run to the next. Waits of more than a second are cut to one unless --keep-idle "
            + "is given. What is delivered never depends on the speed.",
        "Without --format only a summary is printed, on standard error: counts, and how late the "
            + "records were. With --format the records go to standard output as they become due, "
            + "as 'tapedeck cat' prints them.",
        "With --projector the monitors run beside the play, and what they notice goes to standard "
            + "output as it happens: phases, detections, pools that drain. --format ndjson makes it "
            + "one JSON object a line. The summary then ends with the position digest, which is that "
            + "of 'tapedeck digest' with the same monitors when all was played.",
        "It stops before damage and exits 3; --skip-damage steps over it, which still exits 3. "
            + "When interrupted it prints the command that goes on from there and exits 1.",
    ],
    operands: [SharedFlags.recording],
    flags: [
        SharedFlags.rate,
        SharedFlags.from,
        SharedFlags.to,
        Flag(
            name: "keep-idle",
            help: "Keep waits of more than a second between records, instead of cutting them"
        ),
        SharedFlags.skipDamage,
        FoldFlags.projector,
        FoldFlags.commitment,
        Flag(
            name: "format",
            value: ("FORMAT", .choice(["text", "ndjson", "csv"])),
            fallback: "no records, only the summary",
            help: "How to print the records"
        ),
    ],
    examples: [
        .init(purpose: "as fast as it can be read", line: "tapedeck replay deck --rate max"),
        .init(
            purpose: "a thousand records at the recorded speed",
            line: "tapedeck replay deck --from seq:5000 --to seq:+1000"
        ),
        .init(
            purpose: "what happened in the market, ten times as fast",
            line: "tapedeck replay deck --rate 10 --projector lifecycle --projector trading"
        ),
        .init(
            purpose: "watch ten minutes in one",
            line: "tapedeck replay deck --rate 10 --to time:+10m --format text"
        ),
    ],
    exitCodes: [.ok, .failed, .findings, .rangeNotAvailable],
    run: runReplay
)

private func runReplay(_ arguments: ParsedArguments) throws -> ExitCode {
    let console = Console()
    let interrupt = try Interrupt()
    let clock = SystemClock()
    let path = arguments.operands[0]
    let reader = try RecordingReader(path: path, disk: LinuxFileSystem())
    let range = try arguments.range().resolved(in: reader)
    if !arguments.has("projector"), arguments.has("commitment") {
        throw VerbFailure(code: .usage, message: "--commitment needs --projector")
    }
    if arguments.has("projector"), arguments.text("format") == "csv" {
        throw VerbFailure(code: .usage, message: "--projector prints text or ndjson, no csv")
    }
    guard let rate = ReplayRate(arguments.text("rate") ?? "1") else {
        preconditionFailure("the parser accepted a speed that is none")
    }
    // Without an end it is the end of the recording, below the highest number there is.
    let last = range.last ?? Sequence(.max).previous
    var options = ReplayStageOptions(first: range.first, last: last)
    options.rate = rate
    options.keepsIdle = arguments.has("keep-idle")
    let stage = ReplayStage(clock: clock, options: options)
    interrupt.onAsked { stage.stop() }
    var line = ProgressLine(
        label: "replay",
        unit: "records",
        total: range.count,
        style: console.progressStyle,
        now: clock.monotonicNanoseconds()
    )
    var run = ReplayRun(
        reader: reader,
        stage: stage,
        clock: clock,
        write: { try writeOutput($0) },
        report: { console.complain("tapedeck replay", $0) }
    )
    if arguments.has("projector") {
        run.monitor = try ReplayMonitor(
            reader,
            try arguments.foldOptions(),
            isJSON: arguments.text("format") == "ndjson",
            clock: clock
        )
    } else {
        run.format = arguments.text("format").flatMap(RecordPrinter.Format.init)
    }
    run.skipsDamage = arguments.has("skip-damage")
    // Lines of records on the same terminal would tear the progress line.
    if run.format == nil && run.monitor == nil || !Terminal.isTerminal(.output) {
        run.progress = { records in
            if let text = line.update(done: records, now: clock.monotonicNanoseconds()) {
                console.talk(text)
            }
        }
    }
    let summary = try run.run()
    if let text = line.finish() { console.talk(text) }
    console.talk(summary.text(range: range, rate: arguments.text("rate") ?? "1"))
    if let monitor = run.monitor { console.say(monitor.digestLine) }
    if summary.ending == .stopped {
        console.say("interrupted; go on with: \(resumption(arguments, range, summary))")
    }
    return summary.code
}

/// The command that plays what was not played.
private func resumption(
    _ arguments: ParsedArguments,
    _ range: ResolvedRange,
    _ summary: ReplayRun.Summary
) -> String {
    let next = summary.last > .none ? summary.last.next : range.first
    var words = ["tapedeck", "replay", shellWord(arguments.operands[0]), "--from", "seq:\(next)"]
    // A relative end would be counted from the new start.
    if arguments.has("to") || range.last != nil && arguments.text("from")?.contains("..") == true,
        let last = range.last
    {
        words += ["--to", "seq:\(last)"]
    }
    words += arguments.flagWords(without: ["from", "to"])
    return words.joined(separator: " ")
}

extension ReplayRun.Summary {
    /// The summary for people.
    func text(range: ResolvedRange, rate: String) -> String {
        var lines: [String] = []
        if records > 0 {
            lines.append(
                "replayed sequences \(range.first) to \(last): \(frames) frames, \(events) events, "
                    + "\(ByteCount.text(bytes)), in \(TimeSpan.text(took)) at rate \(rate)"
            )
        } else {
            lines.append("replayed nothing")
        }
        if jitter.count > 0 {
            let p50 = Self.microseconds(jitter.percentile(perThousand: 500))
            let p99 = Self.microseconds(jitter.percentile(perThousand: 990))
            lines.append(
                "jitter: p50 \(p50), p99 \(p99), max \(Self.microseconds(jitter.max)), "
                    + "n \(jitter.count)"
            )
        }
        if holes > 0 || damage > 0 { lines.append("holes: \(holes), damaged places: \(damage)") }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func microseconds(_ nanoseconds: UInt64) -> String {
        "\(nanoseconds / 1_000).\(nanoseconds % 1_000 / 100) us"
    }
}
