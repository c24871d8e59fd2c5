package import RecordModel
package import SegmentFormat
package import SegmentLog

/// One consumer of a replay: a cursor over a range that follows a head. Pull-based, so that what
/// is delivered does not depend on how fast.
///
/// Belongs to one thread; the head may be controlled from others.
package final class ReplayPlayer {
    /// What `next` found.
    package enum Step: Sendable {
        /// A record that is due; `cursor` tells it. `at` is the monotonic moment it was due, nil
        /// when nothing had to be waited for.
        case record(at: UInt64?)
        /// A range of sequences that is known to be missing.
        case hole(Hole)
        /// Something that is not what was written; the next call steps over it.
        case damage(DamageReport)
        /// The range begins again.
        case again
        /// The range is over.
        case end
        /// The head was stopped.
        case stopped
    }

    /// Tells the record of the last `next`.
    package let cursor: RecordCursor
    /// What is followed.
    package let head: ReplayHead

    private let first: Sequence
    private let last: Sequence?
    private let loops: Bool
    private var entry: ReplayHead.Entry
    private var timeline: ReplayTimeline
    /// Whether a record was delivered since the range began, so that an empty one ends.
    private var hasDelivered = false

    /// A player at the place of its head.
    ///
    /// - Parameters:
    ///   - reader: the recording.
    ///   - head: what to follow; it begins at `first`.
    ///   - first: the first record of the range.
    ///   - last: the last record of the range; nil for the newest.
    ///   - loops: whether the range begins again at its end, which moves the head back for all.
    /// - Throws: `LogError` when the recording cannot be read.
    package init(
        _ reader: RecordingReader,
        head: ReplayHead,
        from first: Sequence,
        through last: Sequence? = nil,
        loops: Bool = false
    ) throws(LogError) {
        self.head = head
        self.first = first
        self.last = last
        self.loops = loops
        let entry = head.entry()
        self.entry = entry
        timeline = entry.timeline
        cursor = try RecordCursor(reader, from: entry.from)
    }

    /// Moves to the next record, waiting until it is due.
    ///
    /// - Returns: what was found.
    /// - Throws: `LogError` as `RecordCursor.next`.
    package func next() throws(LogError) -> Step {
        while true {
            if let last, cursor.expected > last { return try end() }
            switch try cursor.next() {
            case .record:
                let envelope = cursor.envelope
                if let last, envelope.sequence > last { return try end() }
                timeline.feed(envelope)
                if envelope.sequence < entry.deliverFrom { continue }
                let turn = head.wait(
                    for: envelope.sequence,
                    timeline,
                    generation: entry.generation
                )
                switch turn {
                case .due(let at):
                    hasDelivered = true
                    return .record(at: at)
                case .stopped: return .stopped
                case .sought: try enter()
                }
            case .hole(let hole):
                // What lies before the place where this player joined was told to others.
                if hole.last < entry.deliverFrom { continue }
                return .hole(hole)
            case .damage(let damage):
                if cursor.expected < entry.deliverFrom { continue }
                if let last, damage.isLoss, damage.missingFrom > last { return try end() }
                return .damage(damage)
            case .end: return try end()
            }
        }
    }

    private func end() throws(LogError) -> Step {
        guard loops, hasDelivered else { return .end }
        head.seek(to: first)
        try enter()
        return .again
    }

    /// Goes where the head has jumped.
    private func enter() throws(LogError) {
        entry = head.entry()
        timeline = entry.timeline
        hasDelivered = false
        try cursor.seek(to: entry.from)
    }
}
