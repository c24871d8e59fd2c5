import MarketModel
import RecordModel

/// A bundle that is applied and not final.
struct AppliedBundle: Sendable {
    let bundle: Bundle
    /// Position of the bundle below it; nil below the first one ever.
    let predecessor: UInt64?

    var position: UInt64 { bundle.position }
    var hash: Bytes32? { bundle.hash }
}

/// The last final slot.
struct SettledSlot: Sendable {
    /// A stream that brought its header, which proves that the stream was there before its child.
    struct Witness: Sendable {
        let stream: StreamID
        let life: UInt32
        let sequence: Sequence
    }

    let position: UInt64
    let hash: Bytes32?
    /// By rising stream.
    private(set) var witnesses: [Witness]

    init(position: UInt64, hash: Bytes32?, witnesses: [Witness]) {
        self.position = position
        self.hash = hash
        self.witnesses = witnesses
    }

    /// Remembers which streams brought its header: also those that have ended since, because what
    /// they brought of later slots rests on it.
    mutating func witness(_ parts: [SlotPart]) {
        for part in parts where !part.isDead && part.hash != nil && part.hash == hash {
            guard let sequence = part.headerSequence else { continue }
            add(Witness(stream: part.stream, life: part.headerLife, sequence: sequence))
        }
    }

    /// A stream brings its header only now.
    mutating func witness(_ header: SlotHeader, _ stream: OpenStream, at sequence: Sequence) {
        guard header.slot.number == position, hash == nil || header.hash == hash else { return }
        add(Witness(stream: stream.id, life: stream.life, sequence: sequence))
    }

    private mutating func add(_ witness: Witness) {
        if let known = witnesses.firstIndex(where: { $0.stream == witness.stream }) {
            if witnesses[known].life != witness.life { witnesses[known] = witness }
            return
        }
        let place = witnesses.firstIndex { $0.stream > witness.stream } ?? witnesses.count
        witnesses.insert(witness, at: place)
    }
}

/// All of a chain that is not final, and what its end rests on.
struct OpenChain: Sendable {
    let configuration: AssemblerConfiguration
    var window: SlotWindow
    var streams: StreamLedger
    var gaps: OpenGaps
    var facts: OpenFacts
    /// Nil until something is final.
    var settled: SettledSlot?
    /// Nothing below is looked at: where the first bundle was applied.
    var floor: UInt64?
    /// By rising position, each on top of the one before.
    var applied: [AppliedBundle] = []
    /// Whether any stream ever told which slots were voted for.
    var hadVotes: Bool

    /// What is asked for in a slot that begins now.
    func groups(at number: UInt64) -> SubscriptionGroups {
        streams.groups.union(gaps.groups(at: number))
    }

    /// The highest position that is applied; 0 when none is.
    var appliedThrough: UInt64 {
        // 0: every slot lies above it.
        applied.last?.position ?? settled?.position ?? 0
    }

    /// Whether nothing of that slot is looked at any more.
    func isPast(_ number: UInt64) -> Bool {
        if let settled, number <= settled.position { return true }
        if let floor, number < floor { return true }
        return false
    }

    /// How many applied bundles lie below a position.
    func appliedBelow(_ position: UInt64) -> Int {
        var low = 0
        var high = applied.count
        while low < high {
            let middle = (low + high) / 2
            if applied[middle].position < position { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// How many applied bundles no open gap holds back: those below the first one that is not
    /// proved and that a gap covers, itself or what is missing right below it. What is proved
    /// needs no filling.
    var appliedFree: Int {
        guard let lowest = gaps.lowestOpen else { return applied.count }
        let held = applied[appliedBelow(lowest)...].firstIndex { bundle in
            guard bundle.bundle.evidence == .unproved else { return false }
            var first = bundle.position
            // Behind a parent that has not come, all in between may be missing.
            if let below = bundle.predecessor, below < first, below != bundle.bundle.parent {
                first = below + 1
            }
            return gaps.mayFill(first, through: bundle.position)
        }
        return held ?? applied.count
    }

    /// Place in `applied` of a position.
    func appliedPlace(_ position: UInt64) -> Int? {
        let place = appliedBelow(position)
        return place < applied.count && applied[place].position == position ? place : nil
    }

    // MARK: Proof

    /// Looks whether a stream has now delivered all it promises of a slot: it was there before the
    /// slot began, brought its header, and called it or a later one confirmed.
    mutating func settleProof(of place: Int, by stream: OpenStream) {
        let slot = window[place]
        guard let through = stream.confirmedThrough, slot.number <= through else { return }
        for (number, part) in slot.parts.enumerated()
        where part.stream == stream.id && !part.isDead && !part.isProved {
            guard let hash = part.hash, part.life == stream.life, part.headerLife == stream.life,
                let first = part.firstData, let header = slot.header(hash),
                wasThere(stream, before: first, slot.number, header)
            else { continue }
            window.change(place) { $0.setProved(number) }
        }
    }

    /// Whether the stream has been unbroken since before the slot began.
    private func wasThere(
        _ stream: OpenStream,
        before first: Sequence,
        _ number: UInt64,
        _ header: SlotHeader
    ) -> Bool {
        if stream.isFromSlotValid, let from = stream.promise.fromSlot, from.number <= number {
            return true
        }
        // A block begins when its parent is done, and a parent's header comes when it is done.
        let parent = header.parent.number
        if let settled, settled.position == parent {
            return settled.witnesses.contains {
                $0.stream == stream.id && $0.life == stream.life && $0.sequence < first
            }
        }
        guard let place = window.find(parent) else { return false }
        return window[place].parts.contains { part in
            part.stream == stream.id && part.headerLife == stream.life
                && (header.parentHash == nil || part.hash == header.parentHash)
                && part.headerSequence.map { $0 < first } ?? false
        }
    }

    /// What a variant consists of, and how it is known that nothing of it is missing.
    struct Content {
        /// Parts without hash belong to the only variant that is known; where it is whole without
        /// them they add nothing, because they may be of another one that nobody named.
        var mask: PartMask
        /// The weakest over all groups.
        var evidence: Evidence
        /// Groups that lack any.
        var lacking: SubscriptionGroups
    }

    /// The parts and the proof of a variant; nil for the one without header.
    func content(of slot: OpenSlot, _ hash: Bytes32?) -> Content {
        let mask = slot.mask(hash)
        let unproved = Content(mask: mask.merged, evidence: .unproved, lacking: slot.groups)
        guard let hash, !slot.isOverfull else { return unproved }
        if slot.isWhole(hash, mask.strict) {
            return Content(mask: mask.strict, evidence: .counted, lacking: [])
        }
        var proved: SubscriptionGroups = []
        for part in slot.parts where part.isProved && part.hash == hash && !part.isDead {
            if !gaps.doubts(part.stream, slot.number) { proved.formUnion(part.groups) }
        }
        let lacking = slot.groups.subtracting(proved)
        // Where nobody was asked for anything, nothing is proved.
        if lacking.isEmpty, !slot.groups.isEmpty {
            return Content(mask: mask.strict, evidence: .barrier, lacking: [])
        }
        let countable = slot.countable(hash)
        if countable != mask.strict, slot.isWhole(hash, countable) {
            return Content(mask: countable, evidence: .counted, lacking: [])
        }
        return Content(mask: mask.merged, evidence: .unproved, lacking: lacking)
    }
}
