import Assembly
import MarketModel
import RecordModel

/// Numbers from a seed.
struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
        return value ^ value >> 31
    }

    mutating func upTo(_ limit: Int) -> Int { Int.random(in: 0...limit, using: &self) }

    mutating func chance(_ percent: Int) -> Bool { upTo(99) < percent }
}

/// A transaction as it is in the block.
struct MadeTransaction {
    var name: String
    var index: UInt32
    /// 0 or 1: the group that it belongs to; nil for one without facts.
    var group: Int?
    /// Accounts it writes, with their new value.
    var writes: [(account: String, supply: UInt64)]
}

/// A block as it is on the chain.
struct MadeBlock {
    var slot: UInt64
    var hash: String
    var parent: UInt64
    var parentHash: String
    var transactions: [MadeTransaction]
    /// On the branch that is finalized.
    var isMain: Bool
    /// It turns out to be broken before it is done.
    var isDead = false

    var header: SlotHeader {
        SlotHeader(
            slot: Slot(slot),
            hash: Made.bytes(hash),
            parent: Slot(parent),
            parentHash: Made.bytes(parentHash),
            time: Int64(slot),
            executedTransactionCount: UInt64(transactions.count)
        )
    }

    func inputs(
        stream: StreamID,
        groups: Set<Int>,
        isUnfiltered: Bool
    ) -> (
        transactions: [TransactionInput], accounts: [AccountInput]
    ) {
        let kept = transactions.filter { transaction in
            isUnfiltered || transaction.group.map { groups.contains($0) } ?? false
        }
        var accounts: [AccountInput] = []
        var version: UInt64 = stream.value * 1000
        for transaction in kept {
            for write in transaction.writes {
                version += 1
                accounts.append(
                    Made.account(
                        slot,
                        write.account,
                        writer: transaction.name,
                        version: version,
                        supply: write.supply
                    )
                )
            }
        }
        return (kept.map { Made.transaction(slot, $0.name, $0.index) }, accounts)
    }
}

/// A chain with skipped slots, forks, dead slots, and slots of which some nodes saw another block
/// first.
struct MadeChain {
    private(set) var main: [MadeBlock] = []
    /// Beside the main branch.
    private(set) var others: [MadeBlock] = []
    /// The other blocks of main slots.
    private(set) var rivals: [UInt64: MadeBlock] = [:]
    let first: UInt64 = 1000
    private(set) var last: UInt64 = 1000

    init(_ numbers: inout SeededNumbers, slots: Int, hasVotes: Bool) {
        var tip: (slot: UInt64, hash: String) = (999, "base")
        for number in 0..<UInt64(slots) {
            let slot = first + number
            last = slot
            let isForced = number < 2
            let draw = isForced ? 99 : numbers.upTo(99)
            if draw < 8 { continue }
            if draw < 14 {
                // Beside: its parent is the tip or the block below.
                let base = numbers.chance(50) || main.count < 2 ? main.count - 1 : main.count - 2
                let parent = main[base]
                others.append(
                    Self.block(&numbers, slot, "f", (parent.slot, parent.hash), isMain: false)
                )
                continue
            }
            if draw < 20, hasVotes {
                var block = Self.block(&numbers, slot, "d", tip, isMain: false)
                block.isDead = true
                others.append(block)
                continue
            }
            let block = Self.block(&numbers, slot, "m", tip, isMain: true)
            if draw < 26, hasVotes {
                var rival = Self.block(&numbers, slot, "r", tip, isMain: false)
                // Rivals share transactions, in other places.
                rival.transactions += block.transactions.prefix(2).map { shared in
                    var moved = shared
                    moved.index += 7
                    return moved
                }
                rivals[slot] = rival
            }
            main.append(block)
            tip = (slot, block.hash)
        }
    }

    private static func block(
        _ numbers: inout SeededNumbers,
        _ slot: UInt64,
        _ kind: String,
        _ parent: (slot: UInt64, hash: String),
        isMain: Bool
    ) -> MadeBlock {
        var transactions: [MadeTransaction] = []
        for index in 0..<(1 + numbers.upTo(6)) {
            let isRelevant = numbers.chance(60)
            var writes: [(String, UInt64)] = []
            if isRelevant, numbers.chance(40) {
                writes.append(("acc\(numbers.upTo(2))", numbers.next() >> 1))
            }
            transactions.append(
                MadeTransaction(
                    name: "\(isRelevant ? "" : "-")\(kind)\(slot)t\(index)",
                    index: UInt32(index),
                    group: isRelevant ? numbers.upTo(1) : nil,
                    writes: writes
                )
            )
        }
        return MadeBlock(
            slot: slot,
            hash: "\(kind)\(slot)",
            parent: parent.slot,
            parentHash: parent.hash,
            transactions: transactions,
            isMain: isMain
        )
    }

    /// What must be applied in the end: everything of the main branch, sorted. Written without any
    /// thought of how it arrives.
    var truth: [UInt64: Bundle] {
        var truth: [UInt64: Bundle] = [:]
        for block in main {
            let relevant = block.transactions.filter { $0.group != nil }
            var supplies: [String: UInt64] = [:]
            for transaction in relevant {
                for write in transaction.writes { supplies[write.account] = write.supply }
            }
            let facts = supplies.map { name, supply in
                AccountFact(
                    account: Address(Made.bytes(name)),
                    content: .mint(supply: supply, decimals: 6)
                )
            }
            truth[block.slot] = Bundle(
                chain: .solana,
                position: block.slot,
                hash: Made.bytes(block.hash),
                parent: block.parent,
                parentHash: Made.bytes(block.parentHash),
                time: Int64(block.slot),
                transactions: relevant.map { Made.facts($0.name, $0.index) },
                accounts: facts.sorted { $0.account < $1.account }
            )
        }
        return truth
    }
}
