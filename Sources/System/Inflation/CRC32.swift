internal import CZlib

/// The checksum of gzip, ZIP and MCAP: CRC-32 with the polynomial of IEEE 802.3, by zlib.
package enum CRC32 {
    /// Goes on with a checksum.
    ///
    /// - Parameters:
    ///   - crc: the checksum of what came before; 0 for nothing.
    ///   - bytes: what comes next.
    /// - Returns: the checksum of both.
    package static func update(_ crc: UInt32, _ bytes: Span<UInt8>) -> UInt32 {
        bytes.withUnsafeBufferPointer { buffer in
            // zlib takes a null pointer as "start again".
            guard let base = buffer.baseAddress, !buffer.isEmpty else { return crc }
            return UInt32(truncatingIfNeeded: crc32_z(UInt(crc), base, buffer.count))
        }
    }
}
