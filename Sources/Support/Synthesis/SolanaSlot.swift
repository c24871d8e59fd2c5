/// One block of the synthetic Solana chain, before it is cut into messages.
struct SolanaSlot {
    struct Entry {
        var index: UInt64
        var hashes: UInt64
        var hash: SolanaKey
        var transactions: UInt64
        var firstTransaction: UInt64
    }

    var slot: UInt64
    var parentSlot: UInt64
    var hash: SolanaKey
    var parentHash: SolanaKey
    var height: UInt64
    /// Seconds since 1970.
    var time: Int64
    var transactions: [SolanaTransaction]
    var entries: [Entry]
    var leader: SolanaKey
    var reward: UInt64
    var leaderBalance: UInt64
    /// The first of the numbers that count account writes; each image takes one.
    var firstWriteVersion: UInt64
}

extension SolanaSlot {
    private static let ticks = 64
    private static let hashesPerTick: UInt64 = 62_500

    /// Ticks and, between them, entries of one to four transactions each.
    static func entries(of total: UInt64, _ random: inout MarketRandom) -> [Entry] {
        var entries: [Entry] = []
        var done: UInt64 = 0
        func add(hashes: UInt64, count: UInt64) {
            entries.append(
                Entry(
                    index: UInt64(entries.count),
                    hashes: hashes,
                    hash: SolanaKey(&random),
                    transactions: count,
                    firstTransaction: done
                )
            )
        }
        for tick in 0..<UInt64(ticks) {
            var left = hashesPerTick
            let due = total * (tick + 1) / UInt64(ticks)
            while done < due {
                let count = min(due - done, random.number(in: 1...4))
                let hashes = min(left - 1, random.number(in: 1...9_000))
                add(hashes: hashes, count: count)
                left -= hashes
                done += count
            }
            add(hashes: left, count: 0)
        }
        return entries
    }
}
