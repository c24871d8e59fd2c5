import Platform
import SegmentLog

/// `tapedeck import`
let importVerb = Verb(
    name: "import",
    summary: "make a recording from frames of another tool, or from an export",
    details: [
        "solana-le and solana-be are SubscribeUpdates, each behind its length in 32 bits; one file "
            + "becomes one gRPC stream. ws-jsonl has one JSON object a line, either {conn, seq, t, "
            + "dir, opcode, payload} with t in milliseconds, one stream for each conn, or {t_wall, "
            + "raw} with t_wall in seconds. Such captures hold whole messages, so each becomes one "
            + "frame with FIN set. Files may be compressed by gzip.",
        "mcap is a file of 'tapedeck export --format mcap': the same records come back, with their "
            + "sequences, times and flags. Its chunks may be LZ4 frames or not compressed. Other "
            + "MCAP files are refused.",
        "Times are those of the data (created_at, t, t_wall). Updates without one get times a "
            + "millisecond apart and are flagged time_synthetic.",
        "All files are checked before anything is written. REC appears when it is complete; after "
            + "an error or an interrupt nothing of it is left.",
    ],
    operands: [
        Operand(placeholder: "FILE", kind: .file, number: .some, help: "The files, in order")
    ],
    flags: [
        SharedFlags.output,
        Flag(
            name: "format",
            value: ("FORMAT", .choice(["auto", "solana-le", "solana-be", "ws-jsonl", "mcap"])),
            fallback: "auto",
            help: "How the frames are written"
        ),
        Flag(
            name: "chain",
            value: ("NAME", .text),
            fallback: "what the requests in the data tell",
            help: "The chain to record for every stream, such as solana or evm:137"
        ),
        SharedFlags.force,
    ],
    examples: [
        .init(
            purpose: "length-prefixed SubscribeUpdates",
            line: "tapedeck import updates.bin --format solana-le -o deck"
        ),
        .init(
            purpose: "a capture of Polygon WebSocket messages",
            line: "tapedeck import capture.jsonl.gz --chain evm:137 -o deck"
        ),
        .init(purpose: "what was exported", line: "tapedeck import deck.mcap -o back"),
    ],
    run: runImport
)

private func runImport(_ arguments: ParsedArguments) throws -> ExitCode {
    guard let output = arguments.text("output") else { preconditionFailure("-o is required") }
    let console = Console()
    let interrupt = try Interrupt()
    let clock = SystemClock()
    var line = ProgressLine(
        label: "import",
        unit: "frames",
        total: nil,
        style: console.progressStyle,
        now: clock.monotonicNanoseconds()
    )
    var run = ImportRun(paths: arguments.operands, output: output)
    run.format = arguments.text("format").flatMap(ImportFormat.init)
    run.chain = arguments.text("chain")
    run.overwrites = arguments.has("force")
    run.isAsked = { interrupt.isAsked }
    run.progress = { frames in
        if let text = line.update(done: frames, now: clock.monotonicNanoseconds()) {
            console.talk(text)
        }
    }
    defer { if let text = line.finish() { console.talk(text) } }
    let summary = try run.run()
    if let text = line.finish() { console.talk(text) }
    console.say(
        "imported \(summary.frames) frames (\(ByteCount.text(summary.bytes))) from "
            + "\(summary.files) \(summary.files == 1 ? "file" : "files") into \(output), "
            + "sequences \(summary.first) to \(summary.last)"
    )
    return .ok
}
