/// Where the blocks of a chain come from.
protocol BlockSource {
    /// The number given out last.
    var slot: UInt64 { get }
    /// Leaves slot numbers to blocks beside this chain.
    mutating func pass(slots: UInt64)
    /// A chain with the same past and another future.
    func branch(seed: UInt64) -> Self
    /// The next block at a wall time in seconds; some slot numbers are skipped, unless the number is
    /// given.
    mutating func next(time: Int64, slot given: UInt64?) -> SolanaSlot
    /// What actors did up to the last block, each told once.
    mutating func takeLabels() -> [SynthesizedLabel]
}

extension SolanaChainSynthesis: BlockSource {}

/// Real transactions on an invented chain: slot numbers, hashes, entries and leaders are made up; every
/// transaction keeps its bytes but for the index in its block, and blocks keep their order and, where it
/// is known, their time.
///
/// On a branch blocks have other neighbours: some of their transactions are not there, and some of the
/// next block's are.
struct RealChain: BlockSource {
    private let options: SynthesisOptions
    private let real: RealBlocks
    private var random: MarketRandom
    private var isBranch = false
    /// The next block of the list.
    private var place = 0
    private(set) var slot: UInt64
    private var parentSlot: UInt64
    private var height: UInt64
    private var parentHash: SolanaKey
    private var lastTime: Int64?

    init(_ options: SynthesisOptions, _ real: RealBlocks) {
        self.options = options
        self.real = real
        random = MarketRandom(seed: options.seed ^ 0x7265_616c_6368_6169)
        slot = max(real.blocks.first?.slot ?? 0, 1_000)  // no block: no slot is ever asked for
        parentSlot = slot - 1
        height = slot - slot / 20
        parentHash = SolanaKey(&random)
    }

    mutating func pass(slots: UInt64) { slot += slots }

    func branch(seed: UInt64) -> RealChain {
        var branch = self
        branch.random = MarketRandom(seed: seed)
        branch.isBranch = true
        return branch
    }

    mutating func takeLabels() -> [SynthesizedLabel] { [] }

    mutating func next(time: Int64, slot given: UInt64?) -> SolanaSlot {
        slot += 1
        while random.chance(perMille: options.skippedPerMille) { slot += 1 }
        if let given { slot = given }
        height += 1
        let transactions = takeTransactions().enumerated().map { index, real in
            SolanaTransaction(wrapping: real, index: UInt64(index))
        }
        let entries = SolanaSlot.entries(of: UInt64(transactions.count), &random)
        let block = SolanaSlot(
            slot: slot,
            parentSlot: parentSlot,
            hash: entries[entries.count - 1].hash,
            parentHash: parentHash,
            height: height,
            time: takeTime(wall: time),
            transactions: transactions,
            entries: entries,
            leader: SolanaKey(&random),
            reward: random.number(in: 1_000_000...50_000_000),
            leaderBalance: random.number(in: 1_000_000_000...90_000_000_000),
            firstWriteVersion: 0
        )
        place += 1
        parentSlot = slot
        parentHash = block.hash
        return block
    }

    private mutating func takeTransactions() -> [RealBlocks.Transaction] {
        guard place < real.blocks.count else { return [] }
        let own = real.blocks[place].transactions
        guard isBranch else { return own }
        var mixed = own.filter { _ in !random.chance(perMille: 250) }
        if place + 1 < real.blocks.count {
            mixed += real.blocks[place + 1].transactions.prefix(max(1, own.count / 4))
        }
        return mixed
    }

    /// The block's own time; else that of the block before, and a second more now and then.
    private mutating func takeTime(wall: Int64) -> Int64 {
        let known = place < real.blocks.count ? real.time(of: real.blocks[place]) : nil
        let derived = lastTime.map { $0 + (random.chance(perMille: 400) ? 1 : 0) }
        let time = known ?? derived ?? wall
        lastTime = time
        return time
    }
}

extension SolanaTransaction {
    /// A real transaction at a place in a block: all fields of its message as they were, but for the
    /// index.
    init(wrapping real: RealBlocks.Transaction, index: UInt64) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(real.info.count + 3)
        var number = ProtobufBytes()
        number.unsigned(5, index)
        var isDone = false
        // What was read once can be read again.
        for field in ProtobufFields.all(in: real.info) ?? [] {
            if field.number >= 5, !isDone {
                bytes += number.bytes
                isDone = true
            }
            if field.number != 5 { bytes += real.info[field.whole] }
        }
        if !isDone { bytes += number.bytes }
        self.init(
            signature: real.signature,
            isVote: real.isVote,
            isMarket: true,
            index: index,
            encoded: bytes,
            fee: 0,
            priorityFee: 0,
            images: [],
            imageLamports: [],
            writableCount: 0
        )
    }
}
