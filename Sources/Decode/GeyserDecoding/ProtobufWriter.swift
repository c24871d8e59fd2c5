/// Appends protobuf fields to a buffer, in the order of the calls. The buffer is the caller's and
/// may be reused.
package enum ProtobufWriter {
    /// A bare varint.
    package static func varint(_ value: UInt64, to out: inout [UInt8]) {
        var rest = value
        while rest >= 0x80 {
            out.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        out.append(UInt8(truncatingIfNeeded: rest))
    }

    /// How many bytes a varint takes: 1 ... 10.
    package static func varintByteCount(_ value: UInt64) -> Int {
        (70 - (value | 1).leadingZeroBitCount) / 7
    }

    /// A field's tag. `field` is 1 ... 2^29 - 1.
    package static func tag(
        _ field: UInt32,
        _ wireType: ProtobufField.WireType,
        to out: inout [UInt8]
    ) {
        precondition(field > 0 && UInt64(field) <= ProtobufReader.fieldNumberMax)
        varint(UInt64(field) << 3 | UInt64(wireType.rawValue), to: &out)
    }

    /// A uint64, uint32 or bool field; written even when 0.
    package static func uint64(_ field: UInt32, _ value: UInt64, to out: inout [UInt8]) {
        tag(field, .varint, to: &out)
        varint(value, to: &out)
    }

    /// An int64, int32 or enum field; written even when 0, ten bytes when negative.
    package static func int64(_ field: UInt32, _ value: Int64, to out: inout [UInt8]) {
        uint64(field, UInt64(bitPattern: value), to: &out)
    }

    /// A bool field; written even when false.
    package static func bool(_ field: UInt32, _ value: Bool, to out: inout [UInt8]) {
        uint64(field, value ? 1 : 0, to: &out)
    }

    /// A double or fixed64 field.
    package static func fixed64(_ field: UInt32, _ value: UInt64, to out: inout [UInt8]) {
        tag(field, .fixed64, to: &out)
        for shift in stride(from: UInt64(0), to: 64, by: 8) {
            out.append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }

    /// A float or fixed32 field.
    package static func fixed32(_ field: UInt32, _ value: UInt32, to out: inout [UInt8]) {
        tag(field, .fixed32, to: &out)
        for shift in stride(from: UInt32(0), to: 32, by: 8) {
            out.append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }

    /// A string, bytes or message field.
    package static func bytes(
        _ field: UInt32,
        _ value: some Collection<UInt8>,
        to out: inout [UInt8]
    ) {
        tag(field, .lengthDelimited, to: &out)
        varint(UInt64(value.count), to: &out)
        out.append(contentsOf: value)
    }

    /// A string field.
    package static func text(_ field: UInt32, _ value: UTF8Text, to out: inout [UInt8]) {
        bytes(field, value.bytes, to: &out)
    }

    /// A string, bytes or message field whose payload is a part of `source`.
    package static func bytes(
        _ field: UInt32,
        _ source: RawSpan,
        _ range: Range<Int>,
        to out: inout [UInt8]
    ) {
        tag(field, .lengthDelimited, to: &out)
        varint(UInt64(range.count), to: &out)
        copy(source, range, to: &out)
    }

    /// A part of `source` as it stands.
    package static func copy(_ source: RawSpan, _ range: Range<Int>, to out: inout [UInt8]) {
        source.extracting(range).withUnsafeBytes { out.append(contentsOf: $0) }
    }
}
