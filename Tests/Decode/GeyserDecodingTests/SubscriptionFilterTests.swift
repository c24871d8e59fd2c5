import GeyserDecoding
import MarketModel
import Testing

@Suite struct SubscriptionFilterTests {
    // MARK: Accounts

    private static let tokenAccount: [UInt8] = {
        var data = [UInt8](repeating: 0, count: 165)
        data[108] = 1
        return data
    }()

    private static func condition(_ test: AccountCondition.Test) -> AccountsFilter {
        var filter = AccountsFilter()
        filter.conditions = [AccountCondition(test)]
        return filter
    }

    private static func memcmp(
        _ offset: UInt64,
        _ expected: AccountCondition.Memcmp.Expected
    ) -> AccountsFilter {
        var memcmp = AccountCondition.Memcmp()
        memcmp.offset = offset
        memcmp.expected = expected
        return condition(.memcmp(memcmp))
    }

    private static func lamports(
        _ comparison: AccountCondition.Lamports.Comparison
    ) -> AccountsFilter {
        var lamports = AccountCondition.Lamports()
        lamports.comparison = comparison
        return condition(.lamports(lamports))
    }

    private static func accounts(
        _ account: [UTF8Text],
        _ owner: [UTF8Text] = [],
        nonemptySignature: Bool? = nil
    ) -> AccountsFilter {
        var filter = AccountsFilter()
        filter.account = account
        filter.owner = owner
        filter.nonemptyTransactionSignature = nonemptySignature
        return filter
    }

    struct AccountCase: Sendable {
        var rule: String
        var filter: AccountsFilter
        var account: @Sendable () -> MadeAccount
        var matches: Bool
    }

    static let accountCases: [AccountCase] = {
        let plain: @Sendable () -> MadeAccount = { MadeAccount(data: [10, 20, 30, 40]) }
        let signed: @Sendable () -> MadeAccount = { MadeAccount(signature: signatureBytes(4)) }
        func token(
            _ change: @escaping @Sendable (inout [UInt8]) -> Void
        ) -> @Sendable () -> MadeAccount {
            {
                var data = tokenAccount
                change(&data)
                return MadeAccount(data: data)
            }
        }
        let isToken = condition(.tokenAccountState(true))
        func row(
            _ rule: String,
            _ filter: AccountsFilter,
            _ account: @escaping @Sendable () -> MadeAccount,
            _ matches: Bool
        ) -> AccountCase {
            AccountCase(rule: rule, filter: filter, account: account, matches: matches)
        }
        return [
            row("empty filter is everything", AccountsFilter(), plain, true),
            row("account, one of", accounts([address(7), address(1)]), plain, true),
            row("account, none of", accounts([address(7), address(2)]), plain, false),
            row("owner, one of", accounts([], [address(7), address(2)]), plain, true),
            row("owner, none of", accounts([], [address(1)]), plain, false),
            row("account and owner", accounts([address(1)], [address(2)]), plain, true),
            row("account but not owner", accounts([address(1)], [address(1)]), plain, false),
            row("owner but not account", accounts([address(2)], [address(2)]), plain, false),
            row("signature wanted, absent", accounts([], nonemptySignature: true), plain, false),
            row("signature wanted, there", accounts([], nonemptySignature: true), signed, true),
            row("no signature, absent", accounts([], nonemptySignature: false), plain, true),
            row("no signature, there", accounts([], nonemptySignature: false), signed, false),
            row("data size", condition(.dataSize(4)), plain, true),
            row("other data size", condition(.dataSize(5)), plain, false),
            row("memcmp", memcmp(1, .bytes([20, 30])), plain, true),
            row("memcmp to the end", memcmp(3, .bytes([40])), plain, true),
            row("memcmp past the end", memcmp(3, .bytes([40, 0])), plain, false),
            row("memcmp at other place", memcmp(0, .bytes([20, 30])), plain, false),
            row("memcmp far away", memcmp(.max, .bytes([1])), plain, false),
            row("memcmp base64 of 20 30", memcmp(1, .base64("FB4=")), plain, true),
            row("memcmp base58 of 10", memcmp(0, .base58("B")), plain, true),
            row("memcmp base58 of 11", memcmp(0, .base58("C")), plain, false),
            row("token account", isToken, token { _ in }, true),
            row("token account, uninitialised", isToken, token { $0[108] = 0 }, false),
            row("token account, short", isToken, token { $0.removeLast() }, false),
            row("token account, extended", isToken, token { $0 += [2, 0] }, true),
            row("a mint, extended", isToken, token { $0 += [1, 0] }, false),
            row(
                "a multisig's length",
                isToken,
                token { $0 += [2] + [UInt8](repeating: 0, count: 189) },
                false
            ),
            row("lamports equal", lamports(.equal(100)), plain, true),
            row("lamports equal, no", lamports(.equal(99)), plain, false),
            row("lamports not equal", lamports(.notEqual(99)), plain, true),
            row("lamports not equal, no", lamports(.notEqual(100)), plain, false),
            row("lamports less", lamports(.less(101)), plain, true),
            row("lamports less, no", lamports(.less(100)), plain, false),
            row("lamports greater", lamports(.greater(99)), plain, true),
            row("lamports greater, no", lamports(.greater(100)), plain, false),
        ]
    }()

