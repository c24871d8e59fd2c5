// What a server must know of the recorded slots to answer `from_slot` and the unary methods as of
// any place: where each slot's records lie, and when each block became known at each commitment.

import GeyserDecoding
import MarketModel
import RecordModel

/// Where the records of one slot lie.
struct GeyserSlotEntry: Sendable {
    /// The parts that close a slot, in the order in which the reference server sends them.
    enum Closing: UInt8, Sendable { case block, blockMeta, status }

    let slot: UInt64
    /// The first and last account, transaction, status of a transaction, or entry.
    var partsFirst = Sequence.none
    var partsLast = Sequence.none
    /// Blocks, block metas and slot statuses.
    var closing: [(kind: Closing, sequence: Sequence)] = []
    /// Whether the recording holds the slot from its start, and so all of it.
    var isWhole: Bool

    var first: Sequence {
        let closings = closing.first?.sequence ?? partsFirst
        return partsFirst == .none ? closings : min(partsFirst, closings)
    }

    /// The last record but for slot statuses, which go on for many slots.
    var contentLast: Sequence {
        closing.reduce(partsLast) { $1.kind == .status ? $0 : max($0, $1.sequence) }
    }
}

/// A block as far as a commitment answers about it.
struct GeyserKnownBlock: Sendable {
    /// The record with which it became known.
    let at: Sequence
    let slot: UInt64
    let hash: Blockhash
    let height: UInt64?
}

/// The slots of the range that is served. Grows with the number of slots, not of messages.
struct GeyserSlotIndex: Sendable {
    /// By rising slot.
    private(set) var entries: [GeyserSlotEntry] = []
    /// For each commitment, slots that were the highest at it, by rising sequence.
    private(set) var heads: [[(at: Sequence, slot: UInt64)]] = [[], [], []]
    /// For each commitment, blocks that were the highest at it, by rising sequence.
    private(set) var blocks: [[GeyserKnownBlock]] = [[], [], []]
    /// Whether the streams carry parts of slots, so that the first slot may be there in part.
    var hasParts = true

    private var places: [UInt64: Int] = [:]
    /// When each block reached processed, confirmed, finalized, by its hash.
    private var hashes: [Blockhash: (slot: UInt64, height: UInt64?, levels: [Sequence?])] = [:]
    private var metas: [UInt64: Blockhash] = [:]
    private var levels: [UInt64: [Sequence?]] = [:]
    private var lowestWithParts: UInt64?

    // MARK: Building

    /// Takes an update of the range in sequence order. One that cannot be read is passed over.
    mutating func note(_ update: RawSpan, _ summary: UpdateSummary, at sequence: Sequence) {
        guard let slot = summary.slot?.number else { return }
        switch summary.kind {
        case .account, .transaction, .transactionStatus, .entry:
            notePart(slot, summary, at: sequence)
        case .block, .blockMeta:
            let kind = summary.kind == .block ? GeyserSlotEntry.Closing.block : .blockMeta
            let place = place(of: slot, isWhole: kind == .block || !hasParts)
            entries[place].closing.append((kind, sequence))
            noteBlock(update, summary, slot, at: sequence)
        case .slot:
            let status = SlotStatus(rawValue: summary.status)
            let isStart = status == .firstShredReceived || status == .createdBank
            let place = place(of: slot, isWhole: isStart)
            entries[place].closing.append((.status, sequence))
            if !hasParts, status == .processed { entries[place].isWhole = true }
            if let status, status.isCommitment {
                noteLevel(Int(status.rawValue), of: slot, at: sequence)
            }
        case .ping, .pong, .unknown: break
        }
    }

    private mutating func notePart(
        _ slot: UInt64,
        _ summary: UpdateSummary,
        at sequence: Sequence
    ) {
        let place = place(of: slot, isWhole: false)
        if entries[place].partsFirst == .none {
            entries[place].partsFirst = sequence
            let isAtStart = summary.kind != .account && summary.index == 0
            // The first slot with parts is behind no other.
            let isBehindOther = lowestWithParts.map { $0 < slot } ?? false
            if isAtStart || isBehindOther { entries[place].isWhole = true }
            lowestWithParts = min(lowestWithParts ?? slot, slot)
        }
        entries[place].partsLast = sequence
    }

    private mutating func place(of slot: UInt64, isWhole: Bool) -> Int {
        if let place = places[slot] {
            if isWhole, entries[place].partsFirst == .none { entries[place].isWhole = true }
            return place
        }
        places[slot] = entries.count
        entries.append(GeyserSlotEntry(slot: slot, isWhole: isWhole))
        return entries.count - 1
    }

