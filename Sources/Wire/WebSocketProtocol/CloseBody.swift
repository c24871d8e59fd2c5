/// The close codes of RFC 6455 section 7.4 that the program names.
package enum CloseCode {
    package static let normal: UInt16 = 1000
    package static let goingAway: UInt16 = 1001
    package static let protocolError: UInt16 = 1002
    /// Never on the wire: a close frame without a code.
    package static let none: UInt16 = 1005
    /// Never on the wire: the stream ended without a close frame.
    package static let abnormal: UInt16 = 1006
    package static let invalidPayload: UInt16 = 1007
    package static let policyViolation: UInt16 = 1008
    package static let messageTooBig: UInt16 = 1009
    package static let internalError: UInt16 = 1011
    package static let tryAgainLater: UInt16 = 1013

    /// Whether a close frame may carry the code: 1000-1003, 1007-1014 (the IANA registry) and
    /// 3000-4999.
    package static func isValidOnWire(_ code: UInt16) -> Bool {
        switch code {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }
}

/// What a close frame says (RFC 6455 section 5.5.1).
package struct CloseBody: Equatable, Sendable {
    /// The code, or nil when the frame is empty.
    package let code: UInt16?
    /// The reason as UTF-8, at most 123 bytes; empty when there is no code.
    package let reason: [UInt8]

    /// A body to send; a reason beyond 123 bytes is cut at a character.
    package init(code: UInt16?, reason: String = "") {
        self.code = code
        var kept: [UInt8] = []
        if code != nil {
            for scalar in reason.unicodeScalars {
                let bytes = UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter
                if kept.count + bytes.count > 123 { break }
                kept.append(contentsOf: bytes)
            }
        }
        self.reason = kept
    }

    /// Reads the payload of a close frame.
    ///
    /// - Throws: `malformedClose`, `invalidCloseCode` or `malformedCloseReason`.
    package init(payload: Span<UInt8>) throws(Violation) {
        if payload.isEmpty {
            code = nil
            reason = []
            return
        }
        guard payload.count >= 2 else { throw .malformedClose }
        let value = UInt16(payload[0]) << 8 | UInt16(payload[1])
        guard CloseCode.isValidOnWire(value) else { throw .invalidCloseCode(value) }
        let text = payload.extracting(2..<payload.count)
        guard TextValidator.isUTF8(text) else { throw .malformedCloseReason }
        code = value
        reason = text.indices.map { text[$0] }
    }

    /// The payload of the close frame, 0...125 bytes.
    package var payload: [UInt8] {
        guard let code else { return [] }
        return [UInt8(code >> 8), UInt8(code & 0xFF)] + reason
    }
}

/// Who closes first, and what is still owed (RFC 6455 section 7.1). No timers, no I/O.
package struct CloseHandshake: Sendable {
    /// The close frame we sent, if any.
    package private(set) var sent: CloseBody?
    /// The close frame the peer sent, if any.
    package private(set) var received: CloseBody?
    /// Whether the peer's close frame came before ours.
    package private(set) var isPeerFirst = false

    package init() {}

    /// Both close frames have passed: the stream may end.
    package var isComplete: Bool { sent != nil && received != nil }

    /// Notes a close frame of ours.
    ///
    /// - Returns: false when one was sent already and this one must not be.
    package mutating func send(_ body: CloseBody) -> Bool {
        if sent != nil { return false }
        sent = body
        return true
    }

    /// Notes the peer's close frame.
    ///
    /// - Returns: the answer to send, with the same code and no reason; nil when ours is out.
    package mutating func receive(_ body: CloseBody) -> CloseBody? {
        if received != nil { return nil }
        received = body
        isPeerFirst = sent == nil
        return isPeerFirst ? CloseBody(code: body.code) : nil
    }
}
