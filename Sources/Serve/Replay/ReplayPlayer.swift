import RecordModel
package import SegmentFormat
package import SegmentLog

/// Reads a recording in step with a stage: every record of the range, each when it is due. What is
/// delivered does not depend on how fast.
///
/// Either it is the only consumer of its stage, or the stage's own thread uses it to find out what
/// others may have. Belongs to one thread; the stage may be controlled from others.
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
        /// The range is over.
        case end
        /// The stage was stopped.
        case stopped
    }

    /// What `look` found: a step, or why there is none.
    enum Sight {
        case step(Step)
        /// The next record is not due; `changes` is to be handed to `ReplayStage.sleep`.
        case wait(until: UInt64, changes: UInt64)
        /// The play goes on elsewhere: `follow`.
        case elsewhere
    }

    /// Tells the record of the last step.
    package let cursor: RecordCursor
    /// Where the play began that is being read.
    private(set) var course: ReplayStage.Course

    private let stage: ReplayStage
    private var timeline: ReplayTimeline
    /// The cursor stands on a record that was not due yet.
    private var isAhead = false

    /// A player at the start of the stage's range.
    ///
    /// - Throws: `LogError` when the recording cannot be read.
    package init(_ reader: RecordingReader, on stage: ReplayStage) throws(LogError) {
        self.stage = stage
        course = ReplayStage.Course(from: stage.options.first)
        timeline = ReplayTimeline(keepsIdle: stage.options.keepsIdle)
        cursor = try RecordCursor(reader, from: stage.options.first)
    }

    /// Moves to the next record, waiting until it is due to within some hundredths of a
    /// millisecond.
    ///
    /// - Throws: `LogError` as `RecordCursor.next`.
    package func next() throws(LogError) -> Step {
        while true {
            switch try look() {
            case .step(let step): return step
            case .wait(let due, let changes): stage.sleep(exactlyUntil: due, changes)
            case .elsewhere: guard try follow() else { return .stopped }
            }
        }
    }

    /// Moves to the next record if it is due.
    func look() throws(LogError) -> Sight {
        if !isAhead, let other = try readAhead() { return .step(other) }
        switch stage.turn(of: cursor.envelope.sequence, at: timeline.offset, on: course) {
        case .due(let at):
            isAhead = false
            return .step(.record(at: at))
        case .wait(let due, let changes): return .wait(until: due, changes: changes)
        case .elsewhere: return .elsewhere
        case .stopped: return .step(.stopped)
        }
    }

    /// Reads one record for its time; what else was found, if it was none.
    private func readAhead() throws(LogError) -> Step? {
        let last = stage.options.last
        if cursor.expected > last { return .end }
        switch try cursor.next() {
        case .record:
            guard cursor.envelope.sequence <= last else { return .end }
            timeline.feed(cursor.envelope)
            isAhead = true
            return nil
        case .hole(let hole): return .hole(hole)
        case .damage(let damage):
            return damage.isLoss && damage.missingFrom > last ? .end : .damage(damage)
        case .end: return .end
        }
    }

    /// Goes where the play goes on, waiting until it does.
    ///
    /// - Returns: false when the stage was stopped.
    func follow() throws(LogError) -> Bool {
        guard let next = stage.nextCourse() else { return false }
        guard next.number != course.number else { return true }
        course = next
        timeline = ReplayTimeline(keepsIdle: stage.options.keepsIdle)
        isAhead = false
        try cursor.seek(to: next.from)
        return true
    }
}
