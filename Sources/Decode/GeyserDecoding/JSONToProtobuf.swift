// Protobuf's JSON mapping (https://protobuf.dev/programming-guides/json/), from JSON to wire bytes.

import CGeyser
import JSONText

/// Writes the wire form of one JSON object: fields in the order of their numbers, map entries in
/// the byte order of their keys.
struct JSONToProtobuf {
    private let table = SchemaTable()

    func encode(
        _ value: JSONValue,
        as descriptor: UnsafePointer<ProtobufCMessageDescriptor>
    ) throws(ProtobufJSONError) -> [UInt8] {
        try message(value, table.schema(descriptor), "")
    }

    private func message(
        _ value: JSONValue,
        _ schema: MessageSchema,
        _ path: String
    ) throws(ProtobufJSONError) -> [UInt8] {
        guard value.kind == .object else { throw mismatch(path, "an object is needed") }
        var values = [JSONValue?](repeating: nil, count: schema.fields.count)
        var oneofs: Set<UInt32> = []
        var seen: Set<Int> = []
        for member in value.members {
            let name = member.key.stringBytes ?? []  // a key is always a string
            let place = join(path, String(decoding: name, as: UTF8.self))
            guard let index = schema.index(named: name) else {
                throw mismatch(place, "there is no such field")
            }
            guard seen.insert(index).inserted else { throw mismatch(place, "stands twice") }
            if member.value.isNull { continue }
            if let oneof = schema.fields[index].oneof, !oneofs.insert(oneof).inserted {
                throw mismatch(place, "another choice of the same group is set already")
            }
            values[index] = member.value
        }
        var out: [UInt8] = []
        for (field, value) in zip(schema.fields, values) {
            guard let value else { continue }
            try append(value, field, join(path, field.name), to: &out)
        }
        return out
    }

    private func append(
        _ value: JSONValue,
        _ field: FieldSchema,
        _ path: String,
        to out: inout [UInt8]
    ) throws(ProtobufJSONError) {
        if case .map(let descriptor) = field.content {
            try appendMap(value, field, descriptor, path, to: &out)
        } else if field.isRepeated {
            guard value.kind == .array else { throw mismatch(path, "an array is needed") }
            var index = 0
            for element in value.elements {
                try appendSingle(element, field, "\(path)[\(index)]", to: &out)
                index += 1
            }
        } else {
            try appendSingle(value, field, path, to: &out)
        }
    }

    private func appendMap(
        _ value: JSONValue,
        _ field: FieldSchema,
        _ descriptor: UnsafePointer<ProtobufCMessageDescriptor>,
        _ path: String,
        to out: inout [UInt8]
    ) throws(ProtobufJSONError) {
        guard value.kind == .object else { throw mismatch(path, "an object is needed") }
        var entries: [UTF8Text: [UInt8]] = [:]
        for member in value.members {
            guard let text = member.key.stringBytes, let key = UTF8Text(validating: text) else {
                throw mismatch(path, "a key is not UTF-8")  // the parser has validated it
            }
            let place = join(path, "\(key)")
            let bytes = try message(member.value, table.schema(descriptor), place)
            guard entries.updateValue(bytes, forKey: key) == nil else {
                throw mismatch(place, "stands twice")
            }
        }
        for (key, bytes) in entries.sorted(by: { $0.key < $1.key }) {
            var entry: [UInt8] = []
            ProtobufWriter.text(1, key, to: &entry)
            ProtobufWriter.bytes(2, bytes, to: &entry)
            ProtobufWriter.bytes(field.number, entry, to: &out)
        }
    }

    private func appendSingle(
        _ value: JSONValue,
        _ field: FieldSchema,
        _ path: String,
        to out: inout [UInt8]
    ) throws(ProtobufJSONError) {
        let number = field.number
        switch field.content {
        case .boolean:
            guard let flag = value.boolean else { throw mismatch(path, "true or false is needed") }
            ProtobufWriter.bool(number, flag, to: &out)
        case .int32:
            ProtobufWriter.int64(number, Int64(try integer(value, path) as Int32), to: &out)
        case .uint32:
            ProtobufWriter.uint64(number, UInt64(try integer(value, path) as UInt32), to: &out)
        case .int64: ProtobufWriter.int64(number, try integer(value, path), to: &out)
        case .uint64: ProtobufWriter.uint64(number, try integer(value, path), to: &out)
        case .double: ProtobufWriter.fixed64(number, try double(value, path).bitPattern, to: &out)
        case .string:
            guard let text = value.stringBytes else { throw mismatch(path, "a string is needed") }
            ProtobufWriter.bytes(number, text, to: &out)
        case .bytes: ProtobufWriter.bytes(number, try octets(value, path), to: &out)
        case .enumeration(let descriptor):
            let choice = try enumeration(value, descriptor, path)
            ProtobufWriter.int64(number, Int64(choice), to: &out)
        case .message(let descriptor), .map(let descriptor):
            let bytes = try message(value, table.schema(descriptor), path)
            ProtobufWriter.bytes(number, bytes, to: &out)
        }
    }

