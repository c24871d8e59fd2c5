// One record as one canonical JSON object. Specified in Sources/Log/README.md, "Canonical ndjson".

import JSONText
import RecordModel
import SegmentFormat
import SegmentLog

/// Writes records as JSON, key by key as the format page says.
enum RecordJSON {
    /// Appends the object of a record; `fields` are those of an event, nil for a frame or for a
    /// payload that is no list of fields.
    static func append(
        _ envelope: RecordEnvelope,
        payload: [UInt8],
        source: String,
        fields: EventFields?,
        to writer: inout JSONWriter
    ) {
        writer.beginObject()
        writer.key("sequence")
        writer.integerString(envelope.sequence.value)
        writer.key("kind")
        writer.string(envelope.kind.description)
        writer.key("stream")
        writer.integerString(envelope.stream.value)
        writer.key("source")
        writer.string(source)
        writer.key("received_ns")
        writer.integerString(envelope.receivedAt)
        writer.key("monotonic_ns")
        writer.integerString(envelope.monotonic)
        writer.key("flags")
        appendFlags(envelope, to: &writer)
        writer.key("payload")
        writer.base64(payload)
        if let fields {
            writer.key("detail")
            append(fields, to: &writer)
        }
        writer.endObject()
    }

    /// Appends the object of what the envelope holds beside times and names.
    static func appendFlags(_ envelope: RecordEnvelope, to writer: inout JSONWriter) {
        writer.beginObject()
        var rest = envelope.wireByte
        switch envelope.kind {
        case .grpcMessageIn, .grpcMessageOut:
            writer.key("compressed")
            writer.boolean(envelope.isCompressed)
            rest &= ~1
        case .webSocketFrameIn, .webSocketFrameOut:
            writer.key("fin")
            writer.boolean(envelope.isFinal)
            writer.key("rsv")
            writer.integer(envelope.reservedBits)
            writer.key("opcode")
            writer.integer(envelope.opcode)
            rest = 0
        default: break
        }
        if rest != 0 {
            writer.key("wire_byte")
            writer.integer(envelope.wireByte)
        }
        appendMask(envelope, to: &writer)
        for (flag, name) in marks where envelope.flags.contains(flag) {
            writer.key(name)
            writer.boolean(true)
        }
        let unknown = envelope.flags.rawValue & ~known
        if unknown != 0 {
            writer.key("other_bits")
            writer.integer(unknown)
        }
        writer.endObject()
    }

    private static let marks: [(RecordFlags, String)] = [
        (.timeSynthetic, "time_synthetic"), (.containsSecret, "contains_secret"),
        (.critical, "critical"),
    ]
    private static let known =
        RecordFlags([.masked, .timeSynthetic, .containsSecret, .critical]).rawValue

    private static func appendMask(_ envelope: RecordEnvelope, to writer: inout JSONWriter) {
        let isFrame = [.webSocketFrameIn, .webSocketFrameOut].contains(envelope.kind)
        let isMasked = envelope.flags.contains(.masked)
        if isFrame || isMasked {
            writer.key("masked")
            writer.boolean(isMasked)
        }
        guard isMasked || envelope.maskKey != 0 else { return }
        writer.key("mask_key")
        writer.string(
            hexadecimal((0..<4).map { UInt8(truncatingIfNeeded: envelope.maskKey >> ($0 * 8)) })
        )
    }

    /// Appends the object of an event's fields.
    static func append(_ fields: EventFields, to writer: inout JSONWriter) {
        writer.beginObject()
        var written: [FieldID] = []
        for field in fields.fields where !written.contains(field.id) {
            written.append(field.id)
            let all = fields.fields.filter { $0.id == field.id }
            writer.key(field.id.description)
            // Pairs are lists of names by their nature; others only when they do repeat.
            let isList = all.count > 1 || field.type == .pair
            if isList { writer.beginArray() }
            for one in all { append(one, to: &writer) }
            if isList { writer.endArray() }
        }
        writer.endObject()
    }

    private static func append(_ field: EventFields.Field, to writer: inout JSONWriter) {
        if field.id.name != nil {
            if let value = field.unsigned { return writer.integerString(value) }
            if let value = field.signed { return writer.integerString(value) }
            if let value = field.boolean { return writer.boolean(value) }
            if field.type == .text { return append(text: field.bytes, to: &writer) }
            if field.type == .bytes { return writer.base64(field.bytes) }
            if let pair = field.pair {
                writer.beginObject()
                writer.key("name")
                writer.string(pair.name)
                writer.key("value")
                append(text: pair.value, to: &writer)
                return writer.endObject()
            }
        }
        writer.beginObject()
        writer.key("type")
        writer.integer(field.type.rawValue)
        writer.key("base64")
        writer.base64(field.bytes)
        writer.endObject()
    }

    /// Text when the bytes are UTF-8, otherwise an object with their Base64.
    private static func append(text bytes: [UInt8], to writer: inout JSONWriter) {
        if let text = String(validating: bytes, as: UTF8.self) { return writer.string(text) }
        writer.beginObject()
        writer.key("base64")
        writer.base64(bytes)
        writer.endObject()
    }

    /// Appends the object that stands for sequences that the recording says are missing.
    static func append(_ hole: Hole, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("kind")
        writer.string("hole")
        appendRange(from: hole.from, through: hole.last, to: &writer)
        writer.key("cause")
        writer.string(hole.cause)
        writer.endObject()
    }

    /// Appends the object that stands for a damaged place.
    static func append(_ damage: DamageReport, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("kind")
        writer.string("damage")
        appendRange(
            from: damage.isLoss ? damage.missingFrom : nil,
            through: damage.missingThrough > .none ? damage.missingThrough : nil,
            to: &writer
        )
        writer.key("cause")
        writer.string("\(damage.error)")
        writer.key("file")
        writer.string(damage.path.split(separator: "/").last.map(String.init) ?? damage.path)
        writer.key("offset")
        writer.integerString(damage.offset)
        writer.endObject()
    }

    private static func appendRange(
        from: Sequence?,
        through: Sequence?,
        to writer: inout JSONWriter
    ) {
        for (name, sequence) in [("from", from), ("through", through)] {
            writer.key(name)
            if let sequence { writer.integerString(sequence.value) } else { writer.null() }
        }
    }
}

/// Bytes as lower-case hexadecimal digits.
func hexadecimal(_ bytes: some Swift.Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for byte in bytes {
        text.append(digits[Int(byte >> 4)])
        text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
}
