internal import CZlib

/// Compresses one message after another, each on its own, reusing zlib's state.
///
/// Belongs to one thread at a time. Holds about 260 KiB.
package final class Deflater {
    private let format: CompressedFormat
    // zlib keeps a pointer back to the stream, so it needs an address that never changes.
    private let stream: UnsafeMutablePointer<z_stream>

    /// Makes a deflater for one framing.
    ///
    /// - Parameters:
    ///   - format: what comes out.
    ///   - level: zlib's level, 0 (stored) to 9 (smallest).
    package init(_ format: CompressedFormat, level: Int32 = 6) {
        precondition((0...9).contains(level), "zlib has no level \(level)")
        self.format = format
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let code = deflateInit2_(
            stream,
            level,
            Z_DEFLATED,
            format == .gzip ? 15 + 16 : -15,
            8,
            Z_DEFAULT_STRATEGY,
            ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size)
        )
        precondition(code == Z_OK, "deflateInit2 gave \(code)")
    }

    deinit {
        deflateEnd(stream)
        stream.deinitialize(count: 1)
        stream.deallocate()
    }

    /// Compresses one whole message.
    ///
    /// - Parameters:
    ///   - bytes: the message, under 4 GiB.
    ///   - output: replaced by the compressed bytes; at most slightly longer than the input.
    package func deflate(_ bytes: Span<UInt8>, into output: inout [UInt8]) {
        precondition(bytes.count < Int(UInt32.max), "a message of 4 GiB")
        deflateReset(stream)
        output.removeAll(keepingCapacity: true)
        // deflateBound covers one Z_FINISH; a sync flush adds at most a few bytes more.
        let room = Int(deflateBound(stream, UInt(bytes.count))) + 16
        bytes.withUnsafeBytes { input in
            output.append(addingCapacity: room) { span in
                span.withUnsafeMutableBufferPointer { buffer, count in
                    count = run(input, buffer)
                }
            }
        }
        if format == .messageDeflate {
            precondition(output.suffix(4).elementsEqual([0, 0, 0xFF, 0xFF]), "no sync flush")
            output.removeLast(4)
        }
    }

    private func run(
        _ input: UnsafeRawBufferPointer,
        _ buffer: UnsafeMutableBufferPointer<UInt8>
    ) -> Int {
        var spare: UInt8 = 0
        return withUnsafeMutablePointer(to: &spare) { spare in
            // zlib takes a mutable pointer but only reads its input.
            let base = input.baseAddress.map { UnsafeMutableRawPointer(mutating: $0) }
            stream.pointee.next_in = base?.assumingMemoryBound(to: UInt8.self) ?? spare
            stream.pointee.avail_in = UInt32(input.count)
            stream.pointee.next_out = buffer.baseAddress
            stream.pointee.avail_out = UInt32(clamping: buffer.count)
            let code = CZlib.deflate(stream, format == .gzip ? Z_FINISH : Z_SYNC_FLUSH)
            let isDone = format == .gzip ? code == Z_STREAM_END : code == Z_OK
            precondition(isDone && stream.pointee.avail_in == 0, "deflate gave \(code)")
            return min(buffer.count, Int(UInt32.max)) - Int(stream.pointee.avail_out)
        }
    }
}