    @Test(arguments: accountCases.indices)
    func `accounts match by their fields`(index: Int) throws {
        let row = SubscriptionFilterTests.accountCases[index]
        var request = SubscribeRequest()
        request.accounts["a"] = row.filter
        let account = row.account()
        let expected = row.matches ? [account.update(["a"])] : []
        #expect(try sent(request, account.update()).map(\.bytes) == expected, "\(row.rule)")
    }

    @Test func `conditions of one filter are all needed and all matching names go together`() throws
    {
        var both = SubscriptionFilterTests.lamports(.greater(1))
        both.conditions += SubscriptionFilterTests.lamports(.less(100)).conditions
        var request = SubscribeRequest()
        request.accounts["z"] = AccountsFilter()
        request.accounts["both"] = both
        request.accounts["a"] = SubscriptionFilterTests.accounts([address(1)])
        let account = MadeAccount()
        let out = try sent(request, account.update(["x", "y"]))
        #expect(out.map(\.bytes) == [account.update(["a", "z"])])
        #expect(out.map(\.kind) == [.account])
    }

    @Test func `account data is cut to the slices and nothing else changes`() throws {
        var request = SubscribeRequest()
        request.accounts["a"] = AccountsFilter()
        let account = MadeAccount(data: [0, 1, 2, 3, 4, 5], signature: signatureBytes(3))
        func cut(_ slices: [(UInt64, UInt64)], to data: [UInt8]) throws {
            request.accountsDataSlice = slices.map { DataSlice(offset: $0.0, length: $0.1) }
            var expected = account
            expected.data = data
            #expect(try sent(request, account.update()).map(\.bytes) == [expected.update(["a"])])
        }
        try cut([(0, 2)], to: [0, 1])
        try cut([(1, 2), (4, 2)], to: [1, 2, 4, 5])
        try cut([(0, 6)], to: [0, 1, 2, 3, 4, 5])
        // A slice beyond the data is left out whole.
        try cut([(1, 1), (4, 3)], to: [1])
        try cut([(6, 1)], to: [])
        try cut([(0, 0)], to: [])
        // Cut upstream already: kept.
        request.accountsDataSlice = [DataSlice(offset: 3, length: 1)]
        #expect(
            try sent(request, account.update(), dataIsCut: true).map(\.bytes)
                == [account.update(["a"])]
        )
    }

    // MARK: Slots, entries, block metas

    @Test(arguments: [
        // status on the wire, by commitment, interslot, sent
        (0, false, false, true), (1, false, false, true), (2, false, false, true),
        (3, false, false, false), (6, false, false, false), (3, false, true, true),
        (6, false, true, true), (99, false, true, true), (99, false, false, false),
        (1, true, false, true), (0, true, false, false), (2, true, true, false),
        (3, true, true, false), (1, true, true, true),
    ])
    func `slot statuses are filtered`(
        status: Int64,
        byCommitment: Bool,
        interslot: Bool,
        isSent: Bool
    ) throws {
        var filter = SlotsFilter()
        filter.filterByCommitment = byCommitment
        filter.interslotUpdates = interslot
        var request = SubscribeRequest()
        request.slots["s"] = filter
        request.commitment = 1
        let body = message {
            W.uint64(1, 5, to: &$0)
            // PROCESSED is 0 and so not on the wire.
            if status != 0 { W.int64(3, status, to: &$0) }
        }
        let expected = isSent ? [update(["s"], 3, body)] : []
        #expect(try sent(request, update(3, body)).map(\.bytes) == expected)
    }

    @Test func `kinds that are not asked for are not sent and pings never`() throws {
        var request = SubscribeRequest()
        request.entry["e"] = UnconditionalFilter()
        request.entry["f"] = UnconditionalFilter()
        request.blocksMeta["m"] = UnconditionalFilter()
        let body = message { W.uint64(1, 5, to: &$0) }
        #expect(try sent(request, update(8, body)).map(\.bytes) == [update(["e", "f"], 8, body)])
        #expect(try sent(request, update(7, body)).map(\.bytes) == [update(["m"], 7, body)])
        for field in [UInt32(2), 3, 4, 5, 6, 9, 10, 15] {
            #expect(try sent(request, update(field, [])).isEmpty)
        }
    }

    @Test func `names are replaced where they stood and unknown fields are kept`() throws {
        var request = SubscribeRequest()
        request.entry["e"] = UnconditionalFilter()
        let original = message {
            W.uint64(200, 7, to: &$0)
            W.text(1, "a", to: &$0)
            W.bytes(8, message { W.uint64(77, 1, to: &$0) }, to: &$0)
            W.text(1, "b", to: &$0)
            W.fixed32(201, 9, to: &$0)
        }
        let expected = message {
            W.uint64(200, 7, to: &$0)
            W.text(1, "e", to: &$0)
            W.bytes(8, message { W.uint64(77, 1, to: &$0) }, to: &$0)
            W.fixed32(201, 9, to: &$0)
        }
        #expect(try sent(request, original).map(\.bytes) == [expected])
        let nameless = message { W.bytes(8, [], to: &$0) }
        #expect(
            try sent(request, nameless).map(\.bytes)
                == [message { W.text(1, "e", to: &$0) } + nameless]
        )
    }

    // MARK: Transactions

    struct TransactionCase: Sendable {
        var rule: String
        var change: @Sendable (inout TransactionsFilter) -> Void
        var transaction: MadeTransaction
        var matches: Bool
    }

    static let transactionCases: [TransactionCase] = {
        let plain = MadeTransaction(
            keys: [key(1), key(2)],
            writable: [key(3)],
            readonly: [key(4)],
            before: [
                .init(index: 1, owner: address(20), amount: "5"),
                .init(index: 2, owner: address(21), amount: "5"),
                .init(index: 3, owner: address(22), amount: "5"),
            ],
            after: [
                .init(index: 1, owner: address(20), amount: "5"),
                .init(index: 2, owner: address(21), amount: "6"),
                .init(index: 4, owner: address(23), amount: "1"),
            ]
        )
        var vote = plain
        vote.isVote = true
        var failed = plain
        failed.failed = true
        let otherSignature = UTF8Text(Base58.encode(signatureBytes(8)))
        let ownSignature = UTF8Text(Base58.encode(signatureBytes(9)))
        func row(
            _ rule: String,
            _ matches: Bool,
            _ transaction: MadeTransaction,
            _ change: @escaping @Sendable (inout TransactionsFilter) -> Void
        ) -> TransactionCase {
            TransactionCase(rule: rule, change: change, transaction: transaction, matches: matches)
        }
        return [
            row("empty", true, plain) { _ in },
            row("vote wanted", false, plain) { $0.vote = true },
            row("vote wanted, is", true, vote) { $0.vote = true },
            row("no vote wanted", true, plain) { $0.vote = false },
            row("no vote wanted, is", false, vote) { $0.vote = false },
            row("failed wanted", false, plain) { $0.failed = true },
            row("failed wanted, is", true, failed) { $0.failed = true },
            row("success wanted", true, plain) { $0.failed = false },
            row("success wanted, failed", false, failed) { $0.failed = false },
            row("signature", true, plain) { $0.signature = ownSignature },
            row("other signature", false, plain) { $0.signature = otherSignature },
            row("include static", true, plain) { $0.accountInclude = [address(9), address(2)] },
            row("include writable", true, plain) { $0.accountInclude = [address(3)] },
            row("include readonly", true, plain) { $0.accountInclude = [address(4)] },
            row("include none", false, plain) { $0.accountInclude = [address(9)] },
            row("exclude static", false, plain) { $0.accountExclude = [address(9), address(1)] },
            row("exclude readonly", false, plain) { $0.accountExclude = [address(4)] },
            row("exclude none", true, plain) { $0.accountExclude = [address(9)] },
            row("required all", true, plain) { $0.accountRequired = [address(1), address(4)] },
            row("required one missing", false, plain) {
                $0.accountRequired = [address(1), address(9)]
            },
            row("include and exclude", false, plain) {
                $0.accountInclude = [address(1)]
                $0.accountExclude = [address(2)]
            },
            row("include but required missing", false, plain) {
                $0.accountInclude = [address(1)]
                $0.accountRequired = [address(9)]
            },
            row("owner without expansion", false, plain) { $0.accountInclude = [address(20)] },
            row("owner, all", true, plain) {
                $0.accountInclude = [address(20)]
                $0.tokenAccounts = 0
            },
            row("owner gone, all", true, plain) {
                $0.accountInclude = [address(22)]
                $0.tokenAccounts = 0
            },
            row("owner unchanged, changed", false, plain) {
                $0.accountInclude = [address(20)]
                $0.tokenAccounts = 1
            },
            row("owner of changed amount", true, plain) {
                $0.accountInclude = [address(21)]
                $0.tokenAccounts = 1
            },
            row("owner of closed account", true, plain) {
                $0.accountRequired = [address(22)]
                $0.tokenAccounts = 1
            },
            row("owner of new account, excluded", false, plain) {
                $0.accountExclude = [address(23)]
                $0.tokenAccounts = 1
            },
            row("keys still count with expansion", true, plain) {
                $0.accountRequired = [address(3), address(21)]
                $0.tokenAccounts = 1
            },
        ]
    }()

    @Test(arguments: transactionCases.indices)
    func `transactions and their statuses match by their fields`(index: Int) throws {
        let row = SubscriptionFilterTests.transactionCases[index]
        var filter = TransactionsFilter()
        row.change(&filter)
        var request = SubscribeRequest()
        request.transactions["t"] = filter
        let expected = row.matches ? [row.transaction.update(["t"])] : []
        let recorded = row.transaction.update()
        #expect(try sent(request, recorded).map(\.bytes) == expected, "\(row.rule)")
        request.transactionsStatus["s"] = filter
        let kinds: [UpdateKind] = row.matches ? [.transaction, .transactionStatus] : []
        #expect(try sent(request, recorded).map(\.kind) == kinds, "\(row.rule)")
    }

    @Test func `a status made of a transaction carries its slot, signature, index and error`()
        throws
    {
        var request = SubscribeRequest()
        request.transactionsStatus["s"] = TransactionsFilter()
        request.transactionsStatus["r"] = TransactionsFilter()
        let transaction = MadeTransaction(isVote: true, failed: true)
        let expected = update(
            ["r", "s"],
            10,
            message {
                W.uint64(1, 5, to: &$0)
                W.bytes(2, signatureBytes(9), to: &$0)
                W.bool(3, true, to: &$0)
                W.uint64(4, 3, to: &$0)
                W.bytes(5, message { W.bytes(1, [8, 0, 0, 0], to: &$0) }, to: &$0)
            }
        )
        let out = try sent(request, transaction.update())
        #expect(out.map(\.bytes) == [expected])
        #expect(out.map(\.kind) == [.transactionStatus])
        // A recorded status passes under its new names, but only filters without addresses know it.
        #expect(
            try sent(request, update(10, [8, 5])).map(\.bytes) == [update(["r", "s"], 10, [8, 5])]
        )
        var filter = TransactionsFilter()
        filter.accountExclude = [address(1)]
        request.transactionsStatus = ["s": filter]
        #expect(try sent(request, update(10, [8, 5])).isEmpty)
    }

    // MARK: Blocks

    @Test func `each blocks filter gets a block of its own with the parts it includes`() throws {
        var all = BlocksFilter()
        all.includeAccounts = true
        all.includeEntries = true
        var none = BlocksFilter()
        none.includeTransactions = false
        var some = BlocksFilter()
        some.includeAccounts = true
        some.accountInclude = [address(2), address(9)]
        var request = SubscribeRequest()
        request.blocks = ["all": all, "default": BlocksFilter(), "none": none, "some": some]
        let out = try sent(request, update(5, madeBlock()))
        #expect(out.map(\.kind) == [.block, .block, .block, .block])
        #expect(
            out.map(\.bytes) == [
                update(["all"], 5, madeBlock()),
                update(["default"], 5, madeBlock(accounts: [], entries: 0)),
                update(["none"], 5, madeBlock(transactions: [], accounts: [], entries: 0)),
                update(["some"], 5, madeBlock(transactions: [2], accounts: [2], entries: 0)),
            ]
        )
    }

    @Test func `slices cut the accounts inside a block`() throws {
        var filter = BlocksFilter()
        filter.includeTransactions = false
        filter.includeAccounts = true
        filter.accountInclude = [address(1)]
        var request = SubscribeRequest()
        request.blocks = ["b": filter]
        request.accountsDataSlice = [DataSlice(offset: 1, length: 2)]
        let out = try sent(request, update(5, madeBlock()))
        let block = message {
            W.uint64(1, 5, to: &$0)
            W.text(2, "hash", to: &$0)
            W.uint64(7, 4, to: &$0)
            W.uint64(9, 3, to: &$0)
            W.uint64(10, 2, to: &$0)
            W.bytes(11, MadeAccount(publicKey: key(1), data: [2, 3]).info, to: &$0)
            W.uint64(12, 1, to: &$0)
        }
        #expect(out.map(\.bytes) == [update(["b"], 5, block)])
    }

    // MARK: Real data

    @Test(
        .enabled(if: SharedRecordings.isPresent, SharedRecordings.absent),
        arguments: ["real.bin", "capture.bin", "blocks.bin"]
    )
    func `asking for everything under the recorded names gives the recorded bytes`(
        name: String
    )
        throws
    {
        for message in try SharedRecordings.messages(name) {
            let summary = try UpdateSummary(of: message.span.bytes)
            guard summary.kind != .ping else { continue }
            let names = try names(message, summary)
            var request = SubscribeRequest()
            var slots = SlotsFilter()
            slots.interslotUpdates = true
            var blocks = BlocksFilter()
            blocks.includeAccounts = true
            blocks.includeEntries = true
            for name in names {
                request.accounts[name] = AccountsFilter()
                request.slots[name] = slots
                request.transactions[name] = TransactionsFilter()
                request.blocks[name] = blocks
                request.blocksMeta[name] = UnconditionalFilter()
                request.entry[name] = UnconditionalFilter()
            }
            // Several names come in the order of their bytes.
            var expected: [UInt8] = []
            for name in names.sorted() { W.text(1, name, to: &expected) }
            expected += message[summary.filters.upperBound...]
            #expect(try sent(request, message).map(\.bytes) == [expected])
        }
    }

    private func names(_ message: [UInt8], _ summary: UpdateSummary) throws -> [UTF8Text] {
        var names: [UTF8Text] = []
        var offset = summary.filters.lowerBound
        let end = summary.filters.upperBound
        while let field = try ProtobufReader.next(message.span.bytes, at: &offset, end: end) {
            names.append(UTF8Text(String(decoding: message[field.payload], as: UTF8.self)))
        }
        return names
    }
}
