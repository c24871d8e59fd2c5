// `gaps`: everything that a recording says or shows to be missing, with what became of it.

import Platform
package import RecordModel
package import SegmentFormat
package import SegmentLog

/// Every gap, hole and loss of a recording.
package struct GapHistory: Sendable {
    /// What became of a gap.
    package enum State: String, Sendable {
        /// Something may be missing, and nobody knows how much.
        case open
        /// The upper end is known; what lies between is still missing.
        case bounded
        /// It was fetched and proved.
        case filled
        /// It was given up.
        case abandoned
    }

    /// One gap.
    package struct Gap: Sendable {
        /// The sequence of its gap-opened record.
        package let id: Sequence
        package var state = State.open
        package var source: String?
        package var group: String?
        package var cause: String?
        package var evidence: [String] = []
        /// Sequences of the last record below and the first one above it.
        package var from: UInt64?
        package var to: UInt64?
        /// Slots or blocks of those.
        package var fromPosition: UInt64?
        package var toPosition: UInt64?
        /// Wall-clock nanoseconds of those.
        package var fromTime: Int64?
        package var toTime: Int64?
        /// When it was told, and when it was filled or abandoned; wall-clock nanoseconds.
        package let openedAt: Int64
        package var settledAt: Int64?
        /// Why it was abandoned.
        package var reason: String?

        package init(id: Sequence, openedAt: Int64) {
            self.id = id
            self.openedAt = openedAt
        }

        /// Whether something is missing that nobody has given up.
        package var isUnsettled: Bool { state == .open || state == .bounded }

        /// Nanoseconds from its lower to its upper end; nil when an end is not known.
        package var duration: UInt64? {
            guard let toTime else { return nil }
            let (span, overflow) = toTime.subtractingReportingOverflow(fromTime ?? openedAt)
            return overflow || span < 0 ? nil : UInt64(span)
        }
    }

    /// By rising id.
    package private(set) var gaps: [Gap] = []
    /// Ranges of sequences that the recording says are missing.
    package private(set) var holes: [Hole] = []
    /// Places that are not what was written.
    package private(set) var damage: [DamageReport] = []

    private var places: [UInt64: Int] = [:]

    /// Whether something is missing and not settled.
    package var hasFindings: Bool {
        !holes.isEmpty || !damage.isEmpty || gaps.contains(where: \.isUnsettled)
    }

    /// Reads a whole recording, stepping over damage.
    ///
    /// - Parameters:
    ///   - reader: the recording.
    ///   - progress: told the stored bytes that have been read, now and then.
    /// - Throws: `log` when a file cannot be read.
    package init(
        _ reader: RecordingReader,
        progress: (UInt64) -> Void = { _ in }
    ) throws(CareError) {
        if let report = DamageReport(manifestOf: reader) { damage.append(report) }
        for entry in try context(reader) { take(entry.envelope, entry.payload.span.bytes) }
        let steady = try SteadyCursor(reader)
        var afterLoss = ContextAfterLoss(reader)
        var passed: UInt64 = 0
        reading: while true {
            switch try steady.step() {
            case .end: break reading
            case .damage(let report): damage.append(report)
            case .missing(let missing):
                afterLoss.lost(missing.from, through: missing.through)
                if let report = missing.damage {
                    damage.append(report)
                } else {
                    holes.append(
                        Hole(from: missing.from, count: missing.count, cause: missing.cause)
                    )
                }
            case .record:
                let envelope = steady.cursor.envelope
                if let told = try afterLoss.told(before: envelope.sequence) {
                    for entry in told.lost { take(entry.envelope, entry.payload.span.bytes) }
                }
                passed += 1
                if passed % 65_536 == 0 { progress(steady.cursor.storedBytesRead) }
                guard !envelope.kind.isDataFrame else { continue }
                steady.cursor.withPayload { take(envelope, $0) }
            }
        }
    }

    private func context(_ reader: RecordingReader) throws(CareError) -> [ContextState.Entry] {
        guard let oldest = reader.segments.first else { return [] }
        do throws(LogError) {
            return try reader.context(of: oldest)?.entries ?? []  // not written yet
        } catch {
            switch error {
            // The cursor meets and tells it.
            case .damaged: return []
            case .system(let cause) where cause.isNotFound: return []
            default: throw .log(error)
            }
        }
    }

    private mutating func take(_ envelope: RecordEnvelope, _ payload: RawSpan) {
        let fields: EventFields
        do { fields = try EventFields(decoding: payload) } catch {
            // An event that cannot be read names no gap.
            return
        }
        if envelope.kind == .gapOpened {
            var gap = Gap(id: envelope.sequence, openedAt: envelope.receivedAt)
            gap.source = fields.text(.source)
            gap.cause = fields.text(.cause)
            fill(&gap, fields)
            places[envelope.sequence.value] = gaps.count
            gaps.append(gap)
            return
        }
        guard [.gapBounded, .gapFilled, .gapAbandoned].contains(envelope.kind),
            let id = fields.unsigned(.gap), let place = places[id]
        else { return }
        fill(&gaps[place], fields)
        switch envelope.kind {
        case .gapBounded:
            if gaps[place].state == .open { gaps[place].state = .bounded }
        case .gapFilled:
            gaps[place].state = .filled
            gaps[place].settledAt = envelope.receivedAt
        default:
            gaps[place].state = .abandoned
            gaps[place].settledAt = envelope.receivedAt
            gaps[place].reason = fields.text(.text) ?? fields.text(.cause)
        }
    }

    /// Notes that a gap has just been given up.
    ///
    /// - Parameters:
    ///   - id: the sequence of its gap-opened record.
    ///   - reason: why.
    ///   - time: wall-clock nanoseconds.
    package mutating func abandon(_ id: Sequence, reason: String, at time: Int64) {
        guard let place = places[id.value] else { return }
        gaps[place].state = .abandoned
        gaps[place].settledAt = time
        gaps[place].reason = reason
    }

    private func fill(_ gap: inout Gap, _ fields: EventFields) {
        gap.group = fields.text(.group) ?? gap.group
        gap.evidence += fields.texts(.evidence)
        gap.from = fields.unsigned(.fromSequence) ?? gap.from
        gap.to = fields.unsigned(.toSequence) ?? gap.to
        gap.fromPosition = fields.unsigned(.fromPosition) ?? gap.fromPosition
        gap.toPosition = fields.unsigned(.toPosition) ?? gap.toPosition
        gap.fromTime = fields.signed(.fromTime) ?? gap.fromTime
        gap.toTime = fields.signed(.toTime) ?? gap.toTime
    }
}

extension DamageReport {
    /// Damage of the manifest, which costs no record.
    init?(manifestOf reader: RecordingReader) {
        guard let error = reader.manifestDamage else { return nil }
        var place = (path: reader.layout.manifest, offset: UInt64(0))
        var cause = FormatError.truncated(structure: "manifest", needed: 64, available: 0)
        if case .damaged(let path, let offset, let known) = error {
            place = (path, offset)
            cause = known
        }
        self.init(
            path: place.path,
            offset: place.offset,
            error: cause,
            missingFrom: .none,
            missingThrough: .none
        )
    }
}
