import JSONText
import LogCare
import Platform
import RecordModel
import SegmentFormat
import SegmentLog

/// `tapedeck recover`
let recoverVerb = Verb(
    name: "recover",
    summary: "make a whole recording of what can be read of a damaged one",
    details: [
        "Everything readable goes into OUT under its own sequence. What is missing becomes a hole "
            + "at its place; behind the last record a run of this tool says once more, as gap "
            + "records with the damaged file and offset, what is missing. When nothing is missing "
            + "the records of OUT are exactly those of REC.",
        "REC is only read, without a lock: it may lie in a read-only folder. recording.json and "
            + "MANIFEST may be damaged or gone, sectors may be unreadable. OUT is verified and "
            + "compared with REC record by record before it gets its name; after an error or an "
            + "interrupt nothing of it is left.",
        "A torn tail, what a crash left behind the last whole block, is no loss.",
    ],
    operands: [SharedFlags.recording],
    flags: [
        CareFlags.output,
        SharedFlags.force,
        SharedFlags.format(["text", "json"]),
    ],
    examples: [
        .init(
            purpose: "after 'tapedeck verify deck' has found damage",
            line: "tapedeck recover deck -o deck-recovered"
        ),
        .init(
            purpose: "the report for another program",
            line: "tapedeck recover deck -o deck-recovered --format json"
        ),
    ],
    exitCodes: [.ok, .findings],
    run: runRecover
)

private func runRecover(_ arguments: ParsedArguments) throws -> ExitCode {
    let source = arguments.operands[0]
    let run = try CareRun("recover", sources: [source], arguments)
    let report = try run.run { output, setting throws(CareError) in
        var salvage = Salvage(of: source, to: output, setting)
        return try salvage.run()
    }
    try Console().write(
        arguments.text("format") == "json"
            ? report.json(source: source, output: run.output)
            : report.text(source: source, output: run.output)
    )
    return report.hasLoss ? .findings : .ok
}

extension SalvageReport {
    /// The report for people.
    func text(source: String, output: String) -> String {
        var lines = [
            "\(source): \(hasLoss ? "recovered with loss" : "recovered whole") into \(output)",
            "  kept       \(records) records, \(ByteCount.text(payloadBytes)) of payload, "
                + "sequences \(firstSequence) to \(lastSequence)",
        ]
        for damage in lost { lines.append("  missing    \(damage)") }
        for hole in holes {
            lines.append("  hole       sequences \(hole.from) to \(hole.last): \(hole.cause)")
        }
        for text in harmless { lines.append("  harmless   \(text)") }
        if damagedBytes + unreadableBytes > 0 {
            lines.append(
                "  bytes      \(damagedBytes) damaged, \(unreadableBytes) refused by the disk"
            )
        }
        if tornBytes > 0 { lines.append("  torn tail  \(tornBytes) bytes") }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The same as one JSON object on a line.
    func json(source: String, output: String) -> String {
        var writer = JSONWriter()
        writer.beginObject()
        for (name, value) in [
            ("recording", source), ("output", output), ("status", hasLoss ? "loss" : "whole"),
        ] {
            writer.key(name)
            writer.string(value)
        }
        for (name, value) in [
            ("records", records), ("payload_bytes", payloadBytes),
            ("first_sequence", firstSequence.value), ("last_sequence", lastSequence.value),
            ("lost_sequences", lostSequences), ("damaged_bytes", damagedBytes),
            ("unreadable_bytes", unreadableBytes), ("torn_bytes", tornBytes),
        ] {
            writer.key(name)
            writer.integerString(value)
        }
        writer.key("missing")
        writer.beginArray()
        for damage in lost { VerifyReport.append(damage, to: &writer) }
        writer.endArray()
        writer.key("holes")
        writer.beginArray()
        for hole in holes { RecordJSON.append(hole, to: &writer) }
        writer.endArray()
        writer.key("harmless")
        writer.beginArray()
        for text in harmless { writer.string(text) }
        writer.endArray()
        writer.endObject()
        writer.endLine()
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}
