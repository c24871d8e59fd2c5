package import MarketModel
package import RecordModel

/// One record of the log, as far as it matters to a chain's assembler: decoded, typed and in log
/// order. What is missing in a record (a signature that has not 64 bytes) never gets here.
package enum AssemblerInput: Sendable {
    /// A stream was asked for something: when it opens, and again whenever its request is replaced.
    /// Also for streams that a context block says are open. A stream that was never declared is
    /// taken as one that promises nothing.
    case streamOpened(StreamID, StreamPromise)
    /// The stream has ended. Whether something is missing now is said by a gap, not by the ending.
    case streamClosed(StreamID)
    /// Records of the stream, or of all streams (nil), are missing here: a hole in the log, damage
    /// that was skipped, a message that could not be read.
    case recordsMissing(StreamID?)
    /// A transaction with its result.
    case transaction(StreamID, TransactionInput)
    /// The result of a transaction alone.
    case transactionStatus(StreamID, TransactionStatusInput)
    /// The state of an account of a known program.
    case account(StreamID, AccountInput)
    /// What has become of a slot.
    case slotStatus(StreamID, Slot, SlotStatus, parent: Slot?)
    /// A block's header: block meta.
    case header(StreamID, SlotHeader)
    /// A block with its contents in one message.
    case wholeBlock(StreamID, WholeBlockInput)
    /// Something may be missing. Also for gaps that a context block says are open.
    case gapOpened(GapInput)
    /// The upper end of a gap is known: nothing above it is missing.
    case gapBounded(gap: Sequence, through: UInt64?)
    /// What was missing has come.
    case gapFilled(gap: Sequence)
    /// What was missing is given up.
    /// The reason is for people; nothing follows from it.
    case gapAbandoned(gap: Sequence, reason: String)
    /// Something is known from outside.
    case fact(OutsideFact)
}

/// A transaction in a slot.
package struct TransactionInput: Sendable {
    package var slot: Slot
    /// Its first signature. EVM: its hash, then zeros.
    package var signature: Signature
    /// Place in the block, votes included; 0 for all of a slot when the wire does not tell.
    package var index: UInt32
    /// What it did in markets; nil for nearly all transactions, which then cost no allocation.
    package var facts: TransactionFacts?

    package init(slot: Slot, signature: Signature, index: UInt32, facts: TransactionFacts?) {
        self.slot = slot
        self.signature = signature
        self.index = index
        self.facts = facts
    }
}

/// The result of a transaction alone.
package struct TransactionStatusInput: Hashable, Sendable {
    package var slot: Slot
    package var signature: Signature
    package var index: UInt32
    /// Whether it can have no facts, being a vote or failed. It then counts as seen; any other is
    /// only known to exist.
    package var isBarren: Bool

    package init(slot: Slot, signature: Signature, index: UInt32, isBarren: Bool) {
        self.slot = slot
        self.signature = signature
        self.index = index
        self.isBarren = isBarren
    }
}

/// The state of an account after a write.
package struct AccountInput: Sendable {
    package var slot: Slot
    package var account: Address
    /// Who wrote it; nil for the runtime.
    package var writer: Signature?
    /// Orders writes of one stream only.
    package var writeVersion: UInt64
    /// Of all that the update says but its write version.
    package var digest: ContentDigest
    /// Nil when it no longer holds anything known, such as a closed account.
    package var content: AccountFact.Content?

    package init(
        slot: Slot,
        account: Address,
        writer: Signature?,
        writeVersion: UInt64,
        digest: ContentDigest,
        content: AccountFact.Content?
    ) {
        self.slot = slot
        self.account = account
        self.writer = writer
        self.writeVersion = writeVersion
        self.digest = digest
        self.content = content
    }
}

/// What a block says about itself.
package struct SlotHeader: Hashable, Sendable {
    package var slot: Slot
    package var hash: Bytes32
    package var parent: Slot
    /// Nil when it cannot be read.
    package var parentHash: Bytes32?
    /// Seconds since 1970.
    package var time: Int64?
    /// Votes and failed ones included; nil or 0 when the server does not tell.
    package var executedTransactionCount: UInt64?

    package init(
        slot: Slot,
        hash: Bytes32,
        parent: Slot,
        parentHash: Bytes32?,
        time: Int64? = nil,
        executedTransactionCount: UInt64? = nil
    ) {
        self.slot = slot
        self.hash = hash
        self.parent = parent
        self.parentHash = parentHash
        self.time = time
        self.executedTransactionCount = executedTransactionCount
    }
}

/// A block with its contents.
package struct WholeBlockInput: Sendable {
    package var header: SlotHeader
    /// In any order; their slot is not looked at.
    package var transactions: [TransactionInput]
    package var accounts: [AccountInput]
    /// Whether all transactions are in it: its filter left none out.
    package var isUnfiltered: Bool

    package init(
        header: SlotHeader,
        transactions: [TransactionInput],
        accounts: [AccountInput] = [],
        isUnfiltered: Bool
    ) {
        self.header = header
        self.transactions = transactions
        self.accounts = accounts
        self.isUnfiltered = isUnfiltered
    }
}

/// A known missing range.
package struct GapInput: Hashable, Sendable {
    /// The sequence of its gap-opened record.
    package var id: Sequence
    /// The lowest sequence that tells whose gap it is, such as the end of the stream; it may lie
    /// below the gap's own.
    package var since: Sequence
    /// The stream that it is about; nil for all of the chain.
    package var stream: StreamID?
    /// What that stream should have delivered; asked for as long as the gap is open.
    package var groups: SubscriptionGroups
    /// The first slot or block that may be incomplete; nil when nothing was known yet.
    package var from: UInt64?
    /// The last one; nil while the upper end is not known.
    package var through: UInt64?

    package init(
        id: Sequence,
        since: Sequence? = nil,
        stream: StreamID?,
        groups: SubscriptionGroups = .everything,
        from: UInt64?,
        through: UInt64? = nil
    ) {
        self.id = id
        self.since = since ?? id
        self.stream = stream
        self.groups = groups
        self.from = from
        self.through = through
    }
}
