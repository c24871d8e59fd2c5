import CLZ4
import CXXHash

/// LZ4 blocks and XXH3 checksums over raw memory. Nothing here allocates.
package enum BlockCoding {
    /// The most bytes that LZ4 can make of `count` bytes; `count` is at most 2,113,929,216.
    package static func compressBound(_ count: Int) -> Int {
        precondition(count >= 0 && count <= 2_113_929_216, "too large for an LZ4 block: \(count)")
        return Int(LZ4_compressBound(Int32(count)))
    }

    /// Compresses `source` into `target`.
    ///
    /// Below 65,547 bytes LZ4 works on 16-bit table entries, which is measurably faster.
    ///
    /// - Parameters:
    ///   - source: what to compress.
    ///   - target: where to; `compressBound` bytes are always enough.
    ///   - acceleration: LZ4's own: 1 is its default, more is faster and compresses less. On real
    ///     frames 3 takes a fifth less time and 5 % more space.
    /// - Returns: bytes written, or nil when they do not fit.
    @inline(__always)
    package static func compress(
        _ source: UnsafeRawBufferPointer,
        into target: UnsafeMutableRawBufferPointer,
        acceleration: Int32 = 1
    ) -> Int? {
        let written = LZ4_compress_fast(
            source.baseAddress?.assumingMemoryBound(to: CChar.self),
            target.baseAddress?.assumingMemoryBound(to: CChar.self),
            Int32(clamping: source.count),
            Int32(clamping: target.count),
            acceleration
        )
        return written > 0 ? Int(written) : nil
    }

    /// Decompresses `source`, which must give exactly `target.count` bytes.
    ///
    /// LZ4 notices hardly any damage: verify a checksum over `source` first.
    /// - Returns: whether the block was well-formed and of that size.
    @inline(__always)
    package static func decompress(
        _ source: UnsafeRawBufferPointer,
        into target: UnsafeMutableRawBufferPointer
    ) -> Bool {
        let count = LZ4_decompress_safe(
            source.baseAddress?.assumingMemoryBound(to: CChar.self),
            target.baseAddress?.assumingMemoryBound(to: CChar.self),
            Int32(clamping: source.count),
            Int32(clamping: target.count)
        )
        return Int(count) == target.count
    }

    /// The 64-bit XXH3 of some bytes under a salt (used as the seed).
    @inline(__always)
    package static func checksum(_ bytes: UnsafeRawBufferPointer, salt: UInt64) -> UInt64 {
        // XXH3 reads nothing when the count is zero, so a nil base address is fine there.
        cxxhash_64_seeded(bytes.baseAddress, bytes.count, salt)
    }

    /// The 128-bit XXH3 of some bytes, unseeded.
    package static func fingerprint(_ bytes: RawSpan) -> UInt128 {
        bytes.withUnsafeBytes { bytes in
            let hash = cxxhash_128(bytes.baseAddress, bytes.count)
            return UInt128(hash.high) << 64 | UInt128(hash.low)
        }
    }
}
