package import RecordModel

/// When records are due: the rules of a replay's clock, without a clock.
///
/// It holds one place on the timeline, which moves with the rate, stands while paused and jumps
/// when sought. Times are nanoseconds of the monotonic clock, handed in; offsets are those of
/// `ReplayTimeline` from the place that was sought last.
package struct Pacer: Sendable {
    /// What holds for a record.
    package enum Decision: Equatable, Sendable {
        /// Deliver it. `at` is the moment it was due; nil when nothing was to be waited for.
        case due(at: UInt64?)
        /// Ask again at this moment, or when something is changed.
        case wait(until: UInt64)
        /// Ask again when something is changed.
        case hold
    }

    /// How fast the place moves.
    package private(set) var rate: ReplayRate
    /// Whether the place stands.
    package private(set) var isPaused: Bool
    /// Whether the clock has been started.
    package private(set) var isStarted = false
    /// The newest record that was said to be due.
    package private(set) var frontier = Sequence.none
    /// The offset of `frontier`.
    package private(set) var frontierOffset: UInt64 = 0

    /// At `anchorTime` the place was at `anchorOffset`.
    private var anchorOffset: UInt64 = 0
    private var anchorTime: UInt64 = 0
    /// While paused, records up to here are due.
    private var released = Sequence.none

    /// A pacer that has not started.
    package init(rate: ReplayRate, isPaused: Bool = false) {
        self.rate = rate
        self.isPaused = isPaused
    }

    /// Whether the place moves.
    private var isMoving: Bool { isStarted && !isPaused }

    /// The place on the timeline.
    package func offset(at now: UInt64) -> UInt64 {
        guard isMoving, now > anchorTime else { return anchorOffset }
        let (sum, overflow) = anchorOffset.addingReportingOverflow(
            rate.advance(in: now - anchorTime)
        )
        return overflow ? .max : sum
    }

    /// Decides about a record.
    ///
    /// - Parameters:
    ///   - sequence: the record.
    ///   - offset: where it stands on the timeline.
    ///   - now: the time.
    /// - Returns: whether it is due, or when to ask again.
    package mutating func decide(
        _ sequence: Sequence,
        at offset: UInt64,
        now: UInt64
    ) -> Decision {
        // Whoever follows behind the newest record is never held up.
        if sequence <= frontier { return .due(at: nil) }
        guard isStarted else { return .hold }
        if isPaused {
            guard sequence <= released else { return .hold }
            pass(sequence, offset)
            return .due(at: nil)
        }
        if case .unlimited = rate {
            pass(sequence, offset)
            return .due(at: nil)
        }
        let due = time(of: offset)
        guard due <= now else { return .wait(until: due) }
        pass(sequence, offset)
        return .due(at: due)
    }

    private mutating func pass(_ sequence: Sequence, _ offset: UInt64) {
        frontier = sequence
        frontierOffset = max(frontierOffset, offset)
        if isPaused || rate == .unlimited {
            // Steps and full speed move the place along, so that it goes on from here.
            anchorOffset = max(anchorOffset, offset)
        }
    }

    /// When the place reaches an offset.
    private func time(of offset: UInt64) -> UInt64 {
        guard offset > anchorOffset else { return anchorTime }
        let (sum, overflow) = anchorTime.addingReportingOverflow(
            rate.duration(of: offset - anchorOffset)
        )
        return overflow ? .max : sum
    }

    // MARK: Operations

    /// Starts the clock; later calls change nothing.
    package mutating func start(now: UInt64) {
        guard !isStarted else { return }
        isStarted = true
        anchorTime = now
    }

    /// Lets the place stand. Records that were said to be due stay due.
    package mutating func pause(now: UInt64) {
        guard !isPaused else { return }
        fix(now)
        isPaused = true
        released = frontier
    }

    /// Lets the place move again.
    package mutating func resume(now: UInt64) {
        guard isPaused else { return }
        isPaused = false
        anchorTime = now
    }

    /// Makes further records due while paused: as many sequences as `count` behind those that are
    /// due already, of whatever stream. Moving, it changes nothing.
    package mutating func step(_ count: UInt64) {
        guard isPaused else { return }
        let base = max(released, frontier).value
        let (sum, overflow) = base.addingReportingOverflow(count)
        released = Sequence(overflow ? .max : sum)
    }

    /// Changes how fast the place moves from now on.
    package mutating func setRate(_ rate: ReplayRate, now: UInt64) {
        fix(now)
        self.rate = rate
    }

    /// Jumps before a record, where a new timeline begins.
    ///
    /// - Parameters:
    ///   - sequence: the first record that will be delivered.
    ///   - now: the time.
    package mutating func seek(to sequence: Sequence, now: UInt64) {
        anchorOffset = 0
        anchorTime = now
        frontier = sequence.previous
        frontierOffset = 0
        released = sequence.previous
    }

    private mutating func fix(_ now: UInt64) {
        anchorOffset = offset(at: now)
        anchorTime = max(anchorTime, now)
    }
}
