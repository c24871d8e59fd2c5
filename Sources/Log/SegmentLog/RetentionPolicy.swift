package import RecordModel

/// How much of a recording is kept. Decides only; `SegmentRetirement` acts.
///
/// Whole segments go, the oldest first, and as few as the limits ask for. The newest segment and
/// one that may still grow never go. What a pin or the oldest checkpoint needs, and what recovery
/// found damaged, goes only when forced.
package struct RetentionPolicy: Sendable, Equatable {
    /// Most bytes that all segments may take; nil without limit.
    package var bytesMax: UInt64?
    /// Most nanoseconds that the latest record of a segment may lie back; nil without limit.
    package var ageMax: UInt64?
    /// Bytes that must stay free on the disk; nil without limit.
    package var freeBytesMin: UInt64?
    /// Whether pins, checkpoints and quarantined segments are passed over.
    package var isForced = false

    package init() {}

    /// Whether there is any limit.
    package var hasLimit: Bool { bytesMax != nil || ageMax != nil || freeBytesMin != nil }
}

/// One segment as retention sees it.
package struct RetentionSegment: Sendable, Equatable {
    /// Whether anything may still be added to it, and whether it is whole.
    package enum State: Sendable, Equatable {
        /// Sealed, or superseded by another one.
        case closed
        /// It may still grow, or waits for recovery.
        case open
        /// Recovery found it damaged and left it as it is.
        case quarantined
    }

    /// Its number, and where it begins.
    package var ordinal: UInt64
    package var firstSequence: Sequence
    /// The last sequence that counts in it; `none` while nobody knows.
    package var lastSequence: Sequence
    package var state: State
    /// Bytes of its file.
    package var bytes: UInt64
    /// Wall-clock nanoseconds of its latest record; nil when nothing tells.
    package var latest: Int64?

    package init(
        ordinal: UInt64,
        firstSequence: Sequence,
        lastSequence: Sequence,
        state: State,
        bytes: UInt64,
        latest: Int64?
    ) {
        self.ordinal = ordinal
        self.firstSequence = firstSequence
        self.lastSequence = lastSequence
        self.state = state
        self.bytes = bytes
        self.latest = latest
    }
}

/// Everything that a decision rests on.
package struct RetentionSituation: Sendable, Equatable {
    /// The segments that count, by rising ordinal.
    package var segments: [RetentionSegment]
    /// Lower bounds that people set.
    package var pins: [RetentionPin] = []
    /// Where the oldest checkpoint resumes; nil without checkpoints.
    package var oldestCheckpoint: Sequence?
    /// Bytes free on the disk of the recording.
    package var freeBytes: UInt64 = 0
    /// Bytes by which the newest segment may still grow.
    package var growth: UInt64 = 0
    /// Wall-clock nanoseconds.
    package var now: Int64 = 0

    package init(segments: [RetentionSegment]) { self.segments = segments }
}

/// Which segments go, and why the others stay.
package struct RetentionDecision: Sendable, Equatable {
    /// One of the limits of a policy.
    package enum Limit: String, Sendable, CaseIterable {
        case bytes, age
        case freeSpace = "free_space"
    }

    /// Why a segment, and every newer one with it, may not go.
    package enum Obstacle: Sendable, Equatable {
        /// It is the newest segment.
        case newest
        /// It may still grow.
        case open
        /// A pin needs it.
        case pin(RetentionPin)
        /// The oldest checkpoint resumes in it or before it.
        case checkpoint(Sequence)
        /// It is damaged; `recover` should have a look at it first.
        case quarantined
    }

    /// What happens to one segment.
    package enum Verdict: Sendable, Equatable {
        /// It goes, because these limits ask for it or for a newer one.
        case retire([Limit])
        /// No limit asks for it.
        case fits
        /// A limit asks for it, but it must stay.
        case blocked([Limit], by: Obstacle)
        /// Older ones must go first, and one of them must stay.
        case behind([Limit])
    }

    /// A limit that is not met after the retirement.
    package struct Shortfall: Sendable, Equatable {
        package let limit: Limit
        /// What stands in the way; nil when no segment is left that could go.
        package let obstacle: Obstacle?
        /// The segment that it protects.
        package let ordinal: UInt64

        package init(limit: Limit, obstacle: Obstacle?, ordinal: UInt64) {
            self.limit = limit
            self.obstacle = obstacle
            self.ordinal = ordinal
        }
    }

    /// The verdict of each segment, in their order.
    package var verdicts: [Verdict]
    /// How many segments go, from the oldest on.
    package var retired: Int
    /// Limits that could not be met, and why.
    package var shortfalls: [Shortfall]
}

