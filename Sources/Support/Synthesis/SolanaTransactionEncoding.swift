/// A transaction after execution, encoded once and sent on every stream that wants it.
struct SolanaTransaction {
    var signature: [UInt8]
    var isVote: Bool
    /// True when a filter on the market's programs lets it through.
    var isMarket: Bool
    /// Place in the block.
    var index: UInt64
    /// `SubscribeUpdateTransactionInfo`.
    var encoded: [UInt8]
    var fee: UInt64
    var priorityFee: UInt64
    var images: [SolanaAccountImage]
    /// Lamports of each image's account after the transaction.
    var imageLamports: [UInt64]
    var writableCount: UInt64

    /// The first eight bytes of the signature: enough to tell the transactions of one market apart.
    var signatureWord: UInt64 { signature.prefix(8).reduce(0) { $0 << 8 | UInt64($1) } }
}

/// Runs drafts against the ledger and encodes them as Yellowstone does.
struct SolanaTransactionEncoder {
    /// Key order of a compiled message: static keys by rights, then looked-up ones.
    private struct KeyTable {
        var keys: [SolanaKey] = []
        var signers = 0
        var readonlySigners = 0
        var readonlyUnsigned = 0
        var staticCount = 0
        var loadedWritable: [SolanaKey] = []
        var loadedReadonly: [SolanaKey] = []

        func index(_ key: SolanaKey) -> UInt8 {
            guard let index = keys.firstIndex(of: key) else {
                preconditionFailure("\(key.base58) is not among the keys of its transaction")
            }
            return UInt8(index)
        }
    }

    /// Executes the draft: pays the fee, moves the balances unless it failed, and encodes it.
    static func execute(
        _ draft: SolanaTransactionDraft,
        ledger: inout SolanaLedger,
        random: inout MarketRandom,
        recentBlockhash: SolanaKey,
        index: UInt64,
        writesTokens: Bool
    ) -> SolanaTransaction {
        let table = keyTable(draft)
        let before = table.keys.map { ledger[$0] }
        ledger.pay(fee: draft.fee, from: draft.payer)
        for move in draft.moves { ledger.apply(move) }
        let after = table.keys.map { ledger[$0] }
        let signatures = (0..<draft.signatureCount).map { _ in random.bytes(64) }
        let isVote = draft.calls.contains { $0.program == SolanaAddress.vote }
        var info = ProtobufBytes()
        info.data(1, signatures[0])
        info.bool(2, isVote)
        info.message(3) { transaction in
            for signature in signatures { transaction.element(1, signature) }
            transaction.message(2) { message in
                encode(draft, table, recentBlockhash, random.bytes(1)[0], into: &message)
            }
        }
        info.message(4) { meta in
            encodeMeta(draft, table, before: before, after: after, into: &meta)
        }
        info.unsigned(5, index)
        var images = draft.images
        if writesTokens {
            for place in table.keys.indices where before[place] != after[place] {
                if let image = SolanaAccountImage(table.keys[place], after[place]) {
                    images.append(image)
                }
            }
        }
        let market = [SolanaAddress.pump, SolanaAddress.pumpSwap, SolanaAddress.raydium]
        return SolanaTransaction(
            signature: signatures[0],
            isVote: isVote,
            isMarket: table.keys.contains { market.contains($0) },
            index: index,
            encoded: info.bytes,
            fee: draft.fee,
            priorityFee: draft.priorityFee,
            images: images,
            imageLamports: images.map { ledger[$0.key].lamports },
            writableCount: UInt64(draft.roles.count { $0.isWritable })
        )
    }

    private static func keyTable(_ draft: SolanaTransactionDraft) -> KeyTable {
        let usesTable = draft.lookupTable != nil
        var table = KeyTable()
        let fixed = draft.roles.filter { !($0.isLookedUp && usesTable) }
        for (signer, writable) in [(true, true), (true, false), (false, true), (false, false)] {
            let group = fixed.filter { $0.isSigner == signer && $0.isWritable == writable }
            table.keys += group.map(\.key)
            if signer { table.signers += group.count }
            if signer && !writable { table.readonlySigners = group.count }
            if !signer && !writable { table.readonlyUnsigned = group.count }
        }
        table.staticCount = table.keys.count
        let loaded = draft.roles.filter { $0.isLookedUp && usesTable }
        table.loadedWritable = loaded.filter(\.isWritable).map(\.key)
        table.loadedReadonly = loaded.filter { !$0.isWritable }.map(\.key)
        table.keys += table.loadedWritable + table.loadedReadonly
        precondition(table.keys.count <= 256, "a key index is one byte")
        return table
    }

