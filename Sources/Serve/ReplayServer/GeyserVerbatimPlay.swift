import GRPCTransport
import Inflation
import RecordModel
import Replay
import SegmentLog

/// Recorded streams of one source, one after the other, byte for byte: their messages, their
/// pings and pongs, and the end of the last one. Nothing is added.
final class GeyserVerbatimPlay: GeyserPlay {
    private let streams: [GeyserRecordedStream]
    /// The one that is being played.
    private var current = 0
    /// What the client can read beside plain messages.
    private let encoding: GRPCEncoding
    private let inflatedBytesMax: Int
    private let inflater = Inflater(.gzip)
    private var inflated: [UInt8] = []

    /// - Parameters:
    ///   - streams: at least one.
    ///   - encoding: the one that the call was accepted with.
    ///   - inflatedBytesMax: for messages that the client cannot read compressed.
    init(
        _ streams: [GeyserRecordedStream],
        encoding: GRPCEncoding,
        inflatedBytesMax: Int
    ) {
        precondition(!streams.isEmpty, "a verbatim play of nothing")
        self.streams = streams
        self.encoding = encoding
        self.inflatedBytesMax = inflatedBytesMax
    }

    var addsOwn: Bool { false }

    /// Goes on with the first stream that has something at or behind a record.
    func move(to sequence: Sequence) throws(GeyserEnding) {
        guard let found = streams.firstIndex(where: { $0.last >= sequence }) else {
            throw .recorded(streams[streams.count - 1].end)
        }
        current = found
    }

    func take(_ cursor: ReplayListener, _ outbox: GeyserOutbox) throws -> Bool {
        let envelope = cursor.records.envelope
        let stream = streams[current]
        if envelope.stream == stream.id, envelope.kind == .grpcMessageIn {
            guard try send(cursor.records, stream, outbox) else { return false }
        }
        guard envelope.sequence >= stream.last else { return true }
        guard current + 1 < streams.count else {
            // A stream that was cut off with its run has no end but the range's.
            if stream.end == nil { return true }
            throw GeyserEnding.recorded(stream.end)
        }
        current += 1
        let next = streams[current].id
        if next <= envelope.sequence { try cursor.rewind(to: next) }
        return true
    }

    private func send(
        _ records: RecordCursor,
        _ stream: GeyserRecordedStream,
        _ outbox: GeyserOutbox
    ) throws -> Bool {
        let bytes = records.unsafePayload
        guard records.envelope.isCompressed else { return outbox.send(bytes) }
        switch stream.compression {
        case .gzip where encoding == .gzip: return outbox.send(bytes, isCompressed: true)
        case .gzip:
            do throws(InflationError) {
                try inflater.inflate(
                    Span(_unsafeElements: bytes.bindMemory(to: UInt8.self)),
                    limit: inflatedBytesMax,
                    into: &inflated
                )
            } catch { throw unreadable(records) }
            return outbox.send(inflated)
        case .other where encoding == .deflate: return outbox.send(bytes, isCompressed: true)
        case .other, .none: throw unreadable(records)
        }
    }

    private func unreadable(_ records: RecordCursor) -> GeyserEnding {
        GeyserEnding(
            code: .dataLoss,
            message: "message \(records.envelope.sequence) is compressed in a way that cannot be "
                + "undone"
        )
    }
}
