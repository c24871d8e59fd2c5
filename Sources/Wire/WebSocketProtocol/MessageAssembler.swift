/// What is known of a whole message besides its bytes.
package struct AssembledMessage: Equatable, Sendable {
    /// `Opcode.text` or `Opcode.binary`.
    package let opcode: UInt8
    /// RSV1 of its first frame: with permessage-deflate the bytes are compressed, each message on
    /// its own (inflate with `Inflater(.messageDeflate)`, then check a text with `TextValidator`).
    package let isCompressed: Bool
    /// Frames that made it up, at least 1; control frames in between do not count.
    package let frameCount: Int
}

/// Puts the frames of one direction together to messages: live, or from recorded frames.
///
/// A message of one frame passes without being copied. The buffer is kept between messages.
package struct MessageAssembler: Sendable {
    private let messageLimit: Int
    private var bytes: [UInt8] = []
    private var open: (opcode: UInt8, isCompressed: Bool, frameCount: Int)?
    /// The message was refused; its other frames are passed over.
    private var isSkipping = false

    /// Makes an assembler.
    ///
    /// - Parameter messageLimit: largest message in bytes, before inflation.
    package init(messageLimit: Int = WebSocketLimits.messageBytesMax) {
        precondition(messageLimit >= 0, "a negative limit")
        self.messageLimit = messageLimit
    }

    /// Bytes held of a message that is not whole yet.
    package var heldByteCount: Int { bytes.count }

    /// Whether a fragmented message has begun and not ended.
    package var isInsideMessage: Bool { open != nil || isSkipping }

    /// Takes the next frame; control frames are passed over.
    ///
    /// - Parameters:
    ///   - header: the frame's header.
    ///   - payload: the frame's payload, unmasked.
    ///   - body: gets the message that this frame completes, with its bytes; not called otherwise.
    /// - Throws: `messageOverLimit` (the rest of that message is passed over),
    ///   `unexpectedContinuation` (the frame is dropped), `interruptedMessage` (the unfinished
    ///   message is dropped and this frame taken as a new beginning by the next call with it).
    package mutating func append(
        _ header: FrameHeader,
        _ payload: Span<UInt8>,
        _ body: (AssembledMessage, Span<UInt8>) -> Void
    ) throws(Violation) {
        switch header.opcode {
        case Opcode.text, Opcode.binary: try begin(header, payload, body)
        case Opcode.continuation: try goOn(header, payload, body)
        default: return
        }
    }

    private mutating func begin(
        _ header: FrameHeader,
        _ payload: Span<UInt8>,
        _ body: (AssembledMessage, Span<UInt8>) -> Void
    ) throws(Violation) {
        if isInsideMessage {
            drop(isSkipping: false)
            throw .interruptedMessage
        }
        if payload.count > messageLimit {
            drop(isSkipping: !header.isFinal)
            throw .messageOverLimit(limit: messageLimit)
        }
        if header.isFinal {
            let message = AssembledMessage(
                opcode: header.opcode,
                isCompressed: header.hasRSV1,
                frameCount: 1
            )
            body(message, payload)
            return
        }
        open = (header.opcode, header.hasRSV1, 1)
        hold(payload)
    }

    private mutating func goOn(
        _ header: FrameHeader,
        _ payload: Span<UInt8>,
        _ body: (AssembledMessage, Span<UInt8>) -> Void
    ) throws(Violation) {
        if isSkipping {
            isSkipping = !header.isFinal
            return
        }
        guard let (opcode, isCompressed, frameCount) = open else { throw .unexpectedContinuation }
        if payload.count > messageLimit - bytes.count {
            drop(isSkipping: !header.isFinal)
            throw .messageOverLimit(limit: messageLimit)
        }
        hold(payload)
        open = (opcode, isCompressed, frameCount + 1)
        if !header.isFinal { return }
        let message = AssembledMessage(
            opcode: opcode,
            isCompressed: isCompressed,
            frameCount: frameCount + 1
        )
        body(message, bytes.span)
        drop(isSkipping: false)
    }

    private mutating func hold(_ payload: Span<UInt8>) {
        let end = bytes.count
        bytes.append(contentsOf: repeatElement(0, count: payload.count))
        var whole = bytes.mutableSpan
        WideBytes.copy(payload, to: &whole, at: end)
    }

    private mutating func drop(isSkipping: Bool) {
        // A buffer grown by a rare large message is not kept.
        bytes.removeAll(keepingCapacity: bytes.capacity <= 1 << 20)
        open = nil
        self.isSkipping = isSkipping
    }
}
