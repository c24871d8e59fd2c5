import MarketModel

/// Parts of one slot, as bits: bit n is part n.
typealias PartMask = UInt64

/// One transaction of a slot, as one or several parts tell it.
struct SeenTransaction: Sendable {
    let signature: Signature
    /// Parts that brought it.
    var parts: PartMask
    /// Parts that brought its status alone, which says that it can have no facts.
    var barrenParts: PartMask
    let index: UInt32
    /// Of the signature, by this process's seed; decides places in memory and nothing else.
    let hash: UInt32
    /// Index into `TransactionSet.facts`; below zero for none.
    var facts: Int32
    /// The same transaction told differently; below zero for none.
    var next: Int32 = -1
    /// Whether it is reached through another one's `next`.
    let isVersion: Bool
}

/// The transactions of one slot, each held once however many streams bring it. One that has no
/// facts costs no allocation of its own.
struct TransactionSet: Sendable {
    /// What became of an insertion.
    enum Outcome {
        /// The transaction was not known.
        case new
        /// It was known, and something is different now.
        case changed
        /// It told nothing.
        case known
        /// There is no room.
        case full
    }

    /// What is inserted.
    struct Candidate {
        let signature: Signature
        let index: UInt32
        let facts: TransactionFacts?
        /// Only its status, of one that can have no facts.
        let isStatus: Bool
    }

    private(set) var entries = ContiguousArray<SeenTransaction>()
    private(set) var facts: [TransactionFacts] = []
    /// Whether any transaction is told in two ways.
    private(set) var hasVersions = false
    // Open addressing: indices into `entries` plus one, 0 for free; a power of two of them, at
    // most half of them taken.
    private var places = ContiguousArray<Int32>()

    var count: Int { entries.count }

    /// Takes in what one part brought.
    ///
    /// - Parameters:
    ///   - candidate: the transaction.
    ///   - part: who brought it.
    ///   - limit: most entries, below 2^31.
    /// - Returns: what changed.
    mutating func insert(_ candidate: Candidate, part: Int, limit: Int) -> Outcome {
        if entries.count * 2 >= places.count { grow() }
        let hash = TransactionSet.hash(candidate.signature)
        let mask = places.count - 1
        var place = Int(hash) & mask
        while places[place] != 0 {
            let entry = Int(places[place]) - 1
            if entries[entry].hash == hash, entries[entry].signature == candidate.signature {
                return update(entry, candidate, hash, part: part, limit: limit)
            }
            place = (place + 1) & mask
        }
        guard entries.count < limit else { return .full }
        append(candidate, hash, part: part, isVersion: false)
        places[place] = Int32(entries.count)
        return .new
    }

    /// Where the transaction stands in the block, as a part of `mask` tells it.
    func index(of signature: Signature, in mask: PartMask) -> UInt32? {
        guard !places.isEmpty else { return nil }
        let hash = TransactionSet.hash(signature)
        var place = Int(hash) & (places.count - 1)
        while places[place] != 0 {
            var entry = Int(places[place]) - 1
            if entries[entry].hash == hash, entries[entry].signature == signature {
                while entry >= 0 {
                    let seen = entries[entry]
                    if (seen.parts | seen.barrenParts) & mask != 0 { return seen.index }
                    entry = Int(seen.next)
                }
                return nil
            }
            place = (place + 1) & (places.count - 1)
        }
        return nil
    }

    /// How many transactions the parts of `mask` brought.
    func count(in mask: PartMask) -> Int {
        var count = 0
        if !hasVersions {
            for entry in entries where (entry.parts | entry.barrenParts) & mask != 0 { count += 1 }
            return count
        }
        for first in entries where !first.isVersion {
            var entry = first
            while (entry.parts | entry.barrenParts) & mask == 0, entry.next >= 0 {
                entry = entries[Int(entry.next)]
            }
            if (entry.parts | entry.barrenParts) & mask != 0 { count += 1 }
        }
        return count
    }

