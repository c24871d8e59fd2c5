// Records of other recordings in a new one with numbers of its own: filtered cuts and merges.
// Frames keep their bytes, their times and their order; the numbers by which records name streams,
// gaps and sequences follow them.

import RecordModel
import SegmentFormat
import SegmentLog

/// Which records a copy takes.
package struct RecordFilter: Sendable, Equatable {
    /// Sources by name; empty for all.
    package var sources: Set<String> = []
    /// Streams by the sequence of their first record; empty for all.
    package var streams: Set<UInt64> = []
    /// Kinds of frames, and of events that neither runs, sources, streams nor gaps need; empty
    /// for all.
    package var kinds: Set<UInt8> = []

    package init() {}

    /// Whether it takes everything.
    package var isEmpty: Bool { sources.isEmpty && streams.isEmpty && kinds.isEmpty }
}

/// The copying of one recording's records; several may write into one recording.
struct DenseCopy {
    /// Who the records come from, in the text of holes and notes.
    let name: String
    /// The number of the recording among several.
    let input: Int
    let filter: RecordFilter
    /// Whether runs stay runs; otherwise they become notes, and a run that begins ends the streams
    /// of the one before.
    let keepsRuns: Bool
    private(set) var numbers = Renumbering()
    private(set) var records: UInt64 = 0

    init(name: String, input: Int, filter: RecordFilter, keepsRuns: Bool) {
        self.name = name
        self.input = input
        self.filter = filter
        self.keepsRuns = keepsRuns
    }

    /// Writes what was in force before the first record, as records.
    mutating func begin(
        _ context: ContextState,
        _ names: inout SourceNames,
        _ writer: SequencedWriter,
        monotonic: UInt64?
    ) throws(CareError) {
        try take(context.entries, &names, writer, monotonic)
    }

    /// Writes what was in force, as records; the rest of a run that was lost is no new run.
    mutating func take(
        _ entries: [ContextState.Entry],
        _ names: inout SourceNames,
        _ writer: SequencedWriter,
        _ monotonic: UInt64?
    ) throws(CareError) {
        for entry in entries where keepsRuns || entry.envelope.kind != .runStarted {
            try take(entry.envelope, entry.payload.span.bytes, &names, writer, monotonic)
        }
    }

    /// Writes a record when the filter takes it. `monotonic` is its nanoseconds in the new
    /// recording; nil keeps the record's own.
    mutating func take(
        _ envelope: RecordEnvelope,
        _ payload: RawSpan,
        _ names: inout SourceNames,
        _ writer: SequencedWriter,
        _ monotonic: UInt64?
    ) throws(CareError) {
        guard !envelope.kind.isDataFrame else {
            guard takes(frame: envelope) else { return }
            let stream = try stream(envelope, writer, monotonic)
            return try write(envelope, payload, stream, nil, writer, monotonic)
        }
        let fields: EventFields?
        do { fields = try EventFields(decoding: payload) } catch {
            // Opaque: passed on as it is.
            fields = nil
        }
        guard takes(event: envelope, fields) else { return }
        if !keepsRuns, envelope.kind == .runStarted || envelope.kind == .runEnded {
            return try takeRun(envelope, fields, writer, monotonic)
        }
        let stream = try stream(envelope, writer, monotonic)
        let source = fields?.text(.source)
        guard let fields else {
            return try write(envelope, payload, stream, nil, writer, monotonic)
        }
        let bytes = renumbered(envelope, fields, &names).encoded
        try write(envelope, bytes.span.bytes, stream, source, writer, monotonic)
        if envelope.kind == .gapFilled || envelope.kind == .gapAbandoned,
            let gap = fields.unsigned(.gap)
        {
            numbers.forget(gap: gap)
        }
    }

    /// Writes a hole for what is missing.
    func take(_ missing: SteadyCursor.Missing, _ writer: SequencedWriter) throws(CareError) {
        let cause =
            "\(missing.cause) (sequences \(missing.from) to \(missing.through) of \(name))"
        let hole = Hole(from: writer.next, count: missing.count, cause: cause)
        try logging { () throws(LogError) in try writer.append(hole) }
    }

    // MARK: What is taken

    private func takes(frame envelope: RecordEnvelope) -> Bool {
        guard filter.kinds.isEmpty || filter.kinds.contains(envelope.kind.rawValue) else {
            return false
        }
        return takes(stream: envelope.stream)
    }

    private func takes(stream: StreamID) -> Bool {
        if filter.sources.isEmpty, filter.streams.isEmpty { return true }
        // A stream is noted when its first record was taken.
        return numbers.streams[stream] != nil
    }

