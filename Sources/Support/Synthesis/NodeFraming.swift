/// How Bor and geth cut a message into WebSocket frames: their write buffer holds 1024 bytes.
enum NodeFraming {
    static let bufferBytes = 1_024
    /// A payload above twice the buffer with its header skips the buffer.
    static let directBytesMin = 2 * (bufferBytes + 14) + 1

    /// The frames of one text message.
    static func frames(_ payload: [UInt8]) -> [SynthesizedFrame] {
        if payload.count <= bufferBytes {
            return [SynthesizedFrame(opcode: 1, isFinal: true, payload: payload)]
        }
        if payload.count >= directBytesMin {
            return [
                SynthesizedFrame(opcode: 1, isFinal: false, payload: payload),
                SynthesizedFrame(opcode: 0, isFinal: true, payload: []),
            ]
        }
        var frames: [SynthesizedFrame] = []
        var start = 0
        while start < payload.count {
            let end = min(start + bufferBytes, payload.count)
            frames.append(
                SynthesizedFrame(
                    opcode: start == 0 ? 1 : 0,
                    isFinal: end == payload.count,
                    payload: Array(payload[start..<end])
                )
            )
            start = end
        }
        return frames
    }
}
