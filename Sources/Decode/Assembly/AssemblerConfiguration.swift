package import MarketModel

/// How one chain is assembled. Part of the key of stored state: another configuration may give
/// other actions.
package struct AssemblerConfiguration: Hashable, Sendable {
    /// A slot's state at which its bundle is applied.
    package enum Commitment: Hashable, Sendable {
        /// Once their slot was voted for by enough of the cluster: undo is rare.
        case confirmed
        /// As soon as the slot was processed and its header came: undo is common.
        case processed
    }

    /// Whose chain it is: stands in its bundles.
    package var chain: Chain
    /// When bundles are applied.
    package var commitment: Commitment
    /// Blocks behind the newest one at which one is final, where nobody says FINALIZED.
    package var finalDepth: Int
    /// Whether a child's header on a stream that saw the parent's proves that all of the block had
    /// come there (EVM). On Solana only statuses prove that.
    package var childProves: Bool
    package var limits: AssemblerLimits

    package init(
        chain: Chain,
        commitment: Commitment = .confirmed,
        finalDepth: Int,
        childProves: Bool,
        limits: AssemblerLimits = AssemblerLimits()
    ) {
        self.chain = chain
        self.commitment = commitment
        self.finalDepth = finalDepth
        self.childProves = childProves
        self.limits = limits
    }

    /// Solana's rules.
    package static func solana(
        _ commitment: Commitment = .confirmed,
        limits: AssemblerLimits = AssemblerLimits()
    ) -> AssemblerConfiguration {
        AssemblerConfiguration(
            chain: .solana,
            commitment: commitment,
            finalDepth: 32,
            childProves: false,
            limits: limits
        )
    }
}

/// Bounds of an assembler's memory and patience.
package struct AssemblerLimits: Hashable, Sendable {
    /// Slots by which newer ones may be ahead before a slot whose proof is still awaited is taken
    /// without it.
    package var proofSlotsMax: UInt64 = 8
    /// Slots by which newer ones may be ahead before a parent that has not come is passed.
    package var parentSlotsMax: UInt64 = 64
    /// Without statuses and headers: a slot is closed once its streams are this many slots ahead.
    package var closingSlots: UInt64 = 4
    /// Slots that are held, 64 or more; at most half of them applied, then the oldest become final
    /// whatever holds them back. A live chain has 35 to 70 that are not final.
    package var openSlotsMax = 4096
    /// Transactions that are held of one slot.
    package var slotTransactionsMax = 1 << 16
    /// Account states that are held of one slot.
    package var slotAccountsMax = 1 << 16
    /// Transactions and account states that are held of all slots, about 120 bytes each. Slots are
    /// made final early when half of it is taken, so that the rest is for what is coming.
    package var itemsMax = 4 << 20
    /// Open streams.
    package var streamsMax = 1024
    /// Gaps that are open, or that were given up and are not passed yet.
    package var gapsMax = 4096
    /// Ranges of final slots that are known to lack something.
    package var lackingRangesMax = 1024
    /// Bytes of facts from outside that are not settled.
    package var factBytesMax = 1 << 20

    package init() {}
}
