/// A small market on both wires, made from a seed: what a recorder would have seen, step by step.
///
/// Memory does not grow with the length of the run: steps leave as soon as nothing can come
/// before them. Bytes that need cryptography are random: signatures do not verify, derived
/// addresses do not derive, block hashes and log blooms are not computed from contents.
package struct MarketSynthesis {
    private static let second: Int64 = 1_000_000_000

    private let options: SynthesisOptions
    private let real: RealBlocks?
    private var queue = TimedQueue<StreamEvent>()
    private var geyser: [GeyserFeed] = []
    private var ethereum: EthereumFeed?
    /// When streams end, and those that came back: since when, and which stream comes after.
    private var ends: [UInt32: Int64] = [:]
    private var starts: [UInt32: Int64] = [:]
    private var successors: [UInt32: UInt32] = [:]
    private var labels: LabelBook
    /// Streams opened so far.
    private var opened: UInt32 = 0
    private var slotsLeft: UInt32

    /// - Parameters:
    ///   - options: the market; actors only act on an invented one.
    ///   - real: transactions that stand in for the invented ones, a block for each slot as far as
    ///     they go.
    package init(_ options: SynthesisOptions, real: RealBlocks? = nil) {
        self.options = options
        self.real = real
        slotsLeft = real.map { min(options.slots, UInt32(clamping: $0.count)) } ?? options.slots
        labels = LabelBook()
    }

    /// Runs the market; each step goes to the sink in the order of time.
    ///
    /// - Parameter sink: takes the steps.
    /// - Returns: what the actors did on the chain that was confirmed and that the streams brought,
    ///   by slot.
    /// - Throws: what the sink throws; it ends the run.
    @discardableResult
    package func run<Failure: Error>(
        _ sink: (SynthesizedStep) throws(Failure) -> Void
    ) throws(Failure) -> [SynthesizedLabel] {
        var market = self
        if let real {
            try market.emitAll(RealChain(options, real), sink)
        } else {
            try market.emitAll(SolanaChainSynthesis(options), sink)
        }
        return market.labels.finish()
    }

    private mutating func emitAll<Failure: Error>(
        _ source: consuming some BlockSource,
        _ sink: (SynthesizedStep) throws(Failure) -> Void
    ) throws(Failure) {
        var random = MarketRandom(seed: options.seed ^ 0x7469_6d65)
        openStreams()
        var faults = DeliveryFaults(options, streams: Int(options.streams))
        var chain = source
        var blocksLeft = options.ethereumBlocks
        var slotTime = options.startWallNanoseconds + Self.second / 20
        var blockTime = options.startWallNanoseconds + Self.second
        while slotsLeft > 0 || blocksLeft > 0 {
            if slotsLeft > 0, blocksLeft == 0 || slotTime <= blockTime {
                addSlot(&chain, &faults, at: slotTime)
                slotTime += Self.second * 385 / 1_000 + Int64(random.next(below: 40_000_000))
                slotsLeft -= 1
                if slotsLeft == 0 { closeGeyser(at: slotTime + Self.second / 2) }
            } else {
                ethereum?.addBlock(at: blockTime, into: &queue)
                blockTime += Self.second * 2 + Int64(random.next(below: 60_000_000))
                blocksLeft -= 1
                if blocksLeft == 0 { closeEthereum(at: blockTime) }
            }
            let next = min(
                slotsLeft > 0 ? slotTime : .max,
                blocksLeft > 0 ? blockTime : .max
            )
            // A message may lead its slot's start by a little.
            try drain(before: next == .max ? .max : next - 1_000_000, sink)
        }
        try drain(before: .max, sink)
    }

    /// The next block on every stream, with what goes wrong around it.
    private mutating func addSlot(
        _ chain: inout some BlockSource,
        _ faults: inout DeliveryFaults,
        at time: Int64
    ) {
        let plan = faults.next()
        let seconds = time / Self.second
        if plan.forkDepth > 0 {
            var branch = chain.branch(seed: faults.branchSeed())
            for depth in 0..<plan.forkDepth {
                let block = branch.next(time: seconds, slot: nil)
                chain.pass(slots: block.slot - chain.slot)
                let start = time + Int64(depth) * Self.second / 5
                for index in geyser.indices {
                    geyser[index].add(block, .orphaned, at: start, into: &queue)
                }
            }
        }
        if plan.hasDeadSlot {
            var branch = chain.branch(seed: faults.branchSeed())
            let block = branch.next(time: seconds, slot: nil)
            chain.pass(slots: block.slot - chain.slot)
            for index in geyser.indices {
                geyser[index].add(block, .dead, at: time, into: &queue)
            }
        }
        let before = plan.equivocates ? chain : nil
        let block = chain.next(time: seconds, slot: nil)
        if options.hasActors { labels.take(block, chain.takeLabels(), at: time) }
        let other = before.map { before in
            var branch = before.branch(seed: faults.branchSeed())
            return branch.next(time: seconds, slot: block.slot)
        }
        for index in geyser.indices where index != plan.missingOn {
            if let other, index == geyser.indices.last {
                geyser[index].add(other, .orphaned, at: time, into: &queue)
                // A node replays the other block once it has dropped the first.
                geyser[index].add(block, .repaired, at: time + Self.second / 2, into: &queue)
            } else {
                geyser[index].add(block, at: time, into: &queue)
            }
        }
        if let broken = plan.breaks { breakStream(broken, at: time + Self.second / 5) }
    }

    /// A stream breaks, and its source comes back a second later; not when it is away already, nor
    /// when the run would be over before it is back.
    private mutating func breakStream(_ index: Int, at time: Int64) {
        let stream = geyser[index].stream
        // A stream without a start of its own was there from the beginning.
        guard slotsLeft > 5, starts[stream].map({ $0 < time }) ?? true else { return }
        geyser[index].close(.cut, at: time, into: &queue)
        ends[stream] = time
        opened += 1
        geyser[index].reopen(as: opened, at: time + Self.second, into: &queue)
        starts[opened] = time + Self.second
        successors[stream] = opened
    }

    private mutating func openStreams() {
        if slotsLeft > 0 {
            let parts = [Bool](repeating: false, count: Int(options.streams))
            for wholeBlocks in parts + (options.wholeBlocks ? [true] : []) {
                opened += 1
                var feed = GeyserFeed(
                    stream: opened,
                    source: opened,
                    wholeBlocks: wholeBlocks,
                    takesAll: real != nil,
                    options
                )
                feed.open(at: options.startWallNanoseconds, into: &queue)
                geyser.append(feed)
            }
        }
        if options.ethereumBlocks > 0 {
            opened += 1
            var feed = EthereumFeed(stream: opened, source: opened, options)
            feed.open(at: options.startWallNanoseconds, into: &queue)
            ethereum = feed
        }
    }

    private mutating func closeGeyser(at time: Int64) {
        for feed in geyser {
            feed.close(options.end, at: time, into: &queue)
            ends[feed.stream] = time
        }
    }

    private mutating func closeEthereum(at time: Int64) {
        guard var feed = ethereum else { return }
        feed.close(options.end, at: time, into: &queue)
        ethereum = feed
        ends[feed.stream] = feed.endTime(options.end, at: time)
    }

    private mutating func drain<Failure: Error>(
        before time: Int64,
        _ sink: (SynthesizedStep) throws(Failure) -> Void
    ) throws(Failure) {
        while let next = queue.take(before: time) {
            guard let stream = stream(of: next.element, at: next.time) else { continue }
            for signature in next.element.signatures { labels.note(delivered: signature) }
            let elapsed = UInt64(max(0, next.time - options.startWallNanoseconds))
            try sink(
                SynthesizedStep(
                    stream: stream,
                    wallNanoseconds: next.time,
                    monotonicNanoseconds: 86_400_000_000_000 + elapsed,
                    event: next.element.event,
                    comesBack: isClosed(next.element) && successors[stream] != nil
                )
            )
        }
    }

    private func isClosed(_ event: StreamEvent) -> Bool {
        if case .closed = event.event { true } else { false }
    }

    /// The stream that brings an event: the one it was meant for or, once that has broken, the one
    /// that came after it. Nil when none is open: nothing arrives on a stream that has ended.
    private func stream(of event: StreamEvent, at time: Int64) -> UInt32? {
        var stream = event.stream
        while let end = ends[stream], time > end {
            guard let next = successors[stream] else { return nil }
            stream = next
        }
        // The server sends nothing before it has taken the call.
        guard let start = starts[stream] else { return stream }
        if case .message(.incoming, _) = event.event {
            return time >= start + 10_000_000 ? stream : nil
        }
        return time >= start ? stream : nil
    }
}
