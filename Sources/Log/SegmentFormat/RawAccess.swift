// Little-endian integers in memory.
//
// Whatever is read once a block or less often is read through a span, which checks its bounds in
// release builds too. Only the record codec, which runs for every frame, reads through a pointer,
// behind its own checks of the length.

extension RawSpan {
    @inline(__always)
    func u8(_ offset: Int) -> UInt8 { unsafeLoad(fromByteOffset: offset, as: UInt8.self) }
    @inline(__always)
    func u16(_ offset: Int) -> UInt16 {
        UInt16(littleEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: UInt16.self))
    }
    @inline(__always)
    func u32(_ offset: Int) -> UInt32 {
        UInt32(littleEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }
    @inline(__always)
    func u64(_ offset: Int) -> UInt64 {
        UInt64(littleEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
    @inline(__always)
    func i64(_ offset: Int) -> Int64 { Int64(bitPattern: u64(offset)) }
}

extension UnsafeRawPointer {
    @inlinable
    @inline(__always)
    func u32(_ offset: Int) -> UInt32 {
        UInt32(littleEndian: loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }
    @inlinable
    @inline(__always)
    func u64(_ offset: Int) -> UInt64 {
        UInt64(littleEndian: loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
    @inlinable
    @inline(__always)
    func i64(_ offset: Int) -> Int64 { Int64(bitPattern: u64(offset)) }
    @inlinable
    @inline(__always)
    func u8(_ offset: Int) -> UInt8 { load(fromByteOffset: offset, as: UInt8.self) }
}

extension UnsafeMutableRawPointer {
    @inlinable
    @inline(__always)
    func put(_ value: some FixedWidthInteger, at offset: Int) {
        storeBytes(of: value.littleEndian, toByteOffset: offset, as: type(of: value))
    }
}
