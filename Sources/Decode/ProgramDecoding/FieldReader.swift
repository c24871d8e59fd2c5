package import MarketModel
import RecordModel

/// Takes one field after the other out of the bytes of an event, instruction or account. A field
/// that begins at the end is absent: fields are only ever appended. A field that is cut by the end
/// is an error.
package struct FieldReader {
    /// Where the next field begins.
    package private(set) var offset: Int
    /// One past the last byte.
    package let end: Int

    /// From the first byte of a range that lies within the bytes; `skipping` of them are passed.
    package init(_ range: Range<Int>, skipping: Int = 0) {
        offset = min(range.lowerBound + skipping, range.upperBound)
        end = range.upperBound
    }

    /// Whether nothing is left.
    package var isAtEnd: Bool { offset >= end }

    /// How many bytes are left.
    package var rest: Int { end - offset }

    /// Passes over bytes.
    package mutating func skip(_ count: Int) throws(ParseFailure) {
        offset = try place(count) + count
    }

    /// Reads one byte.
    package mutating func uint8(_ bytes: RawSpan) throws(ParseFailure) -> UInt8 {
        let start = try place(1)
        offset = start + 1
        return bytes.byte(at: start)
    }

    /// Reads a truth value; anything but 0 and 1 is invalid.
    package mutating func bool(_ bytes: RawSpan) throws(ParseFailure) -> Bool {
        switch try uint8(bytes) {
        case 0: return false
        case 1: return true
        default: throw .invalid
        }
    }

    /// Reads a number of 16 bits.
    package mutating func uint16(_ bytes: RawSpan) throws(ParseFailure) -> UInt16 {
        let start = try place(2)
        offset = start + 2
        return bytes.littleEndianUInt16(at: start)
    }

    /// Reads a number of 32 bits.
    package mutating func uint32(_ bytes: RawSpan) throws(ParseFailure) -> UInt32 {
        let start = try place(4)
        offset = start + 4
        return bytes.littleEndianUInt32(at: start)
    }

    /// Reads a number of 64 bits.
    package mutating func uint64(_ bytes: RawSpan) throws(ParseFailure) -> UInt64 {
        let start = try place(8)
        offset = start + 8
        return bytes.littleEndianUInt64(at: start)
    }

    /// Reads an amount of 64 bits.
    package mutating func amount(_ bytes: RawSpan) throws(ParseFailure) -> UInt128 {
        UInt128(try uint64(bytes))
    }

    /// Reads a number of 128 bits.
    package mutating func uint128(_ bytes: RawSpan) throws(ParseFailure) -> UInt128 {
        let start = try place(16)
        offset = start + 16
        let low = bytes.littleEndianUInt64(at: start)
        let high = bytes.littleEndianUInt64(at: start + 8)
        return UInt128(high) << 64 | UInt128(low)
    }

    /// Reads a number of 128 bits with its sign.
    package mutating func int128(_ bytes: RawSpan) throws(ParseFailure) -> Int128 {
        Int128(truncatingIfNeeded: try uint128(bytes))
    }

    /// Reads an address.
    package mutating func address(_ bytes: RawSpan) throws(ParseFailure) -> Address {
        let start = try place(32)
        guard let address = Address(bytes, at: start) else { throw .truncated }
        offset = start + 32
        return address
    }

    /// Reads the range of a string: its length in 32 bits, then its bytes.
    package mutating func text(_ bytes: RawSpan) throws(ParseFailure) -> Range<Int> {
        let count = Int(try uint32(bytes))
        let start = try place(count)
        offset = start + count
        return start..<start + count
    }

    /// Reads a string, cut after `bytesMax` bytes; what is no UTF-8 is replaced.
    package mutating func string(
        _ bytes: RawSpan,
        bytesMax: Int
    ) throws(ParseFailure) -> String {
        let range = try text(bytes)
        let part = range.lowerBound..<min(range.upperBound, range.lowerBound + bytesMax)
        return String(decoding: bytes.copyBytes(part), as: UTF8.self)
    }

    private func place(_ count: Int) throws(ParseFailure) -> Int {
        guard count <= end - offset else { throw .truncated }
        return offset
    }
}

extension FieldReader {
    /// Reads a truth value; nil when it is absent.
    package mutating func optionalBool(_ bytes: RawSpan) throws(ParseFailure) -> Bool? {
        isAtEnd ? nil : try bool(bytes)
    }

    /// Reads an amount of 64 bits; nil when it is absent.
    package mutating func optionalAmount(_ bytes: RawSpan) throws(ParseFailure) -> UInt128? {
        isAtEnd ? nil : try amount(bytes)
    }

    /// Reads a number of 128 bits with its sign; nil when it is absent.
    package mutating func optionalInt128(_ bytes: RawSpan) throws(ParseFailure) -> Int128? {
        isAtEnd ? nil : try int128(bytes)
    }

    /// Reads an address; nil when it is absent.
    package mutating func optionalAddress(_ bytes: RawSpan) throws(ParseFailure) -> Address? {
        isAtEnd ? nil : try address(bytes)
    }

    /// Passes over bytes of a field that may be absent.
    package mutating func skipOptional(_ count: Int) throws(ParseFailure) {
        if !isAtEnd { try skip(count) }
    }
}
