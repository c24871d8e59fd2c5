package import MarketModel

/// What makes two notifications of an EVM node one and the same, whichever stream brought them.
///
/// A reorg may take a block back and adopt it again, so the same log is rightly sent, removed and
/// sent once more. `occurrence` keeps those apart: it is how often the same feed (one subscription
/// on one stream) has sent this before, as `EthereumOccurrences` counts it.
package enum EthereumKey: Hashable, Sendable {
    /// A header.
    case head(hash: Hash256, occurrence: UInt32)
    /// A log, or the taking back of one. Never the transaction and the index: the same transaction
    /// may come back in another block.
    case log(blockHash: Hash256, logIndex: UInt64, removed: Bool, occurrence: UInt32)
    /// A transaction that reached the pool.
    case pendingTransaction(hash: Hash256)
}
