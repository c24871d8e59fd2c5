/// The messages of the Yellowstone stream, as bytes.
enum GeyserMessages {
    /// `SlotStatus`.
    enum Status: UInt64 {
        case processed = 0
        case confirmed = 1
        case finalized = 2
        case firstShredReceived = 3
        case completed = 4
        case createdBank = 5
        case dead = 6
    }

    /// Puts an update's body between its filter names and its time; `field` is the number of the
    /// kind in `SubscribeUpdate`, `created` nanoseconds since 1970 at the server.
    static func update(
        _ filters: [String],
        field: UInt32,
        _ body: [UInt8],
        created: Int64
    ) -> [UInt8] {
        var update = ProtobufBytes()
        for filter in filters { update.element(1, Array(filter.utf8)) }
        update.element(field, body)
        update.message(11) { time in
            time.signed(1, created / 1_000_000_000)
            time.signed(2, created % 1_000_000_000)
        }
        return update.bytes
    }

    static func slot(_ slot: UInt64, parent: UInt64?, _ status: Status) -> [UInt8] {
        var body = ProtobufBytes()
        body.unsigned(1, slot)
        if let parent { body.present(2, parent) }
        body.unsigned(3, status.rawValue)
        return body.bytes
    }

    static func transaction(_ transaction: SolanaTransaction, slot: UInt64) -> [UInt8] {
        var body = ProtobufBytes()
        body.element(1, transaction.encoded)
        body.unsigned(2, slot)
        return body.bytes
    }

    static func account(
        _ image: SolanaAccountImage,
        lamports: UInt64,
        version: UInt64,
        signature: [UInt8],
        slot: UInt64
    ) -> [UInt8] {
        var body = ProtobufBytes()
        body.message(1) { account in
            account.data(1, image.key.bytes)
            account.unsigned(2, lamports)
            account.data(3, image.owner.bytes)
            account.unsigned(5, .max)
            account.data(6, image.data)
            account.unsigned(7, version)
            account.element(8, signature)
        }
        body.unsigned(2, slot)
        return body.bytes
    }

    static func entry(_ entry: SolanaSlot.Entry, slot: UInt64) -> [UInt8] {
        var body = ProtobufBytes()
        body.unsigned(1, slot)
        body.unsigned(2, entry.index)
        body.unsigned(3, entry.hashes)
        body.data(4, entry.hash.bytes)
        body.unsigned(5, entry.transactions)
        body.unsigned(6, entry.firstTransaction)
        return body.bytes
    }

    static func blockMeta(_ slot: SolanaSlot) -> [UInt8] {
        var body = ProtobufBytes()
        writeHead(slot, into: &body)
        body.unsigned(6, slot.parentSlot)
        body.string(7, slot.parentHash.base58)
        body.unsigned(8, UInt64(slot.transactions.count))
        body.unsigned(9, UInt64(slot.entries.count))
        return body.bytes
    }

    /// A whole block with transactions and entries, without accounts.
    static func block(_ slot: SolanaSlot) -> [UInt8] {
        var body = ProtobufBytes()
        writeHead(slot, into: &body)
        for transaction in slot.transactions { body.element(6, transaction.encoded) }
        body.unsigned(7, slot.parentSlot)
        body.string(8, slot.parentHash.base58)
        body.unsigned(9, UInt64(slot.transactions.count))
        body.unsigned(10, slot.transactions.reduce(0) { $0 + $1.writableCount })
        body.unsigned(12, UInt64(slot.entries.count))
        for entry in slot.entries { body.element(13, Self.entry(entry, slot: slot.slot)) }
        return body.bytes
    }

    /// The first request of a stream: one named filter for each kind; of all transactions, or of the
    /// market's and of votes, with the market's accounts and, if so wanted, those of all tokens.
    static func request(wholeBlocks: Bool, takesAll: Bool, takesTokens: Bool) -> [UInt8] {
        let programs = [SolanaAddress.pump, SolanaAddress.pumpSwap, SolanaAddress.raydium]
        var request = ProtobufBytes()
        if !wholeBlocks, !takesAll {
            filter(1, GeyserFilters.accounts, into: &request) { filter in
                for program in programs { filter.string(3, program.base58) }
            }
            if takesTokens {
                filter(1, GeyserFilters.tokens, into: &request) { filter in
                    for program in GeyserFilters.tokenPrograms { filter.string(3, program.base58) }
                }
            }
        }
        filter(2, GeyserFilters.slots, into: &request) { $0.present(2, 1) }
        if wholeBlocks {
            filter(4, GeyserFilters.blocks, into: &request) { filter in
                filter.present(2, 1)
                filter.present(3, 0)
                filter.present(4, 1)
            }
        } else if takesAll {
            filter(3, GeyserFilters.transactions, into: &request) { _ in }
        } else {
            filter(3, GeyserFilters.transactions, into: &request) { filter in
                for program in programs { filter.string(3, program.base58) }
            }
            filter(3, GeyserFilters.votes, into: &request) { $0.present(1, 1) }
        }
        filter(5, GeyserFilters.blockMeta, into: &request) { _ in }
        request.present(6, 0)
        if !wholeBlocks { filter(8, GeyserFilters.entries, into: &request) { _ in } }
        return request.bytes
    }

    /// A client's answer to a server's ping.
    static func pingRequest(id: Int64) -> [UInt8] {
        var request = ProtobufBytes()
        request.message(9) { $0.signed(1, id) }
        return request.bytes
    }

    static func pong(id: Int64) -> [UInt8] {
        var body = ProtobufBytes()
        body.signed(1, id)
        return body.bytes
    }

    /// One entry of a map field: the filter's name, then the filter.
    private static func filter(
        _ field: UInt32,
        _ name: String,
        into request: inout ProtobufBytes,
        _ write: (inout ProtobufBytes) -> Void
    ) {
        request.message(field) { entry in
            entry.string(1, name)
            entry.message(2, write)
        }
    }

    private static func writeHead(_ slot: SolanaSlot, into body: inout ProtobufBytes) {
        body.unsigned(1, slot.slot)
        body.string(2, slot.hash.base58)
        body.message(3) { rewards in
            rewards.message(1) { reward in
                reward.string(1, slot.leader.base58)
                reward.signed(2, Int64(slot.reward))
                reward.unsigned(3, slot.leaderBalance)
                reward.unsigned(4, 1)
            }
        }
        body.message(4) { $0.signed(1, slot.time) }
        body.message(5) { $0.unsigned(1, slot.height) }
    }
}

/// Filter names of the subscription; updates repeat the names of those that matched.
enum GeyserFilters {
    static let accounts = "market_accounts"
    static let tokens = "token_accounts"
    static let tokenPrograms = [SolanaAddress.token, SolanaAddress.token2022]
    static let slots = "slots"
    static let transactions = "market"
    static let votes = "votes"
    static let blocks = "whole_blocks"
    static let blockMeta = "block_meta"
    static let entries = "entries"
}
