import Platform
import RecordModel
import SegmentFormat
import SegmentLog

/// Tells the source of every stream, also when reading begins in the middle of a recording.
///
/// A stream is named by the sequence of its stream-opened record, so an unknown one is looked up
/// there; when that record is gone, the context that the oldest segment begins with has a copy.
final class StreamSources {
    /// Streams remembered at a time; beyond it they are looked up again.
    private static let streamsMax = 65_536

    private let reader: RecordingReader
    private var known: [StreamID: String] = [:]
    private var lookup: RecordCursor?

    init(_ reader: RecordingReader) { self.reader = reader }

    /// The source of a record: what its own fields say, else its stream's; empty for neither.
    ///
    /// - Throws: `system` when a file cannot be read, or `newerVersion`.
    func source(of envelope: RecordEnvelope, fields: EventFields?) throws(LogError) -> String {
        let own = fields?.text(.source)
        if envelope.kind == .streamOpened, let own { remember(envelope.sequence, own) }
        if let own { return own }
        guard envelope.stream > .none else { return "" }
        if let name = known[envelope.stream] { return name }
        let found = try find(envelope.stream) ?? ""  // a stream without a source
        remember(envelope.stream, found)
        return found
    }

    private func remember(_ stream: StreamID, _ source: String) {
        if known.count >= Self.streamsMax { known.removeAll(keepingCapacity: true) }
        known[stream] = source
    }

    private func find(_ stream: StreamID) throws(LogError) -> String? {
        guard let oldest = reader.segments.first else { return nil }
        if stream >= oldest.firstSequence, let fields = try openedFields(of: stream) {
            return fields.text(.source)
        }
        do {
            let context = try reader.context(of: oldest)
            let entry = context?.openStreams.first { $0.envelope.sequence == stream }
            return entry.flatMap { EventFields(orNil: $0.payload)?.text(.source) }
        } catch {
            // A damaged context is reported by whoever reads the segment; the name is unknown.
            guard error.isDamageOrAbsence else { throw error }
            return nil
        }
    }

    private func openedFields(of stream: StreamID) throws(LogError) -> EventFields? {
        let cursor: RecordCursor
        if let lookup {
            cursor = lookup
            try cursor.seek(to: stream)
        } else {
            cursor = try RecordCursor(reader, from: stream)
            lookup = cursor
        }
        while true {
            switch try cursor.next() {
            case .end: return nil
            case .hole, .damage: continue
            case .record:
                guard cursor.envelope.sequence == stream, cursor.envelope.kind == .streamOpened
                else { return nil }
                return EventFields(orNil: cursor.payloadBytes)
            }
        }
    }
}

extension LogError {
    /// Whether a segment's bytes are wrong or its file is gone: a cursor reports both as damage.
    var isDamageOrAbsence: Bool {
        switch self {
        case .damaged: true
        case .system(let cause): cause.isNotFound
        default: false
        }
    }
}

extension EventFields {
    /// Reads a payload; nil when it is not a list of fields.
    init?(orNil payload: [UInt8]) {
        do { self = try EventFields(decoding: payload.span.bytes) } catch { return nil }
    }
}
