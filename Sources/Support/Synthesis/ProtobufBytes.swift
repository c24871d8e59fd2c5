import RecordModel

/// Writes one protobuf message (proto3 encoding). Fields are to be written in rising number, the
/// order in which common encoders put them, so that decoding and encoding again changes nothing.
struct ProtobufBytes {
    private(set) var bytes: [UInt8] = []

    /// A field without presence: zero is left out.
    mutating func unsigned(_ field: UInt32, _ value: UInt64) {
        if value != 0 { present(field, value) }
    }

    /// A field with presence (`optional`), written even when zero.
    mutating func present(_ field: UInt32, _ value: UInt64) {
        key(field, wireType: 0)
        varint(value)
    }

    /// An int32 or int64 field without presence; a negative number takes ten bytes.
    mutating func signed(_ field: UInt32, _ value: Int64) {
        unsigned(field, UInt64(bitPattern: value))
    }

    mutating func bool(_ field: UInt32, _ value: Bool) { unsigned(field, value ? 1 : 0) }

    mutating func double(_ field: UInt32, _ value: Double) {
        guard value.bitPattern != 0 else { return }
        key(field, wireType: 1)
        bytes.appendLittleEndian(value.bitPattern)
    }

    /// A bytes field without presence: empty is left out.
    mutating func data(_ field: UInt32, _ value: [UInt8]) {
        if !value.isEmpty { element(field, value) }
    }

    mutating func string(_ field: UInt32, _ value: String) {
        if !value.isEmpty { element(field, Array(value.utf8)) }
    }

    /// An element of a repeated string, bytes or message field, or a sub-message that is present.
    mutating func element(_ field: UInt32, _ value: [UInt8]) {
        key(field, wireType: 2)
        varint(UInt64(value.count))
        bytes.append(contentsOf: value)
    }

    mutating func message(_ field: UInt32, _ write: (inout ProtobufBytes) -> Void) {
        var inner = ProtobufBytes()
        write(&inner)
        element(field, inner.bytes)
    }

    /// A packed repeated field; nothing when there are no values.
    mutating func packed(_ field: UInt32, _ values: [UInt64]) {
        guard !values.isEmpty else { return }
        var inner = ProtobufBytes()
        for value in values { inner.varint(value) }
        element(field, inner.bytes)
    }

    private mutating func key(_ field: UInt32, wireType: UInt64) {
        varint(UInt64(field) << 3 | wireType)
    }

    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}
