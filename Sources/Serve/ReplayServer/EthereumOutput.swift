import EthereumDecoding
import JSONText
import RecordModel
import WebSocketProtocol

/// Frames that are to be sent to a client, encoded one after another.
struct EthereumOutput {
    /// Emptied by whoever sends them.
    var bytes: [UInt8] = []
    /// Whether the client can inflate messages.
    let isCompressed: Bool
    private let reader = JSONRPCReader()

    init(isCompressed: Bool) { self.isCompressed = isCompressed }

    /// Sends a message of our own, cut as nodes cut it.
    mutating func send(_ message: [UInt8]) {
        EthereumFraming.append(message, opcode: Opcode.text, to: &bytes)
    }

    /// Sends an answer that failed.
    mutating func send(error: JSONRPCError, id: [UInt8]) {
        var text: [UInt8] = []
        JSONRPCWriter.append(error: error, id: id, to: &text)
        send(text)
    }

    /// Sends a frame as it came.
    mutating func pass(_ firstByte: UInt8, _ payload: RawSpan) {
        let count = UInt64(payload.byteCount)
        FrameHeader(firstByte: firstByte, payloadLength: count).encode(to: &bytes)
        payload.withUnsafeBytes { bytes.append(contentsOf: $0) }
    }

    /// Sends a message as it came; inflated when the client cannot do that.
    mutating func pass(_ frames: [EthereumFrame], _ message: [UInt8], isCompressed: Bool) {
        if isCompressed, !self.isCompressed {
            passControlFrames(frames)
            EthereumFraming.append(message, like: frames, length: -1, to: &bytes)
            return
        }
        for frame in frames {
            EthereumFraming.append(frame.firstByte, frame.payload[...], to: &bytes)
        }
    }

    /// Sends what stood between the frames of a message.
    mutating func passControlFrames(_ frames: [EthereumFrame]) {
        for frame in frames where Opcode.isControl(frame.firstByte & 0x0F) {
            EthereumFraming.append(frame.firstByte, frame.payload[...], to: &bytes)
        }
    }

    /// Sends a notification under another subscription id, every other byte kept.
    ///
    /// - Parameters:
    ///   - message: the message, inflated.
    ///   - range: where its id stands.
    ///   - id: the id to put there.
    ///   - frames: those that carried the message.
    ///   - wireCount: bytes that they carried; -1 when those were compressed.
    mutating func rewrite(
        _ message: [UInt8],
        _ range: Range<Int>,
        id: [UInt8],
        frames: [EthereumFrame],
        wireCount: Int
    ) {
        var text: [UInt8] = []
        text.reserveCapacity(message.count + id.count)
        NotificationScan.rewrite(message, subscription: range, with: id, into: &text)
        EthereumFraming.append(text, like: frames, length: wireCount, to: &bytes)
    }

    /// Sends a recorded answer, under the client's id if that is another one.
    mutating func answer(
        _ call: EthereumRecordedCall,
        id: [UInt8],
        frames: [EthereumFrame],
        message: [UInt8],
        isCompressed: Bool
    ) {
        if !call.isBatched, id == call.id {
            pass(frames, message, isCompressed: isCompressed)
            return
        }
        switch read(message) {
        case .single(.answer(let answer)):
            let range = answer.id.range
            let own = Array(message[..<range.lowerBound]) + id + message[range.upperBound...]
            let count = isCompressed ? -1 : message.count
            EthereumFraming.append(own, like: frames, length: count, to: &bytes)
        case .batch(let messages):
            for case .answer(let answer) in messages where answer.id.rawBytes == call.id {
                send(Self.text(answer, id: id))
                return
            }
        default: return
        }
    }

    private static func text(_ answer: JSONRPCAnswer, id: [UInt8]) -> [UInt8] {
        var text: [UInt8] = []
        switch answer.outcome {
        case .result(let value):
            JSONRPCWriter.append(result: value.rawBytes, id: id, to: &text)
        case .error(let code, let words, _):
            let error = JSONRPCError(code: Int(code), message: words)
            JSONRPCWriter.append(error: error, id: id, to: &text)
        }
        return text
    }

    private func read(_ message: [UInt8]) -> JSONRPCText? {
        do throws(JSONError) {
            return try reader.read(message)
        } catch {
            return nil
        }
    }
}
