/// What was detected. Raw values stand in rows and never change.
package enum DetectionClass: UInt8, Hashable, Comparable, Sendable, CaseIterable,
    CustomStringConvertible
{
    /// Front, victims and back in one slot.
    case sandwich = 1
    /// The same with nothing earned.
    case sandwichUnprofitable = 2
    /// Front and back in different slots.
    case wide = 3
    /// A trade that may have been put before another one on purpose.
    case possibleFrontRun = 4
    /// A trade right behind a large one that it did not harm.
    case backRun = 5
    /// A cycle within one transaction that ended with more than it began with.
    case arbitrage = 6
    /// A wallet that buys what another one has bought, again and again.
    case copyTrading = 7

    /// The name in labels, notices and tables.
    package var description: String {
        switch self {
        case .sandwich: "sandwich"
        case .sandwichUnprofitable: "sandwich_unprofitable"
        case .wide: "wide"
        case .possibleFrontRun: "possible_frontrun"
        case .backRun: "backrun"
        case .arbitrage: "arbitrage"
        case .copyTrading: "copy_trading"
        }
    }

    /// From its name; nil for any other text.
    package init?(_ text: String) {
        guard let found = DetectionClass.allCases.first(where: { $0.description == text }) else {
            return nil
        }
        self = found
    }

    package static func < (left: DetectionClass, right: DetectionClass) -> Bool {
        left.rawValue < right.rawValue
    }
}

/// How much the victims lost, by basis points of what they put in.
package enum DetectionSeverity: UInt8, Hashable, Sendable, CustomStringConvertible {
    /// The loss is not known, or there is no victim.
    case unknown = 0
    /// Below 50.
    case low = 1
    /// Below 200.
    case medium = 2
    /// Below 500.
    case high = 3
    /// All above.
    case critical = 4

    /// The bucket of a loss.
    package init(lossBasisPoints: UInt64?) {
        switch lossBasisPoints {
        case nil: self = .unknown
        case .some(..<50): self = .low
        case .some(..<200): self = .medium
        case .some(..<500): self = .high
        case .some: self = .critical
        }
    }

    package var description: String {
        switch self {
        case .unknown: "unknown"
        case .low: "low"
        case .medium: "medium"
        case .high: "high"
        case .critical: "critical"
        }
    }
}

/// What ties front and back of a sandwich together, the strongest first.
package enum DetectionLink: UInt8, Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Not a sandwich.
    case none = 0
    case sameTrader = 1
    case sameFeePayer = 2
    /// The front's tokens went from its wallet to the back's.
    case transfer = 3
    /// The back sold exactly as many tokens as the front had bought.
    case sameAmount = 4

    package var description: String {
        switch self {
        case .none: "none"
        case .sameTrader: "same_trader"
        case .sameFeePayer: "same_fee_payer"
        case .transfer: "transfer"
        case .sameAmount: "same_amount"
        }
    }

    package static func < (left: DetectionLink, right: DetectionLink) -> Bool {
        left.rawValue < right.rawValue
    }
}
