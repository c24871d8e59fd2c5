import CGeyser
import Testing

@testable import Synthesis

/// Checks the Geyser side with protobuf-c, which shares no code with what wrote the bytes.
struct GeyserWireTests {
    private static let steps = SynthesisRun.steps(SynthesisRun.options)
    private static let market = SynthesisRun.messages(steps, stream: 1)
    private static let blocks = SynthesisRun.messages(steps, stream: 2)

    /// Decodes a message for the length of a call.
    private func decode<Result>(
        _ bytes: [UInt8],
        _ body: (Geyser__SubscribeUpdate) throws -> Result
    ) throws -> Result {
        let update = try #require(geyser__subscribe_update__unpack(nil, bytes.count, bytes))
        defer { geyser__subscribe_update__free_unpacked(update, nil) }
        return try body(update.pointee)
    }

    private func text(_ pointer: UnsafeMutablePointer<CChar>?) throws -> String {
        String(cString: try #require(pointer))
    }

    private func bytes(_ data: ProtobufCBinaryData) -> [UInt8] {
        Array(UnsafeBufferPointer(start: data.data, count: data.len))
    }

    private struct Meta {
        var slot: UInt64
        var hash: String
        var parent: UInt64
        var parentHash: String
        var height: UInt64
        var executed: UInt64
        var entries: UInt64
    }

    private func metas(_ messages: [[UInt8]]) throws -> [Meta] {
        try messages.compactMap { message in
            try decode(message) { update in
                guard
                    update.update_oneof_case
                        == GEYSER__SUBSCRIBE_UPDATE__UPDATE_ONEOF_BLOCK_META
                else { return nil }
                let meta = update.block_meta.pointee
                return Meta(
                    slot: meta.slot,
                    hash: try text(meta.blockhash),
                    parent: meta.parent_slot,
                    parentHash: try text(meta.parent_blockhash),
                    height: meta.block_height.pointee.block_height,
                    executed: meta.executed_transaction_count,
                    entries: meta.entries_count
                )
            }
        }
    }

    @Test func `every message decodes and encodes to the same bytes`() throws {
        var kinds: [UInt32: Int] = [:]
        for message in Self.market + Self.blocks {
            let update = try #require(geyser__subscribe_update__unpack(nil, message.count, message))
            defer { geyser__subscribe_update__free_unpacked(update, nil) }
            let size = geyser__subscribe_update__get_packed_size(update)
            #expect(size == message.count)
            var packed = [UInt8](repeating: 0, count: size)
            _ = geyser__subscribe_update__pack(update, &packed)
            #expect(packed == message)
            kinds[update.pointee.update_oneof_case.rawValue, default: 0] += 1
        }
        // Account, slot, transaction, block, ping, block meta, entry, pong.
        #expect(kinds.keys.sorted() == [2, 3, 4, 5, 6, 7, 8, 9])
    }

    @Test func `requests decode and encode to the same bytes`() throws {
        var filters = 0
        for step in Self.steps {
            guard case .message(.outgoing, let bytes) = step.event else { continue }
            let request = try #require(geyser__subscribe_request__unpack(nil, bytes.count, bytes))
            defer { geyser__subscribe_request__free_unpacked(request, nil) }
            var packed = [UInt8](
                repeating: 0,
                count: geyser__subscribe_request__get_packed_size(request)
            )
            _ = geyser__subscribe_request__pack(request, &packed)
            #expect(packed == bytes)
            let fields = request.pointee
            filters += fields.n_accounts + fields.n_slots + fields.n_transactions
            filters += fields.n_blocks + fields.n_blocks_meta + fields.n_entry
        }
        #expect(filters == 6 + 3)
    }

    @Test func `slots link to their parents on both streams`() throws {
        let metas = try metas(Self.market)
        #expect(metas.count == 60)
        for (parent, child) in zip(metas, metas.dropFirst()) {
            #expect(child.parent == parent.slot)
            #expect(child.parentHash == parent.hash)
            #expect(child.height == parent.height + 1)
            #expect(child.slot > parent.slot)
        }
        #expect(try self.metas(Self.blocks).map(\.hash) == metas.map(\.hash))
        let last = try #require(metas.last)
        #expect(last.slot - metas[0].slot > 59, "no slot was skipped")
    }

    @Test func `entries add up to the block and end in its hash`() throws {
        var counts: [UInt64: (entries: UInt64, executed: UInt64, hash: [UInt8])] = [:]
        for message in Self.market {
            try decode(message) { update in
                guard update.update_oneof_case == GEYSER__SUBSCRIBE_UPDATE__UPDATE_ONEOF_ENTRY
                else { return }
                let entry = update.entry.pointee
                var count = counts[entry.slot] ?? (0, 0, [])
                #expect(entry.index == count.entries)
                #expect(entry.starting_transaction_index == count.executed)
                count.entries += 1
                count.executed += entry.executed_transaction_count
                count.hash = bytes(entry.hash)
                counts[entry.slot] = count
            }
        }
        for meta in try metas(Self.market) {
            let count = try #require(counts[meta.slot])
            #expect(count.entries == meta.entries)
            #expect(count.executed == meta.executed)
            let hash = SolanaKey(base58: meta.hash)
            #expect(hash.bytes == count.hash)
        }
    }

    @Test func `a slot passes through its states in order`() throws {
        var states: [UInt64: [UInt32]] = [:]
        for message in Self.market {
            try decode(message) { update in
                guard update.update_oneof_case == GEYSER__SUBSCRIBE_UPDATE__UPDATE_ONEOF_SLOT
                else { return }
                let slot = update.slot.pointee
                states[slot.slot, default: []].append(slot.status.rawValue)
            }
        }
        #expect(states.count == 60)
        var finalized = 0
        for (_, states) in states {
            #expect(Set(states.prefix(2)) == [3, 5])
            #expect(states[2...4] == [4, 0, 1])
            if states.last == 2 { finalized += 1 }
        }
        #expect((25...35).contains(finalized))
    }

    @Test func `whole blocks hold the transactions that their counts say`() throws {
        var single: Set<[UInt8]> = []
        for message in Self.market {
            try decode(message) { update in
                guard
                    update.update_oneof_case == GEYSER__SUBSCRIBE_UPDATE__UPDATE_ONEOF_TRANSACTION
                else { return }
                let info = try #require(update.transaction.pointee.transaction)
                single.insert(bytes(info.pointee.signature))
            }
        }
        var inBlocks: Set<[UInt8]> = []
        for message in Self.blocks {
            try decode(message) { update in
                guard update.update_oneof_case == GEYSER__SUBSCRIBE_UPDATE__UPDATE_ONEOF_BLOCK
                else { return }
                let block = update.block.pointee
                #expect(UInt64(block.n_transactions) == block.executed_transaction_count)
                #expect(UInt64(block.n_entries) == block.entries_count)
                for index in 0..<block.n_transactions {
                    let info = try #require(block.transactions[index]).pointee
                    #expect(info.index == UInt64(index))
                    inBlocks.insert(bytes(info.signature))
                }
            }
        }
        #expect(single.isSubset(of: inBlocks))
        #expect(single.count < inBlocks.count, "transfers are in no filter of the market")
    }

    @Test func `lamports are neither made nor lost but for the fee`() throws {
        var failed = 0
        try forEachTransaction { info in
            let meta = try #require(info.meta).pointee
            let before = (0..<meta.n_pre_balances).reduce(UInt64(0)) { $0 + meta.pre_balances[$1] }
            let after = (0..<meta.n_post_balances).reduce(UInt64(0)) { $0 + meta.post_balances[$1] }
            #expect(before == after + meta.fee)
            let message = try #require(info.transaction.pointee.message).pointee
            let keys =
                message.n_account_keys + meta.n_loaded_writable_addresses
                + meta.n_loaded_readonly_addresses
            #expect(meta.n_pre_balances == keys)
            #expect(meta.n_post_balances == keys)
            if meta.err != nil { failed += 1 }
        }
        #expect(failed > 5)
    }

    @Test func `events stand in the logs and as calls of the program by itself`() throws {
        var events = 0
        try forEachTransaction { info in
            let meta = try #require(info.meta).pointee
            var logged: [String] = []
            for index in 0..<meta.n_log_messages {
                let line = try text(meta.log_messages[index])
                if line.hasPrefix("Program data: ") { logged.append(String(line.dropFirst(14))) }
            }
            var called: [String] = []
            for list in 0..<meta.n_inner_instructions {
                let inner = try #require(meta.inner_instructions[list]).pointee
                for index in 0..<inner.n_instructions {
                    let data = bytes(try #require(inner.instructions[index]).pointee.data)
                    guard data.starts(with: [0xe4, 0x45, 0xa5, 0x2e]) else { continue }
                    called.append(Data64.encode(Array(data.dropFirst(8))))
                }
            }
            #expect(logged == called)
            events += called.count
        }
        #expect(events > 100)
    }

    private func forEachTransaction(
        _ body: (Geyser__SubscribeUpdateTransactionInfo) throws -> Void
    ) throws {
        for message in Self.blocks {
            try decode(message) { update in
                guard update.update_oneof_case == GEYSER__SUBSCRIBE_UPDATE__UPDATE_ONEOF_BLOCK
                else { return }
                let block = update.block.pointee
                for index in 0..<block.n_transactions {
                    try body(try #require(block.transactions[index]).pointee)
                }
            }
        }
    }
}
