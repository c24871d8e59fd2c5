/// What a frame means once the rules have judged it.
package enum Judgement: Equatable, Sendable {
    /// A text, binary or continuation frame in its place; whether it ends its message.
    case message(isEnd: Bool)
    /// Answer with a pong of the same payload.
    case ping
    /// Nothing to do.
    case pong
    /// The peer's close frame: see `CloseHandshake`.
    case close(CloseBody)
    /// A frame behind the peer's close frame, which RFC 6455 section 5.5.1 forbids: not acted on.
    case afterClose
    /// Against the protocol: close with its code.
    case violation(Violation)
}

/// The rules of RFC 6455 sections 5 and 8 for the frames of one direction, judged one by one
/// after whoever records them has seen them.
///
/// Text is validated across fragments; a compressed text message (RSV1) only after inflation, by
/// whoever inflates it. Costs no allocation per frame.
package struct FrameRules: Sendable {
    /// Who sent the frames that are judged.
    package enum Sender: Sendable { case client, server }

    private enum Message {
        case none
        case open(isText: Bool, isCompressed: Bool, byteCount: UInt64)
    }

    private let sender: Sender
    private let allowsCompression: Bool
    private let messageLimit: Int
    private var message = Message.none
    private var text = TextValidator()
    private var hasClosed = false
    private var broken: Violation?

    /// Makes the rules for a fresh connection.
    ///
    /// - Parameters:
    ///   - sender: who sent the frames; clients mask, servers do not.
    ///   - allowsCompression: whether permessage-deflate was negotiated.
    ///   - messageLimit: largest message in bytes, as on the wire (compressed or not).
    package init(
        sender: Sender,
        allowsCompression: Bool = false,
        messageLimit: Int = WebSocketLimits.messageBytesMax
    ) {
        precondition(messageLimit >= 0, "a negative limit")
        self.sender = sender
        self.allowsCompression = allowsCompression
        self.messageLimit = messageLimit
    }

    /// Whether a fragmented message has begun and not ended.
    package var isInsideMessage: Bool {
        if case .none = message { return false }
        return true
    }

    /// Judges the next frame. After a violation every frame gives the same violation.
    package mutating func judge(_ header: FrameHeader, _ payload: Span<UInt8>) -> Judgement {
        if let broken { return .violation(broken) }
        if hasClosed { return .afterClose }
        do throws(Violation) {
            return try check(header, payload)
        } catch {
            broken = error
            return .violation(error)
        }
    }

    private mutating func check(
        _ header: FrameHeader,
        _ payload: Span<UInt8>
    ) throws(Violation) -> Judgement {
        switch (sender, header.maskKey) {
        case (.client, nil): throw .maskMissing
        case (.server, .some): throw .maskForbidden
        default: break
        }
        let startsMessage = header.opcode == Opcode.text || header.opcode == Opcode.binary
        let allowedBits: UInt8 = allowsCompression && startsMessage ? 0x40 : 0
        if header.firstByte & 0x70 & ~allowedBits != 0 {
            throw .reservedBits(firstByte: header.firstByte)
        }
        switch header.opcode {
        case Opcode.continuation, Opcode.text, Opcode.binary:
            return try checkData(header, payload)
        case Opcode.close, Opcode.ping, Opcode.pong:
            return try checkControl(header, payload)
        default:
            throw .reservedOpcode(header.opcode)
        }
    }

    private mutating func checkControl(
        _ header: FrameHeader,
        _ payload: Span<UInt8>
    ) throws(Violation) -> Judgement {
        if !header.isFinal { throw .fragmentedControl(opcode: header.opcode) }
        if header.payloadLength > UInt64(WebSocketLimits.controlPayloadBytesMax) {
            throw .oversizedControl(opcode: header.opcode, length: header.payloadLength)
        }
        switch header.opcode {
        case Opcode.ping: return .ping
        case Opcode.pong: return .pong
        default:
            let body = try CloseBody(payload: payload)
            hasClosed = true
            return .close(body)
        }
    }

    private mutating func checkData(
        _ header: FrameHeader,
        _ payload: Span<UInt8>
    ) throws(Violation) -> Judgement {
        var isText = header.opcode == Opcode.text
        var isCompressed = header.hasRSV1
        var byteCount: UInt64 = 0
        let isContinuation = header.opcode == Opcode.continuation
        switch message {
        case .none:
            if isContinuation { throw .unexpectedContinuation }
        case .open(let wasText, let wasCompressed, let before):
            if !isContinuation { throw .interruptedMessage }
            (isText, isCompressed, byteCount) = (wasText, wasCompressed, before)
        }
        let (sum, overflow) = byteCount.addingReportingOverflow(header.payloadLength)
        if overflow || sum > UInt64(messageLimit) { throw .messageOverLimit(limit: messageLimit) }
        if isText, !isCompressed { try checkText(header, payload, isContinuation) }
        message =
            header.isFinal
            ? .none : .open(isText: isText, isCompressed: isCompressed, byteCount: sum)
        return .message(isEnd: header.isFinal)
    }

    private mutating func checkText(
        _ header: FrameHeader,
        _ payload: Span<UInt8>,
        _ isContinuation: Bool
    ) throws(Violation) {
        if !isContinuation, header.isFinal {
            if !TextValidator.isUTF8(payload) { throw .malformedText }
            return
        }
        if !isContinuation { text = TextValidator() }
        if !text.append(payload) { throw .malformedText }
        if header.isFinal, !text.isComplete { throw .malformedText }
    }
}
