import CGeyser
import Testing

@testable import Synthesis

/// Updates read with protobuf-c, which shares no code with what wrote them.
enum WireReading {
    /// A slot status.
    struct Status: Equatable {
        var slot: UInt64
        var parent: UInt64?
        /// As on the wire: 0 processed, 1 confirmed, 2 finalized, 6 dead.
        var state: UInt32
    }

    struct Meta: Equatable {
        var slot: UInt64
        var hash: String
        var parent: UInt64
        var parentHash: String
        var executed: UInt64
        var time: Int64
    }

    /// An instruction, or what one called.
    struct Call: Equatable {
        var program: [UInt8]
        var accounts: [[UInt8]]
        var data: [UInt8]
    }

    /// An account as it stood after a transaction.
    struct Account: Equatable {
        var slot: UInt64
        var key: [UInt8]
        var owner: [UInt8]
        var data: [UInt8]
        var signature: [UInt8]

        /// A little-endian number in its data.
        func number(at offset: Int) -> UInt64 {
            data[offset..<(offset + 8)].reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
    }

    struct Transaction: Equatable {
        var slot: UInt64
        var index: UInt64
        var signature: [UInt8]
        var failed: Bool
        var keys: [[UInt8]]
        /// Payloads of `Program data:` lines.
        var events: [[UInt8]]
        var logs: [String]
        /// Instructions first, then what they called.
        var calls: [Call]
        /// Raw amounts after it, by account.
        var balances: [[UInt8]: String]
    }

    /// Decodes one message for the length of a call.
    static func decode<Result>(
        _ bytes: [UInt8],
        _ body: (Geyser__SubscribeUpdate) throws -> Result
    ) throws -> Result {
        let update = try #require(geyser__subscribe_update__unpack(nil, bytes.count, bytes))
        defer { geyser__subscribe_update__free_unpacked(update, nil) }
        return try body(update.pointee)
    }

    /// Whether protobuf-c makes the same bytes again of what it read.
    static func survives(_ bytes: [UInt8]) throws -> Bool {
        let update = try #require(geyser__subscribe_update__unpack(nil, bytes.count, bytes))
        defer { geyser__subscribe_update__free_unpacked(update, nil) }
        var packed = [UInt8](
            repeating: 0,
            count: geyser__subscribe_update__get_packed_size(update)
        )
        _ = geyser__subscribe_update__pack(update, &packed)
        return packed == bytes
    }

    static func bytes(_ data: ProtobufCBinaryData) -> [UInt8] {
        Array(UnsafeBufferPointer(start: data.data, count: data.len))
    }

    static func statuses(_ messages: [[UInt8]]) throws -> [Status] {
        try messages.compactMap { message in
            try decode(message) { update in
                guard update.update_oneof_case == GEYSER__SUBSCRIBE_UPDATE__UPDATE_ONEOF_SLOT
                else { return nil }
                let slot = update.slot.pointee
                return Status(
                    slot: slot.slot,
                    parent: slot.has_parent != 0 ? slot.parent : nil,
                    state: slot.status.rawValue
                )
            }
        }
    }

    static func metas(_ messages: [[UInt8]]) throws -> [Meta] {
        try messages.compactMap { message in
            try decode(message) { update in
                guard update.update_oneof_case == GEYSER__SUBSCRIBE_UPDATE__UPDATE_ONEOF_BLOCK_META
                else { return nil }
                let meta = update.block_meta.pointee
                return Meta(
                    slot: meta.slot,
                    hash: String(cString: try #require(meta.blockhash)),
                    parent: meta.parent_slot,
                    parentHash: String(cString: try #require(meta.parent_blockhash)),
                    executed: meta.executed_transaction_count,
                    time: meta.block_time.pointee.timestamp
                )
            }
        }
    }

    static func transactions(_ messages: [[UInt8]]) throws -> [Transaction] {
        try messages.compactMap { message in
            try decode(message) { update in
                guard
                    update.update_oneof_case == GEYSER__SUBSCRIBE_UPDATE__UPDATE_ONEOF_TRANSACTION
                else { return nil }
                let info = try #require(update.transaction.pointee.transaction).pointee
                return try transaction(info, slot: update.transaction.pointee.slot)
            }
        }
    }

    static func accounts(_ messages: [[UInt8]]) throws -> [Account] {
        try messages.compactMap { message in
            try decode(message) { update in
                guard update.update_oneof_case == GEYSER__SUBSCRIBE_UPDATE__UPDATE_ONEOF_ACCOUNT
                else { return nil }
                let info = try #require(update.account.pointee.account).pointee
                return Account(
                    slot: update.account.pointee.slot,
                    key: bytes(info.pubkey),
                    owner: bytes(info.owner),
                    data: bytes(info.data),
                    signature: bytes(info.txn_signature)
                )
            }
        }
    }

    private static func calls(
        _ message: Solana__Storage__ConfirmedBlock__Message,
        _ meta: Solana__Storage__ConfirmedBlock__TransactionStatusMeta,
        _ keys: [[UInt8]]
    ) throws -> [Call] {
        func call(
            _ program: UInt32,
            _ accounts: ProtobufCBinaryData,
            _ data: ProtobufCBinaryData
        ) throws -> Call {
            let places = bytes(accounts).map(Int.init)
            try #require(Int(program) < keys.count && places.allSatisfy { $0 < keys.count })
            return Call(
                program: keys[Int(program)],
                accounts: places.map { keys[$0] },
                data: bytes(data)
            )
        }
        var calls = try (0..<message.n_instructions).map { index in
            let each = try #require(message.instructions[index]).pointee
            return try call(each.program_id_index, each.accounts, each.data)
        }
        for group in 0..<meta.n_inner_instructions {
            let inner = try #require(meta.inner_instructions[group]).pointee
            calls += try (0..<inner.n_instructions).map { index in
                let each = try #require(inner.instructions[index]).pointee
                return try call(each.program_id_index, each.accounts, each.data)
            }
        }
        return calls
    }

    private static func transaction(
        _ info: Geyser__SubscribeUpdateTransactionInfo,
        slot: UInt64
    ) throws -> Transaction {
        let meta = try #require(info.meta).pointee
        let message = try #require(info.transaction.pointee.message).pointee
        let logs = try (0..<meta.n_log_messages).map {
            String(cString: try #require(meta.log_messages[$0]))
        }
        let loaded =
            (0..<meta.n_loaded_writable_addresses).map { bytes(meta.loaded_writable_addresses[$0]) }
            + (0..<meta.n_loaded_readonly_addresses).map {
                bytes(meta.loaded_readonly_addresses[$0])
            }
        let keys = (0..<message.n_account_keys).map { bytes(message.account_keys[$0]) } + loaded
        var balances: [[UInt8]: String] = [:]
        for index in 0..<meta.n_post_token_balances {
            let each = try #require(meta.post_token_balances[index]).pointee
            let amount = try #require(each.ui_token_amount).pointee
            balances[keys[Int(each.account_index)]] = String(cString: amount.amount)
        }
        return Transaction(
            slot: slot,
            index: info.index,
            signature: bytes(info.signature),
            failed: meta.err != nil,
            keys: keys,
            events: try logs.compactMap { line in
                line.hasPrefix("Program data: ") ? try Data64.decode(line.dropFirst(14)) : nil
            },
            logs: logs,
            calls: try calls(message, meta, keys),
            balances: balances
        )
    }
}
