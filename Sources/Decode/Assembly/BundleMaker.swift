import MarketModel
import RecordModel

/// Makes the bundle of one variant of a slot.
struct BundleMaker {
    let chain: OpenChain

    /// The bundle as it is known now.
    ///
    /// - Parameters:
    ///   - slot: the slot.
    ///   - hash: the variant; nil for the one without header.
    ///   - predecessor: position of the bundle it is applied on; nil for the first one ever.
    /// - Returns: the bundle, and whether two streams told a transaction differently.
    func bundle(
        _ slot: OpenSlot,
        _ hash: Bytes32?,
        on predecessor: UInt64?
    ) -> (bundle: Bundle, hasConflict: Bool) {
        let header = hash.flatMap { slot.header($0) }
        let content = chain.content(of: slot, hash)
        let mask = content.mask
        let found = slot.transactions.relevant(in: mask)
        var evidence = content.evidence
        let parent = header?.parent.number ?? slot.statusParent
        // Behind a parent that never came something is missing, however whole the slot itself is.
        let followsParent = predecessor == nil || parent == predecessor
        if found.hasConflict || !followsParent { evidence = .unproved }
        let bundle = Bundle(
            chain: chain.configuration.chain,
            position: slot.number,
            hash: hash,
            parent: parent,
            parentHash: header?.parentHash,
            time: header?.time,
            transactions: transactions(slot, found.entries),
            accounts: slot.accounts.facts(
                in: mask,
                streamOf: { slot.parts[$0].stream.value },
                indexOf: { slot.transactions.index(of: $0, in: mask) }
            ),
            evidence: evidence
        )
        return (bundle, found.hasConflict)
    }

    /// By rising index; where the wire does not tell the index, so that several share one, by
    /// signature. Places must differ, so those that share one move up.
    private func transactions(_ slot: OpenSlot, _ places: [Int]) -> [TransactionFacts] {
        let entries = slot.transactions.entries
        let sorted = places.sorted { left, right in
            let (left, right) = (entries[left], entries[right])
            return left.index == right.index
                ? left.signature < right.signature : left.index < right.index
        }
        var facts: [TransactionFacts] = []
        facts.reserveCapacity(sorted.count)
        for place in sorted {
            let entry = entries[place]
            var told = slot.transactions.facts[Int(entry.facts)]
            var index = entry.index
            if let before = facts.last?.index, index <= before {
                // At most 2^30 transactions of a slot are held; an index near the top is no index.
                index = before == .max ? before : before + 1
            }
            if told.index != index { told.move(to: index) }
            facts.append(told)
        }
        return facts
    }
}

extension TransactionFacts {
    /// Gives it, and all that happened in it, another place in the block.
    fileprivate mutating func move(to index: UInt32) {
        self.index = index
        for event in events.indices {
            let place = events[event].place
            events[event].place = EventPlace(
                transaction: index,
                instruction: place.instruction,
                inner: place.inner,
                ordinal: place.ordinal
            )
        }
    }
}

extension Bundle {
    /// Whether applying it again would change anything: what is in it, and whether it is proved.
    /// How it is proved may reach no row. What is known from outside is not looked at: it stays with
    /// the bundle that carries it.
    func says(theSameAs other: Bundle) -> Bool {
        var other = other
        other.facts = facts
        if (evidence == .unproved) == (other.evidence == .unproved) { other.evidence = evidence }
        return self == other
    }
}
