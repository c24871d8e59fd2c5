import MarketModel
import RecordModel

/// A block of the branch that should be applied.
struct BranchNode: Sendable {
    /// In the window.
    let place: Int
    let number: UInt64
    let hash: Bytes32?
    /// The parent that it names and that has not come.
    var missingParent: UInt64?
    /// It contradicts what is final: the first position that is then wrong.
    var conflict: UInt64?
}

/// What should be applied.
struct BranchPlan: Sendable {
    /// How many of the applied bundles stay untouched for sure, from the lowest.
    var kept: Int
    /// What follows on them, rising.
    var nodes: [BranchNode]
    /// Blocks below the highest applied one wait to be put in.
    var hasWaiting: Bool
}

/// Decides which branch should be applied: a function of what is open, not of how it came to be.
struct BranchPlanner {
    /// Tips that are tried, so that contradicting ones cannot cost everything.
    private static let tipsMax = 64

    private let chain: OpenChain
    private let tellsVotes: Bool
    /// Whether applied bundles below the lowest change need no second look.
    private let mayStopEarly: Bool
    /// The newest slot that anything is judged by.
    private var newest: UInt64 = 0

    /// Plans, and lets go of the chain again.
    ///
    /// - Parameters:
    ///   - chain: what is open.
    ///   - hasWaiting: whether the last plan left blocks waiting below what is applied.
    /// - Returns: the branch; empty when nothing speaks for any.
    static func plan(_ chain: OpenChain, hasWaiting: Bool) -> BranchPlan {
        var planner = BranchPlanner(chain, hasWaiting: hasWaiting)
        return planner.plan() ?? BranchPlan(kept: 0, nodes: [], hasWaiting: false)
    }

    private init(_ chain: OpenChain, hasWaiting: Bool) {
        self.chain = chain
        tellsVotes = chain.streams.tellVotes
        mayStopEarly = !hasWaiting
    }

    private var window: SlotWindow { chain.window }

    private mutating func plan() -> BranchPlan? {
        let found = tellsVotes ? votedBranch : closedBranch
        guard let branch = found else { return nil }
        newest = tellsVotes ? branch.tip.number : newestHeader
        return ready(branch)
    }

    private var votedBranch: Branch? {
        let confirmed = bestBranch { $0.best(\.isVotedFor) }
        guard chain.configuration.commitment == .processed else { return confirmed }
        let processed = bestBranch(above: confirmed?.tip) { slot in
            slot.isHeaderless ? nil : slot.best { $0.isProcessed || $0.isVotedFor }
        }
        return processed ?? confirmed
    }

    private var closedBranch: Branch? {
        guard chain.hadVotes else { return bestBranch { $0.best { _ in true } } }
        // Where votes were told once, only depth can stand for them.
        let highest = newestHeader
        let depth = UInt64(chain.configuration.finalDepth)
        return bestBranch { slot in
            slot.best { part in
                part.isVotedFor || (highest >= slot.number && highest - slot.number >= depth)
            }
        }
    }

    private var newestHeader: UInt64 {
        window.slots.last { !$0.headers.isEmpty }?.number ?? window.highest
            ?? chain.appliedThrough
    }

    // MARK: Tips and paths

    /// From the tip down to what stays.
    private struct Branch {
        let tip: BranchNode
        /// Falling; without the tip when that stays.
        var nodes: [BranchNode]
        /// Applied bundles below the last node.
        var kept: Int
    }

    /// The branch of the highest slot that has a variant that counts, does not contradict what is
    /// final and holds the highest finalized block.
    private func bestBranch(
        above floor: BranchNode? = nil,
        _ choose: (OpenSlot) -> Variant?
    ) -> Branch? {
        let finalized = highestFinalized
        var tries = 0
        for place in window.slots.indices.reversed() {
            let slot = window[place]
            if let floor, slot.number <= floor.number { return nil }
            guard let variant = choose(slot) else { continue }
            tries += 1
            guard tries <= BranchPlanner.tipsMax else { return nil }
            let tip = BranchNode(place: place, number: slot.number, hash: variant.hash)
            guard let branch = branch(from: tip, choose, finalized) else { continue }
            if let finalized, !holds(branch, finalized) { continue }
            if let floor, !holds(branch, floor) { continue }
            return branch
        }
        return nil
    }

