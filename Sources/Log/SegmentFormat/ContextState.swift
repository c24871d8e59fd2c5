package import RecordModel

/// The events that are in force at a place of the log: the run, the declared sources, the open
/// streams with their metadata and subscriptions, the open gaps.
///
/// It is a fold over event records, so the context block that begins a segment can be derived and
/// verified. The block's raw bytes are, for each event in order of sequence: the sequence (u64),
/// then the event's record as in a data block.
package struct ContextState: Equatable, Sendable {
    /// One event in force.
    package struct Entry: Equatable, Sendable {
        package let envelope: RecordEnvelope
        package let payload: [UInt8]
    }

    /// Events in force, by rising sequence.
    package private(set) var entries: [Entry] = []
    /// Bytes that `encoded` will have.
    package private(set) var byteCount = 0

    package init() {}

    /// Folds one record in; data frames change nothing.
    package mutating func apply(_ envelope: RecordEnvelope, payload: RawSpan) {
        switch envelope.kind {
        case .runStarted:
            // A new run knows none of the streams of the one before, but its open gaps and, until
            // it declares its own, no sources.
            remove { $0.envelope.kind != .gapOpened && $0.envelope.kind != .gapBounded }
            keep(envelope, payload)
        case .sourceDeclared:
            let source = Self.text(.source, in: payload)
            remove {
                $0.envelope.kind == .sourceDeclared
                    && Self.text(.source, in: $0.payload) == source
            }
            keep(envelope, payload)
        case .streamOpened, .gapOpened: keep(envelope, payload)
        case .streamAccepted, .subscriptionDecided:
            // Of a stream that is not open they would never be taken off again.
            guard isOpen(envelope.stream, .streamOpened) else { return }
            keep(envelope, payload)
        case .streamClosed, .connectError:
            let stream = envelope.stream
            guard stream > .none else { return }
            remove { $0.envelope.sequence == stream || $0.envelope.stream == stream }
        case .gapBounded:
            // The newest bound of a gap that is open.
            guard let gap = Self.fields(payload)?.unsigned(.gap), isOpen(Sequence(gap), .gapOpened)
            else { return }
            remove { Self.bounds($0, gap) }
            keep(envelope, payload)
        case .gapFilled, .gapAbandoned:
            guard let gap = Self.fields(payload)?.unsigned(.gap) else { return }
            remove {
                $0.envelope.sequence.value == gap && $0.envelope.kind == .gapOpened
                    || Self.bounds($0, gap)
            }
        default: return
        }
    }

    /// Adds a frame by which an open stream subscribed; it leaves with its stream. For the context
    /// of a recording that does not hold the frame itself.
    package mutating func add(frame envelope: RecordEnvelope, payload: RawSpan) {
        guard envelope.kind.isDataFrame, isOpen(envelope.stream, .streamOpened),
            !entries.contains(where: { $0.envelope.sequence == envelope.sequence })
        else { return }
        keep(envelope, payload)
        entries.sort { $0.envelope.sequence < $1.envelope.sequence }
    }

    /// Streams that are open, by their ids.
    package var openStreams: [Entry] {
        entries.filter { $0.envelope.kind == .streamOpened }
    }

    /// Gaps that are open.
    package var openGaps: [Entry] {
        entries.filter { $0.envelope.kind == .gapOpened }
    }

    /// The raw bytes of the context block.
    package func encoded() -> [UInt8] {
        var out: [UInt8] = []
        for entry in entries {
            out.appendLittleEndian(entry.envelope.sequence.value)
            var record = [UInt8](
                repeating: 0,
                count: FormatLimits.recordHeaderBytes + entry.payload.count
            )
            record.withUnsafeMutableBytes { target in
                entry.payload.withUnsafeBytes { payload in
                    guard let base = target.baseAddress else { preconditionFailure("no buffer") }
                    RecordCodec.encode(entry.envelope, payload: payload, into: base)
                }
            }
            out.append(contentsOf: record)
        }
        return out
    }

    /// Reads the raw bytes of a context block.
    ///
    /// - Throws: `truncated` or `invalid` when they are not what `encoded` writes.
    package init(decoding raw: UnsafeRawBufferPointer) throws(FormatError) {
        var offset = 0
        var last = Sequence.none
        while offset < raw.count {
            guard raw.count - offset >= 8 else {
                throw .truncated(
                    structure: "context",
                    needed: 8,
                    available: raw.count - offset
                )
            }
            let sequence = Sequence(RawSpan(_unsafeBytes: raw).u64(offset))
            guard sequence > last else {
                throw .invalid(structure: "context", field: "sequence", value: sequence.value)
            }
            last = sequence
            offset += 8
            let (envelope, range) = try RecordCodec.decode(raw, at: &offset, sequence: sequence)
            entries.append(Entry(envelope: envelope, payload: Array(raw[range])))
            guard entries.count <= FormatLimits.contextEntriesMax else {
                throw .invalid(
                    structure: "context",
                    field: "events",
                    value: UInt64(entries.count)
                )
            }
        }
        byteCount = raw.count
    }

    private mutating func keep(_ envelope: RecordEnvelope, _ payload: RawSpan) {
        let cost = 8 + FormatLimits.recordHeaderBytes + payload.byteCount
        guard entries.count < FormatLimits.contextEntriesMax,
            byteCount + cost <= FormatLimits.contextBytesMax
        else { return }
        byteCount += cost
        entries.append(Entry(envelope: envelope, payload: payload.copyBytes()))
    }

    private mutating func remove(where isOver: (Entry) -> Bool) {
        entries.removeAll { entry in
            guard isOver(entry) else { return false }
            byteCount -= 8 + FormatLimits.recordHeaderBytes + entry.payload.count
            return true
        }
    }

    private func isOpen(_ sequence: Sequence, _ kind: RecordKind) -> Bool {
        entries.contains { $0.envelope.sequence == sequence && $0.envelope.kind == kind }
    }

    /// Whether an event is the bound of a gap.
    private static func bounds(_ entry: Entry, _ gap: UInt64) -> Bool {
        entry.envelope.kind == .gapBounded && fields(entry.payload)?.unsigned(.gap) == gap
    }

    private static func fields(_ payload: RawSpan) -> EventFields? {
        // An event that cannot be read is in force under no name; it is kept all the same.
        do { return try EventFields(decoding: payload) } catch { return nil }
    }

    private static func fields(_ payload: [UInt8]) -> EventFields? {
        payload.withUnsafeBytes { bytes in
            do { return try EventFields(decoding: RawSpan(_unsafeBytes: bytes)) } catch {
                return nil
            }
        }
    }

    private static func text(_ id: FieldID, in payload: RawSpan) -> String? {
        fields(payload)?.text(id)
    }

    private static func text(_ id: FieldID, in payload: [UInt8]) -> String? {
        fields(payload)?.text(id)
    }
}
