// Bounded gzip (RFC 1952) and raw deflate (RFC 1951, framed as RFC 7692 asks) on zlib. Output
// grows only as bytes really come out, so a small hostile input cannot reserve a large buffer.

internal import CZlib

/// Inflates one message after another, each on its own, reusing zlib's window.
///
/// Belongs to one thread at a time. Holds about 40 KiB.
package final class Inflater {
    private let format: CompressedFormat
    // zlib keeps a pointer back to the stream, so it needs an address that never changes.
    private let stream: UnsafeMutablePointer<z_stream>

    /// Makes an inflater for one framing.
    package init(_ format: CompressedFormat) {
        self.format = format
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        // 15 is the largest window; +16 asks for gzip alone; negative means no header at all.
        let windowBits: Int32 = format == .gzip ? 15 + 16 : -15
        let code = inflateInit2_(
            stream,
            windowBits,
            ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size)
        )
        precondition(code == Z_OK, "inflateInit2 gave \(code)")
    }

    deinit {
        inflateEnd(stream)
        stream.deinitialize(count: 1)
        stream.deallocate()
    }

    /// Inflates one whole message.
    ///
    /// - Parameters:
    ///   - bytes: the compressed message, whole.
    ///   - limit: the largest output in bytes, at least 0.
    /// - Returns: the inflated bytes, at most `limit`.
    /// - Throws: `InflationError`; the inflater can be used again.
    package func inflate(
        _ bytes: Span<UInt8>,
        limit: Int
    ) throws(InflationError) -> [UInt8] {
        var output: [UInt8] = []
        try inflate(bytes, limit: limit, into: &output)
        return output
    }

    /// Inflates one whole message into a buffer that the caller keeps for the next one.
    ///
    /// - Parameters:
    ///   - bytes: the compressed message, whole.
    ///   - limit: the largest output in bytes, at least 0.
    ///   - output: replaced by the inflated bytes; empty after an error.
    /// - Throws: `InflationError`; the inflater can be used again.
    package func inflate(
        _ bytes: Span<UInt8>,
        limit: Int,
        into output: inout [UInt8]
    ) throws(InflationError) {
        precondition(limit >= 0, "a negative limit")
        inflateReset(stream)
        let failure = bytes.withUnsafeBytes { input in
            inflate(input, limit: limit, into: &output)
        }
        if let failure {
            output.removeAll(keepingCapacity: true)
            throw failure
        }
    }

    private func inflate(
        _ input: UnsafeRawBufferPointer,
        limit: Int,
        into output: inout [UInt8]
    ) -> InflationError? {
        output.removeAll(keepingCapacity: true)
        let firstGuess = max(1024, input.count.multipliedReportingOverflow(by: 4).partialValue)
        var step = Step(limit: limit, room: min(limit, firstGuess))
        if let failure = step.feed(stream, input, &output) { return failure }
        switch format {
        case .gzip:
            if !step.isFinished { return .truncated }
            return step.consumed == input.count ? nil : .malformed
        case .messageDeflate:
            return finishMessage(input, &step, &output)
        }
    }

    /// Gives zlib the four bytes that the sender took off, and follows final blocks.
    private func finishMessage(
        _ input: UnsafeRawBufferPointer,
        _ step: inout Step,
        _ output: inout [UInt8]
    ) -> InflationError? {
        // A sender may end a message with a final block (RFC 7692 section 7.2.3.4); zlib then stops
        // and what follows is a new stream. Each turn takes at least one byte of input.
        while step.isFinished, step.consumed < input.count {
            inflateReset(stream)
            let rest = UnsafeRawBufferPointer(rebasing: input[step.consumed...])
            if let failure = step.feed(stream, rest, &output) { return failure }
        }
        if step.isFinished { return nil }
        let tail: [UInt8] = [0x00, 0x00, 0xFF, 0xFF]
        let consumed = step.consumed
        let failure = tail.withUnsafeBytes { step.feed(stream, $0, &output) }
        if let failure { return failure }
        // The tail closes an empty stored block exactly at a byte boundary, or the input was cut.
        let isAtBlockEnd = stream.pointee.data_type & 128 != 0
        let isTailUsed = step.consumed == consumed + tail.count
        return isTailUsed && (isAtBlockEnd || step.isFinished) ? nil : .truncated
    }
}

/// The progress of one message through zlib.
private struct Step {
    let limit: Int
    /// Bytes of output to make room for next.
    var room: Int
    var consumed = 0
    var isFinished = false

    /// Runs zlib until it has taken all input or ended its stream.
    mutating func feed(
        _ stream: UnsafeMutablePointer<z_stream>,
        _ input: UnsafeRawBufferPointer,
        _ output: inout [UInt8]
    ) -> InflationError? {
        isFinished = false
        var fed = 0
        while true {
            let isAtLimit = output.count == limit
            // At the limit one byte of room tells "ends here" from "would go on".
            let room = isAtLimit ? 1 : min(self.room, limit - output.count)
            let slice = min(input.count - fed, Int(UInt32.max))
            let (code, taken, made) = run(stream, input, fed, slice, room, isAtLimit, &output)
            fed += taken
            consumed += taken
            if isAtLimit, made > 0 { return .overLimit(limit: limit) }
            switch code {
            case Z_STREAM_END:
                isFinished = true
                return nil
            case Z_OK, Z_BUF_ERROR:
                // Room left over means that zlib wants input; none left means this part is done.
                if made < room, fed == input.count { return nil }
                // Never more room than has come out already: growth follows real bytes.
                if made == room { self.room = max(self.room, output.count) }
                if taken == 0, made == 0 { return .malformed }
            default:
                return .malformed
            }
        }
    }

    private func run(
        _ stream: UnsafeMutablePointer<z_stream>,
        _ input: UnsafeRawBufferPointer,
        _ fed: Int,
        _ slice: Int,
        _ room: Int,
        _ isProbe: Bool,
        _ output: inout [UInt8]
    ) -> (code: Int32, taken: Int, made: Int) {
        // zlib takes a mutable pointer but only reads its input.
        let base = input.baseAddress.map { UnsafeMutableRawPointer(mutating: $0 + fed) }
        var empty: UInt8 = 0
        return withUnsafeMutablePointer(to: &empty) { spare in
            stream.pointee.next_in = base?.assumingMemoryBound(to: UInt8.self) ?? spare
            stream.pointee.avail_in = UInt32(slice)
            stream.pointee.avail_out = UInt32(room)
            if isProbe {
                stream.pointee.next_out = spare
                let code = CZlib.inflate(stream, Z_NO_FLUSH)
                return (
                    code, slice - Int(stream.pointee.avail_in), 1 - Int(stream.pointee.avail_out)
                )
            }
            var code: Int32 = Z_OK
            var made = 0
            output.append(addingCapacity: room) { span in
                made = span.withUnsafeMutableBufferPointer { buffer, count in
                    stream.pointee.next_out = buffer.baseAddress.map { $0 + count }
                    code = CZlib.inflate(stream, Z_NO_FLUSH)
                    let made = room - Int(stream.pointee.avail_out)
                    count += made
                    return made
                }
            }
            return (code, slice - Int(stream.pointee.avail_in), made)
        }
    }
}
