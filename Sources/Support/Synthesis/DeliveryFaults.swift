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
        // Apart from each other: of two in one slot one might hide the other.
        if isDue(options.forks, at: 4) { plan.forkDepth = random.number(in: 1...3) }
        plan.hasDeadSlot = isDue(options.deadSlots, at: 5)
        plan.equivocates = isDue(options.equivocations, at: 3)
        if isDue(options.missedSlots, at: 2), streams > 0 {
            plan.missingOn = random.index(below: streams)
        }
        if isDue(options.disconnects, at: 6), streams > 0 {
            plan.breaks = random.index(below: streams)
        }
        return plan
    }

    private func isDue(_ count: UInt32, at phase: UInt64) -> Bool {
        EvenSpread(count: count, over: options.slots, phase: phase).due(at: made) > 0
    }
}

/// So many events spread evenly over so many slots, the last so many eighths of a distance from the
/// end; by itself half a distance from both ends.
struct EvenSpread {
    private let count: UInt64
    private let slots: UInt64
    private let phase: UInt64

    init(count: UInt32, over slots: UInt32, phase: UInt64 = 4) {
        precondition(phase < 8, "a distance has eight eighths")
        self.count = UInt64(count)
        self.slots = UInt64(max(slots, 1))
        self.phase = phase
    }

    /// How many fall on a slot, counted from 1.
    func due(at made: UInt64) -> UInt64 { through(made) - through(made - 1) }

    private func through(_ made: UInt64) -> UInt64 {
        (8 * made * count + phase * slots) / (8 * slots)
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
