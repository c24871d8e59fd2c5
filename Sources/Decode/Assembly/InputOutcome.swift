/// What became of one input.
package enum InputOutcome: UInt8, Hashable, Sendable, CaseIterable, CustomStringConvertible {
    /// It was kept, or changed what is known of streams, slots and gaps.
    case kept = 1
    /// It tells nothing that anything follows from.
    case silent = 2
    /// The same, or another stream, had brought it before.
    case known = 3
    /// It is of a slot that is final, or that lies before the first one.
    case late = 4
    /// Its slot holds as much as it may.
    case overfull = 5
    /// As many slots are open as may be.
    case crowdedOut = 6
    /// As many streams or gaps are known as may be.
    case undeclared = 7

    /// The name in every output.
    package var description: String {
        switch self {
        case .kept: "kept"
        case .silent: "silent"
        case .known: "known"
        case .late: "late"
        case .overfull: "overfull"
        case .crowdedOut: "crowded_out"
        case .undeclared: "undeclared"
        }
    }

    /// Whether something was lost that should have been kept.
    package var isError: Bool {
        switch self {
        case .kept, .silent, .known, .late: false
        case .overfull, .crowdedOut, .undeclared: true
        }
    }
}

/// How many inputs had which outcome; each input has one.
package struct InputOutcomes: Hashable, Sendable {
    private var kept: UInt64 = 0
    private var silent: UInt64 = 0
    private var known: UInt64 = 0
    private var late: UInt64 = 0
    private var overfull: UInt64 = 0
    private var crowdedOut: UInt64 = 0
    private var undeclared: UInt64 = 0

    package init() {}

    /// How many inputs had an outcome.
    package subscript(outcome: InputOutcome) -> UInt64 {
        switch outcome {
        case .kept: kept
        case .silent: silent
        case .known: known
        case .late: late
        case .overfull: overfull
        case .crowdedOut: crowdedOut
        case .undeclared: undeclared
        }
    }

    mutating func count(_ outcome: InputOutcome) {
        switch outcome {
        case .kept: kept &+= 1
        case .silent: silent &+= 1
        case .known: known &+= 1
        case .late: late &+= 1
        case .overfull: overfull &+= 1
        case .crowdedOut: crowdedOut &+= 1
        case .undeclared: undeclared &+= 1
        }
    }
}
