import MarketModel

/// How many slots had which evidence, in all and for each subscription group that was asked for at
/// the time: a group may be proved where another one of the same slot is not.
package struct EvidenceTally: Hashable, Sendable {
    /// Slots by evidence.
    package struct Counts: Hashable, Sendable {
        package fileprivate(set) var counted: UInt64 = 0
        package fileprivate(set) var barrier: UInt64 = 0
        package fileprivate(set) var unproved: UInt64 = 0

        fileprivate mutating func count(_ evidence: Evidence) {
            switch evidence {
            case .counted: counted &+= 1
            case .barrier: barrier &+= 1
            case .unproved: unproved &+= 1
            }
        }
    }

    /// Slots by the weakest evidence of all their groups.
    package private(set) var slots = Counts()
    private var byGroup: [UInt32: Counts] = [:]

    /// One entry for each group that was ever asked for, the lowest first.
    package var groups: [(group: SubscriptionGroups, counts: Counts)] {
        byGroup.sorted { $0.key < $1.key }.map { (SubscriptionGroups(rawValue: $0.key), $0.value) }
    }

    /// Counts a slot.
    ///
    /// - Parameters:
    ///   - evidence: the weakest.
    ///   - groups: those that were asked for.
    ///   - lacking: those of them that have none.
    mutating func count(
        _ evidence: Evidence,
        of groups: SubscriptionGroups,
        lacking: SubscriptionGroups
    ) {
        slots.count(evidence)
        var bits = groups.rawValue
        while bits != 0 {
            let group = bits & (~bits &+ 1)
            bits ^= group
            let isLacking = lacking.rawValue & group != 0
            // What is not the weakest was proved by the streams that were there.
            let own = evidence == .unproved && !isLacking ? .barrier : evidence
            byGroup[group, default: Counts()].count(own)
        }
    }
}

extension OpenChain {
    /// Counts the evidence of applied bundles.
    ///
    /// - Parameters:
    ///   - bundles: of those that are applied.
    ///   - tally: where they are counted.
    func count(_ bundles: ArraySlice<AppliedBundle>, in tally: inout EvidenceTally) {
        for applied in bundles {
            let evidence = applied.bundle.evidence
            guard let place = window.find(applied.position) else {
                tally.count(evidence, of: [], lacking: [])
                continue
            }
            let slot = window[place]
            let content = content(of: slot, applied.hash)
            // Where the bundle is doubted for what lies beside its contents, all of it is.
            let isDoubted = evidence == .unproved && content.evidence != .unproved
            tally.count(
                evidence,
                of: slot.groups,
                lacking: isDoubted ? slot.groups : content.lacking
            )
        }
    }
}
