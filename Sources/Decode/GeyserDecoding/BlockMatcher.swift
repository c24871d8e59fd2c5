import MarketModel

/// One named blocks filter. Every block matches; the filter says which parts of it are sent.
struct BlockMatcher: Sendable {
    let name: UTF8Text
    let includesTransactions: Bool
    let includesAccounts: Bool
    let includesEntries: Bool
    /// Empty: all transactions and accounts.
    let include: Set<PublicKey>

    init(
        _ name: UTF8Text,
        _ filter: BlocksFilter,
        _ limits: FilterLimits
    ) throws(SubscriptionRefusal) {
        try limits.checkSelects(filter.accountInclude.isEmpty)
        try limits.checkKeyCounts(filter.accountInclude)
        includesTransactions = filter.includeTransactions ?? true  // the service's default
        includesAccounts = filter.includeAccounts ?? false  // the service's default
        includesEntries = filter.includeEntries ?? false  // the service's default
        guard !includesTransactions || limits.allowsBlockTransactions else {
            throw .badFilter("`include_transactions` is not allowed")
        }
        guard !includesAccounts || limits.allowsBlockAccounts else {
            throw .badFilter("`include_accounts` is not allowed")
        }
        guard !includesEntries || limits.allowsBlockEntries else {
            throw .badFilter("`include_entries` is not allowed")
        }
        try limits.checkName(name)
        self.name = name
        include = try limits.keys(filter.accountInclude, selects: true)
        guard filter.cuckoo == nil else { throw .unsupported("cuckoo_account_include") }
        guard filter.unknownFields.isEmpty else {
            throw .unsupported("an unknown field of SubscribeRequestFilterBlocks")
        }
    }
}