    private mutating func noteLevel(_ level: Int, of slot: UInt64, at sequence: Sequence) {
        var reached = levels[slot] ?? [nil, nil, nil]
        // Confirmed is processed too, and finalized is both.
        for lower in 0...level where reached[lower] == nil {
            reached[lower] = sequence
            // The first head is the highest.
            if heads[lower].last.map({ $0.slot < slot }) ?? true {
                heads[lower].append((sequence, slot))
            }
        }
        levels[slot] = reached
        if let hash = metas[slot] { noteKnown(hash, at: sequence) }
    }

    private mutating func noteBlock(
        _ update: RawSpan,
        _ summary: UpdateSummary,
        _ slot: UInt64,
        at sequence: Sequence
    ) {
        let text = update.withUnsafeBytes { [UInt8]($0[summary.blockhash]) }
        do {
            let hash = try Blockhash(base58: text)
            if hashes[hash] == nil {
                let height = try Self.height(update, summary)
                hashes[hash] = (slot, height, [nil, nil, nil])
                metas[slot] = hash
            }
            noteKnown(hash, at: sequence)
        } catch {
            // A block without a readable hash answers nothing.
        }
    }

    /// Field 5 of a block and of a block meta, and field 1 in it.
    private static func height(
        _ update: RawSpan,
        _ summary: UpdateSummary
    ) throws(ProtobufError) -> UInt64? {
        var offset = summary.body.lowerBound
        while let field = try ProtobufReader.next(
            update,
            at: &offset,
            end: summary.body.upperBound
        ) {
            guard field.number == 5 else { continue }
            let range = try field.delimited()
            var inner = range.lowerBound
            while let part = try ProtobufReader.next(update, at: &inner, end: range.upperBound) {
                if part.number == 1 { return try part.varint() }
            }
            return 0
        }
        return nil
    }

    private mutating func noteKnown(_ hash: Blockhash, at sequence: Sequence) {
        guard var known = hashes[hash], metas[known.slot] == hash,
            let reached = levels[known.slot]
        else { return }
        for level in 0..<3 where known.levels[level] == nil && reached[level] != nil {
            known.levels[level] = sequence
            // The first block is the highest.
            if blocks[level].last.map({ $0.slot < known.slot }) ?? true {
                blocks[level].append(
                    GeyserKnownBlock(
                        at: sequence,
                        slot: known.slot,
                        hash: hash,
                        height: known.height
                    )
                )
            }
        }
        hashes[hash] = known
    }

    /// Puts the slots in order; nothing is noted afterwards.
    mutating func finish() {
        entries.sort { $0.slot < $1.slot }
        places.removeAll()
        levels.removeAll()
    }

    // MARK: Asking

    /// The lowest slot that the range holds whole and that lies at or before a record; nil for
    /// none.
    func firstAvailable(at sequence: Sequence) -> UInt64? {
        entries.first { $0.isWhole && $0.contentLast > .none && $0.contentLast <= sequence }?.slot
            ?? entries.first {
                $0.isWhole && $0.contentLast == .none && $0.first <= sequence
            }?.slot
    }

    /// The highest slot that had reached a commitment at a record.
    func slot(at commitment: CommitmentLevel, _ sequence: Sequence) -> UInt64? {
        let list = heads[Int(commitment.rawValue)]
        return Self.last(list, sequence) { $0.at }?.slot
    }

    /// The highest block that was known at a commitment at a record.
    func block(at commitment: CommitmentLevel, _ sequence: Sequence) -> GeyserKnownBlock? {
        Self.last(blocks[Int(commitment.rawValue)], sequence) { $0.at }
    }

    /// The first block known at a commitment at all.
    func firstBlock(at commitment: CommitmentLevel) -> GeyserKnownBlock? {
        blocks[Int(commitment.rawValue)].first
    }

    /// The height of a block that had reached a commitment at a record; nil otherwise.
    func height(
        of hash: Blockhash,
        at commitment: CommitmentLevel,
        _ sequence: Sequence
    ) -> UInt64? {
        guard let known = hashes[hash], let at = known.levels[Int(commitment.rawValue)],
            at <= sequence
        else { return nil }
        return known.height
    }

    private static func last<Element>(
        _ list: [Element],
        _ sequence: Sequence,
        _ at: (Element) -> Sequence
    ) -> Element? {
        var low = 0
        var high = list.count
        while low < high {
            let middle = (low + high) / 2
            if at(list[middle]) <= sequence { low = middle + 1 } else { high = middle }
        }
        return low > 0 ? list[low - 1] : nil
    }
}
