import JSONText
import RecordModel

/// The result of a comparison as text and as JSON.
struct DiffReport {
    let left: String
    let right: String
    let result: RecordingDiff.Result

    /// Whether nothing differs.
    var isSame: Bool { result.differences.isEmpty }

    /// For people: each difference in decoded form, then the sum.
    var text: String {
        var lines: [String] = []
        if !isSame { lines.append("A is \(left), B is \(right)") }
        for difference in result.differences { lines += Self.lines(of: difference) }
        let same =
            "\(result.frames) frames of \(result.streams) "
            + "\(result.streams == 1 ? "stream" : "streams") are the same"
        if isSame {
            lines.append("\(same): no difference")
        } else {
            let count = result.differences.count
            lines.append(
                "\(result.isCut ? "stopped after" : "found") \(count) "
                    + "\(count == 1 ? "difference" : "differences"); \(same)"
            )
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func lines(of difference: RecordingDiff.Difference) -> [String] {
        switch difference {
        case .stream(let stream, let isLeft):
            return [
                "\(stream.name): only in \(isLeft ? "A" : "B"), \(stream.frames) frames from "
                    + "sequence \(stream.first)"
            ]
        case .ends(let stream, let after, let next, let isLeft):
            return [
                "\(stream.name): \(isLeft ? "A" : "B") ends after frame \(after)",
                side(isLeft ? "B" : "A", next) + ", and what follows",
            ]
        case .frame(let stream, let number, let left, let right):
            var lines = [
                "\(stream.name): frame \(number) differs\(headline(left, right))",
                side("A", left), side("B", right),
            ]
            if let content = ContentDifference(
                left.envelope,
                left.payload,
                right.envelope,
                right.payload
            ) {
                lines += [
                    "  at \(content.path)", "    A  \(content.left ?? "(nothing)")",
                    "    B  \(content.right ?? "(nothing)")",
                ]
            }
            if let bytes = ByteDifference(left.payload, right.payload) {
                lines += [
                    "  from byte \(bytes.offset)", "    A  \(bytes.left)", "    B  \(bytes.right)",
                ]
            }
            return lines
        }
    }

    /// Which parts of the envelope differ, when the payload is the same.
    private static func headline(
        _ left: RecordingDiff.Frame,
        _ right: RecordingDiff.Frame
    ) -> String {
        left.payload == right.payload ? " in kind, flags or times only" : ""
    }

    private static func side(_ name: String, _ frame: RecordingDiff.Frame) -> String {
        var writer = JSONWriter()
        RecordJSON.appendFlags(frame.envelope, to: &writer)
        let flags = String(decoding: writer.bytes, as: UTF8.self)
        return "  \(name)  sequence \(frame.envelope.sequence)  "
            + "\(RFC3339.text(frame.envelope.receivedAt))  \(frame.envelope.kind)  \(flags)  "
            + "\(frame.payload.count) B"
    }

    // MARK: JSON

    /// One object on a line.
    var json: String {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("a")
        writer.string(left)
        writer.key("b")
        writer.string(right)
        writer.key("same")
        writer.boolean(isSame)
        writer.key("streams")
        writer.integer(UInt64(result.streams))
        writer.key("same_frames")
        writer.integerString(result.frames)
        writer.key("stopped")
        writer.boolean(result.isCut)
        writer.key("differences")
        writer.beginArray()
        for difference in result.differences { Self.append(difference, to: &writer) }
        writer.endArray()
        writer.key("damage")
        writer.beginArray()
        for damage in result.damage { RecordJSON.append(damage, to: &writer) }
        writer.endArray()
        writer.endObject()
        writer.endLine()
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    private static func append(
        _ difference: RecordingDiff.Difference,
        to writer: inout JSONWriter
    ) {
        writer.beginObject()
        writer.key("what")
        switch difference {
        case .stream(let stream, let isLeft):
            writer.string(isLeft ? "only_in_a" : "only_in_b")
            append(stream, to: &writer)
            writer.key("frames")
            writer.integerString(stream.frames)
        case .ends(let stream, let after, let next, let isLeft):
            writer.string(isLeft ? "a_ends" : "b_ends")
            append(stream, to: &writer)
            writer.key("frame")
            writer.integerString(after + 1)
            append(isLeft ? "b" : "a", next, to: &writer)
        case .frame(let stream, let number, let left, let right):
            writer.string("frame")
            append(stream, to: &writer)
            writer.key("frame")
            writer.integerString(number)
            append("a", left, to: &writer)
            append("b", right, to: &writer)
            if let bytes = ByteDifference(left.payload, right.payload) {
                writer.key("byte")
                writer.integerString(UInt64(bytes.offset))
            }
            let content = ContentDifference(
                left.envelope,
                left.payload,
                right.envelope,
                right.payload
            )
            if let content {
                writer.key("content")
                writer.beginObject()
                for (name, value) in [
                    ("path", content.path), ("a", content.left), ("b", content.right),
                ] {
                    writer.key(name)
                    if let value { writer.string(value) } else { writer.null() }
                }
                writer.endObject()
            }
        }
        writer.endObject()
    }

    private static func append(_ stream: DiffStream, to writer: inout JSONWriter) {
        writer.key("source")
        writer.string(stream.key.source)
        writer.key("transport")
        writer.string(stream.key.transport)
        writer.key("stream")
        writer.integer(UInt64(stream.key.number))
    }

    private static func append(
        _ name: String,
        _ frame: RecordingDiff.Frame,
        to writer: inout JSONWriter
    ) {
        writer.key(name)
        writer.beginObject()
        writer.key("sequence")
        writer.integerString(frame.envelope.sequence.value)
        writer.key("kind")
        writer.string(frame.envelope.kind.description)
        writer.key("received_ns")
        writer.integerString(frame.envelope.receivedAt)
        writer.key("flags")
        RecordJSON.appendFlags(frame.envelope, to: &writer)
        writer.key("bytes")
        writer.integerString(UInt64(frame.payload.count))
        writer.endObject()
    }
}