    private func integer<Integer: FixedWidthInteger>(
        _ value: JSONValue,
        _ path: String
    ) throws(ProtobufJSONError) -> Integer {
        guard let text = value.numberText ?? value.string else {
            throw mismatch(path, "an integer is needed")
        }
        guard let integer = ExactDecimal.integer(text, as: Integer.self) else {
            throw mismatch(path, "not an integer of \(Integer.min)...\(Integer.max)")
        }
        return integer
    }

    private func double(
        _ value: JSONValue,
        _ path: String
    ) throws(ProtobufJSONError) -> Double {
        switch value.string {
        case "NaN": return .nan
        case "Infinity": return .infinity
        case "-Infinity": return -.infinity
        default: break
        }
        guard let text = value.numberText ?? value.string, let double = Double(text) else {
            throw mismatch(path, "a number is needed")
        }
        return double
    }

    /// Base64 in either alphabet, padded or not, as the mapping allows.
    private func octets(_ value: JSONValue, _ path: String) throws(ProtobufJSONError) -> [UInt8] {
        guard var text = value.stringBytes else { throw mismatch(path, "a string is needed") }
        for index in text.indices {
            switch text[index] {
            case UInt8(ascii: "-"): text[index] = UInt8(ascii: "+")
            case UInt8(ascii: "_"): text[index] = UInt8(ascii: "/")
            default: break
            }
        }
        while text.count % 4 != 0, text.count % 4 != 1 { text.append(UInt8(ascii: "=")) }
        guard let bytes = Base64.decode(text) else { throw mismatch(path, "not Base64") }
        return bytes
    }

    private func enumeration(
        _ value: JSONValue,
        _ descriptor: UnsafePointer<ProtobufCEnumDescriptor>,
        _ path: String
    ) throws(ProtobufJSONError) -> Int32 {
        guard let name = value.string else { return try integer(value, path) }
        if let number = descriptor.number(named: name) { return number }
        guard let number = ExactDecimal.integer(name, as: Int32.self) else {
            throw mismatch(path, "there is no value \"\(name)\"")
        }
        return number
    }

    private func join(_ path: String, _ name: String) -> String {
        path.isEmpty ? name : "\(path).\(name)"
    }

    private func mismatch(_ path: String, _ problem: String) -> ProtobufJSONError {
        .mismatch(path: path, problem: problem)
    }
}

/// JSON numbers that are whole, in any of their spellings ("5", "5.0", "50e-1"), without rounding.
enum ExactDecimal {
    /// Nil when the text is no number, not whole, or out of range.
    static func integer<Integer: FixedWidthInteger>(
        _ text: String,
        as type: Integer.Type
    ) -> Integer? {
        // The common spelling first; a sign of plus is not JSON's.
        guard text.utf8.first != UInt8(ascii: "+") else { return nil }
        if let integer = Integer(text) { return integer }
        var digits: [UInt8] = []
        var scale = 0
        var rest = Substring(text)
        let isNegative = rest.hasPrefix("-")
        if isNegative { rest = rest.dropFirst() }
        let parts = rest.split(
            maxSplits: 1,
            omittingEmptySubsequences: false,
            whereSeparator: { $0 == "e" || $0 == "E" }
        )
        if parts.count == 2 {
            // More than three digits of exponent cannot be a whole number in range, but for zero.
            guard parts[1].utf8.count <= 4, let exponent = Int(parts[1]) else { return nil }
            scale = exponent
        }
        let sides = parts[0].split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard !sides[0].isEmpty, sides.count == 1 || !sides[1].isEmpty else { return nil }
        for side in sides { digits += side.utf8 }
        if sides.count == 2 { scale -= sides[1].utf8.count }
        guard digits.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }) else {
            return nil
        }
        while scale < 0, digits.last == UInt8(ascii: "0") {
            digits.removeLast()
            scale += 1
        }
        let significant = digits.drop { $0 == UInt8(ascii: "0") }
        if significant.isEmpty { return 0 }
        guard scale >= 0, significant.count + scale <= 20 else { return nil }
        let whole =
            String(decoding: significant, as: UTF8.self) + String(repeating: "0", count: scale)
        return Integer(isNegative ? "-" + whole : whole)
    }
}
