/// The payload of an event record: a list of typed fields in the order in which they were written.
///
/// On disk a field is: id (u16), type (u8), length (u32), bytes; integers little-endian.
/// A field whose id or type this build does not know is kept and printed, never dropped.
package struct EventFields: Hashable, Sendable {
    /// One field as stored.
    package struct Field: Hashable, Sendable {
        package let id: FieldID
        package let type: FieldType
        package let bytes: [UInt8]
    }

    /// The fields in the order in which they were added.
    package private(set) var fields: [Field] = []

    package init() {}

    /// Bytes that `encoded` will have.
    package var encodedCount: Int { fields.reduce(0) { $0 + 7 + $1.bytes.count } }

    /// The payload bytes of the event.
    package var encoded: [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(encodedCount)
        for field in fields {
            out.appendLittleEndian(field.id.rawValue)
            out.append(field.type.rawValue)
            out.appendLittleEndian(UInt32(field.bytes.count))
            out.append(contentsOf: field.bytes)
        }
        return out
    }

    /// Reads a payload.
    ///
    /// - Parameter bytes: the payload of an event record.
    /// - Throws: `EventFieldsError` when a length runs past the end or a type's size is wrong.
    package init(decoding bytes: RawSpan) throws(EventFieldsError) {
        var offset = 0
        while offset < bytes.byteCount {
            guard bytes.byteCount - offset >= 7 else {
                throw .truncated(offset: offset, available: bytes.byteCount - offset)
            }
            let id = bytes.littleEndianUInt16(at: offset)
            let type = FieldType(rawValue: bytes.byte(at: offset + 2))
            let length = bytes.littleEndianUInt32(at: offset + 3)
            offset += 7
            guard let count = Int(exactly: length), count <= bytes.byteCount - offset else {
                throw .truncated(offset: offset, available: bytes.byteCount - offset)
            }
            if let size = type.fixedSize, size != count {
                throw .wrongSize(offset: offset, type: type.rawValue, size: count)
            }
            fields.append(
                Field(
                    id: FieldID(rawValue: id),
                    type: type,
                    bytes: bytes.copyBytes(offset..<(offset + count))
                )
            )
            offset += count
        }
    }

    // MARK: Writing

    /// Adds an unsigned integer.
    package mutating func add(_ id: FieldID, _ value: UInt64) {
        var bytes: [UInt8] = []
        bytes.appendLittleEndian(value)
        fields.append(Field(id: id, type: .unsigned, bytes: bytes))
    }

    /// Adds a signed integer.
    package mutating func add(_ id: FieldID, _ value: Int64) {
        var bytes: [UInt8] = []
        bytes.appendLittleEndian(UInt64(bitPattern: value))
        fields.append(Field(id: id, type: .signed, bytes: bytes))
    }

    /// Adds a truth value.
    package mutating func add(_ id: FieldID, _ value: Bool) {
        fields.append(Field(id: id, type: .boolean, bytes: [value ? 1 : 0]))
    }

    /// Adds a text.
    package mutating func add(_ id: FieldID, _ value: String) {
        fields.append(Field(id: id, type: .text, bytes: Array(value.utf8)))
    }

    /// Adds bytes.
    package mutating func add(_ id: FieldID, bytes: [UInt8]) {
        fields.append(Field(id: id, type: .bytes, bytes: bytes))
    }

    /// Adds a name with a value, such as one metadata entry. A name over 65,535 bytes is cut.
    package mutating func add(_ id: FieldID, name: String, value: [UInt8]) {
        let key = Array(name.utf8.prefix(Int(UInt16.max)))
        var bytes: [UInt8] = []
        bytes.appendLittleEndian(UInt16(key.count))
        bytes.append(contentsOf: key)
        bytes.append(contentsOf: value)
        fields.append(Field(id: id, type: .pair, bytes: bytes))
    }

    /// Adds a field as it was stored.
    package mutating func add(_ field: Field) { fields.append(field) }

    // MARK: Reading

    /// The first unsigned integer under an id, or nil.
    package func unsigned(_ id: FieldID) -> UInt64? {
        fields.first { $0.id == id && $0.type == .unsigned }?.unsigned
    }

    /// The first signed integer under an id, or nil.
    package func signed(_ id: FieldID) -> Int64? {
        fields.first { $0.id == id && $0.type == .signed }?.signed
    }

    /// The first truth value under an id, or nil.
    package func boolean(_ id: FieldID) -> Bool? {
        fields.first { $0.id == id && $0.type == .boolean }?.boolean
    }

    /// The first text under an id, or nil.
    package func text(_ id: FieldID) -> String? {
        fields.first { $0.id == id && $0.type == .text }?.text
    }

    /// The first bytes under an id, or nil.
    package func bytes(_ id: FieldID) -> [UInt8]? {
        fields.first { $0.id == id && $0.type == .bytes }?.bytes
    }

    /// All texts under an id, in order.
    package func texts(_ id: FieldID) -> [String] {
        fields.filter { $0.id == id && $0.type == .text }.compactMap(\.text)
    }

    /// All byte strings under an id, in order.
    package func allBytes(_ id: FieldID) -> [[UInt8]] {
        fields.filter { $0.id == id && $0.type == .bytes }.map(\.bytes)
    }

    /// All pairs under an id, in order.
    package func pairs(_ id: FieldID) -> [(name: String, value: [UInt8])] {
        fields.filter { $0.id == id && $0.type == .pair }.compactMap(\.pair)
    }
}

