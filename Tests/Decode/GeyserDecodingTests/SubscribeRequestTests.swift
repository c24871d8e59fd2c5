import CGeyser
import GeyserDecoding
import MarketModel
import Testing

@Suite struct SubscribeRequestTests {
    /// A request that sets every field there is, explicit zeros and falses among them.
    static var full: SubscribeRequest {
        var request = SubscribeRequest()
        var cuckoo = CuckooFilterDefinition()
        cuckoo.data = [1, 2, 3]
        cuckoo.bucketCount = 4
        cuckoo.entriesPerBucket = 5
        cuckoo.fingerprintBits = 6
        cuckoo.hashSeed = .max
        cuckoo.hashAlgorithm = 1
        var accounts = AccountsFilter()
        accounts.account = [address(1), address(2)]
        accounts.owner = [address(3)]
        accounts.nonemptyTransactionSignature = false
        accounts.cuckoo = cuckoo
        for expected in [
            AccountCondition.Memcmp.Expected.bytes([9]), .base58("abc"), .base64("AAAA"), nil,
        ] {
            var memcmp = AccountCondition.Memcmp()
            memcmp.offset = 8
            memcmp.expected = expected
            accounts.conditions.append(AccountCondition(.memcmp(memcmp)))
        }
        for comparison in [
            AccountCondition.Lamports.Comparison.equal(0), .notEqual(1), .less(2), .greater(.max),
        ] {
            var lamports = AccountCondition.Lamports()
            lamports.comparison = comparison
            accounts.conditions.append(AccountCondition(.lamports(lamports)))
        }
        accounts.conditions += [
            AccountCondition(.dataSize(0)), AccountCondition(.tokenAccountState(false)),
            AccountCondition(),
        ]
        request.accounts = ["acc": accounts, "empty": AccountsFilter()]
        var slots = SlotsFilter()
        slots.filterByCommitment = false
        slots.interslotUpdates = true
        request.slots = ["é": slots, "e\u{301}": SlotsFilter()]
        var transactions = TransactionsFilter()
        transactions.vote = false
        transactions.failed = true
        transactions.signature = "sig"
        transactions.accountInclude = ["a", "b"]
        transactions.accountExclude = ["c"]
        transactions.accountRequired = ["d"]
        transactions.cuckoo = cuckoo
        transactions.tokenAccounts = 0
        request.transactions = ["t": transactions]
        request.transactionsStatus = ["": TransactionsFilter()]
        var blocks = BlocksFilter()
        blocks.accountInclude = ["k"]
        blocks.includeTransactions = false
        blocks.includeAccounts = true
        blocks.includeEntries = false
        blocks.cuckoo = CuckooFilterDefinition()
        request.blocks = ["b": blocks]
        request.blocksMeta = ["m": UnconditionalFilter()]
        request.entry = ["e": UnconditionalFilter()]
        request.commitment = 2
        request.accountsDataSlice = [DataSlice(), DataSlice(offset: 7, length: 9)]
        request.ping = SubscribePing(id: -1)
        request.fromSlot = 0
        return request
    }

    @Test func `every field survives encoding and decoding`() throws {
        let request = SubscribeRequestTests.full
        let bytes = request.encoded()
        let decoded = try SubscribeRequest(decoding: bytes)
        #expect(decoded == request)
        #expect(decoded.slots.count == 2)
        #expect(decoded.encoded() == bytes)
        #expect(try SubscribeRequest(decoding: []) == SubscribeRequest())
        #expect(SubscribeRequest().encoded() == [])
    }

