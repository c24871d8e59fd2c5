// One assembler a chain: slots, forks, completeness. A pure state machine: what it emits depends on
// the inputs and their order alone.

package import MarketModel
package import RecordModel

/// Folds the records of one chain in log order and says which bundle to apply, undo or settle.
package struct SlotAssembler: Sendable {
    /// Raised whenever the same records would give other actions; state of another version is
    /// rebuilt.
    package static let version: UInt32 = 4

    package let configuration: AssemblerConfiguration
    /// What was seen and left out.
    package private(set) var tally = AssemblerTally()
    private var settledEvidence = EvidenceTally()
    /// How slots that are applied, or became final since reading began, are proved.
    package var evidence: EvidenceTally {
        var evidence = settledEvidence
        chain.count(chain.applied[...], in: &evidence)
        return evidence
    }
    /// The first slot that an enrichment read now takes effect at: the one behind all that have been
    /// applied so far, undone ones included.
    package private(set) var enrichmentPosition: UInt64 = 0

    /// The slots of the gap that was given up last; nil when that was known before a restart or
    /// was no open gap of the chain.
    package private(set) var abandoned: ClosedRange<UInt64>?

    private(set) var chain: OpenChain
    private(set) var past: PastSlots
    /// Blocks below the highest applied one wait to be put in.
    private(set) var hasWaiting = false
    /// What becomes of the input that is being taken.
    private var outcome = InputOutcome.kept
    /// The last record that was taken.
    private(set) var through = Sequence.none
    /// The last one that was taken before a restart.
    private let minded: Sequence
    /// What came too late and was left out; nil when nothing did.
    package private(set) var late: LateRecords?
    /// What is or was waited for before slots become final.
    package private(set) var awaited: [LateRecords]

    /// Begins with the first slot that comes whole enough.
    ///
    /// - Parameters:
    ///   - configuration: how the chain is assembled.
    ///   - awaited: records that come late, as an assembler saw that has read the same log.
    package init(_ configuration: AssemblerConfiguration, awaiting awaited: [LateRecords] = []) {
        self.init(configuration, minded: .none, awaited)
    }

    private init(
        _ configuration: AssemblerConfiguration,
        minded: Sequence,
        _ awaited: [LateRecords]
    ) {
        self.awaited = awaited
        let limits = configuration.limits
        self.configuration = configuration
        self.minded = minded
        chain = OpenChain(
            configuration: configuration,
            window: SlotWindow(limits),
            streams: StreamLedger(limit: limits.streamsMax),
            gaps: OpenGaps(limit: limits.gapsMax),
            facts: OpenFacts(bytesMax: limits.factBytesMax),
            hadVotes: false
        )
        past = PastSlots(limit: limits.lackingRangesMax)
    }

    /// Goes on after a checkpoint: reads from the anchor's `resume` on and ignores what is settled.
    ///
    /// - Parameters:
    ///   - configuration: how the chain is assembled.
    ///   - anchor: of the checkpoint.
    ///   - awaited: more records that come late than those that were waited for before.
    package init(
        _ configuration: AssemblerConfiguration,
        resumingAfter anchor: AssemblerAnchor,
        awaiting awaited: [LateRecords] = []
    ) {
        let more = awaited.filter { !anchor.awaited.contains($0) }
        self.init(configuration, minded: anchor.through, anchor.awaited + more)
        late = anchor.late
        chain.settled = SettledSlot(position: anchor.position, hash: anchor.hash, witnesses: [])
        chain.hadVotes = anchor.hadStatuses
        chain.gaps.restore(anchor.gaps, lowerEnds: anchor.lowerEnds)
        past = PastSlots(anchor.lacking, limit: configuration.limits.lackingRangesMax)
        chain.facts.restore(anchor.facts)
        let next = anchor.position == .max ? .max : anchor.position + 1
        enrichmentPosition = max(next, anchor.factPosition)
    }

    /// Takes the next record.
    ///
    /// - Parameters:
    ///   - input: what the record says.
    ///   - sequence: where it stands; never falls, but one record may say several things.
    ///   - actions: what it causes is added here, in order.
    package mutating func take(
        _ input: AssemblerInput,
        at sequence: Sequence,
        into actions: inout [ChainAction]
    ) {
        tally.inputs &+= 1
        outcome = .kept
        defer { tally.outcomes.count(outcome) }
        through = sequence
        switch input {
        case .transaction(let stream, let transaction):
            let candidate = TransactionSet.Candidate(
                signature: transaction.signature,
                index: transaction.index,
                facts: transaction.facts,
                isStatus: false
            )
            take(candidate, of: transaction.slot, from: stream, at: sequence, &actions)
        case .transactionStatus(let stream, let status):
            guard status.isBarren else {
                outcome = .silent
                return
            }
            let candidate = TransactionSet.Candidate(
                signature: status.signature,
                index: status.index,
                facts: nil,
                isStatus: true
            )
            take(candidate, of: status.slot, from: stream, at: sequence, &actions)
        case .account(let stream, let account):
            take(account, from: stream, at: sequence, &actions)
        case .slotStatus(let stream, let slot, let status, let parent):
            take(status, of: slot.number, parent?.number, from: stream, at: sequence, &actions)
        case .header(let stream, let header):
            guard let place = streamPlace(stream, sequence) else { return }
            take(header, from: place, at: sequence)
            advance(&actions)
        case .wholeBlock(let stream, let block):
            take(block, from: stream, at: sequence, &actions)
        case .streamOpened(let id, let promise):
            if chain.streams.open(id, promise, at: sequence) == nil { leaveUndeclared() }
            advance(&actions)
        case .streamClosed(let id):
            chain.streams.close(id)
            advance(&actions)
        case .recordsMissing(let id):
            missRecords(of: id)
        case .gapOpened(let gap):
            let lowest = chain.window.slots.first?.number ?? chain.appliedThrough
            if !chain.gaps.open(gap, lowest: lowest) { leaveUndeclared() }
            advanceInDoubt(&actions)
        case .gapBounded(let id, let through):
            chain.gaps.bound(id, through: through, at: sequence)
            advanceInDoubt(&actions)
        case .gapFilled(let id):
            chain.gaps.fill(id, at: sequence)
            advanceInDoubt(&actions)
        case .gapAbandoned(let id, _):
            let newest = max(chain.window.highest ?? chain.appliedThrough, chain.appliedThrough)
            let passed = chain.gaps.abandon(id, newest: newest, at: sequence)
            abandoned = sequence > minded ? passed : nil
            advanceInDoubt(&actions)
        case .fact(let fact):
            take(fact, at: sequence)
        }
    }

    /// What is known from outside; what was known at a restart is, or was told by the anchor.
    private mutating func take(_ fact: OutsideFact, at sequence: Sequence) {
        guard sequence > minded else {
            outcome = .known
            return
        }
        if !chain.facts.add(fact, from: enrichmentPosition) { outcome = .overfull }
    }

    // MARK: Data

    private mutating func streamPlace(_ stream: StreamID, _ sequence: Sequence) -> Int? {
        let place = chain.streams.place(of: stream, at: sequence)
        if place == nil { leaveUndeclared() }
        return place
    }

    private mutating func leaveUndeclared() {
        tally.undeclared &+= 1
        outcome = .undeclared
    }

    private mutating func comeLate() {
        tally.late &+= 1
        outcome = .late
    }

    private mutating func slotPlace(
        _ number: UInt64,
        _ sequence: Sequence
    ) -> (place: Int, isNew: Bool)? {
        let opened = chain.window.open(
            number,
            at: sequence,
            groups: chain.groups(at: number),
            applied: chain.appliedThrough
        )
        guard let opened else {
            tally.crowdedOut &+= 1
            outcome = .crowdedOut
            return nil
        }
        if opened.hasCrowdedOut { tally.crowdedOut &+= 1 }
        return (opened.place, opened.isNew)
    }

    /// Notes how far a stream has come; whether that is further than before.
    private mutating func reach(_ number: UInt64, _ stream: Int) -> Bool {
        if let highest = chain.streams[stream].highestData, highest >= number { return false }
        chain.streams[stream].highestData = number
        return true
    }

    private mutating func take(
        _ candidate: TransactionSet.Candidate,
        of slot: Slot,
        from id: StreamID,
        at sequence: Sequence,
        _ actions: inout [ChainAction]
    ) {
        guard let stream = streamPlace(id, sequence) else { return }
        let number = slot.number
        let isFurther = reach(number, stream)
        if chain.isPast(number) {
            comeLate()
            if candidate.facts != nil { mind(number, candidate.signature, sequence, &actions) }
            return
        }
        guard let (place, isNew) = slotPlace(number, sequence) else { return }
        let added = chain.window.add(
            candidate,
            to: place,
            from: chain.streams[stream],
            at: sequence
        )
        if added == .new { tally.transactions &+= 1 }
        note(added)
        if isNew || isFurther { advance(&actions) }
    }

    private mutating func take(
        _ account: AccountInput,
        from id: StreamID,
        at sequence: Sequence,
        _ actions: inout [ChainAction]
    ) {
        guard let stream = streamPlace(id, sequence) else { return }
        let number = account.slot.number
        let isFurther = reach(number, stream)
        guard !chain.isPast(number) else {
            comeLate()
            return
        }
        guard let (place, isNew) = slotPlace(number, sequence) else { return }
        let added = chain.window.add(
            account,
            to: place,
            from: chain.streams[stream],
            at: sequence
        )
        if added == .new { tally.accounts &+= 1 }
        note(added)
        if isNew || isFurther { advance(&actions) }
    }

    private mutating func note(_ added: TransactionSet.Outcome) {
        switch added {
        case .new: break
        case .changed: tally.duplicates &+= 1
        case .known:
            tally.duplicates &+= 1
            outcome = .known
        case .full:
            tally.overfull &+= 1
            outcome = .overfull
        }
    }

    /// Something of a slot that is settled: news only where something is known to be missing.
    private mutating func mind(
        _ number: UInt64,
        _ signature: Signature,
        _ sequence: Sequence,
        _ actions: inout [ChainAction]
    ) {
        guard sequence > minded, let settled = chain.settled, number <= settled.position,
            past.lacks(signature, at: number)
        else { return }
        tally.stale &+= 1
        stale(number, &actions)
    }

    private mutating func stale(_ position: UInt64, _ actions: inout [ChainAction]) {
        late = LateRecords(position: min(position, late?.position ?? position), through: through)
        if past.makeStale(position) { actions.append(.stale(position: position)) }
    }

    /// A header: of the final slot it only shows that the stream was there.
    @discardableResult
    private mutating func take(
        _ header: SlotHeader,
        from stream: Int,
        at sequence: Sequence
    ) -> (place: Int, part: Int)? {
        let number = header.slot.number
        _ = reach(number, stream)
        let open = chain.streams[stream]
        // The first header is the highest.
        if open.highestHeader.map({ $0 < number }) ?? true {
            chain.streams[stream].highestHeader = number
        }
        guard !chain.isPast(number) else {
            comeLate()
            chain.settled?.witness(header, chain.streams[stream], at: sequence)
            return nil
        }
        guard let (place, _) = slotPlace(number, sequence) else { return nil }
        let wasDisputed = chain.window[place].isDisputed
        let added = chain.window.change(place) {
            $0.add(header, from: chain.streams[stream], at: sequence)
        }
        guard let part = added else {
            outcome = .overfull
            return nil
        }
        if chain.window[place].isDisputed, !wasDisputed { tally.equivocated &+= 1 }
        if configuration.childProves { confirm(header.parent.number, by: stream) }
        chain.settleProof(of: place, by: chain.streams[stream])
        return (place, part)
    }

    private mutating func take(
        _ block: WholeBlockInput,
        from id: StreamID,
        at sequence: Sequence,
        _ actions: inout [ChainAction]
    ) {
        guard let stream = streamPlace(id, sequence) else { return }
        let number = block.header.slot.number
        if chain.isPast(number) {
            for transaction in block.transactions where transaction.facts != nil {
                mind(number, transaction.signature, sequence, &actions)
            }
        }
        guard let (place, part) = take(block.header, from: stream, at: sequence) else {
            advance(&actions)
            return
        }
        for transaction in block.transactions {
            let candidate = TransactionSet.Candidate(
                signature: transaction.signature,
                index: transaction.index,
                facts: transaction.facts,
                isStatus: false
            )
            switch chain.window.add(candidate, to: place, part: part) {
            case .new: tally.transactions &+= 1
            case .changed, .known: tally.duplicates &+= 1
            case .full: tally.overfull &+= 1
            }
        }
        for account in block.accounts {
            switch chain.window.add(account, to: place, part: part) {
            case .new: tally.accounts &+= 1
            case .changed, .known: tally.duplicates &+= 1
            case .full: tally.overfull &+= 1
            }
        }
        if block.isUnfiltered { chain.window.change(place) { $0.setWhole(part) } }
        advance(&actions)
    }

    // MARK: Statuses, streams, gaps

    private mutating func take(
        _ status: SlotStatus,
        of number: UInt64,
        _ parent: UInt64?,
        from id: StreamID,
        at sequence: Sequence,
        _ actions: inout [ChainAction]
    ) {
        guard let stream = streamPlace(id, sequence) else { return }
        let isVote = status == .confirmed || status == .finalized
        if isVote {
            chain.streams[stream].hasVotes = true
            chain.hadVotes = true
        }
        guard !chain.isPast(number) else {
            comeLate()
            // A stream takes back what it had shown of a block that is final.
            if status == .dead, sequence > minded, let settled = chain.settled,
                settled.position == number, settled.witnesses.contains(where: { $0.stream == id })
            {
                stale(number, &actions)
            }
            return
        }
        // What only tells that a slot is on its way is worth keeping for its parent.
        guard status.isCommitment || status == .dead || parent != nil else {
            outcome = .silent
            return
        }
        guard let (place, _) = slotPlace(number, sequence) else { return }
        let open = chain.streams[stream]
        if status == .dead { tally.dead &+= 1 }
        chain.window.change(place) { slot in
            if let parent, parent < number, slot.statusParent == nil { slot.statusParent = parent }
            if status == .dead {
                slot.kill(from: id)
            } else {
                slot.add(status, from: open)
            }
        }
        if isVote { confirm(number, by: stream) }
        advance(&actions)
    }

    /// A stream has passed everything up to a slot.
    private mutating func confirm(_ number: UInt64, by stream: Int) {
        let before = chain.streams[stream].confirmedThrough
        // The first confirmation goes further than none.
        guard before.map({ $0 < number }) ?? true else { return }
        chain.streams[stream].confirmedThrough = number
        // Those at or below `before` were looked at when they were confirmed or got their header.
        var place = before.map { chain.window.place(of: $0) } ?? 0
        while place < chain.window.slots.count, chain.window[place].number <= number {
            chain.settleProof(of: place, by: chain.streams[stream])
            place += 1
        }
    }

    private mutating func missRecords(of stream: StreamID?) {
        for place in chain.streams.streams.indices
        where stream == nil || chain.streams[place].id == stream {
            chain.streams.beginLife(place)
        }
    }

    /// A gap has changed: any proof may be in doubt now, or no longer.
    private mutating func advanceInDoubt(_ actions: inout [ChainAction]) {
        chain.window.dirtyAll()
        advance(&actions)
    }

    // MARK: Actions

    /// Brings what is applied in line with what should be.
    private mutating func advance(_ actions: inout [ChainAction]) {
        if !chain.hadVotes, chain.streams.tellVotes { chain.hadVotes = true }
        let plan = BranchPlanner.plan(chain, hasWaiting: hasWaiting)
        hasWaiting = plan.hasWaiting
        follow(plan, &actions)
        chain.window.settleTouched()
        settle(&actions)
    }

    /// Undoes down to where the branches part and applies the rest.
    private mutating func follow(_ plan: BranchPlan, _ actions: inout [ChainAction]) {
        var kept = plan.kept
        var rest = plan.nodes[...]
        while let node = rest.first, kept < chain.applied.count,
            chain.applied[kept].position == node.number, chain.applied[kept].hash == node.hash,
            staysApplied(kept, node.place)
        {
            kept += 1
            rest.removeFirst()
        }
        if rest.isEmpty {
            // What lies above stays until something contradicts it.
            while kept < chain.applied.count,
                let place = chain.window.find(chain.applied[kept].position),
                chain.window[place].has(Variant(hash: chain.applied[kept].hash)),
                staysApplied(kept, place)
            {
                kept += 1
            }
            rest = again(from: kept)
        }
        while chain.applied.count > kept, let last = chain.applied.popLast() {
            tally.undone &+= 1
            chain.facts.undo(last.position)
            actions.append(.undo(position: last.position))
        }
        for node in rest { apply(node, &actions) }
    }

    /// The applied bundles from a place on that are still alive, to be applied again because the
    /// first of them says something else now.
    private func again(from kept: Int) -> ArraySlice<BranchNode> {
        var nodes: [BranchNode] = []
        for bundle in chain.applied[kept...] {
            guard let place = chain.window.find(bundle.position),
                chain.window[place].has(Variant(hash: bundle.hash))
            else { break }
            nodes.append(BranchNode(place: place, number: bundle.position, hash: bundle.hash))
        }
        return nodes[...]
    }

    private func predecessor(of kept: Int) -> UInt64? {
        kept > 0 ? chain.applied[kept - 1].position : chain.settled?.position
    }

    /// Whether an applied bundle is what it should be, looked at anew when something changed.
    private mutating func staysApplied(_ kept: Int, _ place: Int) -> Bool {
        guard chain.window[place].isDirty else { return true }
        let applied = chain.applied[kept]
        let made = BundleMaker(chain: chain).bundle(
            chain.window[place],
            applied.hash,
            on: applied.predecessor
        )
        guard made.bundle.says(theSameAs: applied.bundle) else { return false }
        chain.window.clean(place)
        return true
    }

    private mutating func apply(_ node: BranchNode, _ actions: inout [ChainAction]) {
        let below = predecessor(of: chain.applied.count)
        var made = BundleMaker(chain: chain).bundle(
            chain.window[node.place],
            node.hash,
            on: below
        )
        made.bundle.facts = chain.facts.carry(at: node.number)
        if let conflict = node.conflict { stale(conflict, &actions) }
        if made.hasConflict { tally.conflicts &+= 1 }
        if made.bundle.evidence == .unproved { tally.unproved &+= 1 }
        if node.missingParent != nil { tally.missingParents &+= 1 }
        tally.applied &+= 1
        chain.window.clean(node.place)
        chain.applied.append(AppliedBundle(bundle: made.bundle, predecessor: below))
        if chain.floor == nil, chain.settled == nil { chain.floor = node.number }
        let next = node.number == .max ? node.number : node.number + 1
        enrichmentPosition = max(enrichmentPosition, next)
        actions.append(.apply(made.bundle))
    }

    /// Declares final what is.
    private mutating func settle(_ actions: inout [ChainAction]) {
        // What was final at the checkpoint's last record is settled: all records up to that one had
        // made nothing else final, so they do not now, when they meet a later beginning.
        guard through > minded, let (place, isForced) = finalPlace else { return }
        let last = chain.applied[place]
        past.add(chain.applied[...place])
        chain.count(chain.applied[...place], in: &settledEvidence)
        tally.final &+= UInt64(place + 1)
        if isForced { tally.forcedFinal &+= 1 }
        var settled = SettledSlot(position: last.position, hash: last.hash, witnesses: [])
        if let slot = chain.window.find(last.position) {
            settled.witness(chain.window[slot].parts)
        }
        let positions = Set(chain.applied[...place].map(\.position))
        chain.applied.removeFirst(place + 1)
        chain.settled = settled
        chain.floor = nil
        chain.facts.settle(through: last.position)
        for slot in chain.window.drop(through: last.position)
        where slot.itemCount > 0 && !positions.contains(slot.number) {
            tally.orphaned &+= 1
        }
        if !chain.gaps.isEmpty {
            // Nothing is read again: all of it was told before the next record.
            chain.gaps.pass(last.position, resume: resume ?? through.next)
        }
        actions.append(.final(position: last.position))
    }
}
