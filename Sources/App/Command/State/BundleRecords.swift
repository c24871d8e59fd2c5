import Folding
import MarketModel
import Projection
import RecordModel

/// Which records brought what slots are made of, as long as the slots are not final.
final class BundleRecords {
    private var transactions: [UInt64: [TransactionID: Sequence]] = [:]
    private var accounts: [UInt64: [AccountFact: Sequence]] = [:]

    /// Notes a transaction; of one that came more than once, the first record.
    func decoded(_ facts: TransactionFacts, slot: UInt64, at sequence: Sequence) {
        if transactions[slot]?[facts.id] == nil {
            transactions[slot, default: [:]][facts.id] = sequence
        }
    }

    /// Notes a state of an account, likewise.
    func seen(_ account: AccountFact, slot: UInt64, at sequence: Sequence) {
        if accounts[slot]?[account] == nil { accounts[slot, default: [:]][account] = sequence }
    }

    /// Forgets what is settled.
    func folded(_ action: ChainAction) {
        guard case .final(let position) = action else { return }
        for slot in transactions.keys where slot <= position { transactions[slot] = nil }
        for slot in accounts.keys where slot <= position { accounts[slot] = nil }
    }

    func removeAll() {
        transactions = [:]
        accounts = [:]
    }

    /// The record behind a change.
    ///
    /// - Parameters:
    ///   - cause: what of the bundle it was.
    ///   - slot: the bundle's.
    ///   - sequence: the record that caused the bundle to be folded, which stands for the slot.
    /// - Returns: where it came from.
    func record(
        of cause: BundleTrace.Cause,
        slot: UInt64,
        foldedAt sequence: Sequence
    ) -> Sequence {
        let record: Sequence? =
            switch cause {
            case .slot: sequence
            case .transaction(let facts): transactions[slot]?[facts.id]
            case .account(let account): accounts[slot]?[account]
            }
        // What a bundle is made of was told before.
        return record ?? sequence
    }
}
