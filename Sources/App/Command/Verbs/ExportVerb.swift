import Platform
import SegmentLog

/// `tapedeck export`
let exportVerb = Verb(
    name: "export",
    summary: "write the records of a recording into one file",
    details: [
        "ndjson and csv are what 'tapedeck cat' prints. mcap (https://mcap.dev) has a channel for "
            + "each stream and direction with the payloads as they are, and the recorder's events "
            + "as JSON in a channel of their own; 'tapedeck import' makes the same records of it "
            + "again: sequences, times, flags and all. Its chunks are LZ4 frames, which every MCAP "
            + "library reads; --compression none suits those that search in the payloads.",
        "FILE appears when it is complete; after an error or an interrupt nothing of it is left. "
            + "Damage is reported and stepped over; the exit code is then 3.",
    ],
    operands: [SharedFlags.recording],
    flags: [
        Flag(
            name: "output",
            short: "o",
            value: ("FILE", .file),
            isRequired: true,
            help: "The file to write"
        ),
        Flag(
            name: "format",
            value: ("FORMAT", .choice(["ndjson", "csv", "mcap"])),
            isRequired: true,
            help: "How to write it"
        ),
        Flag(
            name: "compression",
            value: ("NAME", .choice(["none", "lz4"])),
            fallback: "lz4",
            help: "How the chunks of mcap are compressed"
        ),
        SharedFlags.from,
        SharedFlags.to,
        SharedFlags.force,
    ],
    examples: [
        .init(
            purpose: "for tools that read MCAP",
            line: "tapedeck export deck -o deck.mcap --format mcap"
        ),
        .init(
            purpose: "five minutes for a spreadsheet",
            line: "tapedeck export deck -o part.csv --format csv "
                + "--from time:2026-01-01T12:00:00Z --to time:+5m"
        ),
    ],
    exitCodes: [.ok, .findings, .rangeNotAvailable],
    run: runExport
)

private func runExport(_ arguments: ParsedArguments) throws -> ExitCode {
    guard let output = arguments.text("output"), let format = arguments.text("format") else {
        preconditionFailure("-o and --format are required")
    }
    if format != "mcap", arguments.has("compression") {
        throw UsageError(
            verb: "export",
            message: "--compression is for mcap; \(format) is text as it is"
        )
    }
    let console = Console()
    let interrupt = try Interrupt()
    let clock = SystemClock()
    let reader = try RecordingReader(path: arguments.operands[0], disk: LinuxFileSystem())
    let range = try arguments.range().resolved(in: reader)
    var line = ProgressLine(
        label: "export",
        unit: "records",
        total: nil,
        style: console.progressStyle,
        now: clock.monotonicNanoseconds()
    )
    let file = try ExportFile(output, overwrites: arguments.has("force"))
    do {
        let code: ExitCode
        if format == "mcap" {
            var export = McapExport(reader: reader, range: range)
            if let word = arguments.text("compression"),
                let compression = McapFormat.Compression(word: word)
            {
                export.compression = compression
            }
            export.report = { console.complain("tapedeck export", $0) }
            export.isAsked = { interrupt.isAsked }
            export.progress = { records in
                if let text = line.update(done: records, now: clock.monotonicNanoseconds()) {
                    console.talk(text)
                }
            }
            code = try export.run(sink: { try file.write($0) })
        } else {
            let listing = RecordListing(
                reader: reader,
                range: range,
                format: format == "csv" ? .csv : .ndjson,
                write: { try file.write($0) },
                report: { console.complain("tapedeck export", $0) },
                isAsked: { interrupt.isAsked }
            )
            code = try listing.run()
            if interrupt.isAsked {
                throw VerbFailure(code: .failed, message: "interrupted; nothing was kept")
            }
        }
        try file.finish()
        if let text = line.finish() { console.talk(text) }
        console.say("\(output): \(ByteCount.text(file.count))")
        return code
    } catch {
        file.discard()
        throw error
    }
}
