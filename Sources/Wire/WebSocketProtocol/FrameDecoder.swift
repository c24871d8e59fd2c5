/// Cuts a byte stream into frames, in one buffer that is used again and again.
///
/// Feed it with `receive` or `append`, then call `nextFrame` until it gives nil. Each frame's
/// payload, unmasked, is readable with `withPayload` until the next call that changes the decoder.
/// It judges lengths only; `FrameRules` judges the rest, after a recorder has seen the frame.
///
/// Memory stays under twice the payload limit, follows the bytes that really arrived, and shrinks
/// back after a large frame.
public struct FrameDecoder: ~Copyable {
    /// Largest payload taken, in bytes.
    package let payloadLimit: Int
    private let capacityUsual: Int
    /// Raw bytes; those in `start..<end` have arrived and are not handed out yet.
    @usableFromInline
    internal private(set) var buffer: [UInt8] = []
    private var start = 0
    private var end = 0
    /// Where the payload of the frame handed out last lies; it counts as read.
    @usableFromInline
    internal private(set) var payload = 0..<0
    /// Bytes of the frame at `start`, header included, once its header is known; else 0.
    private var frameByteCount = 0
    private var failure: FrameError?
    /// The last read filled all the room: a larger buffer would save system calls.
    private var wasFilled = false

    /// Buffers start this small, so that many idle connections cost little.
    private static let capacityMin = 4 << 10

    /// Makes a decoder.
    ///
    /// - Parameters:
    ///   - payloadLimit: largest payload of one frame in bytes.
    ///   - capacityUsual: bytes of buffer in steady state on a busy stream.
    package init(
        payloadLimit: Int = WebSocketLimits.framePayloadBytesMax,
        capacityUsual: Int = 256 << 10
    ) {
        precondition(payloadLimit >= 0, "a negative limit")
        self.payloadLimit = payloadLimit
        self.capacityUsual = max(capacityUsual, Self.capacityMin)
    }

    /// Bytes that have arrived and belong to no frame handed out.
    package var unreadByteCount: Int { end - start }

    /// The bytes that have arrived and belong to no frame handed out, exactly as on the wire
    /// (still masked): what a recorder keeps of an unfinished frame when the stream breaks.
    package func unreadBytes() -> [UInt8] { Array(buffer[start..<end]) }

    /// Takes bytes straight from a socket into the buffer.
    ///
    /// - Parameter fill: writes to the front of the room given and returns how many bytes, at most
    ///   the room's count; 0 when there was nothing.
    /// - Returns: what `fill` returned.
    @discardableResult
    package mutating func receive(_ fill: (inout MutableSpan<UInt8>) -> Int) -> Int {
        makeRoom(1)
        let free = end..<buffer.count
        var whole = buffer.mutableSpan
        var room = whole._mutatingExtracting(free)
        let count = fill(&room)
        precondition(count >= 0 && count <= free.count, "more bytes than room")
        end += count
        wasFilled = count == free.count
        return count
    }

    /// Takes bytes from anywhere.
    package mutating func append(_ bytes: Span<UInt8>) {
        makeRoom(bytes.count)
        let end = end
        var whole = buffer.mutableSpan
        WideBytes.copy(bytes, to: &whole, at: end)
        self.end = end + bytes.count
    }

    /// The next whole frame, or nil when more bytes are needed.
    ///
    /// - Throws: `FrameError`, now and at every later call; the bytes stay unread.
    package mutating func nextFrame() throws(FrameError) -> FrameHeader? {
        payload = end..<end
        if let failure { throw failure }
        do {
            return try parse()
        } catch {
            failure = error
            throw error
        }
    }

    @inline(__always)
    private mutating func parse() throws(FrameError) -> FrameHeader? {
        let available = end - start
        if available < frameByteCount || available < 2 { return nil }
        guard let (header, headerByteCount) = try header() else { return nil }
        guard header.payloadLength <= UInt64(payloadLimit) else {
            throw .overLimit(length: header.payloadLength, limit: UInt64(payloadLimit))
        }
        // At most the limit, so it fits an Int with room to spare.
        let payloadByteCount = Int(header.payloadLength)
        let (byteCount, overflow) = headerByteCount.addingReportingOverflow(payloadByteCount)
        if overflow {
            throw .overLimit(length: header.payloadLength, limit: UInt64(payloadLimit))
        }
        if available < byteCount {
            frameByteCount = byteCount
            return nil
        }
        frameByteCount = 0
        payload = start + headerByteCount..<start + byteCount
        start += byteCount
        if let key = header.maskKey {
            let payload = payload
            var whole = buffer.mutableSpan
            var bytes = whole._mutatingExtracting(payload)
            Mask.apply(key, to: &bytes)
        }
        return header
    }

    @inline(__always)
    private func header() throws(FrameError) -> (header: FrameHeader, byteCount: Int)? {
        try FrameHeader.decode(buffer.span.extracting(start..<end))
    }

    /// Lends the payload of the frame that `nextFrame` gave last.
    ///
    /// It can be inlined, so that it costs no generic call for each frame.
    @inlinable
    @inline(__always)
    public func withPayload<Result, Failure: Error>(
        _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(buffer.span.extracting(payload))
    }

    /// Makes at least `byteCount` bytes of room behind `end`, usually far more.
    private mutating func makeRoom(_ byteCount: Int) {
        payload = 0..<0
        if start == end {
            start = 0
            end = 0
            if buffer.count > max(capacityUsual, 1 << 20) { buffer = [] }
        }
        // A quarter of the buffer free, or the rest of the frame if that is less, is a fair read.
        let missing = frameByteCount == 0 ? Int.max : max(frameByteCount - (end - start), 1)
        let wanted = max(byteCount, min(missing, buffer.count / 4, 64 << 10), 1)
        let mayGrow = wasFilled && buffer.count < capacityUsual
        if buffer.count - end >= wanted, !mayGrow { return }
        if start > 0 {
            let (start, end) = (start, end)
            var whole = buffer.mutableSpan
            WideBytes.moveToFront(start..<end, in: &whole)
            self.start = 0
            self.end = end - start
        }
        if buffer.count - end >= wanted, end < buffer.count / 2, !mayGrow { return }
        wasFilled = false
        // Doubling follows the bytes that arrived, not the length that a header claims.
        let target = max(buffer.count * 2, end + byteCount, Self.capacityMin)
        let cap = max(capacityUsual, frameByteCount, end + byteCount)
        let capacity = max(min(target, cap), end + max(byteCount, 1))
        if capacity > buffer.count {
            buffer.append(contentsOf: repeatElement(0, count: capacity - buffer.count))
        }
    }
}

/// The mask of RFC 6455 section 5.3; applying it twice gives the bytes back.
package enum Mask {
    /// Masks or unmasks in place; the key's highest 8 bits go with the first byte.
    package static func apply(_ key: UInt32, to bytes: inout MutableSpan<UInt8>) {
        let four = UInt64(key.byteSwapped)
        WideBytes.combine(four | four << 32, into: &bytes)
    }
}
