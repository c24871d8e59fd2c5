package import MarketModel

/// Reads the transactions of updates and blocks one after the other into one value. Nothing is
/// allocated once its lists have grown; lists that stand for too much are refused (`UpdateLimits`).
///
/// In two steps, because most transactions concern nobody: `readHead` tells what it is and whom it
/// names, `readBody` what it did.
package struct SolanaTransactionReader: Sendable {
    /// What was read last. After an error it holds a part and is of no use.
    package private(set) var transaction = SolanaTransaction()
    // Payloads of the transaction begun last; nil when absent, or when its body has been read.
    private var signed: Range<Int>?
    private var message: Range<Int>?
    private var meta: Range<Int>?

    // Scratch, kept so that it is allocated once.
    private var readonlyKeys: [Address] = []
    private var calls = CallMerger()

    package init() {}

    /// Begins a transaction: signature, index and whether it is a vote; of anything but a vote also
    /// whether it failed, and all keys. The other lists are empty afterwards.
    ///
    /// - Parameters:
    ///   - bytes: The update.
    ///   - info: The payload of its `SubscribeUpdateTransactionInfo`, within `bytes`.
    /// - Throws: What was looked at cannot be read; the rest of the bytes may still be anything.
    package mutating func readHead(
        _ bytes: RawSpan,
        _ info: Range<Int>
    ) throws(ProtobufError) {
        transaction.removeAll()
        signed = nil
        message = nil
        meta = nil
        var offset = info.lowerBound
        while let field = try ProtobufReader.next(bytes, at: &offset, end: info.upperBound) {
            switch field.number {
            case 1: transaction.signature = try field.delimited()
            case 2: transaction.isVote = try field.bool()
            case 3: signed = try field.single(after: signed)
            case 4: meta = try field.single(after: meta)
            case 5: transaction.index = try field.varint()
            default: break
            }
        }
        if !transaction.isVote { try readKeys(bytes) }
    }

    /// Whether one of the addresses is among the keys; false for votes.
    package func mentions(_ addresses: WatchedAddresses) -> Bool {
        for key in transaction.keys where addresses.contains(key) { return true }
        return false
    }

    /// Reads the rest of the transaction begun last, once: fee, instructions, logs and balances; of
    /// a vote all that the head left out.
    ///
    /// - Parameter bytes: Those that the head was read from.
    /// - Throws: They cannot be read, or a list is too long.
    package mutating func readBody(_ bytes: RawSpan) throws(ProtobufError) {
        if transaction.isVote { try readKeys(bytes) }
        calls.removeAll()
        if let message {
            var offset = message.lowerBound
            while let field = try ProtobufReader.next(bytes, at: &offset, end: message.upperBound) {
                if field.number == 4 { try calls.addInstruction(bytes, field) }
            }
        }
        if let meta { try readMeta(bytes, meta) }
        calls.merge(into: &transaction.instructions)
        signed = nil
        message = nil
        meta = nil
    }

    /// Reads a transaction from end to end.
    ///
    /// - Parameters:
    ///   - bytes: The update.
    ///   - info: The payload of its `SubscribeUpdateTransactionInfo`, within `bytes`.
    /// - Throws: It cannot be read, or a list is too long.
    package mutating func readAll(
        _ bytes: RawSpan,
        _ info: Range<Int>
    ) throws(ProtobufError) {
        try readHead(bytes, info)
        try readBody(bytes)
    }

    // MARK: Head

    private mutating func readKeys(_ bytes: RawSpan) throws(ProtobufError) {
        if let signed {
            var offset = signed.lowerBound
            while let field = try ProtobufReader.next(bytes, at: &offset, end: signed.upperBound) {
                if field.number == 2 { message = try field.single(after: message) }
            }
        }
        if let message { try readStaticKeys(bytes, message) }
        if let meta { try readResult(bytes, meta) }
    }

    private mutating func readStaticKeys(
        _ bytes: RawSpan,
        _ message: Range<Int>
    ) throws(ProtobufError) {
        var offset = message.lowerBound
        while let field = try ProtobufReader.next(bytes, at: &offset, end: message.upperBound) {
            guard field.number == 2 else { continue }
            guard transaction.keys.count < UpdateLimits.keysMax else { throw field.tooMany }
            transaction.keys.append(SolanaTransactionReader.key(bytes, try field.delimited()))
        }
    }

    /// Whether it failed, and the loaded keys: writable ones before readonly ones, however they
    /// stand on the wire.
    private mutating func readResult(
        _ bytes: RawSpan,
        _ meta: Range<Int>
    ) throws(ProtobufError) {
        readonlyKeys.removeAll(keepingCapacity: true)
        var error: Range<Int>?
        var offset = meta.lowerBound
        while let field = try ProtobufReader.next(bytes, at: &offset, end: meta.upperBound) {
            switch field.number {
            case 1: error = try field.single(after: error)
            case 12, 13:
                guard transaction.keys.count + readonlyKeys.count < UpdateLimits.keysMax else {
                    throw field.tooMany
                }
                let key = SolanaTransactionReader.key(bytes, try field.delimited())
                if field.number == 12 {
                    transaction.keys.append(key)
                } else {
                    readonlyKeys.append(key)
                }
            default: break
            }
        }
        transaction.isFailed = error != nil
        transaction.keys.append(contentsOf: readonlyKeys)
    }

    @inline(__always)
    private static func key(_ bytes: RawSpan, _ range: Range<Int>) -> Address {
        guard range.count == 32, let key = Address(bytes, at: range.lowerBound) else {
            return .zero  // keeps the place, so that the indices of the others stay right
        }
        return key
    }

    // MARK: Body

    private mutating func readMeta(
        _ bytes: RawSpan,
        _ meta: Range<Int>
    ) throws(ProtobufError) {
        var offset = meta.lowerBound
        while let field = try ProtobufReader.next(bytes, at: &offset, end: meta.upperBound) {
            switch field.number {
            case 2: transaction.fee = try field.varint()
            case 3:
                try SolanaTransactionReader.readLamports(bytes, field, &transaction.lamportsBefore)
            case 4:
                try SolanaTransactionReader.readLamports(bytes, field, &transaction.lamportsAfter)
            case 5: try calls.addGroup(bytes, field)
            case 6:
                guard transaction.logs.count < UpdateLimits.logsMax else { throw field.tooMany }
                transaction.logs.append(try field.delimited())
            case 7:
                try SolanaTransactionReader.readTokens(bytes, field, &transaction.tokensBefore)
            case 8:
                try SolanaTransactionReader.readTokens(bytes, field, &transaction.tokensAfter)
            case 16: transaction.computeUnits = try field.varint()
            default: break
            }
        }
    }

    /// A repeated number, packed or not: both forms may stand for one field, in any mixture.
    private static func readLamports(
        _ bytes: RawSpan,
        _ field: ProtobufField,
        _ lamports: inout [UInt64]
    ) throws(ProtobufError) {
        if field.wireType == .varint {
            guard lamports.count < UpdateLimits.balancesMax else { throw field.tooMany }
            lamports.append(field.value)
            return
        }
        let packed = try field.delimited()
        var offset = packed.lowerBound
        while offset < packed.upperBound {
            guard lamports.count < UpdateLimits.balancesMax else { throw field.tooMany }
            lamports.append(try ProtobufReader.varint(bytes, at: &offset, end: packed.upperBound))
        }
    }

    private static func readTokens(
        _ bytes: RawSpan,
        _ balance: ProtobufField,
        _ balances: inout [SolanaTransaction.TokenBalance]
    ) throws(ProtobufError) {
        guard balances.count < UpdateLimits.balancesMax else { throw balance.tooMany }
        let range = try balance.delimited()
        let empty = range.lowerBound..<range.lowerBound
        var account: UInt32 = 0
        var mint = empty
        var owner = empty
        var quantity: Range<Int>?
        var offset = range.lowerBound
        while let field = try ProtobufReader.next(bytes, at: &offset, end: range.upperBound) {
            switch field.number {
            case 1: account = try field.uint32()
            case 2: mint = try field.delimited()
            case 3: quantity = try field.single(after: quantity)
            case 4: owner = try field.delimited()
            default: break
            }
        }
        var amount = empty
        var decimals: UInt32 = 0
        if let quantity {
            offset = quantity.lowerBound
            while let field = try ProtobufReader.next(bytes, at: &offset, end: quantity.upperBound)
            {
                switch field.number {
                case 2: decimals = try field.uint32()
                case 3: amount = try field.delimited()
                default: break
                }
            }
        }
        balances.append(
            SolanaTransaction.TokenBalance(
                account: account,
                mint: mint,
                owner: owner,
                amount: amount,
                decimals: decimals
            )
        )
    }
}

extension ProtobufField {
    /// The refusal of one element more than a list may have.
    var tooMany: ProtobufError { .tooMany(field: number, offset: start) }
}
