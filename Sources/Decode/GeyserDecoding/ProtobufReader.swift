// Reading the protobuf wire in place: offsets into bytes that stay where they are. No allocation,
// every load checked, nothing trusted. Format: https://protobuf.dev/programming-guides/encoding/

/// The wire reader, as functions over a span and an offset that moves.
package enum ProtobufReader {
    /// Greatest field number that a tag can hold.
    package static let fieldNumberMax: UInt64 = 1 << 29 - 1

    /// The field at `offset`, which moves behind it; nil at `end`. `end` lies within `bytes`.
    @inline(__always)
    package static func next(
        _ bytes: RawSpan,
        at offset: inout Int,
        end: Int
    ) throws(ProtobufError) -> ProtobufField? {
        guard offset < end else { return nil }
        let start = offset
        let tag = try varint(bytes, at: &offset, end: end)
        let number = tag >> 3
        guard number > 0, number <= fieldNumberMax else { throw .invalidTag(offset: start) }
        let wireType: ProtobufField.WireType
        let value: UInt64
        var payloadStart = offset
        switch tag & 7 {
        case 0:
            wireType = .varint
            value = try varint(bytes, at: &offset, end: end)
        case 1:
            wireType = .fixed64
            guard end &- offset >= 8 else { throw .truncated(offset: offset) }
            value = UInt64(
                littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
            )
            offset &+= 8
        case 2:
            wireType = .lengthDelimited
            value = try varint(bytes, at: &offset, end: end)
            payloadStart = offset
            guard value <= UInt64(end &- offset) else { throw .lengthBeyondEnd(offset: start) }
            offset &+= Int(value)
        case 3, 4:
            throw .groupRefused(offset: start)
        case 5:
            wireType = .fixed32
            guard end &- offset >= 4 else { throw .truncated(offset: offset) }
            value = UInt64(
                UInt32(
                    littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self)
                )
            )
            offset &+= 4
        default:
            throw .invalidTag(offset: start)
        }
        return ProtobufField(
            number: UInt32(truncatingIfNeeded: number),
            wireType: wireType,
            start: start,
            payload: payloadStart..<offset,
            value: value
        )
    }

    /// The varint at `offset`, which moves behind it: at most ten bytes and 64 bits.
    @inline(__always)
    package static func varint(
        _ bytes: RawSpan,
        at offset: inout Int,
        end: Int
    ) throws(ProtobufError) -> UInt64 {
        guard offset < end else { throw .truncated(offset: offset) }
        let first = bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
        if first < 0x80 {
            offset &+= 1
            return UInt64(first)
        }
        return try longVarint(bytes, at: &offset, end: end)
    }

    private static func longVarint(
        _ bytes: RawSpan,
        at offset: inout Int,
        end: Int
    ) throws(ProtobufError) -> UInt64 {
        let start = offset
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while offset < end {
            let byte = bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
            offset &+= 1
            if shift == 63, byte > 1 { throw .varintTooLong(offset: start) }
            value |= UInt64(byte & 0x7f) &<< shift
            if byte < 0x80 { return value }
            shift &+= 7
        }
        throw .truncated(offset: start)
    }

    /// Calls `body` with each field of the message in `range`, which lies within `bytes`.
    @inline(__always)
    package static func forEachField(
        _ bytes: RawSpan,
        in range: Range<Int>,
        _ body: (ProtobufField) throws(ProtobufError) -> Void
    ) throws(ProtobufError) {
        var offset = range.lowerBound
        while let field = try next(bytes, at: &offset, end: range.upperBound) {
            try body(field)
        }
    }
}
