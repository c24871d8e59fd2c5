import Inflation
import RecordModel
import WebSocketProtocol

/// Puts the frames of one recorded stream together to messages and keeps the frames, control
/// frames in between included, so that a message can be sent on exactly as it came.
///
/// At most `bytesMax` bytes are held; a longer message is a fault of the recording and is dropped.
struct EthereumMessageFrames {
    /// What a frame led to.
    enum Step: Equatable {
        /// A control frame outside of any message.
        case control
        /// The message goes on.
        case unfinished
        /// `message` holds a whole message, `frames` its frames.
        case message
        /// A frame that belongs nowhere: a continuation of nothing, or beyond the limit.
        case stray
    }

    static let bytesMax = WebSocketLimits.messageBytesMax

    /// The frames of the message, control frames in between included.
    private(set) var frames: [EthereumFrame] = []
    /// The message's payload, as the frames carried it.
    private(set) var message: [UInt8] = []
    /// RSV1 of the first frame.
    private(set) var isCompressed = false
    /// The first frame's record.
    private(set) var first = Sequence.none
    private var isOpen = false
    private var isSkipping = false

    /// Takes the next frame of the stream.
    mutating func append(
        _ firstByte: UInt8,
        _ payload: [UInt8],
        at sequence: Sequence
    ) -> Step {
        let opcode = firstByte & 0x0F
        let isFinal = firstByte & 0x80 != 0
        if Opcode.isControl(opcode) {
            guard isOpen else { return .control }
            frames.append(EthereumFrame(firstByte: firstByte, payload: payload))
            return .unfinished
        }
        if opcode == Opcode.continuation {
            if isSkipping {
                isSkipping = !isFinal
                return .stray
            }
            guard isOpen else { return .stray }
        } else {
            clear()
            isCompressed = firstByte & 0x40 != 0
            first = sequence
        }
        guard payload.count <= Self.bytesMax - message.count else {
            clear()
            isSkipping = !isFinal
            return .stray
        }
        frames.append(EthereumFrame(firstByte: firstByte, payload: payload))
        message.append(contentsOf: payload)
        isOpen = !isFinal
        return isFinal ? .message : .unfinished
    }

    /// Forgets the control frames between those of the message.
    mutating func dropControlFrames() {
        frames.removeAll { Opcode.isControl($0.firstByte & 0x0F) }
    }

    /// Whether frames of an unfinished message are held.
    var isInsideMessage: Bool { isOpen }

    /// Forgets the message.
    mutating func clear() {
        frames.removeAll(keepingCapacity: true)
        // A buffer grown by a rare long message is not kept.
        message.removeAll(keepingCapacity: message.capacity <= 1 << 20)
        isOpen = false
        isSkipping = false
        isCompressed = false
    }

    /// Replaces a compressed message by what it inflates to.
    ///
    /// - Returns: false when it does not inflate.
    mutating func inflate(by inflater: Inflater) -> Bool {
        guard isCompressed else { return true }
        do throws(InflationError) {
            message = try inflater.inflate(message.span, limit: Self.bytesMax)
            return true
        } catch {
            return false
        }
    }
}

/// How Bor, geth and Erigon cut a message into frames: gorilla's writer with a buffer of 1024
/// bytes (facts measured on their wire; see Sources/Serve/README.md).
enum EthereumFraming {
    static let bufferBytes = 1_024
    /// A payload above twice the buffer with its header skips the buffer: the whole payload in a
    /// frame that is not final, then an empty one that is.
    static let directBytesMin = 2 * (bufferBytes + 14) + 1

    /// Appends the frames of one message.
    static func append(_ payload: [UInt8], opcode: UInt8, to output: inout [UInt8]) {
        if payload.count <= bufferBytes {
            append(0x80 | opcode, payload[...], to: &output)
        } else if payload.count >= directBytesMin {
            append(opcode, payload[...], to: &output)
            append(0x80 | Opcode.continuation, [], to: &output)
        } else {
            append(opcode, payload[..<bufferBytes], to: &output)
            var start = bufferBytes
            while start < payload.count {
                let end = min(start + bufferBytes, payload.count)
                let fin: UInt8 = end == payload.count ? 0x80 : 0
                append(fin | Opcode.continuation, payload[start..<end], to: &output)
                start = end
            }
        }
    }

    /// Appends a message cut where the recorded one was, when it is as long; otherwise as nodes
    /// cut it, or in one frame if the recorded one was.
    static func append(
        _ payload: [UInt8],
        like frames: [EthereumFrame],
        length: Int,
        to output: inout [UInt8]
    ) {
        var opcode = Opcode.text
        var dataFrames = 0
        for frame in frames where !Opcode.isControl(frame.firstByte & 0x0F) {
            if dataFrames == 0 { opcode = frame.firstByte & 0x0F }
            dataFrames += 1
        }
        guard length == payload.count || dataFrames <= 1 else {
            append(payload, opcode: opcode, to: &output)
            return
        }
        if dataFrames <= 1 {
            append(0x80 | opcode, payload[...], to: &output)
            return
        }
        var start = 0
        for frame in frames where !Opcode.isControl(frame.firstByte & 0x0F) {
            let end = start + frame.payload.count
            append(frame.firstByte & 0x8F, payload[start..<end], to: &output)
            start = end
        }
    }

    /// Appends one frame.
    static func append(_ firstByte: UInt8, _ payload: ArraySlice<UInt8>, to output: inout [UInt8]) {
        FrameHeader(firstByte: firstByte, payloadLength: UInt64(payload.count)).encode(to: &output)
        output.append(contentsOf: payload)
    }
}
