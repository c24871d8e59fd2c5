/// What a peer did against the protocol. Each is final for the connection: it is closed with
/// `closeCode` after the frame has been recorded.
package enum Violation: Error, Equatable, Sendable {
    /// The stream stopped being frames.
    case frame(FrameError)
    /// An opcode that RFC 6455 keeps for later (3...7, 11...15).
    case reservedOpcode(UInt8)
    /// An RSV bit that no negotiated extension explains; the frame's first byte.
    case reservedBits(firstByte: UInt8)
    /// A frame from a client without mask.
    case maskMissing
    /// A frame from a server with mask.
    case maskForbidden
    /// A control frame without FIN.
    case fragmentedControl(opcode: UInt8)
    /// A control frame of more than 125 bytes.
    case oversizedControl(opcode: UInt8, length: UInt64)
    /// A continuation frame where no message has begun.
    case unexpectedContinuation
    /// A text or binary frame before the last frame of the message before it.
    case interruptedMessage
    /// A text message that is not UTF-8.
    case malformedText
    /// A compressed message that does not inflate; found by whoever inflates it.
    case malformedCompression
    /// A message beyond the limit in bytes.
    case messageOverLimit(limit: Int)
    /// A close frame with a body of one byte.
    case malformedClose
    /// A close code that may not be on the wire.
    case invalidCloseCode(UInt16)
    /// A close reason that is not UTF-8.
    case malformedCloseReason

    /// The code that the closing frame carries (RFC 6455 section 7.4.1).
    package var closeCode: UInt16 {
        switch self {
        case .frame(.overLimit), .messageOverLimit: CloseCode.messageTooBig
        case .malformedText, .malformedCloseReason: CloseCode.invalidPayload
        default: CloseCode.protocolError
        }
    }
}

extension Violation: CustomStringConvertible {
    package var description: String {
        switch self {
        case .frame(.nonMinimalLength): "frame length not in its shortest form"
        case .frame(.lengthTopBit): "frame length with its highest bit set"
        case .frame(.overLimit(let length, let limit)):
            "frame of \(length) bytes, limit \(limit)"
        case .reservedOpcode(let opcode): "reserved opcode \(opcode)"
        case .reservedBits(let byte): "reserved bits in first byte \(byte)"
        case .maskMissing: "frame from a client without mask"
        case .maskForbidden: "frame from a server with mask"
        case .fragmentedControl(let opcode): "fragmented control frame, opcode \(opcode)"
        case .oversizedControl(let opcode, let length):
            "control frame of \(length) bytes, opcode \(opcode)"
        case .unexpectedContinuation: "continuation without a message"
        case .interruptedMessage: "new message inside a fragmented one"
        case .malformedText: "text message is not UTF-8"
        case .malformedCompression: "compressed message does not inflate"
        case .messageOverLimit(let limit): "message over \(limit) bytes"
        case .malformedClose: "close frame with one byte"
        case .invalidCloseCode(let code): "close code \(code)"
        case .malformedCloseReason: "close reason is not UTF-8"
        }
    }
}
