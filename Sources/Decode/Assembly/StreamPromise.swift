package import MarketModel

/// Subscription groups of a chain, as bits: which is which is the caller's configuration.
package struct SubscriptionGroups: OptionSet, Hashable, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Of streams that are not told apart by groups.
    package static let everything = SubscriptionGroups(rawValue: 1)
    /// A configured group, 0 to 30.
    package static func group(_ number: Int) -> SubscriptionGroups {
        precondition((0..<31).contains(number), "group \(number)")
        return SubscriptionGroups(rawValue: 2 << UInt32(number))
    }
}

/// What a stream was asked for, and so what its silence means.
package struct StreamPromise: Hashable, Sendable {
    /// CONFIRMED and FINALIZED of every slot.
    package var hasSlots: Bool
    /// The header of every block.
    package var hasBlockMeta: Bool
    /// All transactions of these groups. A stream of all transactions has all of the chain's groups
    /// and `everything`.
    package var groups: SubscriptionGroups
    /// Where the stream was asked to begin: slots from there on come whole, unless the server
    /// refuses. Nil for streams that a context block declares, because their beginning lies before
    /// what is read.
    package var fromSlot: Slot?

    package init(
        hasSlots: Bool,
        hasBlockMeta: Bool,
        groups: SubscriptionGroups = .everything,
        fromSlot: Slot? = nil
    ) {
        self.hasSlots = hasSlots
        self.hasBlockMeta = hasBlockMeta
        self.groups = groups
        self.fromSlot = fromSlot
    }

    /// Of a stream that nobody declared, such as an import's, or that only fetches blocks: it proves
    /// nothing, and nothing is missed when it is silent.
    package static let none = StreamPromise(hasSlots: false, hasBlockMeta: false, groups: [])
}
