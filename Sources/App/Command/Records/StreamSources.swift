import Platform
import RecordModel
import SegmentFormat
import SegmentLog

/// Tells the source of every stream, also when reading begins in the middle of a recording.
///
/// A stream is named by the sequence of its stream-opened record, so an unknown one is looked up
/// there; when that record is gone, the contexts that segments begin with may have a copy.
final class StreamSources {
    /// Streams remembered at a time; beyond it they are looked up again.
    private static let streamsMax = 65_536

    private let reader: RecordingReader
    private var known: [StreamID: String] = [:]
    private var lookup: RecordCursor?
    /// The source of each stream that a context tells, once they were read.
    private var told: [StreamID: String]?

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
        if told == nil { told = try readContexts() }
        return told?[stream]
    }

    /// Reads what all segments begin with; the oldest one that knows a stream is right.
    private func readContexts() throws(LogError) -> [StreamID: String] {
        var found: [StreamID: String] = [:]
        for segment in reader.segments where found.count < Self.streamsMax {
            let context: ContextState?
            do { context = try reader.context(of: segment) } catch {
                // It is reported by whoever reads the segment; it tells nothing here.
                guard error.isDamageOrAbsence else { throw error }
                continue
            }
            for entry in context?.openStreams ?? [] {  // not written yet
                let id = entry.envelope.sequence
                // An entry that cannot be read, or without a source, tells that there is none.
                let name = EventFields(orNil: entry.payload)?.text(.source) ?? ""
                if found[id] == nil { found[id] = name }
            }
        }
        return found
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
