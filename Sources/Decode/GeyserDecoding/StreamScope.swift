package import MarketModel

/// What a stream was asked for, as far as it decides whether a slot is known to be whole. Careful
/// like `StreamCoverage`: a filter that this version does not understand in full covers nothing, and
/// addresses are compared as texts.
///
/// Successive requests of one stream replace each other, so each makes a scope of its own, from the
/// record of the request on.
package struct StreamScope: Sendable {
    /// Updates come when their slot has reached it; nil for a level that this version does not know.
    package let commitment: CommitmentLevel?
    /// Where the stream was asked to begin; nil: with whatever came next.
    package let fromSlot: Slot?
    package let hasBlockMeta: Bool
    package let hasEntries: Bool
    /// Whether every transaction is sent, votes and failed ones included, so that their number can
    /// be compared with what the block says was executed. Several filters may do it together.
    package let hasAllTransactions: Bool
    /// The same of transactions' statuses.
    package let hasAllStatuses: Bool
    /// Names of the filters of transactions, in byte order; empty when none are sent.
    package let transactionFilters: [UTF8Text]
    /// Names of those filters of blocks under which a block holds all its transactions, in byte
    /// order. A block that comes under other names may be a part.
    package let wholeBlockFilters: [UTF8Text]
    /// Names of the filters of accounts, in byte order; empty when none are sent.
    package let accountFilters: [UTF8Text]
    /// Whether the data of accounts is not cut into slices.
    package let hasWholeData: Bool
    private let transactions: [TransactionsFilter]
    private let accounts: [AccountsFilter]
    private let statuses: Set<SlotStatus>

    /// Nil for a request that only asks for a pong: the scope stays what it was.
    package init?(_ request: SubscribeRequest) {
        guard request.ping == nil else { return nil }
        // A field of a newer protocol may narrow everything: such a request covers nothing.
        let known = request.unknownFields.isEmpty ? request : SubscribeRequest()
        // Absent: processed.
        let level = request.commitment ?? CommitmentLevel.processed.rawValue
        commitment = CommitmentLevel(rawValue: level)
        fromSlot = request.fromSlot.map { Slot($0) }
        hasBlockMeta = known.blocksMeta.values.contains { $0.unknownFields.isEmpty }
        hasEntries = known.entry.values.contains { $0.unknownFields.isEmpty }
        transactions = StreamScope.sorted(known.transactions).map(\.value)
        transactionFilters = StreamScope.sorted(known.transactions).map(\.key)
        hasAllTransactions = FilterContainment.holds(transactions, TransactionsFilter())
        hasAllStatuses = FilterContainment.holds(
            Array(known.transactionsStatus.values),
            TransactionsFilter()
        )
        wholeBlockFilters = StreamScope.sorted(known.blocks)
            .filter { FilterContainment.holds($0.value, BlocksFilter()) }.map(\.key)
        accounts = StreamScope.sorted(known.accounts).map(\.value)
        accountFilters = StreamScope.sorted(known.accounts).map(\.key)
        hasWholeData = known.accountsDataSlice.isEmpty
        statuses = StreamScope.statuses(known.slots, commitment)
    }

    private static func sorted<Filter>(
        _ filters: [UTF8Text: Filter]
    ) -> [(key: UTF8Text, value: Filter)] {
        filters.sorted { $0.key < $1.key }
    }

    private static func statuses(
        _ filters: [UTF8Text: SlotsFilter],
        _ commitment: CommitmentLevel?
    ) -> Set<SlotStatus> {
        var statuses: Set<SlotStatus> = []
        for filter in filters.values where filter.unknownFields.isEmpty {
            for status in SlotStatus.allCases {
                // The levels of commitment are the first three statuses, with the same numbers.
                if filter.filterByCommitment == true, status.rawValue != commitment?.rawValue {
                    continue
                }
                if filter.interslotUpdates != true, !status.isCommitment { continue }
                statuses.insert(status)
            }
        }
        return statuses
    }

    /// Whether any statuses of slots are sent.
    package var hasSlots: Bool { !statuses.isEmpty }

    /// Whether that status of a slot is sent, should the slot reach it.
    package func tells(_ status: SlotStatus) -> Bool { statuses.contains(status) }

    /// Whether every transaction is sent that succeeded, is no vote and names this address.
    package func coversTransactions(naming address: Address) -> Bool {
        if hasAllTransactions { return true }
        var wanted = TransactionsFilter()
        wanted.vote = false
        wanted.failed = false
        wanted.accountInclude = [UTF8Text(address.text(on: .solana))]
        return FilterContainment.holds(transactions, wanted)
    }

    /// Whether every write of this account is sent.
    package func coversAccount(_ address: Address) -> Bool {
        var wanted = AccountsFilter()
        wanted.account = [UTF8Text(address.text(on: .solana))]
        return FilterContainment.holds(accounts, wanted)
    }

    /// Whether every write of every account of this program is sent.
    package func coversAccounts(ownedBy program: Address) -> Bool {
        var wanted = AccountsFilter()
        wanted.owner = [UTF8Text(program.text(on: .solana))]
        return FilterContainment.holds(accounts, wanted)
    }
}
