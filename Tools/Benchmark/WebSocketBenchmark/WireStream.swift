// The frames that are measured: text as a node sends it, of one size.

import WebSocketProtocol

/// About a megabyte of equal frames as bytes of the wire.
struct WireStream {
    let payloadBytes: Int
    let isMasked: Bool
    let frameCount: Int
    let bytes: [UInt8]

    init(payloadBytes: Int, isMasked: Bool = false) {
        self.payloadBytes = payloadBytes
        self.isMasked = isMasked
        let payload = Self.text(payloadBytes)
        let key: UInt32 = 0x37FA_213D
        var bytes: [UInt8] = []
        var frameCount = 0
        repeat {
            let header = FrameHeader(
                opcode: Opcode.text,
                maskKey: isMasked ? key : nil,
                payloadLength: UInt64(payloadBytes)
            )
            header.encode(to: &bytes)
            for (index, byte) in payload.enumerated() {
                let mask = UInt8(truncatingIfNeeded: key >> UInt32(24 - index % 4 * 8))
                bytes.append(isMasked ? byte ^ mask : byte)
            }
            frameCount += 1
        } while bytes.count < 1 << 20
        self.bytes = bytes
        self.frameCount = frameCount
    }

    /// Text like that of a log notification, all ASCII.
    static func text(_ count: Int) -> [UInt8] {
        let piece = Array(
            #"{"jsonrpc":"2.0","method":"eth_subscription","params":{"result":{"data":"0x00000"#
                .utf8
        )
        return (0..<count).map { piece[$0 % piece.count] }
    }
}
