import EthereumDecoding
import GeyserDecoding
import MarketModel
import RecordModel

/// Finds slots in Solana updates and blocks in EVM notifications, for the index of the log.
///
/// WebSocket messages in fragments are put together first, because nodes cut every message of
/// more than a kilobyte; the position belongs to the last fragment. Compressed payloads tell
/// nothing here.
struct FramePositions: PositionReader {
    /// Bytes of one message in fragments; a longer one has no position.
    private static let messageBytesMax = 1 << 20
    /// Streams that may have an unfinished message at a time.
    private static let streamsMax = 256

    private var unfinished: [StreamID: [UInt8]] = [:]

    mutating func position(of envelope: RecordEnvelope, payload: RawSpan) -> ChainPosition? {
        switch envelope.kind {
        case .grpcMessageIn where !envelope.isCompressed:
            return UpdateSummary.slot(of: payload).map {
                ChainPosition(family: .slot, number: $0.number)
            }
        case .webSocketFrameIn where envelope.reservedBits == 0 && envelope.opcode <= 1:
            return block(of: envelope, payload)
        case .streamClosed:
            unfinished[envelope.stream] = nil
            return nil
        default: return nil
        }
    }

    private mutating func block(of envelope: RecordEnvelope, _ payload: RawSpan) -> ChainPosition? {
        let number: BlockNumber?
        if envelope.opcode == 1, envelope.isFinal {
            number = NotificationScan.blockNumber(of: payload)
        } else {
            guard let message = joined(envelope, payload) else { return nil }
            number = NotificationScan.blockNumber(of: message)
        }
        return number.map { ChainPosition(family: .block, number: $0.number) }
    }

    /// The message that this fragment ends, or nil.
    private mutating func joined(_ envelope: RecordEnvelope, _ payload: RawSpan) -> [UInt8]? {
        var message: [UInt8]
        if envelope.opcode == 1 {
            guard unfinished.count < Self.streamsMax else { return nil }
            message = []
        } else {
            guard let begun = unfinished.removeValue(forKey: envelope.stream) else { return nil }
            message = begun
        }
        guard message.count + payload.byteCount <= Self.messageBytesMax else { return nil }
        message.append(contentsOf: payload.copyBytes())
        if envelope.isFinal { return message }
        unfinished[envelope.stream] = message
        return nil
    }
}
