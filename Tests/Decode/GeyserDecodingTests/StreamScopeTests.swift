import GeyserDecoding
import MarketModel
import Testing

@Suite struct StreamScopeTests {
    private func scope(_ json: String) throws -> StreamScope {
        try #require(StreamScope(SubscribeRequest(json: Array(json.utf8))))
    }

    private func solana(_ byte: UInt8) throws -> Address {
        Address(try #require(Bytes32(key(byte))))
    }

    @Test func `an empty request covers nothing, at processed`() throws {
        let scope = try #require(StreamScope(SubscribeRequest()))
        #expect(scope.commitment == .processed)
        #expect(scope.fromSlot == nil)
        #expect(!scope.hasSlots)
        #expect(!scope.hasBlockMeta)
        #expect(!scope.hasEntries)
        #expect(!scope.hasAllTransactions)
        #expect(!scope.hasAllStatuses)
        #expect(scope.transactionFilters.isEmpty)
        #expect(scope.wholeBlockFilters.isEmpty)
        #expect(scope.accountFilters.isEmpty)
        #expect(scope.hasWholeData)
        #expect(!scope.coversTransactions(naming: try solana(1)))
        #expect(!scope.coversAccount(try solana(1)))
        #expect(!scope.coversAccounts(ownedBy: try solana(1)))
    }

    @Test func `a ping leaves the scope what it was`() throws {
        #expect(
            StreamScope(try SubscribeRequest(json: Array(#"{"ping":{"id":1}}"#.utf8))) == nil
        )
    }

    @Test func `plain kinds, commitment and the first slot are told`() throws {
        let scope = try scope(
            #"{"blocks_meta":{"m":{}},"entry":{"e":{}},"commitment":"FINALIZED","from_slot":"77"}"#
        )
        #expect(scope.commitment == .finalized)
        #expect(scope.fromSlot == 77)
        #expect(scope.hasBlockMeta)
        #expect(scope.hasEntries)
        var unknown = SubscribeRequest()
        unknown.commitment = 3
        #expect(StreamScope(unknown)?.commitment == nil)
    }

    @Test(arguments: [
        ("{}", [SlotStatus.processed, .confirmed, .finalized]),
        (#"{"interslot_updates":true}"#, SlotStatus.allCases),
        (#"{"filter_by_commitment":true}"#, [.confirmed]),
        (#"{"filter_by_commitment":true,"interslot_updates":true}"#, [.confirmed]),
        (
            #"{"filter_by_commitment":false,"interslot_updates":false}"#,
            [
                .processed, .confirmed, .finalized,
            ]
        ),
    ])
    func `slots are told by status`(filter: String, expected: [SlotStatus]) throws {
        let scope = try scope(#"{"slots":{"s":\#(filter)},"commitment":"CONFIRMED"}"#)
        #expect(scope.hasSlots)
        #expect(SlotStatus.allCases.filter(scope.tells) == expected)
    }

    @Test func `several slots filters tell what any of them does`() throws {
        let scope = try scope(
            #"{"slots":{"a":{"filter_by_commitment":true},"b":{"interslot_updates":true}}}"#
        )
        #expect(SlotStatus.allCases.allSatisfy(scope.tells))
    }

    @Test(arguments: [
        (#"{"a":{}}"#, true),
        (#"{"a":{"vote":false}}"#, false),
        (#"{"a":{"failed":false}}"#, false),
        (#"{"a":{"vote":false},"b":{"vote":true}}"#, true),
        (#"{"a":{"vote":false},"b":{"vote":true,"failed":false}}"#, false),
        (
            #"{"a":{"vote":false},"b":{"vote":true,"failed":false},"c":{"vote":true,"failed":true}}"#,
            true
        ),
        (#"{"a":{"account_include":["11111111111111111111111111111111"]}}"#, false),
        (#"{"a":{"account_exclude":["11111111111111111111111111111111"]}}"#, false),
        (#"{"a":{"account_required":["11111111111111111111111111111111"]}}"#, false),
        (#"{"a":{"signature":"1"}}"#, false),
        (#"{"a":{"cuckoo_account_include":{}}}"#, false),
        (#"{"a":{"signature":"1"},"b":{}}"#, true),
    ])
    func `only subscriptions without a gap can be counted`(
        filters: String,
        isAll: Bool
    ) throws {
        let transactions = try scope(#"{"transactions":\#(filters)}"#)
        #expect(transactions.hasAllTransactions == isAll)
        #expect(!transactions.hasAllStatuses)
        let statuses = try scope(#"{"transactions_status":\#(filters)}"#)
        #expect(statuses.hasAllStatuses == isAll)
        #expect(!statuses.hasAllTransactions)
    }

    @Test func `a filter of addresses covers the transactions that name them`() throws {
        let scope = try scope(
            """
            {"transactions":{
            "curve":{"vote":false,"failed":false,"account_include":["\(address(1))","\(address(2))"]},
            "exclusive":{"account_include":["\(address(3))"],"account_exclude":["\(address(9))"]},
            "both":{"account_required":["\(address(4))","\(address(5))"]},
            "needs":{"account_required":["\(address(6))"]},
            "failures":{"failed":true,"account_include":["\(address(7))"]}}}
            """
        )
        #expect(scope.transactionFilters == ["both", "curve", "exclusive", "failures", "needs"])
        #expect(!scope.hasAllTransactions)
        for covered in [UInt8(1), 2] {
            #expect(scope.coversTransactions(naming: try solana(covered)))
        }
        for open in [UInt8(3), 4, 5, 7, 8, 9] {
            #expect(!scope.coversTransactions(naming: try solana(open)))
        }
    }

    @Test func `everything covers every address`() throws {
        let scope = try scope(#"{"transactions":{"v":{"vote":true},"n":{"vote":false}}}"#)
        #expect(scope.coversTransactions(naming: try solana(3)))
        let noVotes = try self.scope(#"{"transactions":{"n":{"vote":false,"failed":false}}}"#)
        #expect(!noVotes.hasAllTransactions)
        #expect(noVotes.coversTransactions(naming: try solana(3)))
    }

    @Test func `blocks are whole under the names whose filter leaves nothing out`() throws {
        let scope = try scope(
            """
            {"blocks":{"whole":{},"accounts":{"include_accounts":true},
            "some":{"account_include":["\(address(1))"]},
            "none":{"include_transactions":false},"all":{"include_transactions":true}}}
            """
        )
        #expect(scope.wholeBlockFilters == ["accounts", "all", "whole"])
    }

    @Test func `accounts are covered by name or by owner`() throws {
        let scope = try scope(
            """
            {"accounts":{"named":{"account":["\(address(1))"]},"owned":{"owner":["\(address(2))"]},
            "both":{"account":["\(address(3))"],"owner":["\(address(4))"]},
            "sized":{"owner":["\(address(5))"],"filters":[{"datasize":4}]}}}
            """
        )
        #expect(scope.accountFilters == ["both", "named", "owned", "sized"])
        #expect(
            try (1...5).map { scope.coversAccount(try solana($0)) } == [
                true, false, false, false, false,
            ]
        )
        #expect(
            try (1...5).map { scope.coversAccounts(ownedBy: try solana($0)) } == [
                false, true, false, false, false,
            ]
        )
        #expect(scope.hasWholeData)
        let cut = try self.scope(#"{"accounts":{"a":{}},"accounts_data_slice":[{"length":8}]}"#)
        #expect(!cut.hasWholeData)
        #expect(cut.coversAccount(try solana(1)))
        #expect(cut.coversAccounts(ownedBy: try solana(1)))
    }

    @Test func `what a newer protocol adds covers nothing`() {
        func all() -> SubscribeRequest {
            var request = SubscribeRequest()
            request.transactions["t"] = TransactionsFilter()
            request.transactionsStatus["u"] = TransactionsFilter()
            request.blocks["b"] = BlocksFilter()
            request.blocksMeta["m"] = UnconditionalFilter()
            request.entry["e"] = UnconditionalFilter()
            request.slots["s"] = SlotsFilter()
            request.accounts["a"] = AccountsFilter()
            return request
        }
        func expect(_ request: SubscribeRequest, _ covers: Bool) {
            let scope = StreamScope(request)
            #expect(scope?.hasAllTransactions == covers)
            #expect(scope?.hasAllStatuses == covers)
            #expect(scope?.wholeBlockFilters.isEmpty == !covers)
            #expect(scope?.hasBlockMeta == covers)
            #expect(scope?.hasEntries == covers)
            #expect(scope?.hasSlots == covers)
            #expect(scope?.coversAccount(.zero) == covers)
        }
        expect(all(), true)
        var top = all()
        top.unknownFields = [0xa0, 1, 1]
        expect(top, false)
        var inner = all()
        inner.transactions["t"]?.unknownFields = [0xa0, 1, 1]
        inner.transactionsStatus["u"]?.unknownFields = [0xa0, 1, 1]
        inner.blocks["b"]?.unknownFields = [0xa0, 1, 1]
        inner.blocksMeta["m"]?.unknownFields = [0xa0, 1, 1]
        inner.entry["e"]?.unknownFields = [0xa0, 1, 1]
        inner.slots["s"]?.unknownFields = [0xa0, 1, 1]
        inner.accounts["a"]?.unknownFields = [0xa0, 1, 1]
        expect(inner, false)
    }
}
