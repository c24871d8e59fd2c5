import WebSocketProtocol

/// A frame as plain values, for comparing.
struct Frame: Equatable {
    var firstByte: UInt8
    var maskKey: UInt32?
    var payload: [UInt8]

    init(_ firstByte: UInt8, _ payload: [UInt8] = [], mask: UInt32? = nil) {
        self.firstByte = firstByte
        self.payload = payload
        maskKey = mask
    }

    init(_ firstByte: UInt8, _ payload: String, mask: UInt32? = nil) {
        self.init(firstByte, Array(payload.utf8), mask: mask)
    }

    var header: FrameHeader {
        FrameHeader(
            firstByte: firstByte,
            maskKey: maskKey,
            payloadLength: UInt64(payload.count)
        )
    }

    /// The frame on the wire, masked byte by byte as RFC 6455 section 5.3 writes it.
    var wire: [UInt8] {
        var bytes = [firstByte]
        let bit: UInt8 = maskKey == nil ? 0 : 0x80
        switch payload.count {
        case ..<126: bytes.append(bit | UInt8(payload.count))
        case ..<65_536:
            bytes += [bit | 126, UInt8(payload.count >> 8), UInt8(payload.count & 255)]
        default:
            bytes.append(bit | 127)
            for shift in stride(from: 56, through: 0, by: -8) {
                bytes.append(UInt8(payload.count >> shift & 255))
            }
        }
        guard let maskKey else { return bytes + payload }
        let key = [24, 16, 8, 0].map { UInt8(maskKey >> UInt32($0) & 255) }
        return bytes + key + payload.enumerated().map { $1 ^ key[$0 % 4] }
    }
}

/// A small reproducible generator, so that a failing case can be run again.
struct Dice {
    var state: UInt64

    mutating func roll(_ sides: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(state >> 33) % sides
    }

    mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(roll(256)) } }
}

/// Everything that comes out of a decoder fed with pieces.
func decode(
    _ pieces: [[UInt8]],
    limit: Int = 1 << 20
) -> (frames: [Frame], error: FrameError?, unread: [UInt8]) {
    var decoder = FrameDecoder(payloadLimit: limit, capacityUsual: 4 << 10)
    var frames: [Frame] = []
    for piece in pieces {
        decoder.append(piece.span)
        do throws(FrameError) {
            while let header = try decoder.nextFrame() {
                let payload = decoder.withPayload { span in span.indices.map { span[$0] } }
                frames.append(Frame(header.firstByte, payload, mask: header.maskKey))
            }
        } catch {
            return (frames, error, decoder.unreadBytes())
        }
    }
    return (frames, nil, decoder.unreadBytes())
}
