import MarketModel

/// What is remembered of final slots: which of them lack something, so that late data of theirs is
/// news. Of all others everything had come.
struct PastSlots: Sendable {
    /// Rising, apart from each other.
    private(set) var lacking: [ClosedRange<UInt64>]
    /// From there on the state is stale already.
    private(set) var stale: UInt64?
    /// What such slots have had, by rising position; the newest ones.
    private var contents: [(position: UInt64, signatures: Set<Signature>)] = []
    private let limit: Int

    init(_ lacking: [ClosedRange<UInt64>] = [], limit: Int) {
        precondition(limit >= 1, "\(limit) ranges")
        self.lacking = lacking
        self.limit = limit
    }

    /// Takes in bundles that have become final.
    mutating func add(_ bundles: ArraySlice<AppliedBundle>) {
        for applied in bundles {
            let bundle = applied.bundle
            guard bundle.evidence == .unproved else { continue }
            // Behind a parent that never came, all in between may be missing.
            let isAfterHole = applied.predecessor.map { $0 != bundle.parent } ?? false
            let first =
                isAfterHole
                ? applied.predecessor.map { min($0, bundle.position - 1) + 1 } : nil
            add((first ?? bundle.position)...bundle.position, follows: applied.predecessor)
            contents.append((bundle.position, Set(bundle.transactions.compactMap(\.signature))))
            if contents.count > limit { contents.removeFirst() }
        }
    }

    /// Whether a transaction of a final slot is news.
    func lacks(_ signature: Signature, at position: UInt64) -> Bool {
        guard lacking.contains(where: { $0.contains(position) }) else { return false }
        let known = contents.first { $0.position == position }
        // Of a slot whose contents are forgotten, everything may be news.
        return known.map { !$0.signatures.contains(signature) } ?? true
    }

    /// Notes that the state is stale from a position on; whether that is news.
    mutating func makeStale(_ position: UInt64) -> Bool {
        if let stale, stale <= position { return false }
        stale = position
        return true
    }

    private mutating func add(_ range: ClosedRange<UInt64>, follows predecessor: UInt64?) {
        if let last = lacking.last, let predecessor, last.upperBound >= predecessor {
            lacking[lacking.count - 1] =
                last.lowerBound...max(last.upperBound, range.upperBound)
            return
        }
        lacking.append(range)
        guard lacking.count > limit, lacking.count >= 2 else { return }
        // Too many: what lies between the two oldest counts as lacking too.
        lacking[1] = lacking[0].lowerBound...lacking[1].upperBound
        lacking.removeFirst()
    }
}

extension TransactionFacts {
    /// The name under which assemblers know the transaction.
    fileprivate var signature: Signature? {
        switch id {
        case .solana(let signature): signature
        case .evm(let hash): Signature(hash.bytes + [UInt8](repeating: 0, count: 32))
        }
    }
}
