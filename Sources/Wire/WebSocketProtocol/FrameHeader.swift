// The frame header of RFC 6455 section 5.2, as a value and as bytes.

/// The opcodes of RFC 6455 section 5.2. Plain numbers, because a recording keeps any that arrives.
package enum Opcode {
    package static let continuation: UInt8 = 0x0
    package static let text: UInt8 = 0x1
    package static let binary: UInt8 = 0x2
    package static let close: UInt8 = 0x8
    package static let ping: UInt8 = 0x9
    package static let pong: UInt8 = 0xA

    /// Whether the opcode has the control bit (8...15): not fragmented, at most 125 bytes.
    package static func isControl(_ opcode: UInt8) -> Bool { opcode & 0x8 != 0 }
}

/// The limits of this implementation, in bytes unless the name says otherwise.
package enum WebSocketLimits {
    /// Largest payload of one frame taken by default: the largest record of a recording.
    package static let framePayloadBytesMax = 64 << 20
    /// Largest message taken by default. A frame of the largest size must fit.
    package static let messageBytesMax = 64 << 20
    /// Largest payload of a control frame (RFC 6455 section 5.5).
    package static let controlPayloadBytesMax = 125
    /// Longest frame header: 2 bytes, 8 of length, 4 of mask.
    package static let headerBytesMax = 14
    /// Largest HTTP head (start line and fields) taken in either direction.
    package static let headBytesMax = 16 << 10
    /// Most header fields in a head.
    package static let headFieldCountMax = 100
    /// Most bytes kept of the body of an answer that refuses the upgrade.
    package static let rejectionBodyBytesMax = 4 << 10
}