    /// Places in `entries` of those with facts that the parts of `mask` brought, one for each
    /// transaction, and whether some were told differently.
    func relevant(in mask: PartMask) -> (entries: [Int], hasConflict: Bool) {
        var found: [Int] = []
        found.reserveCapacity(facts.count)
        guard hasVersions else {
            for place in entries.indices
            where entries[place].facts >= 0 && entries[place].parts & mask != 0 {
                found.append(place)
            }
            return (found, false)
        }
        var hasConflict = false
        for first in entries.indices where !entries[first].isVersion {
            var best: Int?
            var versions = 0
            var place = first
            while place >= 0 {
                let entry = entries[place]
                if (entry.parts | entry.barrenParts) & mask != 0 {
                    versions += 1
                    // The first version is the best one so far.
                    if best.map({ isBetter(place, than: $0, in: mask) }) ?? true { best = place }
                }
                place = Int(entry.next)
            }
            if versions > 1 { hasConflict = true }
            if let best, entries[best].facts >= 0 { found.append(best) }
        }
        return (found, hasConflict)
    }

    /// Of two tellings of one transaction the one that tells more; then the one of the stream that
    /// came first.
    private func isBetter(_ left: Int, than right: Int, in mask: PartMask) -> Bool {
        let leftRank = rank(left)
        let rightRank = rank(right)
        if leftRank != rightRank { return rightRank.lexicographicallyPrecedes(leftRank) }
        let leftParts = (entries[left].parts | entries[left].barrenParts) & mask
        let rightParts = (entries[right].parts | entries[right].barrenParts) & mask
        return leftParts.trailingZeroBitCount < rightParts.trailingZeroBitCount
    }

    private func rank(_ place: Int) -> [Int] {
        let entry = entries[place]
        guard entry.facts >= 0 else { return [0, 0, 0, Int(entry.index)] }
        let told = facts[Int(entry.facts)]
        return [
            told.hasCutLogs ? 1 : 2, told.events.count, told.links.count, Int(entry.index),
        ]
    }

    private mutating func update(
        _ first: Int,
        _ candidate: Candidate,
        _ hash: UInt32,
        part: Int,
        limit: Int
    ) -> Outcome {
        let bit: PartMask = 1 << PartMask(part)
        var place = first
        while true {
            if entries[place].index == candidate.index, tellsTheSame(place, candidate) {
                return merge(candidate, into: place, bit)
            }
            guard entries[place].next >= 0 else { break }
            place = Int(entries[place].next)
        }
        guard entries.count < limit else { return .full }
        append(candidate, hash, part: part, isVersion: true)
        entries[place].next = Int32(entries.count - 1)
        hasVersions = true
        return .changed
    }

    private func tellsTheSame(_ place: Int, _ candidate: Candidate) -> Bool {
        let entry = entries[place]
        if candidate.isStatus { return entry.facts < 0 }
        guard entry.parts != 0 else { return candidate.facts == nil }
        guard entry.facts >= 0 else { return candidate.facts == nil }
        return facts[Int(entry.facts)] == candidate.facts
    }

    private mutating func merge(
        _ candidate: Candidate,
        into place: Int,
        _ bit: PartMask
    ) -> Outcome {
        if candidate.isStatus {
            if (entries[place].parts | entries[place].barrenParts) & bit != 0 { return .known }
            entries[place].barrenParts |= bit
            return .changed
        }
        if entries[place].parts & bit != 0 { return .known }
        entries[place].parts |= bit
        return .changed
    }

    private mutating func append(
        _ candidate: Candidate,
        _ hash: UInt32,
        part: Int,
        isVersion: Bool
    ) {
        let bit: PartMask = 1 << PartMask(part)
        var place: Int32 = -1
        if let told = candidate.facts {
            place = Int32(facts.count)
            facts.append(told)
        }
        entries.append(
            SeenTransaction(
                signature: candidate.signature,
                parts: candidate.isStatus ? 0 : bit,
                barrenParts: candidate.isStatus ? bit : 0,
                index: candidate.index,
                hash: hash,
                facts: place,
                isVersion: isVersion
            )
        )
    }

    private mutating func grow() {
        let size = max(64, places.count * 2)
        places = ContiguousArray(repeating: 0, count: size)
        for (number, entry) in entries.enumerated() where !entry.isVersion {
            var place = Int(entry.hash) & (size - 1)
            while places[place] != 0 { place = (place + 1) & (size - 1) }
            places[place] = Int32(number + 1)
        }
    }

    private static func hash(_ signature: Signature) -> UInt32 {
        // Seeded by the process: who chooses signatures cannot make them collide.
        var hasher = Hasher()
        hasher.combine(signature)
        return UInt32(truncatingIfNeeded: hasher.finalize())
    }
}
