/// How it is known that nothing of a slot or block is missing.
package enum Evidence: UInt8, Hashable, Sendable, Comparable {
    /// It is not: a gap.
    case unproved = 0
    /// Block meta and CONFIRMED were seen on every stream that covers the group, each unbroken
    /// since before the slot. EVM: the child's header arrived, or the logs were fetched by hash.
    case barrier = 1
    /// As many transactions as the block says it has, or the whole block in one message.
    case counted = 2

    package static func < (left: Evidence, right: Evidence) -> Bool {
        left.rawValue < right.rawValue
    }
}

/// One whole slot or block, its events in chain order: the only input of projectors.
package struct Bundle: Hashable, Sendable {
    package var chain: Chain
    /// Slot or block number.
    package var position: UInt64
    /// The hash of the block; nil when no block meta was seen.
    package var hash: Bytes32?
    /// Slot or block number of the parent; nil when nothing told it.
    package var parent: UInt64?
    package var parentHash: Bytes32?
    /// Seconds since 1970; nil when the chain told none.
    package var time: Int64?
    /// Transactions with market events, by rising index.
    package var transactions: [TransactionFacts]
    /// States of accounts after the last transaction, by rising address; one for each account.
    package var accounts: [AccountFact]
    /// What is known from outside from here on, in the order of its records. No part of the chain.
    package var facts: [OutsideFact]
    /// Weakest evidence over all subscription groups.
    package var evidence: Evidence

    package init(
        chain: Chain,
        position: UInt64,
        hash: Bytes32? = nil,
        parent: UInt64? = nil,
        parentHash: Bytes32? = nil,
        time: Int64? = nil,
        transactions: [TransactionFacts] = [],
        accounts: [AccountFact] = [],
        facts: [OutsideFact] = [],
        evidence: Evidence = .unproved
    ) {
        self.chain = chain
        self.position = position
        self.hash = hash
        self.parent = parent
        self.parentHash = parentHash
        self.time = time
        self.transactions = transactions
        self.accounts = accounts
        self.facts = facts
        self.evidence = evidence
    }
}

/// What an assembler asks the projection engine to do, each at the sequence that caused it.
package enum ChainAction: Hashable, Sendable {
    /// Fold a bundle whose parent is the bundle applied last.
    case apply(Bundle)
    /// Take the bundle that was applied last back; it is that of this slot or block.
    case undo(position: UInt64)
    /// Everything up to this slot or block is settled: its journal may go.
    case final(position: UInt64)
    /// Data arrived for a slot or block that is already final: state is stale from there.
    case stale(position: UInt64)
}