    @Test func `protobuf-c reads the encoded request and its bytes decode to the same`() throws {
        let bytes = SubscribeRequestTests.full.encoded()
        let unpacked = try #require(geyser__subscribe_request__unpack(nil, bytes.count, bytes))
        defer { geyser__subscribe_request__free_unpacked(unpacked, nil) }
        let request = unpacked.pointee
        #expect(request.n_accounts == 2)
        let filter = try #require(request.accounts[0]?.pointee.value?.pointee)
        #expect(String(cString: request.accounts[0]!.pointee.key) == "acc")
        #expect(filter.n_account == 2)
        #expect(filter.n_filters == 11)
        #expect(filter.has_nonempty_txn_signature != 0 && filter.nonempty_txn_signature == 0)
        #expect(
            request.has_commitment != 0 && request.commitment == GEYSER__COMMITMENT_LEVEL__FINALIZED
        )
        #expect(request.has_from_slot != 0 && request.from_slot == 0)
        #expect(request.ping.pointee.id == -1)
        #expect(request.n_accounts_data_slice == 2)
        #expect(request.accounts_data_slice[1]?.pointee.length == 9)
        let blocks = try #require(request.blocks[0]?.pointee.value?.pointee)
        #expect(blocks.has_include_transactions != 0 && blocks.include_transactions == 0)
        let transactions = try #require(request.transactions[0]?.pointee.value?.pointee)
        #expect(transactions.has_token_accounts != 0)
        #expect(transactions.cuckoo_account_include.pointee.hash_seed == .max)
        // Packed again by protobuf-c, it is still the same request.
        var packed = [UInt8](
            repeating: 0,
            count: geyser__subscribe_request__get_packed_size(unpacked)
        )
        geyser__subscribe_request__pack(unpacked, &packed)
        #expect(try SubscribeRequest(decoding: packed) == SubscribeRequestTests.full)
        let descriptor = MessageOracle.requestDescriptor()
        #expect(
            MessageOracle.linesByC(bytes, descriptor)
                == (try MessageOracle.linesByReader(bytes, descriptor))
        )
    }

    @Test func `unknown fields are kept at every level`() throws {
        let unknown = message { W.uint64(99, 5, to: &$0) }
        let inner = message {
            W.text(2, address(1), to: &$0)
            W.bytes(4, message { W.bytes(1, unknown, to: &$0) } + unknown, to: &$0)
            $0 += unknown
        }
        let bytes = message {
            $0 += unknown
            W.bytes(
                1,
                message {
                    W.text(1, "a", to: &$0)
                    W.bytes(2, inner, to: &$0)
                },
                to: &$0
            )
        }
        let request = try SubscribeRequest(decoding: bytes)
        #expect(request.unknownFields == unknown)
        let filter = try #require(request.accounts["a"])
        #expect(filter.unknownFields == unknown)
        #expect(filter.conditions.map(\.unknownFields) == [unknown])
        #expect(try SubscribeRequest(decoding: request.encoded()) == request)
        #expect(request != SubscribeRequest())
    }

    @Test func `an entry without key or value is an empty one and the last of two stands`() throws {
        let bytes = message {
            W.bytes(2, [], to: &$0)
            for flag in [true, false] {
                W.bytes(
                    2,
                    message {
                        W.bytes(2, message { W.bool(1, flag, to: &$0) }, to: &$0)
                        W.text(1, "s", to: &$0)
                    },
                    to: &$0
                )
            }
        }
        var filter = SlotsFilter()
        filter.filterByCommitment = false
        var expected = SubscribeRequest()
        expected.slots = ["": SlotsFilter(), "s": filter]
        #expect(try SubscribeRequest(decoding: bytes) == expected)
    }

    @Test func `malformed requests are refused with their place`() {
        func refuse(_ expected: ProtobufError, _ bytes: [UInt8]) {
            #expect(throws: expected) { try SubscribeRequest(decoding: bytes) }
        }
        refuse(.wrongWireType(field: 1, offset: 0), [0x08, 1])
        refuse(.wrongWireType(field: 6, offset: 0), [0x32, 0])
        refuse(.lengthBeyondEnd(offset: 0), [0x0a, 9])
        refuse(.lengthBeyondEnd(offset: 2), [0x0a, 2, 0x0a, 9])
        refuse(.invalidText(field: 1, offset: 2), [0x0a, 3, 0x0a, 1, 0xff])
        refuse(.groupRefused(offset: 0), [0x63])
        refuse(.tooLong, [UInt8](repeating: 0, count: SubscribeRequest.byteCountMax + 1))
    }

    @Test func `a flood of empty parts is decoded within bounds`() throws {
        let flood = [[UInt8]](repeating: [0x3a, 0], count: 1_000_000).flatMap { $0 }
        let request = try SubscribeRequest(decoding: flood)
        #expect(request.accountsDataSlice.count == 1_000_000)
        #expect(try SubscriptionFilter(request).commitment == .processed)
    }
}
