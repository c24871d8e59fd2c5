/// What one transaction that succeeded did in markets. Transactions without market events have
/// none.
package struct TransactionFacts: Hashable, Sendable {
    /// Solana: its first signature. EVM: its hash in the first 32 bytes.
    package var id: TransactionID
    /// Place in the block.
    package var index: UInt32
    /// Who paid for it; EVM: who sent it. Nil where the chain's data does not tell.
    package var feePayer: Address?
    /// All it paid to the network, in the chain's native unit.
    package var fee: UInt128
    /// Solana: the bid in millionths of a lamport for one compute unit. EVM: wei for one gas.
    package var priorityPrice: UInt128
    /// Solana: paid to a known tip account.
    package var tip: UInt128
    /// By rising place.
    package var events: [PlacedEvent]
    /// Transfers of tokens between accounts of one owner class that link wallets; by rising place.
    package var links: [WalletLink]
    /// The logs were cut by the runtime: events may be missing that calls do not tell.
    package var hasCutLogs = false

    package init(
        id: TransactionID,
        index: UInt32,
        feePayer: Address?,
        fee: UInt128,
        priorityPrice: UInt128,
        tip: UInt128,
        events: [PlacedEvent],
        links: [WalletLink] = []
    ) {
        self.id = id
        self.index = index
        self.feePayer = feePayer
        self.fee = fee
        self.priorityPrice = priorityPrice
        self.tip = tip
        self.events = events
        self.links = links
    }
}

/// A token went from one wallet to another outside any trade, or an account changed its owner.
package struct WalletLink: Hashable, Sendable {
    package var token: Address
    package var from: Address
    package var to: Address
    package var amount: UInt128

    package init(token: Address, from: Address, to: Address, amount: UInt128) {
        self.token = token
        self.from = from
        self.to = to
        self.amount = amount
    }
}

/// What names a transaction on its chain.
package enum TransactionID: Hashable, Comparable, Sendable, CustomStringConvertible {
    case solana(Signature)
    case evm(Hash256)

    /// As people of that chain write it.
    package var description: String {
        switch self {
        case .solana(let signature): signature.description
        case .evm(let hash): hash.description
        }
    }

    package static func < (left: TransactionID, right: TransactionID) -> Bool {
        switch (left, right) {
        case (.solana(let left), .solana(let right)): left < right
        case (.evm(let left), .evm(let right)): left < right
        case (.solana, .evm): true
        case (.evm, .solana): false
        }
    }
}