    private static func encode(
        _ draft: SolanaTransactionDraft,
        _ table: KeyTable,
        _ recentBlockhash: SolanaKey,
        _ firstTableIndex: UInt8,
        into message: inout ProtobufBytes
    ) {
        message.message(1) { header in
            header.unsigned(1, UInt64(table.signers))
            header.unsigned(2, UInt64(table.readonlySigners))
            header.unsigned(3, UInt64(table.readonlyUnsigned))
        }
        for key in table.keys.prefix(table.staticCount) { message.element(2, key.bytes) }
        message.data(3, recentBlockhash.bytes)
        for call in draft.calls where call.height == 1 {
            message.message(4) { instruction in
                instruction.unsigned(1, UInt64(table.index(call.program)))
                instruction.data(2, call.accounts.map(table.index))
                instruction.data(3, call.data)
            }
        }
        guard let key = draft.lookupTable else { return }
        message.bool(5, true)
        message.message(6) { lookup in
            lookup.data(1, key.bytes)
            let split = table.loadedWritable.count
            let places = (0..<(split + table.loadedReadonly.count)).map {
                firstTableIndex &+ UInt8($0)
            }
            lookup.data(2, Array(places.prefix(split)))
            lookup.data(3, Array(places.dropFirst(split)))
        }
    }

    private static func encodeMeta(
        _ draft: SolanaTransactionDraft,
        _ table: KeyTable,
        before: [SolanaLedger.Account],
        after: [SolanaLedger.Account],
        into meta: inout ProtobufBytes
    ) {
        if let failure = draft.failure { meta.message(1) { $0.data(1, failure) } }
        meta.unsigned(2, draft.fee)
        meta.packed(3, before.map(\.lamports))
        meta.packed(4, after.map(\.lamports))
        encodeInner(draft, table, into: &meta)
        for line in draft.logs { meta.element(6, Array(line.utf8)) }
        encodeTokens(7, before, into: &meta)
        encodeTokens(8, after, into: &meta)
        for key in table.loadedWritable { meta.element(12, key.bytes) }
        for key in table.loadedReadonly { meta.element(13, key.bytes) }
        meta.bool(15, true)
        meta.present(16, draft.unitsUsed)
        meta.present(17, draft.unitsUsed + 720 * UInt64(draft.signatureCount) + 1_200)
    }

    private static func encodeInner(
        _ draft: SolanaTransactionDraft,
        _ table: KeyTable,
        into meta: inout ProtobufBytes
    ) {
        let inner = draft.calls.filter { $0.height > 1 }
        var start = 0
        while start < inner.count {
            let top = inner[start].top
            let group = inner[start...].prefix { $0.top == top }
            meta.message(5) { list in
                list.unsigned(1, UInt64(top))
                for call in group {
                    list.message(2) { instruction in
                        instruction.unsigned(1, UInt64(table.index(call.program)))
                        instruction.data(2, call.accounts.map(table.index))
                        instruction.data(3, call.data)
                        instruction.present(4, UInt64(call.height))
                    }
                }
            }
            start += group.count
        }
    }

    private static func encodeTokens(
        _ field: UInt32,
        _ accounts: [SolanaLedger.Account],
        into meta: inout ProtobufBytes
    ) {
        for (index, account) in accounts.enumerated() {
            guard let token = account.token else { continue }
            meta.message(field) { balance in
                balance.unsigned(1, UInt64(index))
                balance.string(2, token.mint.base58)
                balance.message(3) { amount in
                    let scale = (0..<token.decimals).reduce(UInt64(1)) { unit, _ in unit * 10 }
                    // The one number that the wire itself has in floating point.
                    amount.double(1, Double(token.amount) / Double(scale))
                    amount.unsigned(2, UInt64(token.decimals))
                    amount.string(3, String(token.amount))
                    amount.string(4, decimalText(token.amount, scale: scale))
                }
                balance.string(4, token.owner.base58)
                balance.string(5, token.program.base58)
            }
        }
    }

    /// Whole and fraction without trailing zeros, as `ui_amount_string` has it.
    private static func decimalText(_ amount: UInt64, scale: UInt64) -> String {
        guard amount % scale != 0 else { return String(amount / scale) }
        var digits = Array(String(amount % scale + scale).utf8.dropFirst())
        while digits.last == UInt8(ascii: "0") { digits.removeLast() }
        return "\(amount / scale)." + String(decoding: digits, as: UTF8.self)
    }
}
