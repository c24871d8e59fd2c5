package import MarketModel

/// What strategies find in one transaction. One value is filled again and again.
package struct MarketFindings {
    /// An event and the call that it belongs to.
    package struct Found: Sendable {
        /// -1 when it is not known.
        package var call: Int32
        /// The top-level instruction.
        package var outer: UInt16
        package var event: MarketEvent
    }

    /// In the order of finding; places are made of them afterwards.
    package internal(set) var found: [Found] = []
    /// Tokens that stand for shares, as calls of this transaction name them. A burn of one of them
    /// counts.
    package private(set) var shareTokens: [Address] = []

    package init() {}

    /// Adds an event that a call gave; several of one call keep their order.
    package mutating func add(
        _ event: MarketEvent,
        call: Int,
        _ transaction: SolanaTransaction
    ) {
        let outer = transaction.instructions[call].outer
        found.append(Found(call: Int32(call), outer: outer, event: event))
    }

    /// Adds an event whose call is not known.
    package mutating func add(_ event: MarketEvent, outer: UInt16) {
        found.append(Found(call: -1, outer: outer, event: event))
    }

    /// Says that a token stands for shares of a pool.
    package mutating func addShareToken(_ token: Address?) {
        guard let token, !shareTokens.contains(token) else { return }
        shareTokens.append(token)
    }

    mutating func removeAll() {
        found.removeAll(keepingCapacity: true)
        shareTokens.removeAll(keepingCapacity: true)
    }
}
