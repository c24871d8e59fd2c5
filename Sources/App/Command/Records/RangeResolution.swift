// Joins the range grammar with a recording: what a person named becomes two sequences.

import RecordModel
import SegmentLog

/// The records that a range covers in one recording.
struct ResolvedRange: Equatable, Sendable {
    /// The first record to deliver.
    var first: Sequence
    /// The last record to deliver; nil for whatever is the newest.
    var last: Sequence?

    /// Whether no end was named: what else is found at the newest record belongs to the range.
    var isOpen = false

    /// How many sequences it covers, none in an empty recording; nil without an end.
    var count: UInt64? {
        last.map { $0 < first ? 0 : $0.value - first.value + 1 }
    }

    /// Whether a record lies behind the range.
    func isPast(_ sequence: Sequence) -> Bool { last.map { sequence > $0 } ?? false }
}

extension RecordRange {
    /// Decides what the range covers.
    ///
    /// An end beyond the newest record is the newest; a start that the recording does not hold is
    /// refused, because what it names can never be delivered.
    ///
    /// - Parameters:
    ///   - reader: the recording.
    ///   - follows: whether records that do not exist yet will be waited for.
    /// - Returns: the first and the last record.
    /// - Throws: `VerbFailure` with `rangeNotAvailable`, or `LogError`.
    func resolved(in reader: RecordingReader, follows: Bool = false) throws -> ResolvedRange {
        try RangeResolver(reader: reader, follows: follows).resolve(self)
    }
}

private struct RangeResolver {
    let reader: RecordingReader
    let follows: Bool
    let seek: RecordingSeek
    let oldest: Sequence
    /// Nil when it cannot be told, because the newest segment is damaged or none is to be had.
    let newest: Sequence?

    init(reader: RecordingReader, follows: Bool) throws {
        self.reader = reader
        self.follows = follows
        seek = RecordingSeek(reader, positions: RecordedPositions())
        oldest = reader.segments.first?.firstSequence ?? .first  // an empty recording
        newest = try Self.newest(reader, ifEmpty: oldest.previous)
    }

    private static func newest(
        _ reader: RecordingReader,
        ifEmpty: Sequence
    ) throws(LogError) -> Sequence? {
        if reader.folderLoss != nil { return nil }
        do { return try reader.sequenceRange()?.last ?? ifEmpty } catch {
            guard error.isDamageOrAbsence else { throw error }
            return nil
        }
    }

    func resolve(_ range: RecordRange) throws -> ResolvedRange {
        let first = try start(range.start)
        guard let end = range.end else {
            return ResolvedRange(first: first, last: follows ? nil : newest, isOpen: true)
        }
        guard let last = try self.end(end, from: range.start, at: first) else {
            return ResolvedRange(first: first, last: follows ? nil : newest, isOpen: true)
        }
        guard last >= first else {
            throw unavailable("no record lies between the two ends of the range")
        }
        return ResolvedRange(first: first, last: last)
    }

    private func start(_ point: RecordRange.Point?) throws -> Sequence {
        switch point {
        case nil: return oldest
        case .sequence(let number):
            let sequence = Sequence(max(number, 1))
            if sequence < oldest {
                throw unavailable("sequence \(number) is older than its oldest, \(oldest)")
            }
            if let newest, sequence > newest, !follows {
                throw unavailable("sequence \(number) is newer than its newest, \(newest)")
            }
            return sequence
        case .chain(let position):
            if let found = try seek.first(atOrAbove: position) { return found }
            throw unavailable("it holds nothing at or above \(name(position))")
        case .time(let time):
            if let found = try seek.first(atOrAfter: time) { return found }
            throw unavailable("it holds nothing at or after \(RFC3339.text(time))")
        }
    }

    /// The last sequence of the range; nil for the newest.
    private func end(
        _ end: RecordRange.End,
        from start: RecordRange.Point?,
        at first: Sequence
    ) throws -> Sequence? {
        switch end {
        case .through(.sequence(let number)):
            let sequence = Sequence(number)
            if sequence < oldest {
                throw unavailable("sequence \(number) is older than its oldest, \(oldest)")
            }
            return capped(sequence)
        case .through(.chain(let position)): return try last(atOrBelow: position)
        case .through(.time(let time)):
            let (after, overflow) = time.addingReportingOverflow(1)
            return overflow ? nil : try last(before: after)
        case .length(.sequence, let count):
            let (sum, overflow) = first.value.addingReportingOverflow(count - 1)
            return overflow ? nil : capped(Sequence(sum))
        case .length(.time, let count):
            guard let base = try time(at: first, from: start) else { return nil }
            let (after, overflow) = base.addingReportingOverflow(Int64(clamping: count))
            return overflow ? nil : try last(before: after)
        case .length(.slot, let count):
            return try last(count: count, .slot, from: start, at: first)
        case .length(.block, let count):
            return try last(count: count, .block, from: start, at: first)
        }
    }

    private func capped(_ sequence: Sequence) -> Sequence? {
        if follows { return sequence }
        guard let newest else { return sequence }
        return min(sequence, newest)
    }

    private func last(atOrBelow position: ChainPosition) throws -> Sequence {
        if let found = try seek.last(atOrBelow: position) { return found }
        throw unavailable("it holds nothing at or below \(name(position))")
    }

    /// The last record before the clock reached a time.
    private func last(before time: Int64) throws -> Sequence? {
        guard let beyond = try seek.first(atOrAfter: time) else { return newest }
        guard beyond > oldest else {
            throw unavailable("its oldest record is newer than the end of the range")
        }
        return beyond.previous
    }

    private func last(
        count: UInt64,
        _ family: ChainPosition.Family,
        from start: RecordRange.Point?,
        at first: Sequence
    ) throws -> Sequence? {
        let base: UInt64
        if case .chain(let position)? = start, position.family == family {
            base = position.number
        } else {
            guard let found = try firstPosition(family, from: first) else {
                throw unavailable("it holds no \(family == .slot ? "slot" : "block")")
            }
            base = found
        }
        let (highest, overflow) = base.addingReportingOverflow(count - 1)
        if overflow { return nil }
        return try last(atOrBelow: ChainPosition(family: family, number: highest))
    }

    private func firstPosition(
        _ family: ChainPosition.Family,
        from first: Sequence
    ) throws -> UInt64? {
        var positions = RecordedPositions()
        let cursor = try RecordCursor(reader, from: first)
        while true {
            switch try cursor.next() {
            case .end: return nil
            case .hole, .damage: continue
            case .record:
                let envelope = cursor.envelope
                let found = cursor.withPayload { positions.position(of: envelope, payload: $0) }
                if let found, found.family == family { return found.number }
            }
        }
    }

    private func time(at first: Sequence, from start: RecordRange.Point?) throws -> Int64? {
        if case .time(let time)? = start { return time }
        let cursor = try RecordCursor(reader, from: first)
        while true {
            switch try cursor.next() {
            case .end: return nil
            case .hole, .damage: continue
            case .record: return cursor.envelope.receivedAt
            }
        }
    }

    private func name(_ position: ChainPosition) -> String {
        "\(position.family == .slot ? "slot" : "block") \(position.number)"
    }

    private func unavailable(_ reason: String) -> VerbFailure {
        VerbFailure(
            code: .rangeNotAvailable,
            message: "\(reader.layout.path) does not hold the range: \(reason)"
        )
    }
}
