import CGeyser
import GeyserDecoding
import MarketModel
import Testing

/// The typed readers against protobuf-c, field by field, on every real message.
@Suite struct SolanaUpdateTests {
    /// How many of each kind were compared.
    struct Counts: Equatable {
        var transactions = 0
        var votes = 0
        var accounts = 0
        var entries = 0
        var metas = 0
        var slots = 0
        var blocks = 0
    }

    @Test(
        .enabled(if: SharedRecordings.isPresent, SharedRecordings.absent),
        arguments: [
            ("real.bin", Counts(transactions: 603, votes: 57, accounts: 28, metas: 2)),
            ("capture.bin", Counts(entries: 14_882, metas: 25, slots: 145)),
            ("blocks.bin", Counts(transactions: 13_170, votes: 11_451, blocks: 52)),
            ("volume.bin", Counts(transactions: 34_950, votes: 27_128, metas: 88)),
        ]
    )
    func `typed readers see what protobuf-c sees in real messages`(
        name: String,
        expected: Counts
    ) throws {
        var counts = Counts()
        var reader = SolanaTransactionReader()
        for (number, message) in try SharedRecordings.messages(name).enumerated() {
            let unpacked = try #require(
                geyser__subscribe_update__unpack(nil, message.count, message)
            )
            defer { geyser__subscribe_update__free_unpacked(unpacked, nil) }
            try compare(
                message,
                unpacked.pointee,
                &reader,
                &counts,
                "message \(number) of \(name)"
            )
        }
        #expect(counts == expected)
    }

    private func compare(
        _ message: [UInt8],
        _ update: Geyser__SubscribeUpdate,
        _ reader: inout SolanaTransactionReader,
        _ counts: inout Counts,
        _ comment: Comment
    ) throws {
        let found = try SolanaUpdate(of: message.span.bytes)
        #expect(try UpdateSummary(of: message.span.bytes).slot == found.slot, comment)
        switch found {
        case .transaction(let transaction):
            let expected = update.transaction.pointee
            #expect(transaction.slot.number == expected.slot, comment)
            let info = try #require(transaction.info, comment)
            try compare(message, info, expected.transaction.pointee, &reader, &counts, comment)
        case .account(let account):
            counts.accounts += 1
            let expected = update.account.pointee
            #expect(account.slot.number == expected.slot, comment)
            #expect(account.isStartup == (expected.is_startup != 0), comment)
            let contents = try #require(account.contents, comment)
            compare(message, contents, expected.account.pointee, comment)
        case .slot(let slot):
            counts.slots += 1
            let expected = update.slot.pointee
            #expect(slot.slot.number == expected.slot, comment)
            #expect(
                slot.parent?.number == (expected.has_parent != 0 ? expected.parent : nil),
                comment
            )
            #expect(slot.statusNumber == Int32(bitPattern: expected.status.rawValue), comment)
            #expect(slot.status?.rawValue == slot.statusNumber, comment)
            #expect(slot.deadError.map { [UInt8](message[$0]) } ?? [] == plain(expected.dead_error))
        case .blockMeta(let header):
            counts.metas += 1
            compare(header, update.block_meta.pointee, comment)
        case .block(let block):
            counts.blocks += 1
            try compare(message, block, update.block.pointee, &reader, &counts, comment)
        case .entry(let entry):
            counts.entries += 1
            compare(entry, update.entry.pointee, comment)
        case .transactionStatus, .none:
            Issue.record("a kind that the shared data should not have", severity: .error)
        }
    }

    private func compare(
        _ message: [UInt8],
        _ info: Range<Int>,
        _ expected: Geyser__SubscribeUpdateTransactionInfo,
        _ reader: inout SolanaTransactionReader,
        _ counts: inout Counts,
        _ comment: Comment
    ) throws {
        counts.transactions += 1
        let whole = PlainTransaction(expected)
        if whole.isVote { counts.votes += 1 }
        var head = PlainTransaction()
        head.signature = whole.signature
        head.index = whole.index
        head.isVote = whole.isVote
        if !whole.isVote {
            head.isFailed = whole.isFailed
            head.keys = whole.keys
        }
        try reader.readHead(message.span.bytes, info)
        #expect(PlainTransaction(reader.transaction, message) == head, comment)
        try reader.readBody(message.span.bytes)
        #expect(PlainTransaction(reader.transaction, message) == whole, comment)
        try reader.readAll(message.span.bytes, info)
        #expect(PlainTransaction(reader.transaction, message) == whole, comment)
    }

    private func compare(
        _ message: [UInt8],
        _ account: AccountContents,
        _ expected: Geyser__SubscribeUpdateAccountInfo,
        _ comment: Comment
    ) {
        #expect(account.address?.bytes == plain(expected.pubkey), comment)
        #expect(account.owner?.bytes == plain(expected.owner), comment)
        #expect(account.lamports == expected.lamports, comment)
        #expect([UInt8](message[account.data]) == plain(expected.data), comment)
        #expect(account.writeVersion == expected.write_version, comment)
        #expect(
            account.signature.map { [UInt8](message[$0]) }
                == (expected.has_txn_signature != 0 ? plain(expected.txn_signature) : nil),
            comment
        )
    }

    private func compare(
        _ header: BlockHeader,
        _ expected: Geyser__SubscribeUpdateBlockMeta,
        _ comment: Comment
    ) {
        #expect(header.slot.number == expected.slot, comment)
        #expect(header.blockhash?.description == String(cString: expected.blockhash), comment)
        #expect(header.parent.number == expected.parent_slot, comment)
        #expect(
            header.parentBlockhash?.description == String(cString: expected.parent_blockhash),
            comment
        )
        #expect(header.time == expected.block_time?.pointee.timestamp, comment)
        #expect(header.height == expected.block_height?.pointee.block_height, comment)
        #expect(header.executedTransactionCount == expected.executed_transaction_count, comment)
        #expect(header.entriesCount == expected.entries_count, comment)
    }

    private func compare(
        _ message: [UInt8],
        _ block: BlockUpdate,
        _ expected: Geyser__SubscribeUpdateBlock,
        _ reader: inout SolanaTransactionReader,
        _ counts: inout Counts,
        _ comment: Comment
    ) throws {
        let header = block.header
        #expect(header.slot.number == expected.slot, comment)
        #expect(header.blockhash?.description == String(cString: expected.blockhash), comment)
        #expect(header.parent.number == expected.parent_slot, comment)
        #expect(
            header.parentBlockhash?.description == String(cString: expected.parent_blockhash),
            comment
        )
        #expect(header.time == expected.block_time?.pointee.timestamp, comment)
        #expect(header.height == expected.block_height?.pointee.block_height, comment)
        #expect(header.executedTransactionCount == expected.executed_transaction_count, comment)
        #expect(header.entriesCount == expected.entries_count, comment)
        var transactions = 0
        var accounts = 0
        var entries = 0
        var parts = block.parts
        while let part = try parts.next(message.span.bytes) {
            switch part {
            case .transaction(let info):
                let other = try #require(expected.transactions[transactions]).pointee
                try compare(message, info, other, &reader, &counts, comment)
                transactions += 1
            case .account(let info):
                let other = try #require(expected.accounts[accounts]).pointee
                let contents = try AccountContents(message.span.bytes, info)
                compare(message, contents, other, comment)
                accounts += 1
            case .entry(let range):
                let other = try #require(expected.entries[entries]).pointee
                compare(try EntryUpdate(message.span.bytes, range), other, comment)
                entries += 1
            }
        }
        #expect(transactions == expected.n_transactions, comment)
        #expect(accounts == expected.n_accounts, comment)
        #expect(entries == expected.n_entries, comment)
    }

    private func compare(
        _ entry: EntryUpdate,
        _ expected: Geyser__SubscribeUpdateEntry,
        _ comment: Comment
    ) {
        #expect(entry.slot.number == expected.slot, comment)
        #expect(entry.index == expected.index, comment)
        #expect(entry.executedTransactionCount == expected.executed_transaction_count, comment)
        #expect(entry.startingTransactionIndex == expected.starting_transaction_index, comment)
    }
}
