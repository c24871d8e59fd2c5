// Whole runs of bytes at once: copied by the standard library's memmove, masked 32 at a time.
//
// `unsafe` below marks raw memory. It is argued here: each function checks its offsets before it
// touches memory, no pointer leaves its closure, and every bit pattern is an integer. The loads
// and stores of spans check their bounds in optimised builds too.

/// Copies of runs of bytes; checked loops over single bytes are twenty times slower.
enum WideBytes {
    /// Copies all of `source` to an offset of `target`; traps where there is no room.
    static func copy(_ source: Span<UInt8>, to target: inout MutableSpan<UInt8>, at offset: Int) {
        let count = source.count
        precondition(offset >= 0 && count <= target.count - offset, "no room for the bytes")
        unsafe source.withUnsafeBytes { source in
            unsafe target.withUnsafeMutableBytes { target in
                let room = unsafe UnsafeMutableRawBufferPointer(
                    rebasing: target[offset..<offset + count]
                )
                unsafe room.copyMemory(from: source)
            }
        }
    }

    /// Moves a range to the front of its buffer; the two may overlap.
    static func moveToFront(_ range: Range<Int>, in bytes: inout MutableSpan<UInt8>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count, "no such bytes")
        unsafe bytes.withUnsafeMutableBytes { bytes in
            let moved = unsafe UnsafeRawBufferPointer(rebasing: bytes[range])
            unsafe bytes.copyMemory(from: moved)
        }
    }

    /// XORs `word`, its lowest byte first, over the bytes again and again.
    static func combine(_ word: UInt64, into bytes: inout MutableSpan<UInt8>) {
        typealias Wide = SIMD4<UInt64>
        let keys = Wide(repeating: word.littleEndian)
        let count = bytes.count
        var raw = unsafe bytes.mutableBytes
        var index = 0
        while count - index >= 32 {
            let wide = unsafe raw.unsafeLoadUnaligned(fromByteOffset: index, as: Wide.self)
            raw.storeBytes(of: wide ^ keys, toByteOffset: index, as: Wide.self)
            index += 32
        }
        while count - index >= 8 {
            let wide = unsafe raw.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
            raw.storeBytes(of: wide ^ word.littleEndian, toByteOffset: index, as: UInt64.self)
            index += 8
        }
        while index < count {
            let byte = unsafe raw.unsafeLoad(fromByteOffset: index, as: UInt8.self)
            let key = UInt8(truncatingIfNeeded: word >> UInt64((index & 7) * 8))
            raw.storeBytes(of: byte ^ key, toByteOffset: index, as: UInt8.self)
            index += 1
        }
    }
}
