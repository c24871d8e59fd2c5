/// One field as it stands on the wire. Ranges count from the start of the bytes it was read from.
package struct ProtobufField: Hashable, Sendable {
    /// The four wire types in use.
    package enum WireType: UInt8, Sendable {
        case varint = 0
        case fixed64 = 1
        case lengthDelimited = 2
        case fixed32 = 5
    }

    /// 1 ... 2^29 - 1.
    package let number: UInt32
    package let wireType: WireType
    /// Where the tag begins.
    package let start: Int
    /// The payload without tag and length.
    package let payload: Range<Int>
    /// The number of a varint or fixed field; the byte count of a length-delimited one.
    package let value: UInt64

    /// Tag and payload.
    package var range: Range<Int> { start..<payload.upperBound }

    /// The payload of a string, bytes, message or packed field.
    @inline(__always)
    package func delimited() throws(ProtobufError) -> Range<Int> {
        guard wireType == .lengthDelimited else {
            throw .wrongWireType(field: number, offset: start)
        }
        return payload
    }

    /// The value of a varint field.
    @inline(__always)
    package func varint() throws(ProtobufError) -> UInt64 {
        guard wireType == .varint else { throw .wrongWireType(field: number, offset: start) }
        return value
    }

    /// The value of an int32 or enum field: the low 32 bits, as every protobuf runtime takes them.
    @inline(__always)
    package func int32() throws(ProtobufError) -> Int32 {
        Int32(truncatingIfNeeded: try varint())
    }

    /// The value of a uint32 field: the low 32 bits.
    @inline(__always)
    package func uint32() throws(ProtobufError) -> UInt32 {
        UInt32(truncatingIfNeeded: try varint())
    }

    /// The value of a bool field: anything but 0 is true.
    @inline(__always)
    package func bool() throws(ProtobufError) -> Bool {
        try varint() != 0
    }
}