    private var highestFinalized: BranchNode? {
        for place in window.slots.indices.reversed() {
            let slot = window[place]
            guard slot.parts.contains(where: { $0.isFinalized && !$0.isDead }),
                let variant = meant(by: place) ?? slot.best(\.isFinalized)
            else { continue }
            return BranchNode(place: place, number: slot.number, hash: variant.hash)
        }
        return nil
    }

    /// Of a slot with several blocks, the one that children the cluster voted for name, when they
    /// agree: a status names no block, so where it came in says less than its children do.
    private func meant(by place: Int) -> Variant? {
        let slot = window[place]
        guard slot.isDisputed else { return nil }
        var meant: Bytes32?
        for child in window.slots[(place + 1)...] {
            for header in child.headers where header.parent.number == slot.number {
                guard let parent = header.parentHash, slot.has(parent),
                    child.any(child.mask(header.hash).strict, \.isVotedFor)
                else { continue }
                if let meant, meant != parent { return nil }
                meant = parent
            }
        }
        return meant.map { Variant(hash: $0) }
    }

    private func holds(_ branch: Branch, _ node: BranchNode) -> Bool {
        if branch.nodes.contains(where: { $0.number == node.number && $0.hash == node.hash }) {
            return true
        }
        guard let place = chain.appliedPlace(node.number), place < branch.kept else { return false }
        return chain.applied[place].hash == node.hash
    }

    /// Follows parents down.
    private func branch(
        from tip: BranchNode,
        _ choose: (OpenSlot) -> Variant?,
        _ finalized: BranchNode?
    ) -> Branch? {
        var nodes: [BranchNode] = []
        var node = tip
        while true {
            if let kept = keptBelow(node) { return Branch(tip: tip, nodes: nodes, kept: kept) }
            guard let below = step(&node, choose) else {
                nodes.append(node)
                break
            }
            nodes.append(node)
            node = below
        }
        guard nodes.last?.conflict != nil else {
            return Branch(tip: tip, nodes: nodes, kept: 0)
        }
        // What contradicts the final branch counts only when it is as final itself; while nothing is
        // finalized, nothing is.
        let isFinal =
            tellsVotes
            ? finalized.map { final in nodes.contains { $0.number == final.number } } == true
            : nodes.count >= chain.configuration.finalDepth
        return isFinal ? Branch(tip: tip, nodes: nodes, kept: 0) : nil
    }

    /// How many applied bundles stay when the branch holds this node: nil unless it is applied and
    /// nothing at it or below it has changed.
    private func keptBelow(_ node: BranchNode) -> Int? {
        guard mayStopEarly, let place = chain.appliedPlace(node.number),
            chain.applied[place].hash == node.hash,
            // Nothing was touched: all of it stays.
            window.lowestTouched.map({ node.number < $0 }) ?? true
        else { return nil }
        return place + 1
    }

    /// The next node down; nil when the branch ends here.
    private func step(_ node: inout BranchNode, _ choose: (OpenSlot) -> Variant?) -> BranchNode? {
        let slot = window[node.place]
        let header = node.hash.flatMap { slot.header($0) }
        guard let parent = header?.parent.number ?? slot.statusParent, parent < slot.number else {
            return highest(below: slot.number, choose)
        }
        if let settled = chain.settled, parent <= settled.position {
            guard parent == settled.position else {
                node.conflict = parent + 1
                return nil
            }
            if let wanted = header?.parentHash, let hash = settled.hash, wanted != hash {
                node.conflict = parent
            }
            return nil
        }
        if let place = window.find(parent),
            let variant = variant(window[place], header?.parentHash)
        {
            return BranchNode(place: place, number: parent, hash: variant.hash)
        }
        let below = highest(below: parent, choose)
        if below != nil || chain.settled != nil { node.missingParent = parent }
        return below
    }

    /// The variant of a slot that a child means.
    private func variant(_ slot: OpenSlot, _ wanted: Bytes32?) -> Variant? {
        if slot.isHeaderless { return Variant(hash: nil) }
        guard let wanted else { return slot.best { _ in true } }
        return slot.has(wanted) ? Variant(hash: wanted) : nil
    }

