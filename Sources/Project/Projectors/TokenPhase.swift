/// How far a token has come. Raw values stand in rows and never change.
package enum TokenPhase: UInt8, Hashable, Sendable, Comparable, CaseIterable {
    /// Nothing tells.
    case unknown = 0
    /// Its curve exists; nobody has traded but whoever made it.
    case created = 1
    /// It is traded on its curve.
    case trading = 2
    /// Almost everything on its curve is sold.
    case nearGraduation = 3
    /// Its curve is sold out.
    case complete = 4
    /// Its funds are in a pool.
    case migrated = 5
    /// It is traded in that pool.
    case poolLive = 6
    /// Its funds went to Raydium v4, as before 2025-04.
    case raydiumLegacy = 7

    /// The name in notices.
    package var name: String {
        switch self {
        case .unknown: "unknown"
        case .created: "created"
        case .trading: "trading"
        case .nearGraduation: "near_graduation"
        case .complete: "complete"
        case .migrated: "migrated"
        case .poolLive: "pool_live"
        case .raydiumLegacy: "raydium_legacy"
        }
    }

    package static func < (left: TokenPhase, right: TokenPhase) -> Bool {
        left.rawValue < right.rawValue
    }
}

/// What can move a token to another phase.
package enum TokenStep: Hashable, Sendable {
    /// Its creation.
    case created
    /// A trade on its curve.
    ///
    /// - Parameters:
    ///   - progress: after it, in basis points; nil when it is not known.
    ///   - begins: whether such a trade begins trading: not the agent's, nor the makers' own within
    ///     the creating transaction (unless the parameters say so).
    case curveTrade(progress: UInt16?, begins: Bool)
    /// Its curve sold out.
    case completed
    /// Its funds went to a pool.
    case migrated
    /// A trade in that pool.
    case poolTrade
    /// Its funds went to Raydium v4.
    case legacyPool
}

extension TokenPhase {
    /// The phase after a step. It never goes back, but from near graduation to trading.
    ///
    /// - Parameters:
    ///   - step: what happened.
    ///   - parameters: where near graduation begins and ends.
    /// - Returns: the phase, often the same.
    package func next(after step: TokenStep, _ parameters: LifecycleParameters) -> TokenPhase {
        switch step {
        case .created:
            return self == .unknown ? .created : self
        case .curveTrade(let progress, let begins):
            guard self < .complete else { return self }
            let near = parameters.nearGraduationBasisPoints
            if let progress {
                if progress >= near { return .nearGraduation }
                let leaving = Int(near) - Int(parameters.nearHysteresisBasisPoints)
                if self == .nearGraduation { return Int(progress) < leaving ? .trading : self }
            }
            return begins ? max(self, .trading) : self
        case .completed:
            return max(self, .complete)
        case .migrated:
            return max(self, .migrated)
        case .poolTrade:
            return max(self, .poolLive)
        case .legacyPool:
            return self < .migrated ? .raydiumLegacy : self
        }
    }
}

/// How a token came to be known. Raw values stand in rows and never change.
package enum TokenOrigin: UInt8, Hashable, Sendable {
    /// In the middle of its life.
    case partial = 0
    /// Its creation on a curve was seen.
    case curve = 1
    /// The opening of a pool was seen; it has no curve that is known.
    case pool = 2
}
