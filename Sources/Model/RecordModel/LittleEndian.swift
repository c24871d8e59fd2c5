// Integers in the byte order of the formats: little-endian everywhere.
//
// `unsafe` below marks loads that the language calls unsafe only because they could make a value
// of any type out of bytes. Every bit pattern is an integer, and RawSpan checks the bounds in
// optimised builds too.

extension [UInt8] {
    /// Appends an integer, lowest byte first.
    package mutating func appendLittleEndian(_ value: some FixedWidthInteger & UnsignedInteger) {
        var rest = value
        for _ in 0..<(type(of: value).bitWidth / 8) {
            append(UInt8(truncatingIfNeeded: rest))
            rest >>= 8
        }
    }
}

extension RawSpan {
    /// The byte at an offset; traps outside the span.
    @inlinable @inline(__always)
    package func byte(at offset: Int) -> UInt8 {
        unsafe unsafeLoad(fromByteOffset: offset, as: UInt8.self)
    }

    /// The u16 at an offset; traps outside the span.
    @inlinable @inline(__always)
    package func littleEndianUInt16(at offset: Int) -> UInt16 {
        unsafe UInt16(littleEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: UInt16.self))
    }

    /// The u32 at an offset; traps outside the span.
    @inlinable @inline(__always)
    package func littleEndianUInt32(at offset: Int) -> UInt32 {
        unsafe UInt32(littleEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }

    /// The u64 at an offset; traps outside the span.
    @inlinable @inline(__always)
    package func littleEndianUInt64(at offset: Int) -> UInt64 {
        unsafe UInt64(littleEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    /// A copy of some bytes; traps outside the span.
    package func copyBytes(_ range: Range<Int>) -> [UInt8] {
        let part = extracting(range)
        return unsafe part.withUnsafeBytes { unsafe [UInt8]($0) }
    }

    /// A copy of all bytes.
    package func copyBytes() -> [UInt8] { copyBytes(0..<byteCount) }
}
