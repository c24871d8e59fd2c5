import MarketModel
import RecordModel

/// What one stream brought of one slot, as long as it may be one block. Another block of the same
/// slot on the same stream begins another part.
struct SlotPart: Sendable {
    let stream: StreamID
    /// The stream's life when the part began; a stream begins a new life behind missing records.
    let life: UInt32
    /// What the stream brings all transactions of.
    let groups: SubscriptionGroups
    /// Whether the stream was asked for headers.
    let expectsHeader: Bool
    /// When the stream was asked to begin at this slot or before; nil when it was not.
    let request: Sequence?
    /// When the first transaction, account or header came.
    var firstData: Sequence?
    /// Of the block, once its header came.
    var hash: Bytes32?
    /// When the header came last, and the stream's life then.
    var headerSequence: Sequence?
    var headerLife: UInt32 = 0
    /// Came behind that part's header: of the same block, unless another header follows.
    var tailOf: Int?
    var isProcessed = false
    var isConfirmed = false
    var isFinalized = false
    var isDead = false
    /// A message brought the whole block.
    var isWhole = false
    /// The stream has delivered all it promises of this slot.
    var isProved = false

    init(
        stream: StreamID,
        life: UInt32,
        groups: SubscriptionGroups,
        expectsHeader: Bool,
        request: Sequence?,
        tailOf: Int?
    ) {
        self.stream = stream
        self.life = life
        self.groups = groups
        self.expectsHeader = expectsHeader
        self.request = request
        self.tailOf = tailOf
    }

    /// Whether the cluster voted for it, as the stream says.
    var isVotedFor: Bool { isConfirmed || isFinalized }
}

/// One of the blocks that a slot may have.
struct Variant: Hashable, Sendable {
    /// Nil for the one of which no header came.
    let hash: Bytes32?
}

/// The parts that make up one variant of a slot's block.
struct VariantMask: Hashable, Sendable {
    /// Those that carry its hash.
    var strict: PartMask
    /// With those that carry none, while nothing speaks against them.
    var merged: PartMask
}
