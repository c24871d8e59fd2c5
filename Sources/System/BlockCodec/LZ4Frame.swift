import CLZ4

/// Whole LZ4 frames (https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md), the form in which
/// LZ4 is exchanged in files of others.
package enum LZ4Frame {
    /// The most bytes that one byte of a frame can stand for, rounded up: LZ4 adds 255 to a length
    /// with each byte.
    package static let expansionMax = 256

    /// Makes a frame with its content size and without checksums of its own.
    ///
    /// - Parameter bytes: any number of bytes.
    /// - Returns: the same frame for the same bytes.
    package static func compress(_ bytes: Span<UInt8>) -> [UInt8] {
        var preferences = LZ4F_preferences_t()
        preferences.frameInfo.blockSizeID = LZ4F_max1MB
        preferences.frameInfo.contentSize = UInt64(bytes.count)
        let bound = LZ4F_compressFrameBound(bytes.count, &preferences)
        return bytes.withUnsafeBytes { source in
            [UInt8](unsafeUninitializedCapacity: bound) { target, count in
                count = LZ4F_compressFrame(
                    target.baseAddress,
                    target.count,
                    source.baseAddress,
                    source.count,
                    &preferences
                )
                precondition(
                    LZ4F_isError(count) == 0,
                    "LZ4 refuses \(source.count) bytes: \(String(cString: LZ4F_getErrorName(count)))"
                )
            }
        }
    }

    /// Opens one frame, which must be all of `bytes` and give exactly `count` bytes.
    ///
    /// A frame notices hardly any damage: verify a checksum over the result. No more than `count`
    /// bytes and a few blocks of at most 4 MiB are ever held, whatever the frame claims.
    ///
    /// - Parameters:
    ///   - bytes: a frame of anybody's making.
    ///   - count: the size that was promised; hold it against a limit first.
    /// - Returns: nil when it is no such frame.
    package static func decompress(_ bytes: Span<UInt8>, count: Int) -> [UInt8]? {
        guard count >= 0, count / expansionMax <= bytes.count else { return nil }
        var context: OpaquePointer?
        guard LZ4F_isError(LZ4F_createDecompressionContext(&context, UInt32(LZ4F_VERSION))) == 0
        else { return nil }
        defer { LZ4F_freeDecompressionContext(context) }
        var isWhole = false
        // At least one byte, so that there is an address.
        let opened = [UInt8](unsafeUninitializedCapacity: max(count, 1)) { target, filled in
            bytes.withUnsafeBytes { source in
                isWhole = open(context, source, target, count, &filled)
            }
        }
        return isWhole ? opened : nil
    }

    private static func open(
        _ context: OpaquePointer?,
        _ source: UnsafeRawBufferPointer,
        _ target: UnsafeMutableBufferPointer<UInt8>,
        _ count: Int,
        _ filled: inout Int
    ) -> Bool {
        var consumed = 0
        while true {
            var produced = count - filled
            var taken = source.count - consumed
            let hint = LZ4F_decompress(
                context,
                target.baseAddress.map { $0 + filled },
                &produced,
                source.baseAddress.map { $0 + consumed },
                &taken,
                nil
            )
            guard LZ4F_isError(hint) == 0 else { return false }
            filled += produced
            consumed += taken
            if hint == 0 { return filled == count && consumed == source.count }
            // It wants more bytes, or more room, than there is.
            guard produced > 0 || taken > 0 else { return false }
        }
    }
}
