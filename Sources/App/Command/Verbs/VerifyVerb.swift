import JSONText
import Platform
import RecordModel
import SegmentFormat
import SegmentLog

/// `tapedeck verify`
let verifyVerb = Verb(
    name: "verify",
    summary: "check every byte of recordings",
    details: [
        "Checks identities, checksums, the chain of links, sequences, every record, the indexes "
            + "against the blocks and the manifest against all of them. Nothing is changed. A torn "
            + "tail is what a crash leaves and no damage. Loss above the last durable mark of a "
            + "segment that was not sealed cannot be seen.",
        "With --format json one object a recording is printed, in the order given.",
    ],
    operands: [
        Operand(
            placeholder: "REC",
            kind: .recording,
            number: .some,
            help: "The directories of recordings"
        )
    ],
    flags: [SharedFlags.format(["text", "json"])],
    examples: [.init(purpose: "a backup, after copying it", line: "tapedeck verify copy/deck")],
    exitCodes: [.ok, .findings],
    run: runVerify
)

private func runVerify(_ arguments: ParsedArguments) throws -> ExitCode {
    let console = Console()
    let clock = SystemClock()
    var codes: [ExitCode] = []
    for path in arguments.operands {
        do {
            let reader = try RecordingReader(path: path, disk: LinuxFileSystem())
            var line = ProgressLine(
                label: "verify \(path)",
                unit: "bytes",
                total: nil,
                style: console.progressStyle,
                now: clock.monotonicNanoseconds()
            )
            var verifier = RecordingVerifier(reader) { bytes in
                let text = line.update(done: bytes, now: clock.monotonicNanoseconds())
                if let text { console.talk(text) }
            }
            let report = try verifier.run()
            if let text = line.finish() { console.talk(text) }
            for damage in report.damage { console.complain("tapedeck verify", "damage: \(damage)") }
            let isJSON = arguments.text("format") == "json"
            try console.write(isJSON ? report.json(path: path) : report.text(path: path))
            codes.append(report.isWhole ? .ok : .findings)
        } catch let error as LogError {
            console.complain("tapedeck verify", "\(error)")
            codes.append(.failed)
        }
    }
    // A recording that could not be checked weighs more than one with damage.
    return codes.contains(.failed) ? .failed : codes.contains(.findings) ? .findings : .ok
}

extension VerifyReport {
    /// The verdict and what was counted, for people.
    fileprivate func text(path: String) -> String {
        var lines = [
            "\(path): \(isWhole ? "whole" : "DAMAGED in \(damage.count) places")",
            "  sequences  \(firstSequence) to \(lastSequence), \(records) records",
            "  segments   \(segments), \(sealedSegments) of them sealed, \(blocks) blocks",
            "  bytes      \(ByteCount.text(storedBytes)) stored, \(ByteCount.text(rawBytes)) raw",
            "  durable    through sequence \(durableMark)",
            "  last run   \(isEnded ? "ended in good order" : "not ended: running or crashed")",
        ]
        for hole in holes {
            lines.append("  hole       sequences \(hole.from) to \(hole.last): \(hole.cause)")
        }
        if tornBytes > 0 { lines.append("  torn tail  \(tornBytes) bytes") }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The same as one JSON object on a line.
    fileprivate func json(path: String) -> String {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("recording")
        writer.string(path)
        writer.key("whole")
        writer.boolean(isWhole)
        let numbers: [(String, UInt64)] = [
            ("first_sequence", firstSequence.value), ("last_sequence", lastSequence.value),
            ("records", records), ("segments", UInt64(segments)),
            ("sealed_segments", UInt64(sealedSegments)), ("blocks", blocks),
            ("stored_bytes", storedBytes), ("raw_bytes", rawBytes),
            ("durable_sequence", durableMark.value), ("torn_bytes", tornBytes),
        ]
        for (name, value) in numbers {
            writer.key(name)
            writer.integerString(value)
        }
        writer.key("ended")
        writer.boolean(isEnded)
        writer.key("holes")
        writer.beginArray()
        for hole in holes { RecordJSON.append(hole, to: &writer) }
        writer.endArray()
        writer.key("damage")
        writer.beginArray()
        for place in damage { RecordJSON.append(place, to: &writer) }
        writer.endArray()
        writer.endObject()
        writer.endLine()
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}
