import GeyserDecoding
import MarketModel
import Testing

@Suite struct StreamCoverageTests {
    private func request(_ change: (inout SubscribeRequest) -> Void) -> SubscribeRequest {
        var request = SubscribeRequest()
        change(&request)
        return request
    }

    private func coverage(
        _ wanted: SubscribeRequest,
        _ recorded: [SubscribeRequest]
    ) -> StreamCoverage? {
        switch StreamCoverage.of(wanted, recorded: recorded) {
        case .covered(let coverage): coverage
        case .notCovered: nil
        }
    }

    private func reason(_ wanted: SubscribeRequest, _ recorded: [SubscribeRequest]) -> String? {
        switch StreamCoverage.of(wanted, recorded: recorded) {
        case .covered: nil
        case .notCovered(let reason): reason
        }
    }

    private func accounts(
        _ account: [UTF8Text],
        _ owner: [UTF8Text] = [],
        slices: [DataSlice] = [],
        conditions: [AccountCondition] = []
    ) -> SubscribeRequest {
        request {
            var filter = AccountsFilter()
            filter.account = account
            filter.owner = owner
            filter.conditions = conditions
            $0.accounts["a"] = filter
            $0.accountsDataSlice = slices
        }
    }

    private func transactions(_ change: (inout TransactionsFilter) -> Void) -> SubscribeRequest {
        request {
            var filter = TransactionsFilter()
            change(&filter)
            $0.transactions["t"] = filter
        }
    }

    @Test func `kinds must be recorded at the same commitment`() {
        let entries = request { $0.entry["e"] = UnconditionalFilter() }
        let confirmed = request {
            $0.entry["e"] = UnconditionalFilter()
            $0.commitment = 1
        }
        let explicit = request {
            $0.entry["other name"] = UnconditionalFilter()
            $0.commitment = 0
        }
        #expect(coverage(entries, [explicit])?.sources == [.entry: [0]])
        #expect(coverage(entries, [confirmed, explicit, entries])?.sources == [.entry: [1, 2]])
        #expect(reason(entries, [confirmed]) == "no recorded stream has commitment processed")
        #expect(reason(confirmed, [entries]) == "no recorded stream has commitment confirmed")
        let metas = request { $0.blocksMeta["m"] = UnconditionalFilter() }
        #expect(reason(metas, [entries]) == "blocks_meta is not recorded")
        #expect(coverage(request { _ in }, [])?.sources.isEmpty == true)
    }

    @Test func `slots need as many statuses`() {
        func slots(_ byCommitment: Bool, _ interslot: Bool) -> SubscribeRequest {
            request {
                var filter = SlotsFilter()
                filter.filterByCommitment = byCommitment
                filter.interslotUpdates = interslot
                $0.slots["s"] = filter
            }
        }
        // wanted, held, covered
        for (wanted, held, covered) in [
            ((false, false), (false, false), true), ((false, false), (false, true), true),
            ((false, true), (false, false), false), ((true, false), (false, false), true),
            ((false, false), (true, false), false), ((true, true), (true, false), true),
            ((false, true), (false, true), true),
        ] {
            let answer = coverage(slots(wanted.0, wanted.1), [slots(held.0, held.1)])
            #expect((answer != nil) == covered, "\(wanted) in \(held)")
        }
    }

