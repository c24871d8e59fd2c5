// One listener's own way through a recording, behind the shared head.

package import Platform
package import RecordModel
package import SegmentLog

/// Reads a recording for one listener, never beyond what the head allows. Slow listeners stay
/// behind; nothing is kept for them but their place.
///
/// Belongs to one thread. Memory follows the block, not the recording.
package final class ReplayListener {
    /// What `next` found.
    package enum Step: Equatable {
        /// A record: `records` tells it.
        case record
        /// Nothing more is due now: flush what is held, then `wait`.
        case caughtUp
        /// The head was moved, and this cursor with it: the next record is at or behind this one.
        case moved(to: Sequence)
        /// The end of the range.
        case ended
        /// The play has been stopped.
        case stopped
    }

    /// The record of the last `next`.
    package let records: RecordCursor

    private let stage: ReplayStage
    private var place: ReplayStage.Place
    /// Records up to here may be read.
    private var allowed: Sequence
    /// Whether the record that `records` stands on lies beyond what is allowed and is still to
    /// be delivered.
    private var isAhead = false
    private var isExhausted = false

    /// A listener that begins where the head is, or at the range's start at the rate `unlimited`.
    /// It counts as a subscription.
    ///
    /// - Throws: what opening the recording throws.
    package init(
        _ stage: ReplayStage,
        path: String,
        disk: any FileSystem
    ) throws(LogError) {
        self.stage = stage
        let reader = try RecordingReader(path: path, disk: disk)
        records = try RecordCursor(reader, from: stage.options.first)
        place = stage.enter()
        allowed = place.position
        if place.position.next > stage.options.first { try records.seek(to: place.position.next) }
    }

    /// The last record that has been taken or passed over.
    package var position: Sequence { place.position }

    /// Goes back or forth to a record without moving the head: what is beyond the head still
    /// waits for it. What lies before the range is not gone back to.
    ///
    /// - Throws: `damaged` or `system`.
    package func rewind(to sequence: Sequence) throws(LogError) {
        let sequence = max(sequence, stage.options.first)
        try records.seek(to: sequence)
        place.position = sequence.previous
        allowed = place.position
        isAhead = false
        isExhausted = false
    }

    /// The next record that is due.
    ///
    /// - Throws: `system` when a file cannot be read, or `newerVersion`.
    package func next() throws(LogError) -> Step {
        while true {
            if place.position >= allowed {
                guard let permit = stage.permit(&place) else { return .caughtUp }
                if let step = try take(permit) { return step }
            }
            if try advance() { return .record }
        }
    }

    /// Waits until `next` has something else to say than `caughtUp`.
    ///
    /// - Parameters:
    ///   - deadline: monotonic nanoseconds; `.max` waits for ever.
    ///   - isInterrupted: looked at on every `ReplayStage.wakeAll`; must be quick.
    package func wait(deadline: UInt64 = .max, isInterrupted: () -> Bool = { false }) {
        guard place.position >= allowed else { return }
        // What it would permit is asked for again by `next`; a grant must not be taken twice.
        stage.waitUntilPermitted(place, deadline: deadline, isInterrupted: isInterrupted)
    }

    private func take(_ permit: ReplayStage.Permit) throws(LogError) -> Step? {
        switch permit {
        case .stopped: return .stopped
        case .ended: return .ended
        case .moved(let sequence):
            try rewind(to: sequence)
            return .moved(to: sequence)
        case .through(let last):
            allowed = last
            return nil
        }
    }

    /// Reads one record within what is allowed; false when there is none, and the place is then
    /// at the end of it.
    private func advance() throws(LogError) -> Bool {
        while true {
            if isExhausted {
                place.position = allowed
                return false
            }
            if !isAhead {
                switch try records.next() {
                case .hole, .damage: continue
                case .end:
                    isExhausted = true
                    continue
                case .record: break
                }
            }
            if records.envelope.sequence > allowed {
                // A hole reached over the head.
                isAhead = true
                place.position = allowed
                return false
            }
            isAhead = false
            place.position = records.envelope.sequence
            return true
        }
    }
}
