import EthereumDecoding
import GeyserDecoding
import JSONText
import RecordModel
import SegmentFormat
import SegmentLog

/// What the sources of a recording asked for, in the form in which `record` takes it.
struct RecordedRequests {
    /// One source with its first stream's requests.
    struct Entry {
        let source: String
        let transport: String
        let chain: String?
        /// The first request of a gRPC stream, as protobuf JSON.
        var subscribe: [UInt8]?
        /// The calls of a WebSocket connection, each `{"method":…,"params":…}`, in order.
        var calls: [[UInt8]] = []
    }

    private(set) var entries: [Entry] = []
    /// The first stream of each source, and the entry's place.
    private var streams: [StreamID: Int] = [:]

    /// Reads the whole recording; damage is stepped over.
    init(_ reader: RecordingReader) throws(LogError) {
        if let oldest = reader.segments.first {
            do {
                for entry in try reader.context(of: oldest)?.entries ?? [] {  // not written yet
                    note(entry.envelope, entry.payload.span.bytes)
                }
            } catch {
                // The cursor meets the same damage.
                guard error.isDamageOrAbsence else { throw error }
            }
        }
        let cursor = try RecordCursor(reader)
        while true {
            switch try cursor.next() {
            case .end: return
            case .hole, .damage: continue
            case .record:
                let envelope = cursor.envelope
                cursor.withPayload { note(envelope, $0) }
            }
        }
    }

    private mutating func note(_ envelope: RecordEnvelope, _ payload: RawSpan) {
        switch envelope.kind {
        case .streamOpened: open(envelope.sequence, payload)
        case .grpcMessageOut:
            guard let place = streams[envelope.stream], entries[place].subscribe == nil else {
                return
            }
            // A request that has no JSON (unknown fields) is left out rather than told wrongly.
            do {
                entries[place].subscribe = try SubscribeRequest(decoding: payload).json()
            } catch { _ = error }
        case .webSocketFrameOut:
            guard let place = streams[envelope.stream] else { return }
            guard let call = Self.call(payload) else { return }
            entries[place].calls.append(call)
        default: return
        }
    }

    private mutating func open(_ stream: StreamID, _ payload: RawSpan) {
        let fields: EventFields
        // An event that cannot be read names no source.
        do { fields = try EventFields(decoding: payload) } catch { return }
        guard let source = fields.text(.source), !entries.contains(where: { $0.source == source })
        else { return }
        streams[stream] = entries.count
        entries.append(
            Entry(
                source: source,
                transport: fields.text(.transport) ?? "",  // older recordings may lack it
                chain: fields.text(.chain)
            )
        )
    }

    /// The method and parameters of an outgoing call; nil for anything else.
    private static func call(_ payload: RawSpan) -> [UInt8]? {
        let root: JSONValue
        // What is not JSON is no call: a pong, a close.
        do { root = try JSONDocument().parse(payload) } catch { return nil }
        guard let method = root.member("method"), let params = root.member("params") else {
            return nil
        }
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("method")
        writer.raw(method.rawBytes)
        writer.key("params")
        writer.raw(params.rawBytes)
        writer.endObject()
        return writer.bytes
    }
}
