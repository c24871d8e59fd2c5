import CGeyser
import GeyserDecoding
import MarketModel
import Testing

/// SplitMix64: the same mutations on every run.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }
}

@Suite struct HostileUpdateTests {
    /// Filters that look at every part of an update.
    static func wideFilter() throws -> SubscriptionFilter {
        var request = SubscribeRequest()
        var accounts = AccountsFilter()
        var memcmp = AccountCondition.Memcmp()
        memcmp.offset = 2
        memcmp.expected = .bytes([3])
        accounts.conditions = [AccountCondition(.memcmp(memcmp))]
        request.accounts = ["a": accounts, "all": AccountsFilter()]
        request.slots["s"] = SlotsFilter()
        var changed = TransactionsFilter()
        changed.accountRequired = [address(21)]
        changed.tokenAccounts = 1
        var all = TransactionsFilter()
        all.accountExclude = [address(40)]
        all.tokenAccounts = 0
        request.transactions = ["c": changed, "a": all]
        request.transactionsStatus = ["c": changed, "n": TransactionsFilter()]
        var blocks = BlocksFilter()
        blocks.accountInclude = [address(1)]
        blocks.includeAccounts = true
        blocks.includeEntries = true
        request.blocks["b"] = blocks
        request.blocksMeta["m"] = UnconditionalFilter()
        request.entry["e"] = UnconditionalFilter()
        request.accountsDataSlice = [
            DataSlice(offset: 0, length: 1), DataSlice(offset: 2, length: 2),
        ]
        return try SubscriptionFilter(request)
    }

    static let seeds: [[UInt8]] = [
        MadeAccount(data: [1, 2, 3, 4], signature: signatureBytes(1)).update(),
        MadeTransaction(
            failed: true,
            keys: [key(1), key(2)],
            writable: [key(3)],
            before: [.init(index: 1, owner: address(20), amount: "5")],
            after: [.init(index: 1, owner: address(21), amount: "6")]
        ).update(),
        update(5, madeBlock()),
        update(3, [8, 5, 16, 4, 24, 1]),
        update(10, [8, 5]),
    ]

    /// Runs everything on the bytes; whatever they are, it ends with messages or an error.
    private func feed(
        _ bytes: [UInt8],
        _ filter: SubscriptionFilter,
        _ output: inout FilteredUpdates
    ) -> Bool {
        let slot = UpdateSummary.slot(of: bytes.span.bytes)
        do throws(ProtobufError) {
            let summary = try UpdateSummary(of: bytes.span.bytes)
            if summary.kind == .entry { #expect(slot != nil) }
            try filter.match(bytes.span.bytes, into: &output)
            return true
        } catch {
            return false
        }
    }

    @Test func `mutated updates end in messages or an error`() throws {
        var generator = SeededGenerator(state: 20_261_120)
        let filter = try HostileUpdateTests.wideFilter()
        var output = FilteredUpdates()
        var accepted = 0
        var refused = 0
        for round in 0..<60_000 {
            var bytes = HostileUpdateTests.seeds[round % HostileUpdateTests.seeds.count]
            for _ in 0...Int.random(in: 0..<4, using: &generator) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<5, using: &generator) {
                case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
                case 1: bytes[place] = UInt8.random(in: 0...255, using: &generator)
                case 2: bytes[place] = [0xff, 0x80, 0, 0x7f].randomElement(using: &generator) ?? 0
                case 3: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: place)
                default: bytes.remove(at: place)
                }
            }
            if feed(bytes, filter, &output) { accepted += 1 } else { refused += 1 }
            _ = try? SubscribeRequest(decoding: bytes)
        }
        #expect(accepted > 1000)
        #expect(refused > 1000)
    }

    @Test func `every truncation ends in messages or an error`() throws {
        let filter = try HostileUpdateTests.wideFilter()
        var output = FilteredUpdates()
        for seed in HostileUpdateTests.seeds {
            #expect(feed(seed, filter, &output))
            for length in 0..<seed.count { _ = feed([UInt8](seed[..<length]), filter, &output) }
        }
    }

    @Test func `what the filter sends is readable by protobuf-c`() throws {
        let filter = try HostileUpdateTests.wideFilter()
        var output = FilteredUpdates()
        var count = 0
        for seed in HostileUpdateTests.seeds {
            try filter.match(seed.span.bytes, into: &output)
            for sent in output.messages {
                let bytes = [UInt8](output.bytes[sent.range])
                let descriptor = MessageOracle.updateDescriptor()
                let lines = try #require(MessageOracle.linesByC(bytes, descriptor))
                #expect(lines == (try MessageOracle.linesByReader(bytes, descriptor)))
                count += 1
            }
        }
        #expect(count == 6)
    }

    @Test func `a million empty submessages cost no more than their bytes`() throws {
        let filter = try HostileUpdateTests.wideFilter()
        var output = FilteredUpdates()
        let flood = [[UInt8]](repeating: [0x32, 0], count: 1_000_000).flatMap { $0 }
        try filter.match(update(5, flood).span.bytes, into: &output)
        #expect(output.messages.count == 1)
        #expect(output.bytes.count < 100)  // none has an included key
        let balances = [[UInt8]](repeating: [0x3a, 0], count: 1_000_000).flatMap { $0 }
        let info = message { W.bytes(4, balances, to: &$0) }
        let transaction = update(4, message { W.bytes(1, info, to: &$0) })
        try filter.match(transaction.span.bytes, into: &output)
        #expect(output.messages.map(\.kind) == [.transaction, .transactionStatus])
    }

    @Test func `two bodies are refused`() {
        let entry = message { W.bytes(8, [8, 1], to: &$0) }
        #expect(throws: ProtobufError.repeatedMessage(field: 8, offset: 4)) {
            _ = try UpdateSummary(of: (entry + entry).span.bytes)
        }
        let info = message { W.bytes(1, [], to: &$0) }
        #expect(throws: ProtobufError.repeatedMessage(field: 1, offset: 4)) {
            _ = try UpdateSummary(of: message { W.bytes(4, info + info, to: &$0) }.span.bytes)
        }
    }

    @Test func `a slot that is zero is not on the wire but still a slot`() throws {
        for field in [UInt32(2), 3, 4, 10, 5, 7, 8] {
            let bytes = update(field, [])
            #expect(UpdateSummary.slot(of: bytes.span.bytes) == 0)
            #expect(try UpdateSummary(of: bytes.span.bytes).slot == 0)
        }
        for field in [UInt32(6), 9, 99] {
            #expect(UpdateSummary.slot(of: update(field, []).span.bytes) == nil)
            #expect(try UpdateSummary(of: update(field, []).span.bytes).slot == nil)
        }
    }
}
