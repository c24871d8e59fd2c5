import RecordModel
import SegmentFormat
import SegmentLog

/// Reads a recording so that every sequence from a first one on is told exactly once, in order: as
/// a record or as missing. What a hostile recording says twice is told once.
final class SteadyCursor {
    /// A range of sequences that cannot be had.
    struct Missing {
        let from: Sequence
        let through: Sequence
        let cause: String
        /// The damage that is to blame; nil when the recording itself says that they are missing.
        let damage: DamageReport?

        var count: UInt64 { through.value - from.value + 1 }
    }

    /// What comes next.
    enum Step {
        /// A record; the cursor tells it.
        case record
        case missing(Missing)
        /// Damage that costs no record, or nobody knows how many behind the last one.
        case damage(DamageReport)
        case end
    }

    /// The cursor below, for envelope, payload and counts.
    let cursor: RecordCursor
    /// The sequence that is told next.
    private(set) var next: Sequence
    private var isHeld = false

    /// - Parameters:
    ///   - reader: the recording.
    ///   - first: where to begin; nil for the oldest.
    /// - Throws: `log` when the recording cannot be read.
    init(_ reader: RecordingReader, from first: Sequence? = nil) throws(CareError) {
        cursor = try logging { () throws(LogError) in
            try RecordCursor(reader, from: first ?? .none)  // none: everything
        }
        next = first ?? reader.segments.first?.firstSequence ?? .first  // an empty recording
    }

    /// Moves on.
    func step() throws(CareError) -> Step {
        while true {
            if isHeld {
                isHeld = false
                next = cursor.envelope.sequence.next
                return .record
            }
            switch try logging(cursor.next) {
            case .end: return .end
            case .record:
                let sequence = cursor.envelope.sequence
                guard sequence >= next else { continue }
                isHeld = true
                guard sequence > next else { continue }
                return missing(next, sequence.previous, "not told", nil)
            case .hole(let hole):
                guard hole.last >= next, hole.count > 0 else { continue }
                return missing(next, hole.last, hole.cause, nil)
            case .damage(let damage):
                guard damage.isLoss, damage.missingThrough >= damage.missingFrom else {
                    return .damage(damage)
                }
                guard damage.missingThrough >= next else { continue }
                let cause = "damage: \(damage.evidence)"
                return missing(next, damage.missingThrough, cause, damage)
            }
        }
    }

    private func missing(
        _ from: Sequence,
        _ through: Sequence,
        _ cause: String,
        _ damage: DamageReport?
    ) -> Step {
        next = through.next
        return .missing(Missing(from: from, through: through, cause: cause, damage: damage))
    }
}

extension ContextAfterLoss {
    /// As `context(before:)`, with this stage's errors.
    mutating func told(before sequence: Sequence) throws(CareError) -> Told? {
        do throws(LogError) { return try context(before: sequence) } catch { throw .log(error) }
    }
}

extension DamageReport {
    /// The place and what is wrong, without folders, which may say who keeps the recording where.
    var evidence: String {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        return "\(name) at byte \(offset): \(error)"
    }
}

extension SequencedWriter {
    /// Puts a hole where sequences are missing.
    func append(_ missing: SteadyCursor.Missing) throws(CareError) {
        let hole = Hole(from: missing.from, count: missing.count, cause: missing.cause)
        try logging { () throws(LogError) in try append(hole) }
    }

    /// Begins a segment with what the original tells behind a loss, so that whoever reads from
    /// there knows it.
    func take(_ told: ContextAfterLoss.Told?) throws(CareError) {
        guard let told else { return }
        try logging { () throws(LogError) in try begin(with: told.context) }
    }

    /// Adds an event of the tool's own.
    func append(
        _ kind: RecordKind,
        _ fields: EventFields,
        stream: StreamID = .none,
        receivedAt: Int64,
        monotonic: UInt64
    ) throws(CareError) {
        let envelope = RecordEnvelope(
            sequence: next,
            kind: kind,
            stream: stream,
            receivedAt: receivedAt,
            monotonic: monotonic
        )
        let bytes = fields.encoded
        try bytes.span.bytes.withUnsafeBytes { buffer throws(CareError) in
            try logging { () throws(LogError) in try append(envelope, payload: buffer) }
        }
    }
}