extension RetentionPolicy {
    /// Decides which of the oldest segments go.
    package func decide(_ situation: RetentionSituation) -> RetentionDecision {
        let segments = situation.segments
        let wanted = RetentionDecision.Limit.allCases.map { ($0, wish($0, situation)) }
        let most = wanted.map(\.1).max() ?? 0  // three limits, always
        var allowed = 0
        var obstacle: RetentionDecision.Obstacle?
        while allowed < segments.count {
            obstacle = self.obstacle(segments, allowed, situation)
            if obstacle != nil { break }
            allowed += 1
        }
        let retired = min(most, allowed)
        var decision = RetentionDecision(verdicts: [], retired: retired, shortfalls: [])
        for index in segments.indices {
            let limits = wanted.filter { $0.1 > index }.map(\.0)
            let verdict: RetentionDecision.Verdict =
                if index < retired {
                    .retire(limits)
                } else if limits.isEmpty {
                    .fits
                } else if let obstacle, index == retired {
                    .blocked(limits, by: obstacle)
                } else { .behind(limits) }
            decision.verdicts.append(verdict)
        }
        for (limit, count) in wanted where count > retired {
            decision.shortfalls.append(
                RetentionDecision.Shortfall(
                    limit: limit,
                    obstacle: retired < segments.count ? obstacle : nil,
                    ordinal: retired < segments.count ? segments[retired].ordinal : 0
                )
            )
        }
        return decision
    }

    /// How many of the oldest segments would have to go for a limit; one more than there are when
    /// even all of them would not do.
    private func wish(
        _ limit: RetentionDecision.Limit,
        _ situation: RetentionSituation
    ) -> Int {
        let segments = situation.segments
        switch limit {
        case .bytes:
            guard let bytesMax else { return 0 }
            // From the newest on: how many may stay.
            var total = situation.growth
            guard total <= bytesMax else { return segments.count + 1 }
            for (index, segment) in segments.enumerated().reversed() {
                total = Self.sum(total, segment.bytes)
                if total > bytesMax { return index + 1 }
            }
            return 0
        case .age:
            guard let ageMax else { return 0 }
            let oldest = situation.now.subtractingReportingOverflow(Int64(clamping: ageMax))
            guard !oldest.overflow else { return 0 }
            // A segment of unknown time is taken for a young one.
            let young = segments.firstIndex { ($0.latest ?? .max) >= oldest.partialValue }
            return young ?? segments.count
        case .freeSpace:
            guard let freeBytesMin else { return 0 }
            let needed = Self.sum(freeBytesMin, situation.growth)
            var free = situation.freeBytes
            for (index, segment) in segments.enumerated() {
                if free >= needed { return index }
                free = Self.sum(free, segment.bytes)
            }
            return free >= needed ? segments.count : segments.count + 1
        }
    }

    private func obstacle(
        _ segments: [RetentionSegment],
        _ index: Int,
        _ situation: RetentionSituation
    ) -> RetentionDecision.Obstacle? {
        let segment = segments[index]
        if segment.state == .open { return .open }
        if index == segments.count - 1 { return .newest }
        if isForced { return nil }
        if let pin = situation.pins.filter({ $0.sequence <= segment.lastSequence })
            .min(by: { ($0.sequence, $0.name) < ($1.sequence, $1.name) })
        {
            return .pin(pin)
        }
        if let checkpoint = situation.oldestCheckpoint, checkpoint <= segment.lastSequence {
            return .checkpoint(checkpoint)
        }
        return segment.state == .quarantined ? .quarantined : nil
    }

    /// The sum, or the largest number: sizes come from files.
    private static func sum(_ one: UInt64, _ other: UInt64) -> UInt64 {
        let (sum, overflow) = one.addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
