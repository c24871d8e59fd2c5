// Whether all that one filter selects is selected by recorded ones. Addresses are compared as
// texts: two texts of one address count as different, which errs on the safe side.

enum FilterContainment {
    /// Most questions asked when a list is split into its addresses.
    private static let questionsMax = 1_000_000

    /// Slots: the sets of statuses.
    static func holds(_ held: SlotsFilter, _ wanted: SlotsFilter) -> Bool {
        guard held.unknownFields.isEmpty else { return false }
        if wanted.filterByCommitment == true { return true }
        if held.filterByCommitment == true { return false }
        return held.interslotUpdates == true || wanted.interslotUpdates != true
    }

    /// Blocks: each part that is wanted is held, for at least the wanted addresses.
    static func holds(_ held: BlocksFilter, _ wanted: BlocksFilter) -> Bool {
        guard held.unknownFields.isEmpty else { return false }
        let wantsTransactions = wanted.includeTransactions != false
        let wantsAccounts = wanted.includeAccounts == true
        if wantsTransactions, held.includeTransactions == false { return false }
        if wantsAccounts, held.includeAccounts != true { return false }
        if wanted.includeEntries == true, held.includeEntries != true { return false }
        guard wantsTransactions || wantsAccounts else { return true }
        return isWithin(wanted.accountInclude, held.accountInclude, heldCuckoo: held.cuckoo)
    }

    // MARK: Accounts

    /// One of the held filters selects all that is wanted, or several do together, address by
    /// address or owner by owner.
    static func holds(_ held: [AccountsFilter], _ wanted: AccountsFilter) -> Bool {
        let known = held.filter { $0.unknownFields.isEmpty }
        if known.contains(where: { holds($0, wanted) }) { return true }
        return splits(wanted, wanted.account, \.account, known)
            || splits(wanted, wanted.owner, \.owner, known)
    }

    private static func splits(
        _ wanted: AccountsFilter,
        _ list: [UTF8Text],
        _ path: WritableKeyPath<AccountsFilter, [UTF8Text]>,
        _ held: [AccountsFilter]
    ) -> Bool {
        guard list.count > 1, list.count * held.count <= questionsMax else { return false }
        return list.allSatisfy { address in
            var part = wanted
            part[keyPath: path] = [address]
            return held.contains { holds($0, part) }
        }
    }

    private static func holds(_ held: AccountsFilter, _ wanted: AccountsFilter) -> Bool {
        if let flag = held.nonemptyTransactionSignature,
            flag != wanted.nonemptyTransactionSignature
        {
            return false
        }
        return isWithin(wanted.account, held.account, heldCuckoo: held.cuckoo)
            && isWithin(wanted.owner, held.owner, heldCuckoo: nil)
            && held.conditions.allSatisfy(wanted.conditions.contains)
    }

    /// Whether a wanted list lies within a held one; an empty list without a cuckoo filter is all.
    private static func isWithin(
        _ wanted: [UTF8Text],
        _ held: [UTF8Text],
        heldCuckoo: CuckooFilterDefinition?
    ) -> Bool {
        if held.isEmpty { return heldCuckoo == nil }
        return !wanted.isEmpty
            && (wanted.count == 1 ? held.contains(wanted[0]) : isSubset(wanted, held))
    }

    private static func isSubset(_ left: [UTF8Text], _ right: [UTF8Text]) -> Bool {
        Set(left).isSubset(of: right)
    }

    // MARK: Transactions

    /// One of the held filters selects all that is wanted, or several do together: votes and
    /// others, failed and others, address by address.
    static func holds(_ held: [TransactionsFilter], _ wanted: TransactionsFilter) -> Bool {
        let known = held.filter { $0.unknownFields.isEmpty }
        if known.contains(where: { holds($0, wanted) }) { return true }
        if wanted.vote == nil, known.contains(where: { $0.vote != nil }) {
            return [true, false].allSatisfy { flag in
                var part = wanted
                part.vote = flag
                return holds(known, part)
            }
        }
        if wanted.failed == nil, known.contains(where: { $0.failed != nil }) {
            return [true, false].allSatisfy { flag in
                var part = wanted
                part.failed = flag
                return holds(known, part)
            }
        }
        let list = wanted.accountInclude
        guard list.count > 1, list.count * known.count <= questionsMax else { return false }
        return list.allSatisfy { address in
            var part = wanted
            part.accountInclude = [address]
            return known.contains { holds($0, part) }
        }
    }

    private static func holds(_ held: TransactionsFilter, _ wanted: TransactionsFilter) -> Bool {
        if let vote = held.vote, vote != wanted.vote { return false }
        if let failed = held.failed, failed != wanted.failed { return false }
        if let signature = held.signature, signature != wanted.signature { return false }
        // The wider the expansion, the more addresses a transaction touches.
        guard let heldWidth = width(held), let wantedWidth = width(wanted) else { return false }
        if !isIncluded(wanted, in: held, heldIsWider: heldWidth >= wantedWidth) { return false }
        if !held.accountRequired.isEmpty {
            guard heldWidth >= wantedWidth,
                isSubset(held.accountRequired, wanted.accountRequired)
            else { return false }
        }
        if !held.accountExclude.isEmpty {
            guard wantedWidth >= heldWidth,
                isSubset(held.accountExclude, wanted.accountExclude)
            else { return false }
        }
        return true
    }

    private static func isIncluded(
        _ wanted: TransactionsFilter,
        in held: TransactionsFilter,
        heldIsWider: Bool
    ) -> Bool {
        if held.accountInclude.isEmpty { return held.cuckoo == nil }
        guard heldIsWider else { return false }
        if wanted.accountRequired.contains(where: held.accountInclude.contains) { return true }
        return isWithin(wanted.accountInclude, held.accountInclude, heldCuckoo: nil)
    }

    /// 0 without expansion, then balances that changed, then all; nil for an unknown flag.
    private static func width(_ filter: TransactionsFilter) -> Int? {
        guard let flag = filter.tokenAccounts else { return 0 }
        return switch TokenAccountExpansion(rawValue: flag) {
        case .balanceChanged: 1
        case .all: 2
        case nil: nil
        }
    }
}
