/// What makes two Solana updates one and the same, whichever stream brought them.
///
/// Which variant of a slot's block a transaction or an account belongs to is not known when it
/// arrives; keys therefore do not name it, and variants are told apart by the block meta's hash.
package enum UpdateKey: Hashable, Sendable {
    /// Who wrote an account.
    package enum AccountWriter: Hashable, Sendable {
        /// A transaction.
        case transaction(Signature)
        /// The runtime itself. The write version is one validator's own count: the same write seen
        /// through two validators has two keys, which repeats it but never loses one.
        case runtime(writeVersion: UInt64)
    }

    /// A status of a slot, as the wire numbers it.
    case slot(Slot, status: Int32)
    /// One state of an account; the digest covers all that the update says about it but its write
    /// version.
    case account(Slot, PublicKey, AccountWriter, ContentDigest)
    /// A transaction with its result.
    case transaction(Slot, Signature)
    /// The result of a transaction alone.
    case transactionStatus(Slot, Signature)
    /// An entry by its place in the slot.
    case entry(Slot, index: UInt64)
    /// A block's header.
    case blockMeta(Slot, Blockhash)
    /// A block with its contents.
    case block(Slot, Blockhash)

    /// The slot that the update belongs to.
    package var slot: Slot {
        switch self {
        case .slot(let slot, _), .account(let slot, _, _, _), .transaction(let slot, _),
            .transactionStatus(let slot, _), .entry(let slot, _), .blockMeta(let slot, _),
            .block(let slot, _):
            slot
        }
    }
}