extension EventFields.Field {
    /// The value of an unsigned field; nil for another type.
    package var unsigned: UInt64? {
        guard type == .unsigned, bytes.count == 8 else { return nil }
        return bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// The value of a signed field; nil for another type.
    package var signed: Int64? {
        guard type == .signed, bytes.count == 8 else { return nil }
        return Int64(bitPattern: bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) })
    }

    /// The value of a boolean field; nil for another type.
    package var boolean: Bool? {
        guard type == .boolean, bytes.count == 1 else { return nil }
        return bytes[0] != 0
    }

    /// The value of a text field, ill-formed UTF-8 repaired; nil for another type.
    package var text: String? {
        type == .text ? String(decoding: bytes, as: UTF8.self) : nil
    }

    /// The value of a pair field; nil for another type, or when the name's length is wrong.
    package var pair: (name: String, value: [UInt8])? {
        guard type == .pair, bytes.count >= 2 else { return nil }
        let count = Int(bytes[0]) | Int(bytes[1]) << 8
        guard bytes.count >= 2 + count else { return nil }
        let name = String(decoding: bytes[2..<(2 + count)], as: UTF8.self)
        return (name, Array(bytes[(2 + count)...]))
    }
}

/// An event payload that does not follow the format.
///
/// The record is passed on opaque: its payload is printed as bytes and nothing is derived from it.
package enum EventFieldsError: Error, Equatable, Sendable {
    /// A field needs more bytes than are left.
    case truncated(offset: Int, available: Int)
    /// A field of a fixed size has another.
    case wrongSize(offset: Int, type: UInt8, size: Int)
}

/// How the bytes of a field are to be read. Types of newer versions are carried as they are.
package struct FieldType: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// u64, little-endian.
    package static let unsigned = FieldType(rawValue: 1)
    /// i64, little-endian, two's complement.
    package static let signed = FieldType(rawValue: 2)
    /// One byte: 0 or 1.
    package static let boolean = FieldType(rawValue: 3)
    /// UTF-8.
    package static let text = FieldType(rawValue: 4)
    /// Anything.
    package static let bytes = FieldType(rawValue: 5)
    /// u16 length of the name, the name in UTF-8, the value.
    package static let pair = FieldType(rawValue: 6)

    /// The size that every field of the type has, or nil when it varies.
    var fixedSize: Int? {
        switch self {
        case .unsigned, .signed: 8
        case .boolean: 1
        default: nil
        }
    }
}
