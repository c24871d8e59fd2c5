import LogCare
import Platform
import RecordModel
import SegmentLog

/// `tapedeck cut`
let cutVerb = Verb(
    name: "cut",
    summary: "make a recording of a part of another one",
    details: [
        "A range keeps its sequences: OUT begins at the first of them, and its first segment says "
            + "what was in force there, so that OUT can be read, served and replayed alone. "
            + "'tapedeck cat' prints of OUT what it prints of the range in REC.",
        "With --source, --stream or --kind OUT has numbers of its own, from 1 without holes, and "
            + "the ids of streams and gaps follow them. Runs stay, and so do the events of what is "
            + "taken: declared sources, openings and ends of streams, gaps. --kind chooses frames "
            + "and all other events. Several values of one flag add up; different flags narrow "
            + "each other.",
        "recording.json of OUT says where it comes from. Damage ends the cut with exit code 3 and "
            + "nothing made, unless --skip-damage leaves holes.",
    ],
    operands: [SharedFlags.recording],
    flags: [
        CareFlags.output,
        SharedFlags.from,
        SharedFlags.to,
        Flag(
            name: "source",
            value: ("ID", .text),
            isRepeatable: true,
            help: "Only streams and events of this source"
        ),
        Flag(
            name: "stream",
            value: ("N", .count(1...UInt64.max)),
            isRepeatable: true,
            help: "Only the stream whose first record has this sequence"
        ),
        Flag(
            name: "kind",
            value: ("KIND", .text),
            isRepeatable: true,
            help: "Only records of this kind, such as grpc_message_in or note"
        ),
        CareFlags.skipDamage,
        SharedFlags.force,
    ],
    examples: [
        .init(
            purpose: "five minutes, to hand on",
            line: "tapedeck cut deck --from time:2026-01-01T12:00:00Z --to time:+5m -o part"
        ),
        .init(
            purpose: "what one source sent, without what we sent",
            line: "tapedeck cut deck --source main --kind grpc_message_in -o main"
        ),
    ],
    exitCodes: [.ok, .findings, .rangeNotAvailable],
    run: runCut
)

/// Flags of the verbs that make recordings of others.
enum CareFlags {
    static let output = Flag(
        name: "output",
        short: "o",
        value: ("OUT", .recording),
        isRequired: true,
        help: "The directory of the recording to make"
    )
    static let skipDamage = Flag(
        name: "skip-damage",
        help: "Leave holes where records are damaged, instead of stopping there, and exit 3"
    )
}

private func runCut(_ arguments: ParsedArguments) throws -> ExitCode {
    let source = arguments.operands[0]
    let kinds = try arguments.texts("kind").map(kind)
    let run = try CareRun("cut", sources: [source], arguments)
    let reader = try RecordingReader(path: source, disk: LinuxFileSystem())
    let range = try arguments.range().resolved(in: reader)
    let filter = try filter(arguments, kinds: kinds, in: reader)
    let skipsDamage = arguments.has("skip-damage")
    let report = try run.run { output, setting throws(CareError) in
        if filter.isEmpty {
            var cut = RangeCut(
                of: reader,
                from: range.first,
                through: range.last,
                skipsDamage: skipsDamage,
                to: output,
                setting
            )
            return try cut.run()
        }
        return try FilteredCut(
            of: reader,
            from: range.first,
            through: range.last,
            taking: filter,
            skipsDamage: skipsDamage,
            to: output,
            setting
        ).run()
    }
    let console = Console()
    for damage in report.damage { console.complain("tapedeck cut", "damage: \(damage)") }
    console.say(
        "\(run.output): \(report.records) records, sequences "
            + "\(report.firstSequence) to \(report.lastSequence), \(report.openStreams) streams "
            + "open before them, \(report.holes) holes"
    )
    return report.damage.isEmpty ? .ok : .findings
}

/// The kind of a name, or of a number that this build does not know.
private func kind(_ text: String) throws -> UInt8 {
    if let number = UInt8(text), number > 0 { return number }
    let known = (UInt8(1)...255).first { RecordKind(rawValue: $0).name == text }
    guard let known else {
        let names = (UInt8(1)...255).compactMap { RecordKind(rawValue: $0).name }
        throw UsageError(
            verb: "cut",
            message: "--kind '\(text)': expected one of \(names.joined(separator: ", "))"
        )
    }
    return known
}

private func filter(
    _ arguments: ParsedArguments,
    kinds: [UInt8],
    in reader: RecordingReader
) throws -> RecordFilter {
    var filter = RecordFilter()
    filter.kinds = Set(kinds)
    filter.sources = Set(arguments.texts("source"))
    filter.streams = Set(arguments.texts("stream").compactMap { UInt64($0) })
    guard filter.sources.isEmpty else { return filter }
    // Of a stream its source belongs to the cut, and no other.
    let sources = StreamSources(reader)
    for stream in filter.streams.sorted() {
        let envelope = RecordEnvelope(
            kind: .streamClosed,
            stream: Sequence(stream),
            receivedAt: 0,
            monotonic: 0
        )
        let name = try sources.source(of: envelope, fields: nil)
        guard !name.isEmpty else {
            throw VerbFailure(
                code: .rangeNotAvailable,
                message: "\(reader.layout.path) holds no stream \(stream)"
            )
        }
        filter.sources.insert(name)
    }
    return filter
}
