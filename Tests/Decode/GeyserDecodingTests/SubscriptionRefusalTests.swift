import GeyserDecoding
import MarketModel
import Testing

@Suite struct SubscriptionRefusalTests {
    private func refusal(
        limits: FilterLimits = FilterLimits(),
        _ change: (inout SubscribeRequest) -> Void
    ) -> SubscriptionRefusal? {
        var request = SubscribeRequest()
        change(&request)
        do throws(SubscriptionRefusal) {
            _ = try SubscriptionFilter(request, limits: limits)
            return nil
        } catch {
            return error
        }
    }

    private func expectBad(
        _ reason: String,
        limits: FilterLimits = FilterLimits(),
        _ change: (inout SubscribeRequest) -> Void,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let found = refusal(limits: limits, change)
        #expect(found?.status == .invalidArgument, sourceLocation: sourceLocation)
        #expect(
            found?.message == "failed to create filter: \(reason)",
            sourceLocation: sourceLocation
        )
    }

    private func accounts(_ change: (inout AccountsFilter) -> Void) -> [UTF8Text: AccountsFilter] {
        var filter = AccountsFilter()
        change(&filter)
        return ["a": filter]
    }

    private func condition(_ test: AccountCondition.Test?) -> [UTF8Text: AccountsFilter] {
        accounts { $0.conditions = [AccountCondition(test)] }
    }

    @Test func `addresses and signatures that are none are refused`() {
        expectBad("Invalid Base58 string") { $0.accounts = accounts { $0.account = ["0OIl"] } }
        expectBad("String is the wrong size") { $0.accounts = accounts { $0.owner = ["1111"] } }
        let paths: [WritableKeyPath<TransactionsFilter, [UTF8Text]>] = [
            \.accountInclude, \.accountExclude, \.accountRequired,
        ]
        for path in paths {
            var filter = TransactionsFilter()
            filter[keyPath: path] = [""]
            expectBad("String is the wrong size") { $0.transactions["t"] = filter }
            expectBad("String is the wrong size") { $0.transactionsStatus["t"] = filter }
        }
        var filter = TransactionsFilter()
        filter.signature = "1"
        expectBad("string decoded to wrong size for signature") { $0.transactions["t"] = filter }
        filter.signature = "!"
        expectBad("failed to decode string to signature") { $0.transactions["t"] = filter }
        var blocks = BlocksFilter()
        blocks.accountInclude = ["?"]
        expectBad("Invalid Base58 string") { $0.blocks["b"] = blocks }
    }

    @Test func `a name of 129 bytes is refused in every kind`() {
        let good = UTF8Text(String(repeating: "n", count: 128))
        let bad = UTF8Text(String(repeating: "n", count: 129))
        let reason = "oversized filter name (max allowed size 128), found 129"
        expectBad(reason) { $0.accounts[bad] = AccountsFilter() }
        expectBad(reason) { $0.slots[bad] = SlotsFilter() }
        expectBad(reason) { $0.transactions[bad] = TransactionsFilter() }
        expectBad(reason) { $0.transactionsStatus[bad] = TransactionsFilter() }
        expectBad(reason) { $0.blocks[bad] = BlocksFilter() }
        expectBad(reason) { $0.blocksMeta[bad] = UnconditionalFilter() }
        expectBad(reason) { $0.entry[bad] = UnconditionalFilter() }
        #expect(refusal { $0.entry[good] = UnconditionalFilter() } == nil)
    }

    @Test func `conditions on accounts are checked`() {
        expectBad("Too many filters provided; max 4") {
            $0.accounts = accounts {
                $0.conditions = (0..<5).map { _ in AccountCondition(.tokenAccountState(true)) }
            }
        }
        expectBad("filter should be defined") { $0.accounts = condition(nil) }
        expectBad("token_account_state only allowed to be true") {
            $0.accounts = condition(.tokenAccountState(false))
        }
        expectBad("datasize used more than once") {
            $0.accounts = accounts {
                $0.conditions = [AccountCondition(.dataSize(1)), AccountCondition(.dataSize(1))]
            }
        }
        expectBad("cmp for lamports should be defined") {
            $0.accounts = condition(.lamports(AccountCondition.Lamports()))
        }
        func memcmp(_ expected: AccountCondition.Memcmp.Expected?) -> [UTF8Text: AccountsFilter] {
            var memcmp = AccountCondition.Memcmp()
            memcmp.expected = expected
            return condition(.memcmp(memcmp))
        }
        expectBad("data for memcmp should be defined") { $0.accounts = memcmp(nil) }
        expectBad("invalid base58") { $0.accounts = memcmp(.base58("0")) }
        expectBad("invalid base64") { $0.accounts = memcmp(.base64("AAA")) }
        expectBad("data too large") {
            $0.accounts = memcmp(.bytes([UInt8](repeating: 0, count: 129)))
        }
        expectBad("data too large") {
            $0.accounts = memcmp(.base58(UTF8Text(String(repeating: "1", count: 129))))
        }
        expectBad("data too large") {
            $0.accounts = memcmp(.base64(UTF8Text(String(repeating: "A", count: 176))))
        }
        #expect(
            refusal { $0.accounts = memcmp(.bytes([UInt8](repeating: 0, count: 128))) } == nil
        )
    }

    @Test func `data slices must rise and not overlap`() {
        func slices(_ slices: (UInt64, UInt64)...) -> [DataSlice] {
            slices.map { DataSlice(offset: $0.0, length: $0.1) }
        }
        let order = "failed to create filter: data slices out of order"
        let overlap = "failed to create filter: data slices overlapped"
        expectBad(order) { $0.accountsDataSlice = slices((5, 1), (0, 1)) }
        expectBad(overlap) { $0.accountsDataSlice = slices((0, 2), (1, 1)) }
        expectBad(overlap) { $0.accountsDataSlice = slices((0, 2), (0, 1)) }
        // The order is checked first, place by place.
        expectBad(order) { $0.accountsDataSlice = slices((0, 9), (5, 1), (2, 1)) }
        expectBad(overlap) { $0.accountsDataSlice = slices((0, 9), (5, 1), (20, 1), (12, 1)) }
        expectBad(overlap) { $0.accountsDataSlice = slices((1, .max)) }
        #expect(refusal { $0.accountsDataSlice = slices((0, 2), (2, 0), (2, 5)) } == nil)
    }

    @Test func `an unknown commitment or expansion is refused`() {
        expectBad("failed to create CommitmentLevel from 3") { $0.commitment = 3 }
        var filter = TransactionsFilter()
        filter.tokenAccounts = 2
        expectBad("invalid token_accounts mode value 2; expected ALL (0) or BALANCE_CHANGED (1)") {
            $0.transactions["t"] = filter
        }
    }

    @Test func `limits are kept`() {
        var limits = FilterLimits()
        limits.filtersMax = 1
        expectBad("Max amount of filters/data_slices reached, only 1 allowed", limits: limits) {
            $0.entry = ["a": UnconditionalFilter(), "b": UnconditionalFilter()]
        }
        limits = FilterLimits()
        limits.dataSlicesMax = 0
        expectBad("Max amount of filters/data_slices reached, only 0 allowed", limits: limits) {
            $0.accountsDataSlice = [DataSlice()]
        }
        limits = FilterLimits()
        limits.keysMax = 1
        expectBad("Max amount of Pubkeys reached, only 1 allowed", limits: limits) {
            $0.accounts = accounts { $0.owner = [address(1), address(2)] }
        }
        limits = FilterLimits()
        limits.allowsEmptyFilter = false
        let any =
            "Subscribe on full stream with `any` is not allowed, at least one filter required"
        expectBad(any, limits: limits) { $0.accounts = accounts { _ in } }
        expectBad(any, limits: limits) { $0.transactions["t"] = TransactionsFilter() }
        expectBad(any, limits: limits) { $0.blocks["b"] = BlocksFilter() }
        limits = FilterLimits()
        limits.rejectedKeys = [PublicKey(key(1))].reduce(into: []) { set, key in
            if let key { set.insert(key) }
        }
        expectBad("Pubkey \(address(1)) in filters is not allowed", limits: limits) {
            $0.accounts = accounts { $0.account = [address(1)] }
        }
        limits = FilterLimits()
        limits.allowsBlockEntries = false
        expectBad("`include_entries` is not allowed", limits: limits) {
            var filter = BlocksFilter()
            filter.includeEntries = true
            $0.blocks["b"] = filter
        }
    }

    @Test func `what cannot be answered exactly is refused as unimplemented`() {
        let cases: [(inout SubscribeRequest) -> Void] = [
            { request in
                request.accounts = accounts { $0.cuckoo = CuckooFilterDefinition() }
            },
            { request in
                var filter = TransactionsFilter()
                filter.cuckoo = CuckooFilterDefinition()
                request.transactions["t"] = filter
            },
            { request in
                var filter = BlocksFilter()
                filter.cuckoo = CuckooFilterDefinition()
                request.blocks["b"] = filter
            },
            { $0.unknownFields = [0x60, 1] },
            { request in
                var filter = SlotsFilter()
                filter.unknownFields = [0x60, 1]
                request.slots["s"] = filter
            },
        ]
        for change in cases {
            #expect(refusal(change)?.status == .unimplemented)
        }
    }
}
