/// What goes wrong between the chain and the recorder, and what the chain itself takes back. Each
/// kind is drawn apart from the market: a run without faults has the same bytes as before.
struct DeliveryFaults {
    /// What happens around one block.
    struct Plan: Equatable {
        /// Blocks of a branch beside it that is never confirmed.
        var forkDepth: UInt64 = 0
        /// Whether a slot that dies comes before it.
        var hasDeadSlot = false
        /// Whether one stream first sees another block of the same slot.
        var equivocates = false
        /// The stream that gets nothing of it; nil for none.
        var missingOn: Int?
        /// The stream that breaks and comes back two slots later; nil for none.
        var breaks: Int?
    }

    private let options: SynthesisOptions
    private let streams: Int
    private var random: MarketRandom
    private var made: UInt64 = 0

    init(_ options: SynthesisOptions, streams: Int) {
        self.options = options
        self.streams = streams
        random = MarketRandom(seed: options.seed ^ 0x6661_756c_7473)
    }

    /// Generators for branches beside the chain.
    mutating func branchSeed() -> UInt64 { random.next() }

    /// What happens around the next block.
    mutating func next() -> Plan {
        made += 1
        var plan = Plan()
        if isDue(options.forks) { plan.forkDepth = random.number(in: 1...3) }
        plan.hasDeadSlot = isDue(options.deadSlots)
        plan.equivocates = isDue(options.equivocations)
        if isDue(options.missedSlots), streams > 0 {
            plan.missingOn = random.index(below: streams)
        }
        if isDue(options.disconnects), streams > 0 { plan.breaks = random.index(below: streams) }
        return plan
    }

    /// Spreads `count` events evenly over the run.
    private func isDue(_ count: UInt32) -> Bool {
        guard count > 0 else { return false }
        let slots = UInt64(max(options.slots, 1))
        let before = (made - 1) * UInt64(count) / slots
        return made * UInt64(count) / slots > before
    }
}

/// What becomes of a block, as one stream is told.
enum BlockFate: Equatable {
    /// It is confirmed and finalized.
    case canonical
    /// It is processed, and that is the last that is heard of it.
    case orphaned
    /// It is given up while it is produced: half of it, and the status DEAD.
    case dead
    /// It replaces another block of its slot that the stream was told first.
    case repaired
}