/// One frame's header: everything on the wire before the payload.
///
/// `firstByte` is kept exactly as it was on the wire, so that a log can store it and a server can
/// send it again. The length encoding is not kept: only the shortest form is legal and accepted.
package struct FrameHeader: Equatable, Sendable {
    /// FIN (bit 7), RSV1, RSV2, RSV3 (bits 6, 5, 4) and the opcode (bits 3...0).
    package var firstByte: UInt8
    /// The mask key, its first byte on the wire in the highest 8 bits; nil when not masked.
    package var maskKey: UInt32?
    /// Bytes of payload, 0 ... 2^63 - 1.
    package var payloadLength: UInt64

    /// A header from the first byte of the wire.
    package init(firstByte: UInt8, maskKey: UInt32? = nil, payloadLength: UInt64) {
        self.firstByte = firstByte
        self.maskKey = maskKey
        self.payloadLength = payloadLength
    }

    /// A header from its parts; `opcode` is 0...15.
    package init(
        opcode: UInt8,
        isFinal: Bool = true,
        isCompressed: Bool = false,
        maskKey: UInt32? = nil,
        payloadLength: UInt64
    ) {
        precondition(opcode < 16, "an opcode has four bits")
        firstByte = (isFinal ? 0x80 : 0) | (isCompressed ? 0x40 : 0) | opcode
        self.maskKey = maskKey
        self.payloadLength = payloadLength
    }

    /// The four bits of the opcode, 0...15.
    package var opcode: UInt8 { firstByte & 0x0F }
    /// FIN: the last frame of its message.
    package var isFinal: Bool { firstByte & 0x80 != 0 }
    /// RSV1: with permessage-deflate, the message is compressed.
    package var hasRSV1: Bool { firstByte & 0x40 != 0 }
    /// RSV2: no meaning in any extension spoken here.
    package var hasRSV2: Bool { firstByte & 0x20 != 0 }
    /// RSV3: no meaning in any extension spoken here.
    package var hasRSV3: Bool { firstByte & 0x10 != 0 }
    /// Whether this is a close, ping, pong or reserved control frame.
    package var isControl: Bool { Opcode.isControl(opcode) }

    /// Bytes of this header on the wire, 2...14.
    package var encodedByteCount: Int {
        let mask = maskKey == nil ? 0 : 4
        if payloadLength < 126 { return 2 + mask }
        return (payloadLength <= 0xFFFF ? 4 : 10) + mask
    }

    /// Writes the header in its shortest form.
    ///
    /// - Parameter bytes: room for `encodedByteCount` bytes at least.
    /// - Returns: the bytes written, equal to `encodedByteCount`.
    @discardableResult
    package func encode(into bytes: inout MutableSpan<UInt8>) -> Int {
        precondition(payloadLength >> 63 == 0, "a length has 63 bits")
        precondition(bytes.count >= encodedByteCount, "no room for a header")
        let maskBit: UInt8 = maskKey == nil ? 0 : 0x80
        bytes[0] = firstByte
        var count = 2
        if payloadLength < 126 {
            bytes[1] = maskBit | UInt8(payloadLength)
        } else if payloadLength <= 0xFFFF {
            bytes[1] = maskBit | 126
            bytes[2] = UInt8(payloadLength >> 8)
            bytes[3] = UInt8(payloadLength & 0xFF)
            count = 4
        } else {
            bytes[1] = maskBit | 127
            for index in 0..<8 {
                bytes[2 + index] = UInt8(truncatingIfNeeded: payloadLength >> (56 - 8 * index))
            }
            count = 10
        }
        if let maskKey {
            for index in 0..<4 {
                bytes[count + index] = UInt8(truncatingIfNeeded: maskKey >> (24 - 8 * index))
            }
            count += 4
        }
        return count
    }

    /// Appends the header in its shortest form.
    package func encode(to bytes: inout [UInt8]) {
        let start = bytes.count
        bytes.append(contentsOf: repeatElement(0, count: encodedByteCount))
        var span = bytes.mutableSpan
        var room = span._mutatingExtracting(start..<start + encodedByteCount)
        encode(into: &room)
    }

    /// Reads a header from the start of `bytes`.
    ///
    /// - Returns: the header and its bytes on the wire, or nil when more bytes are needed.
    /// - Throws: `nonMinimalLength` or `lengthTopBit`; the stream cannot be read any further.
    @inline(__always)
    package static func decode(
        _ bytes: Span<UInt8>
    ) throws(FrameError) -> (header: FrameHeader, byteCount: Int)? {
        guard bytes.count >= 2 else { return nil }
        let shortLength = bytes[1] & 0x7F
        var length = UInt64(shortLength)
        var count = 2
        if shortLength == 126 {
            guard bytes.count >= 4 else { return nil }
            length = UInt64(bytes[2]) << 8 | UInt64(bytes[3])
            count = 4
            if length < 126 { throw .nonMinimalLength }
        } else if shortLength == 127 {
            guard bytes.count >= 10 else { return nil }
            length = 0
            for index in 2..<10 { length = length << 8 | UInt64(bytes[index]) }
            count = 10
            if length >> 63 != 0 { throw .lengthTopBit }
            if length <= 0xFFFF { throw .nonMinimalLength }
        }
        var maskKey: UInt32?
        if bytes[1] & 0x80 != 0 {
            guard bytes.count >= count + 4 else { return nil }
            var key: UInt32 = 0
            for index in count..<count + 4 { key = key << 8 | UInt32(bytes[index]) }
            maskKey = key
            count += 4
        }
        let header = FrameHeader(firstByte: bytes[0], maskKey: maskKey, payloadLength: length)
        return (header, count)
    }
}

/// Why a byte stream stops being a series of frames. Each is final for its connection: what comes
/// after cannot be told apart any more.
package enum FrameError: Error, Equatable, Sendable {
    /// A length in a longer form than it needs (RFC 6455 section 5.2): close with 1002.
    case nonMinimalLength
    /// A 64-bit length with its highest bit set: close with 1002.
    case lengthTopBit
    /// A payload beyond the limit: close with 1009.
    case overLimit(length: UInt64, limit: UInt64)
}