    /// The highest slot below that has a variant of its own right.
    private func highest(below number: UInt64, _ choose: (OpenSlot) -> Variant?) -> BranchNode? {
        var place = window.place(of: number)
        while place > 0 {
            place -= 1
            let slot = window[place]
            guard let variant = choose(slot) ?? appliedVariant(slot) else { continue }
            return BranchNode(place: place, number: slot.number, hash: variant.hash)
        }
        return nil
    }

    private func appliedVariant(_ slot: OpenSlot) -> Variant? {
        guard let place = chain.appliedPlace(slot.number) else { return nil }
        let variant = Variant(hash: chain.applied[place].hash)
        return slot.has(variant) ? variant : nil
    }

    // MARK: Readiness

    /// The part of a branch that can be applied now.
    private func ready(_ branch: Branch) -> BranchPlan {
        var plan = BranchPlan(kept: branch.kept, nodes: [], hasWaiting: false)
        // Below it nothing is taken back only to wait.
        let topApplied = branch.nodes.first { isApplied($0) }?.number
        let final = highestFinalized?.number
        for node in branch.nodes.reversed() {
            // Nothing applied, nothing below it.
            let isBelow = topApplied.map { node.number < $0 } ?? false
            if isApplied(node) || isReady(node, final: final, isBelow: isBelow) {
                plan.nodes.append(node)
            } else if isBelow {
                plan.hasWaiting = true
            } else {
                break
            }
        }
        return plan
    }

    private func isApplied(_ node: BranchNode) -> Bool {
        guard let place = chain.appliedPlace(node.number) else { return false }
        return chain.applied[place].hash == node.hash
    }

    /// Whether no more is to be waited for. What is to be put in below applied bundles may wait until
    /// it is final: nothing else waits for it, and putting it in twice costs.
    private func isReady(_ node: BranchNode, final: UInt64?, isBelow: Bool) -> Bool {
        if let parent = node.missingParent, mayCome(parent) { return false }
        if chain.configuration.commitment == .processed, tellsVotes { return true }
        let slot = window[node.place]
        guard tellsVotes else { return isClosed(slot, node.hash) }
        if let final, node.number <= final { return true }
        let limits = chain.configuration.limits
        guard node.hash != nil else {
            // Without its header it would only have to be taken back.
            return (!isBelow && isBehind(node.number, by: limits.parentSlotsMax))
                || !chain.streams.streams.contains { stream in
                    stream.promise.hasBlockMeta
                        // Without any header it may still bring this one.
                        && stream.highestHeader.map { $0 < node.number } ?? true
                }
        }
        if !isBelow, isBehind(node.number, by: limits.proofSlotsMax) { return true }
        // A stream that should have more of it may not have passed it yet.
        let lacking = chain.content(of: slot, node.hash).lacking
        return !chain.streams.streams.contains { stream in
            stream.tellsVotes && !stream.promise.groups.isDisjoint(with: lacking)
                // Without any confirmation it has passed nothing.
                && stream.confirmedThrough.map { $0 < node.number } ?? true
        }
    }

    private func isBehind(_ number: UInt64, by slots: UInt64) -> Bool {
        newest >= number && newest - number >= slots
    }

    /// Whether somebody may still deliver a slot.
    private func mayCome(_ number: UInt64) -> Bool {
        if isBehind(number, by: chain.configuration.limits.parentSlotsMax) { return false }
        if chain.gaps.mayFill(number) { return true }
        return chain.streams.streams.contains { stream in
            if let from = stream.promise.fromSlot, from.number > number { return false }
            guard let highest = stream.highestHeader else {
                return stream.promise.fromSlot != nil && stream.promise.hasBlockMeta
            }
            return highest < number
        }
    }

    /// Without votes: whether no more is expected of a slot.
    private func isClosed(_ slot: OpenSlot, _ hash: Bytes32?) -> Bool {
        let content = chain.content(of: slot, hash)
        if content.evidence == .counted || slot.any(content.mask, \.isWhole) { return true }
        let closing = chain.configuration.limits.closingSlots
        for part in slot.parts where !part.isDead {
            guard let place = chain.streams.find(part.stream) else { continue }
            let stream = chain.streams[place]
            if let highest = stream.highestHeader, highest > slot.number { continue }
            if let highest = stream.highestData, highest > slot.number,
                highest - slot.number >= closing
            {
                continue
            }
            return false
        }
        return true
    }
}
