// Protobuf's JSON mapping (https://protobuf.dev/programming-guides/json/), from wire bytes to JSON.

import CGeyser
import JSONText
import RecordModel

/// Writes one message as a JSON object: what stands on the wire, in the order of the field numbers,
/// names in lowerCamelCase, 64-bit integers as strings, bytes as Base64.
struct ProtobufToJSON {
    private let table = SchemaTable()

    /// Fields without a name here have no JSON form and are an error.
    func decode(
        _ bytes: RawSpan,
        as descriptor: UnsafePointer<ProtobufCMessageDescriptor>
    ) throws(ProtobufJSONError) -> [UInt8] {
        var writer = JSONWriter()
        try message(bytes, 0..<bytes.byteCount, table.schema(descriptor), "", &writer)
        return writer.bytes
    }

    private func message(
        _ bytes: RawSpan,
        _ range: Range<Int>,
        _ schema: MessageSchema,
        _ path: String,
        _ writer: inout JSONWriter
    ) throws(ProtobufJSONError) {
        var found = [[ProtobufField]](repeating: [], count: schema.fields.count)
        var offset = range.lowerBound
        while let part = try next(bytes, &offset, range.upperBound) {
            guard let index = schema.index(numbered: part.number) else {
                throw .mismatch(path: path, problem: "field \(part.number) has no name here")
            }
            let field = schema.fields[index]
            if let oneof = field.oneof {
                for other in schema.fields.indices where schema.fields[other].oneof == oneof {
                    found[other] = []
                }
            }
            if !field.isRepeated { found[index] = [] }  // the last one stands
            found[index].append(part)
        }
        writer.beginObject()
        for (field, parts) in zip(schema.fields, found) where !parts.isEmpty {
            let place = path.isEmpty ? field.name : "\(path).\(field.name)"
            writer.key(field.jsonName)
            if case .map(let descriptor) = field.content {
                try map(bytes, parts, table.schema(descriptor), place, &writer)
            } else if field.isRepeated {
                writer.beginArray()
                for part in parts { try element(bytes, part, field, place, &writer) }
                writer.endArray()
            } else {
                try single(bytes, parts[0], field, place, &writer)
            }
        }
        writer.endObject()
    }

    private func map(
        _ bytes: RawSpan,
        _ parts: [ProtobufField],
        _ schema: MessageSchema,
        _ path: String,
        _ writer: inout JSONWriter
    ) throws(ProtobufJSONError) {
        var entries: [UTF8Text: Range<Int>] = [:]
        for part in parts {
            let range = try wire { () throws(ProtobufError) in try part.delimited() }
            var key = UTF8Text("")
            var value = range.upperBound..<range.upperBound
            var offset = range.lowerBound
            while let inner = try next(bytes, &offset, range.upperBound) {
                switch inner.number {
                case 1: key = try text(bytes, inner)
                case 2: value = try wire { () throws(ProtobufError) in try inner.delimited() }
                default:
                    throw .mismatch(path: path, problem: "field \(inner.number) has no name here")
                }
            }
            entries[key] = value
        }
        writer.beginObject()
        for (key, range) in entries.sorted(by: { $0.key < $1.key }) {
            writer.key(key.description)
            try message(bytes, range, schema, "\(path).\(key)", &writer)
        }
        writer.endObject()
    }

    /// One occurrence of a repeated field; a packed one holds several values.
    private func element(
        _ bytes: RawSpan,
        _ part: ProtobufField,
        _ field: FieldSchema,
        _ path: String,
        _ writer: inout JSONWriter
    ) throws(ProtobufJSONError) {
        guard case .uint64 = field.content, part.wireType == .lengthDelimited else {
            return try single(bytes, part, field, path, &writer)
        }
        var offset = part.payload.lowerBound
        while offset < part.payload.upperBound {
            let end = part.payload.upperBound
            var place = offset
            let value = try wire { () throws(ProtobufError) in
                try ProtobufReader.varint(bytes, at: &place, end: end)
            }
            offset = place
            writer.integerString(value)
        }
    }

    private func single(
        _ bytes: RawSpan,
        _ part: ProtobufField,
        _ field: FieldSchema,
        _ path: String,
        _ writer: inout JSONWriter
    ) throws(ProtobufJSONError) {
        switch field.content {
        case .boolean: writer.boolean(try varint(part) != 0)
        case .int32: writer.integer(Int32(truncatingIfNeeded: try varint(part)))
        case .uint32: writer.integer(UInt32(truncatingIfNeeded: try varint(part)))
        case .int64: writer.integerString(Int64(bitPattern: try varint(part)))
        case .uint64: writer.integerString(try varint(part))
        case .double:
            guard part.wireType == .fixed64 else {
                throw .notProtobuf(.wrongWireType(field: part.number, offset: part.start))
            }
            write(Double(bitPattern: part.value), &writer)
        case .string: writer.string(utf8: try text(bytes, part).bytes)
        case .bytes:
            let range = try wire { () throws(ProtobufError) in try part.delimited() }
            writer.base64(bytes.copyBytes(range))
        case .enumeration(let descriptor):
            let number = Int32(truncatingIfNeeded: try varint(part))
            if let name = descriptor.name(numbered: number) {
                writer.string(name)
            } else {
                writer.integer(number)
            }
        case .message(let descriptor), .map(let descriptor):
            let range = try wire { () throws(ProtobufError) in try part.delimited() }
            try message(bytes, range, table.schema(descriptor), path, &writer)
        }
    }

    private func write(_ value: Double, _ writer: inout JSONWriter) {
        if value.isNaN {
            writer.string("NaN")
        } else if value.isInfinite {
            writer.string(value < 0 ? "-Infinity" : "Infinity")
        } else {
            writer.raw("\(value)".utf8)
        }
    }

    private func next(
        _ bytes: RawSpan,
        _ offset: inout Int,
        _ end: Int
    ) throws(ProtobufJSONError) -> ProtobufField? {
        do throws(ProtobufError) {
            return try ProtobufReader.next(bytes, at: &offset, end: end)
        } catch {
            throw .notProtobuf(error)
        }
    }

    private func varint(_ part: ProtobufField) throws(ProtobufJSONError) -> UInt64 {
        try wire { () throws(ProtobufError) in try part.varint() }
    }

    private func text(
        _ bytes: RawSpan,
        _ part: ProtobufField
    ) throws(ProtobufJSONError) -> UTF8Text {
        let range = try wire { () throws(ProtobufError) in try part.delimited() }
        guard let text = UTF8Text(validating: bytes.copyBytes(range)) else {
            throw .notProtobuf(.invalidText(field: part.number, offset: part.start))
        }
        return text
    }

    private func wire<Value>(
        _ body: () throws(ProtobufError) -> Value
    ) throws(ProtobufJSONError) -> Value {
        do throws(ProtobufError) {
            return try body()
        } catch {
            throw .notProtobuf(error)
        }
    }
}
