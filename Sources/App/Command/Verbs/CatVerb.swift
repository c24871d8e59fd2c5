import Platform
import SegmentLog

/// `tapedeck cat`
let catVerb = Verb(
    name: "cat",
    summary: "print the records of a recording",
    details: [
        "One line is one record: frames as they came, and the recorder's own events between them. "
            + "text is for people and shortens; ndjson is complete and canonical, its keys are on "
            + "the format page; csv has the same columns.",
        "Damage is reported on standard error and stepped over; the exit code is then 3. When the "
            + "reader of a pipe has had enough, as head has, that is a good end.",
    ],
    operands: [SharedFlags.recording],
    flags: [
        SharedFlags.from,
        SharedFlags.to,
        Flag(name: "follow", help: "Wait for new records of a recording that is being written"),
        Flag(name: "durable", help: "Print only what a power loss cannot take"),
        SharedFlags.format(["text", "ndjson", "csv"]),
    ],
    examples: [
        .init(purpose: "the first ten records", line: "tapedeck cat deck --to seq:+10"),
        .init(
            purpose: "everything, for another program",
            line: "tapedeck cat deck --format ndjson"
        ),
        .init(
            purpose: "what arrives from now on, once it is safe on disk",
            line: "tapedeck cat deck --follow --durable"
        ),
        .init(
            purpose: "five minutes",
            line: "tapedeck cat deck --from time:2026-01-01T12:00:00Z --to time:+5m"
        ),
    ],
    exitCodes: [.ok, .findings, .rangeNotAvailable],
    run: runCat
)

private func runCat(_ arguments: ParsedArguments) throws -> ExitCode {
    let console = Console()
    let interrupt = try Interrupt()
    let follows = arguments.has("follow")
    let reader = try RecordingReader(path: arguments.operands[0], disk: LinuxFileSystem())
    let listing = RecordListing(
        reader: reader,
        range: try arguments.range().resolved(in: reader, follows: follows),
        format: RecordPrinter.Format(rawValue: arguments.text("format") ?? "text") ?? .text,
        follows: follows,
        isDurableOnly: arguments.has("durable"),
        write: { try writeOutput($0) },
        report: { console.complain("tapedeck cat", $0) },
        isAsked: { interrupt.isAsked },
        // Quick while records come, easy on the processor while none do.
        pause: { times in interrupt.sleep(nanoseconds: 500_000 << UInt64(min(times / 8, 5))) }
    )
    return try listing.run()
}

/// Writes data to standard output.
///
/// - Throws: the error of `write`; `isReaderGone` when nobody reads any more.
func writeOutput(_ bytes: [UInt8]) throws(SystemError) {
    try bytes.span.bytes.withUnsafeBytes { buffer throws(SystemError) in
        try Terminal.write(buffer, to: .output)
    }
}

extension SystemError {
    /// Whether the other end of the pipe was closed.
    var isReaderGone: Bool { call == "write" && errno == 32 }
}