    private func takes(event envelope: RecordEnvelope, _ fields: EventFields?) -> Bool {
        let source = fields?.text(.source)
        // What names no source concerns all of them.
        let isOfSource = filter.sources.isEmpty || source.map(filter.sources.contains) ?? true
        switch envelope.kind {
        case .runStarted, .runEnded: return true
        case .sourceDeclared: return isOfSource
        case .streamOpened:
            guard filter.streams.isEmpty || filter.streams.contains(envelope.sequence.value) else {
                return false
            }
            // A stream without a source is none of those that were named.
            return filter.sources.isEmpty || source.map(filter.sources.contains) ?? false
        case .gapOpened: return isOfSource
        case .gapBounded, .gapFilled, .gapAbandoned:
            return fields?.unsigned(.gap).map { numbers.gap($0) != nil } ?? isOfSource
        default:
            if envelope.stream > .none { return takes(stream: envelope.stream) }
            guard isOfSource else { return false }
            return filter.kinds.isEmpty || filter.kinds.contains(envelope.kind.rawValue)
        }
    }

    // MARK: Numbers

    private mutating func stream(
        _ envelope: RecordEnvelope,
        _ writer: SequencedWriter,
        _ monotonic: UInt64?
    ) throws(CareError) -> StreamID {
        guard envelope.stream > .none else { return .none }
        if let known = numbers.streams[envelope.stream] { return known.id }
        // Its first record is lost, but a stream is named by one.
        var fields = EventFields()
        fields.add(.origin, "stream \(envelope.stream) of \(name), whose beginning is missing")
        let id = writer.next
        try writer.append(
            .streamOpened,
            fields,
            receivedAt: envelope.receivedAt,
            monotonic: monotonic ?? envelope.monotonic
        )
        numbers.adopt(envelope.stream, as: id)
        return id
    }

    private func renumbered(
        _ envelope: RecordEnvelope,
        _ fields: EventFields,
        _ names: inout SourceNames
    ) -> EventFields {
        let isGap = [.gapOpened, .gapBounded, .gapFilled, .gapAbandoned].contains(envelope.kind)
        var result = EventFields()
        var unknown: [String] = []
        for field in fields.fields {
            guard let number = field.unsigned else {
                if field.id == .source, let name = field.text {
                    let declared = envelope.kind == .sourceDeclared ? fields : nil
                    let changed = names.name(name, of: input, declared: declared)
                    if changed != name {
                        result.add(.source, changed)
                        continue
                    }
                }
                result.add(field)
                continue
            }
            let mapped: UInt64?
            switch field.id {
            case .gap: mapped = numbers.gap(number)
            case .fromSequence where isGap: mapped = numbers.atOrBelow(number)
            case .toSequence where isGap: mapped = numbers.atOrAbove(number)
            case .lastSequenceKept: mapped = number == 0 ? 0 : numbers.atOrBelow(number)
            default: mapped = number
            }
            if let mapped {
                result.add(field.id, mapped)
            } else {
                unknown.append("\(field.id) was \(number) in \(name)")
            }
        }
        for text in unknown { result.add(.evidence, text) }
        return result
    }

    // MARK: Runs

    /// A run of the original, as a note; it ends what the one before left open.
    private mutating func takeRun(
        _ envelope: RecordEnvelope,
        _ fields: EventFields?,
        _ writer: SequencedWriter,
        _ monotonic: UInt64?
    ) throws(CareError) {
        if envelope.kind == .runStarted {
            for (old, stream) in numbers.openStreams {
                var closed = EventFields()
                closed.add(.cause, "crash")
                closed.add(.origin, "the run of \(name) ended without closing the stream")
                try writer.append(
                    .streamClosed,
                    closed,
                    stream: stream.id,
                    receivedAt: envelope.receivedAt,
                    monotonic: monotonic ?? envelope.monotonic
                )
                numbers.close(old)
            }
        }
        var note = EventFields()
        note.add(.text, "\(envelope.kind) of \(name)")
        // An event that cannot be read has no fields to tell.
        for field in fields?.fields ?? [] where field.id != .text { note.add(field) }
        note.add(.origin, "sequence \(envelope.sequence) of \(name)")
        let sequence = writer.next
        try writer.append(
            .note,
            note,
            receivedAt: envelope.receivedAt,
            monotonic: monotonic ?? envelope.monotonic
        )
        numbers.note(envelope, as: sequence, source: nil)
        records += 1
    }

    private mutating func write(
        _ envelope: RecordEnvelope,
        _ payload: RawSpan,
        _ stream: StreamID,
        _ source: String?,
        _ writer: SequencedWriter,
        _ monotonic: UInt64?
    ) throws(CareError) {
        var changed = envelope
        changed.sequence = writer.next
        changed.stream = stream
        changed.monotonic = monotonic ?? envelope.monotonic
        try payload.withUnsafeBytes { bytes throws(CareError) in
            try logging { () throws(LogError) in try writer.append(changed, payload: bytes) }
        }
        numbers.note(envelope, as: changed.sequence, source: source)
        records += 1
    }
}
