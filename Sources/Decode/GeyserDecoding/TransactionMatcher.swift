import MarketModel

/// One named filter of transactions or of their statuses, ready to be asked.
struct TransactionMatcher: Sendable {
    let name: UTF8Text
    private let vote: Bool?
    private let failed: Bool?
    private let signature: Signature?
    /// Empty: any.
    private let include: Set<PublicKey>
    private let exclude: Set<PublicKey>
    private let required: Set<PublicKey>
    private let expansion: TokenAccountExpansion?

    init(
        _ name: UTF8Text,
        _ filter: TransactionsFilter,
        _ limits: FilterLimits
    ) throws(SubscriptionRefusal) {
        try limits.checkSelects(
            filter.vote == nil && filter.failed == nil && filter.accountInclude.isEmpty
                && filter.cuckoo == nil && filter.accountExclude.isEmpty
                && filter.accountRequired.isEmpty && filter.tokenAccounts == nil
        )
        try limits.checkKeyCounts(
            filter.accountInclude,
            filter.accountExclude,
            filter.accountRequired
        )
        try limits.checkName(name)
        self.name = name
        vote = filter.vote
        failed = filter.failed
        signature = try filter.signature.map(TransactionMatcher.signature)
        include = try limits.keys(filter.accountInclude, selects: true)
        exclude = try limits.keys(filter.accountExclude, selects: false)
        required = try limits.keys(filter.accountRequired, selects: false)
        if let flag = filter.tokenAccounts {
            guard let expansion = TokenAccountExpansion(rawValue: flag) else {
                throw .badFilter(
                    "invalid token_accounts mode value \(flag); "
                        + "expected ALL (0) or BALANCE_CHANGED (1)"
                )
            }
            self.expansion = expansion
        } else {
            expansion = nil
        }
        guard filter.cuckoo == nil else { throw .unsupported("cuckoo_account_include") }
        guard filter.unknownFields.isEmpty else {
            throw .unsupported("an unknown field of SubscribeRequestFilterTransactions")
        }
    }

    private static func signature(_ text: UTF8Text) throws(SubscriptionRefusal) -> Signature {
        do throws(Base58Error) {
            return try Signature(base58: text.bytes)
        } catch {
            switch error {
            case .invalidCharacter: throw .badFilter("failed to decode string to signature")
            case .wrongSize: throw .badFilter("string decoded to wrong size for signature")
            }
        }
    }

    /// Whether the filter selects this transaction; `bytes` are those that the view was read from.
    func matches(
        _ transaction: inout TransactionView,
        _ bytes: RawSpan
    ) throws(ProtobufError) -> Bool {
        if let vote, vote != transaction.isVote { return false }
        if let failed, failed != (transaction.error != nil) { return false }
        if let signature, signature != transaction.firstSignature { return false }
        if include.isEmpty, exclude.isEmpty, required.isEmpty { return true }
        let owners = try expansion.map { (expansion) throws(ProtobufError) in
            try transaction.owners(expansion, bytes)
        }
        func isTouched(_ key: PublicKey) -> Bool {
            transaction.keys.contains(key) || owners?.contains(key) == true
        }
        func touches(_ set: Set<PublicKey>) -> Bool {
            transaction.keys.contains(where: set.contains)
                || owners?.contains(where: set.contains) == true
        }
        guard required.allSatisfy(isTouched) else { return false }
        guard include.isEmpty || touches(include) else { return false }
        return exclude.isEmpty || !touches(exclude)
    }

    /// Whether the filter selects a recorded status. A status carries no addresses, so a filter
    /// that names some selects none; the coverage check refuses to serve that from statuses.
    func matches(_ status: StatusView) -> Bool {
        if let vote, vote != status.isVote { return false }
        if let failed, failed != status.hasError { return false }
        if let signature, signature != status.signature { return false }
        return include.isEmpty && exclude.isEmpty && required.isEmpty
    }
}

/// The parts of a `SubscribeUpdateTransactionStatus` that filters ask about.
struct StatusView {
    var isVote = false
    var hasError = false
    /// Nil when not 64 bytes.
    var signature: Signature?

    init(_ bytes: RawSpan, _ range: Range<Int>) throws(ProtobufError) {
        var offset = range.lowerBound
        while let field = try ProtobufReader.next(bytes, at: &offset, end: range.upperBound) {
            switch field.number {
            case 2:
                let payload = try field.delimited()
                signature =
                    payload.count == 64 ? Signature(bytes, at: payload.lowerBound) : nil
            case 3: isVote = try field.bool()
            case 5:
                _ = try field.delimited()
                hasError = true
            default: break
            }
        }
    }
}
