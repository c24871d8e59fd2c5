import Platform
package import RecordModel
package import SegmentFormat

/// Finds what the segments behind a loss begin with: events that were lost themselves may still be
/// told there, such as the opening of a stream whose frames go on.
///
/// It is told every loss, and asked before every record:
///
///     case .hole(let hole): afterLoss.lost(hole.from, through: hole.last)
///     case .record:
///         if let told = try afterLoss.context(before: cursor.envelope.sequence) {
///             for entry in told.lost { take(entry) }
///         }
package struct ContextAfterLoss {
    /// What a segment begins with.
    package struct Told: Sendable {
        /// Everything that was in force there.
        package let context: ContextState
        /// The part of it whose own records were lost, by rising sequence.
        package let lost: [ContextState.Entry]
    }

    private let reader: RecordingReader
    /// What was lost and is not told yet, by rising sequence; empty when nothing is looked for.
    private var losses: [ClosedRange<UInt64>] = []
    /// The place of the segment that is looked at next.
    private var next = 0

    /// - Parameter reader: the recording; its segments stay as they are meanwhile.
    package init(_ reader: RecordingReader) { self.reader = reader }

    /// Takes note that records are missing.
    ///
    /// - Parameters:
    ///   - first: the first of them.
    ///   - last: the last of them, not below the first.
    package mutating func lost(_ first: Sequence, through last: Sequence) {
        if losses.isEmpty { next = reader.segments.partition { $0.firstSequence > first } }
        guard next < reader.segments.count, first <= last else { return }
        losses.append(first.value...last.value)
    }

    /// As above, for damage; nothing when it costs no record or nobody knows how many.
    package mutating func lost(_ damage: DamageReport) {
        guard damage.isLoss, damage.missingThrough >= damage.missingFrom else { return }
        lost(damage.missingFrom, through: damage.missingThrough)
    }

    /// What the newest segment that begins behind a loss, at or before a record, begins with.
    ///
    /// - Parameter sequence: of the record that comes next.
    /// - Returns: nil when there is nothing to be told.
    /// - Throws: `system`; a segment that is damaged or gone tells nothing.
    @inline(__always)
    package mutating func context(before sequence: Sequence) throws(LogError) -> Told? {
        guard !losses.isEmpty else { return nil }
        return try lookUp(before: sequence)
    }

    private mutating func lookUp(before sequence: Sequence) throws(LogError) -> Told? {
        var told: Told?
        while next < reader.segments.count, reader.segments[next].firstSequence <= sequence {
            let segment = reader.segments[next]
            next += 1
            guard let context = try context(of: segment) else { continue }
            told = Told(
                context: context,
                lost: context.entries.filter { isLost($0.envelope.sequence) }
            )
            // What was lost behind its beginning it does not know.
            losses.removeAll { $0.upperBound < segment.firstSequence.value }
        }
        if next == reader.segments.count { losses = [] }
        return told
    }

    private func context(of segment: SegmentDescriptor) throws(LogError) -> ContextState? {
        do { return try reader.context(of: segment) } catch {
            switch error {
            case .damaged, .rangeNotAvailable: return nil
            case .system(let cause) where cause.isNotFound: return nil
            default: throw error
            }
        }
    }

    private func isLost(_ sequence: Sequence) -> Bool {
        losses.contains { $0.contains(sequence.value) }
    }
}
