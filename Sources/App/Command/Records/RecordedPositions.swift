import EthereumDecoding
import GeyserDecoding
import MarketModel
import RecordModel

/// Slots and block numbers of recorded frames, for the log's index and for seeking.
///
/// Only frames that arrived count. A Geyser message tells its slot unless it is compressed. An EVM
/// notification tells its block at the frame that completes it, unless it is compressed; of a
/// fragmented message the first 64 KiB are looked at. Each call costs well under a microsecond and
/// allocates only for fragments.
struct RecordedPositions: PositionReader {
    /// Bytes kept of a fragmented message: a header's number lies about 1.2 KiB in, a log's behind
    /// its data.
    static let heldBytesMax = 64 << 10
    /// Streams with an unfinished message at once; further ones are not assembled.
    static let streamsMax = 256

    private static let continuation: UInt8 = 0
    private static let text: UInt8 = 1

    /// The beginning of the message that a stream has not finished.
    private var unfinished: [StreamID: [UInt8]] = [:]

    mutating func position(of envelope: RecordEnvelope, payload: RawSpan) -> ChainPosition? {
        switch envelope.kind {
        case .grpcMessageIn:
            guard !envelope.isCompressed, let slot = UpdateSummary.slot(of: payload) else {
                return nil
            }
            return ChainPosition(family: .slot, number: slot.number)
        case .webSocketFrameIn:
            return block(of: envelope, payload)
        case .streamClosed:
            unfinished[envelope.stream] = nil
            return nil
        case .runStarted:
            unfinished = [:]
            return nil
        default: return nil
        }
    }

    private mutating func block(
        of envelope: RecordEnvelope,
        _ payload: RawSpan
    ) -> ChainPosition? {
        switch (envelope.opcode, envelope.isFinal) {
        case (Self.text, true):
            unfinished[envelope.stream] = nil
            return envelope.reservedBits == 0 ? Self.position(payload) : nil
        case (Self.text, false):
            guard envelope.reservedBits == 0, unfinished.count < Self.streamsMax else {
                unfinished[envelope.stream] = nil
                return nil
            }
            unfinished[envelope.stream] = payload.copyBytes(
                0..<min(payload.byteCount, Self.heldBytesMax)
            )
            return nil
        case (Self.continuation, let isFinal):
            guard let index = unfinished.index(forKey: envelope.stream) else { return nil }
            let room = Self.heldBytesMax - unfinished.values[index].count
            if room > 0, payload.byteCount > 0 {
                unfinished.values[index] += payload.copyBytes(0..<min(payload.byteCount, room))
            }
            if !isFinal { return nil }
            let message = unfinished.remove(at: index).value
            return Self.position(message.span.bytes)
        default: return nil
        }
    }

    private static func position(_ message: RawSpan) -> ChainPosition? {
        NotificationScan.blockNumber(of: message).map {
            ChainPosition(family: .block, number: $0.number)
        }
    }
}
