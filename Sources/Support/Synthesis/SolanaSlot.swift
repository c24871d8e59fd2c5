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
