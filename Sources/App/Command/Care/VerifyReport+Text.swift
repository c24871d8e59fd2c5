import JSONText
import Platform
import RecordModel
import SegmentFormat
import SegmentLog

extension VerifyReport {
    /// The verdict alone, on a line.
    func line(path: String) -> String {
        let verdict =
            isWhole
            ? "whole"
            : "DAMAGED in \(damage.count) place\(damage.count == 1 ? "" : "s")"
        return "\(path): \(verdict), sequences \(firstSequence) to \(lastSequence)\n"
    }

    /// The verdict and what was counted, for people.
    func text(path: String) -> String {
        var lines = [
            "\(path): \(isWhole ? "whole" : "DAMAGED in \(damage.count) places")",
            "  sequences  \(firstSequence) to \(lastSequence), \(records) records",
            "  segments   \(segments), \(sealedSegments) of them sealed, \(blocks) blocks",
            "  bytes      \(ByteCount.text(storedBytes)) stored, \(ByteCount.text(rawBytes)) raw",
            "  durable    through sequence \(durableMark)",
            "  last run   \(isEnded ? "ended in good order" : "not ended: running or crashed")",
        ]
        for hole in holes {
            let cause = RecordPreview.shown(Array(hole.cause.utf8))
            lines.append("  hole       sequences \(hole.from) to \(hole.last): \(cause)")
        }
        if tornBytes > 0 { lines.append("  torn tail  \(tornBytes) bytes") }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Everything, as one JSON object on a line.
    func json(path: String) -> String {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("recording")
        writer.string(path)
        writer.key("status")
        writer.string(isWhole ? "whole" : "damaged")
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
        for place in damage { Self.append(place, to: &writer) }
        writer.endArray()
        writer.endObject()
        writer.endLine()
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    /// Appends the object of a damaged place.
    static func append(_ place: DamageReport, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("kind")
        writer.string("damage")
        let hasEnd = place.missingThrough >= place.missingFrom
        for (name, sequence) in [
            ("from", place.isLoss ? place.missingFrom : nil),
            ("through", place.isLoss && hasEnd ? place.missingThrough : nil),
        ] {
            writer.key(name)
            if let sequence { writer.integerString(sequence.value) } else { writer.null() }
        }
        writer.key("exact")
        writer.boolean(!place.isLoss || hasEnd)
        writer.key("cause")
        writer.string("\(place.error)")
        let name = place.path.split(separator: "/").last.map(String.init) ?? place.path
        writer.key("file")
        writer.string(name)
        writer.key("segment")
        if let segment = RecordingLayout.parseSegmentName(name)?.ordinal {
            writer.integerString(segment)
        } else {
            writer.null()
        }
        writer.key("offset")
        writer.integerString(place.offset)
        writer.endObject()
    }
}

extension LogError {
    /// That a recording could not be looked at, as one JSON object on a line.
    func json(path: String) -> String {
        let name =
            switch self {
            case .notARecording: "not_a_recording"
            case .newerVersion: "newer_version"
            case .damaged: "damaged"
            case .locked: "locked"
            case .system: "system"
            default: "other"
            }
        var writer = JSONWriter()
        writer.beginObject()
        for (key, value) in [
            ("recording", path), ("status", "failed"), ("error", name), ("message", "\(self)"),
        ] {
            writer.key(key)
            writer.string(value)
        }
        writer.endObject()
        writer.endLine()
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}
