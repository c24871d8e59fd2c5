import Pipeline
import Platform
import RecordModel
import SegmentFormat
import SegmentLog

/// Fills batches with the records of a recording, in log order. One thread at a time has it.
final class BatchFiller {
    /// What comes behind a batch.
    enum Step {
        /// More.
        case more
        /// The log ends here for now.
        case waits
        /// The end that was asked for, or damage that may not be skipped.
        case ends
    }

    /// A batch and what was met while it was filled.
    struct Reading {
        let batch: RecordBatch
        fileprivate(set) var step = Step.more
        /// Holes and damaged places passed.
        fileprivate(set) var holes: UInt64 = 0
        fileprivate(set) var damage: UInt64 = 0
        /// Damage that was skipped, for people.
        fileprivate(set) var skipped: [String] = []
        /// Damage that ends reading.
        fileprivate(set) var refused: String?
        /// Stored bytes read so far.
        fileprivate(set) var storedBytes: UInt64 = 0
        /// Nanoseconds that filling took.
        fileprivate(set) var nanoseconds: UInt64 = 0
    }

    let reader: RecordingReader
    private let options: FoldOptions
    /// The first record that is wanted.
    private let start: Sequence
    private let clock: any Clock
    private var intake = RecordIntake()
    private var cursor: RecordCursor?

    /// - Parameters:
    ///   - reader: the recording.
    ///   - start: the first record that is wanted; `none` for the oldest.
    ///   - options: of the fold.
    ///   - clock: measures; it reaches no result.
    init(
        _ reader: RecordingReader,
        from start: Sequence,
        _ options: FoldOptions,
        _ clock: any Clock
    ) {
        self.reader = reader
        self.start = start
        self.options = options
        self.clock = clock
    }

    /// Takes one record that somebody else reads.
    func take(
        _ envelope: RecordEnvelope,
        _ payload: UnsafeRawBufferPointer,
        into batch: RecordBatch
    ) {
        intake.take(envelope, payload, into: batch)
    }

    /// Takes a statement of somebody else that records are missing.
    func takeMissing(through last: Sequence, isDamage: Bool, into batch: RecordBatch) {
        intake.takeMissing(through: last, isDamage: isDamage, into: batch)
    }

    /// Fills an empty batch; the first one begins with what was in force before it.
    ///
    /// - Throws: what the log says.
    func fill(_ batch: RecordBatch) throws(LogError) -> Reading {
        let cursor: RecordCursor
        if let open = self.cursor {
            cursor = open
        } else {
            try prime(into: batch, before: start)
            cursor = try RecordCursor(reader, from: start, follows: options.follows)
            self.cursor = cursor
        }
        let began = clock.monotonicNanoseconds()
        var reading = Reading(batch: batch)
        try fill(&reading, from: cursor)
        if batch.last > .none { batch.place = cursor.place(of: batch.last) }
        reading.storedBytes = cursor.storedBytesRead
        reading.nanoseconds = clock.monotonicNanoseconds() &- began
        return reading
    }

    private func fill(_ reading: inout Reading, from cursor: RecordCursor) throws(LogError) {
        let batch = reading.batch
        // Out of the object, where each access would be checked, and back.
        var intake = RecordIntake()
        swap(&intake, &self.intake)
        defer { swap(&intake, &self.intake) }
        while !batch.isFull, batch.records < options.batchRecordsMax {
            if let through = options.through, cursor.expected > through {
                reading.step = .ends
                return
            }
            switch try cursor.next() {
            case .record:
                intake.take(cursor.envelope, cursor.unsafePayload, into: batch)
            case .hole(let hole):
                reading.holes &+= 1
                intake.takeMissing(through: hole.last, isDamage: false, into: batch)
            case .damage(let damage):
                reading.damage &+= 1
                guard options.skipsDamage else {
                    reading.refused = "\(damage)"
                    reading.step = .ends
                    return
                }
                reading.skipped.append("\(damage)")
                if damage.isLoss {
                    let last = cursor.expected.previous
                    intake.takeMissing(through: last, isDamage: true, into: batch)
                }
            case .end:
                reading.step = .waits
                return
            }
        }
    }

    /// Tells the intake what was in force where reading begins: the context of the segment, and the
    /// events between its beginning and there.
    ///
    /// - Parameters:
    ///   - batch: what was in force is added here.
    ///   - start: the first record that is wanted.
    /// - Throws: what the log says, unless reading on will meet it again.
    func prime(into batch: RecordBatch, before start: Sequence) throws(LogError) {
        guard
            let segment = reader.segments.last(where: { $0.firstSequence <= max(start, .first) })
                ?? reader.segments.first
        else { return }
        let first = max(start, segment.firstSequence)
        do {
            // None when the segment has not been written yet.
            let entries = try reader.context(of: segment)?.entries ?? []
            intake.prime(entries.map { ($0.envelope, $0.payload) }, before: first, into: batch)
        } catch {
            // The cursor meets and tells the same damage.
            switch error {
            case .damaged: break
            case .system(let cause) where cause.isNotFound: break
            default: throw error
            }
        }
        guard segment.firstSequence < first else { return }
        let cursor = try RecordCursor(reader, from: segment.firstSequence)
        while cursor.expected < first {
            switch try cursor.next() {
            case .record:
                let envelope = cursor.envelope
                guard envelope.sequence < first else { return }
                guard !envelope.kind.isDataFrame || envelope.kind == .grpcMessageOut else {
                    continue
                }
                cursor.withPayload { intake.prime(envelope, $0, before: first, into: batch) }
            case .hole, .damage: continue
            case .end: return
            }
        }
    }
}
