package import MarketModel

/// Counts how often one feed has sent the same header or log, within its most recent ones.
///
/// One value for each subscription on each stream. Memory is bounded by `countMax`; what is older
/// counts as never sent.
package struct EthereumOccurrences: Sendable {
    private enum Subject: Hashable {
        case head(Hash256)
        case log(Hash256, UInt64, removed: Bool)
    }

    /// Most headers and logs that are remembered.
    package let countMax: Int

    private var counts: [Subject: UInt32] = [:]
    // In the order in which they were first sent; a ring once it is full.
    private var order: [Subject] = []
    private var oldest = 0

    /// An empty count.
    ///
    /// - Parameter countMax: 1 or more; some hundred blocks are plenty, as reorgs are short.
    package init(countMax: Int = 65_536) {
        precondition(countMax >= 1, "countMax \(countMax)")
        self.countMax = countMax
    }

    /// The key of a header that the feed sends now.
    package mutating func head(_ hash: Hash256) -> EthereumKey {
        .head(hash: hash, occurrence: count(.head(hash)))
    }

    /// The key of a log that the feed sends now.
    package mutating func log(
        blockHash: Hash256,
        logIndex: UInt64,
        removed: Bool
    ) -> EthereumKey {
        let subject = Subject.log(blockHash, logIndex, removed: removed)
        return .log(
            blockHash: blockHash,
            logIndex: logIndex,
            removed: removed,
            occurrence: count(subject)
        )
    }

    /// How often the subject came before.
    private mutating func count(_ subject: Subject) -> UInt32 {
        if let before = counts[subject] {
            counts[subject] = before &+ 1
            return before
        }
        counts[subject] = 1
        if order.count < countMax {
            order.append(subject)
        } else {
            counts[order[oldest]] = nil
            order[oldest] = subject
            oldest = (oldest + 1) % countMax
        }
        return 0
    }
}