    @Test func `accounts need every address, from one stream or several`() {
        let everything = accounts([])
        let first = accounts([address(1), address(2)])
        let second = accounts([address(3)])
        let owned = accounts([], [address(9)])
        #expect(coverage(first, [everything])?.sources == [.account: [0]])
        #expect(coverage(everything, [first, second]) == nil)
        #expect(coverage(accounts([address(2)]), [first]) != nil)
        #expect(coverage(accounts([address(2), address(3)]), [first, second]) != nil)
        #expect(coverage(accounts([address(2), address(4)]), [first, second]) == nil)
        #expect(coverage(accounts([address(5)], [address(9)]), [owned]) != nil)
        #expect(coverage(accounts([address(5)], [address(8), address(9)]), [owned]) == nil)
        #expect(
            reason(accounts([address(4)]), [first])
                == "no recorded stream covers the accounts filter \"a\""
        )
        #expect(reason(first, [request { _ in }]) == "accounts are not recorded")
        let narrowed = accounts([address(1)], conditions: [AccountCondition(.dataSize(4))])
        #expect(coverage(narrowed, [first]) != nil)
        #expect(coverage(accounts([address(1)]), [narrowed]) == nil)
        #expect(coverage(narrowed, [narrowed]) != nil)
    }

    @Test func `cut data serves only the same slices and no condition on data`() {
        let slices = [DataSlice(offset: 0, length: 8)]
        let cut = accounts([address(1)], slices: slices)
        let whole = accounts([address(1)])
        #expect(coverage(cut, [whole])?.cutStreams == [])
        #expect(coverage(cut, [cut, whole])?.cutStreams == [0])
        #expect(coverage(whole, [cut]) == nil)
        #expect(coverage(whole, [cut, whole])?.sources == [.account: [1]])
        let other = accounts([address(1)], slices: [DataSlice(offset: 0, length: 4)])
        #expect(coverage(other, [cut]) == nil)
        let sized = accounts(
            [address(1)],
            slices: slices,
            conditions: [AccountCondition(.dataSize(4))]
        )
        #expect(coverage(sized, [cut]) == nil)
        #expect(coverage(sized, [cut, whole])?.sources == [.account: [1]])
    }

    @Test func `transactions need filters that are wide enough`() {
        let all = transactions { _ in }
        let votes = transactions { $0.vote = true }
        let others = transactions { $0.vote = false }
        let first = transactions { $0.accountInclude = [address(1)] }
        let second = transactions { $0.accountInclude = [address(2)] }
        #expect(coverage(votes, [all]) != nil)
        #expect(coverage(all, [votes]) == nil)
        #expect(coverage(all, [votes, others]) != nil)
        #expect(coverage(all, [first, second]) == nil)
        let both = transactions { $0.accountInclude = [address(1), address(2)] }
        #expect(coverage(both, [first]) == nil)
        #expect(coverage(both, [first, second])?.sources == [.transaction: [0, 1]])
        #expect(coverage(transactions { $0.accountRequired = [address(1)] }, [first]) != nil)
        #expect(coverage(transactions { $0.accountRequired = [address(3)] }, [first]) == nil)
        let excluding = transactions { $0.accountExclude = [address(1)] }
        #expect(coverage(all, [excluding]) == nil)
        #expect(coverage(excluding, [excluding]) != nil)
        let expanded = transactions {
            $0.accountInclude = [address(1)]
            $0.tokenAccounts = 0
        }
        #expect(coverage(first, [expanded]) != nil)
        #expect(coverage(expanded, [first]) == nil)
        #expect(coverage(expanded, [all]) != nil)
        // Excluding by owners too drops more than excluding by keys alone.
        let excludingOwners = transactions {
            $0.accountExclude = [address(1)]
            $0.tokenAccounts = 1
        }
        #expect(coverage(excluding, [excludingOwners]) == nil)
        #expect(coverage(excludingOwners, [excluding]) != nil)
        let requiringOwner = transactions {
            $0.accountRequired = [address(1)]
            $0.tokenAccounts = 0
        }
        let requiring = transactions { $0.accountRequired = [address(1), address(2)] }
        #expect(coverage(requiring, [requiringOwner]) != nil)
        #expect(coverage(requiringOwner, [requiring]) == nil)
        #expect(coverage(transactions { $0.tokenAccounts = 9 }, [all]) == nil)
        // Votes that failed are in the third, votes that did not in the first.
        let goodVotes = transactions {
            $0.vote = true
            $0.failed = false
        }
        #expect(coverage(all, [goodVotes, others, transactions { $0.failed = true }]) != nil)
        #expect(coverage(all, [goodVotes, others]) == nil)
    }

    @Test func `statuses come from transactions, or from statuses when no address is asked for`() {
        let all = transactions { _ in }
        let statuses = request { $0.transactionsStatus["s"] = TransactionsFilter() }
        #expect(coverage(statuses, [all])?.sources == [.transaction: [0]])
        #expect(coverage(statuses, [all, statuses])?.sources == [.transaction: [0]])
        #expect(coverage(statuses, [statuses])?.sources == [.transactionStatus: [0]])
        #expect(coverage(all, [statuses]) == nil)
        let named = request {
            var filter = TransactionsFilter()
            filter.accountInclude = [address(1)]
            $0.transactionsStatus["s"] = filter
        }
        #expect(coverage(named, [statuses]) == nil)
        #expect(coverage(named, [all]) != nil)
    }

    @Test func `blocks are taken only from filters that include all that is wanted`() throws {
        func blocks(_ filters: [UTF8Text: BlocksFilter]) -> SubscribeRequest {
            request { $0.blocks = filters }
        }
        var bare = BlocksFilter()
        bare.includeTransactions = false
        var rich = BlocksFilter()
        rich.includeAccounts = true
        rich.includeEntries = true
        var limited = BlocksFilter()
        limited.accountInclude = [address(1), address(2)]
        var narrower = BlocksFilter()
        narrower.accountInclude = [address(1)]
        let recorded = blocks(["bare": bare, "rich": rich, "limited": limited])
        let wanted = try #require(coverage(blocks(["x": BlocksFilter()]), [recorded]))
        #expect(wanted.blockFilters == [0: ["rich"]])
        let both = try #require(coverage(blocks(["x": narrower, "y": bare]), [recorded]))
        #expect(both.blockFilters == [0: ["rich", "limited"]])
        #expect(coverage(blocks(["x": rich]), [blocks(["b": BlocksFilter()])]) == nil)
        #expect(coverage(blocks(["x": BlocksFilter()]), [blocks(["l": limited])]) == nil)
        #expect(coverage(blocks(["x": limited]), [blocks(["n": narrower])]) == nil)

        for (name, accepted) in [("rich", true), ("bare", false), ("limited", false)] {
            let bytes = update([UTF8Text(name)], 5, madeBlock())
            let summary = try UpdateSummary(of: bytes.span.bytes)
            #expect(try wanted.accepts(bytes.span.bytes, summary, from: 0) == accepted)
            #expect(try !wanted.accepts(bytes.span.bytes, summary, from: 1))
        }
        let entry = update(["rich"], 8, [8, 1])
        let summary = try UpdateSummary(of: entry.span.bytes)
        #expect(try !wanted.accepts(entry.span.bytes, summary, from: 0))
    }

    @Test func `approximate or unknown filters cover nothing beyond their lists`() {
        let cuckoo = request {
            var filter = AccountsFilter()
            filter.account = [address(1)]
            filter.cuckoo = CuckooFilterDefinition()
            $0.accounts["a"] = filter
        }
        #expect(coverage(accounts([address(1)]), [cuckoo]) != nil)
        #expect(coverage(accounts([address(2)]), [cuckoo]) == nil)
        let only = request {
            var filter = AccountsFilter()
            filter.cuckoo = CuckooFilterDefinition()
            $0.accounts["a"] = filter
        }
        #expect(coverage(accounts([]), [only]) == nil)
        var unknown = accounts([])
        unknown.unknownFields = [0x60, 1]
        #expect(coverage(accounts([address(1)]), [unknown]) == nil)
        #expect(coverage(unknown, [accounts([])]) == nil)
    }
}
