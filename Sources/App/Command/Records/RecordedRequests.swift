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
        /// What the stream was to ask for, as on the wire, for when no frame of it is left.
        var decided: [[UInt8]] = []
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
        var afterLoss = ContextAfterLoss(reader)
        reading: while true {
            switch try cursor.next() {
            case .end: break reading
            case .hole(let hole): afterLoss.lost(hole.from, through: hole.last)
            case .damage(let damage): afterLoss.lost(damage)
            case .record:
                let envelope = cursor.envelope
                if let told = try afterLoss.context(before: envelope.sequence) {
                    for entry in told.lost { note(entry.envelope, entry.payload.span.bytes) }
                }
                cursor.withPayload { note(envelope, $0) }
            }
        }
        for place in entries.indices { entries[place].useDecision() }
    }

    private mutating func note(_ envelope: RecordEnvelope, _ payload: RawSpan) {
        switch envelope.kind {
        case .streamOpened: open(envelope.sequence, payload)
        case .subscriptionDecided:
            guard let place = streams[envelope.stream], entries[place].decided.isEmpty else {
                return
            }
            let fields: EventFields
            // An event that cannot be read decides nothing.
            do { fields = try EventFields(decoding: payload) } catch { return }
            entries[place].decided = fields.allBytes(.request)
        case .grpcMessageOut:
            guard let place = streams[envelope.stream], entries[place].subscribe == nil else {
                return
            }
            entries[place].subscribe = Self.request(payload)
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

    /// A request as protobuf JSON; nil for one that has none (unknown fields), which is left out
    /// rather than told wrongly.
    fileprivate static func request(_ payload: RawSpan) -> [UInt8]? {
        do { return try SubscribeRequest(decoding: payload).json() } catch { return nil }
    }

    /// The method and parameters of an outgoing call; nil for anything else.
    fileprivate static func call(_ payload: RawSpan) -> [UInt8]? {
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

extension RecordedRequests.Entry {
    /// Where no frame tells what was asked for, because the oldest segments were retired or
    /// damaged, what was decided does.
    fileprivate mutating func useDecision() {
        if transport == "websocket" {
            guard calls.isEmpty else { return }
            calls = decided.compactMap { RecordedRequests.call($0.span.bytes) }
        } else if subscribe == nil {
            subscribe = decided.first.flatMap { RecordedRequests.request($0.span.bytes) }
        }
    }
}
