import MarketModel

/// The parts of a `SubscribeUpdateTransactionInfo` that filters ask about. One view is filled again
/// and again, so that matching allocates nothing once its lists have grown.
struct TransactionView {
    /// Ranges count from the start of the bytes that the view was read from.
    private(set) var signature = 0..<0
    private(set) var isVote = false
    private(set) var index: UInt64 = 0
    /// The error's payload; nil when the transaction succeeded.
    private(set) var error: Range<Int>?
    /// The first of the transaction's own signatures; nil when there is none of 64 bytes.
    private(set) var firstSignature: Signature?
    /// Static keys, then loaded writable and readonly ones; keys of another length are left out.
    private(set) var keys: [PublicKey] = []
    private var meta: Range<Int>?
    private var ownersOfAll: [PublicKey]?
    private var ownersOfChanged: [PublicKey]?

    mutating func read(_ bytes: RawSpan, _ info: Range<Int>) throws(ProtobufError) {
        signature = 0..<0
        isVote = false
        index = 0
        error = nil
        firstSignature = nil
        keys.removeAll(keepingCapacity: true)
        meta = nil
        ownersOfAll = nil
        ownersOfChanged = nil
        var transaction: Range<Int>?
        var offset = info.lowerBound
        while let field = try ProtobufReader.next(bytes, at: &offset, end: info.upperBound) {
            switch field.number {
            case 1: signature = try field.delimited()
            case 2: isVote = try field.bool()
            case 3: transaction = try field.single(after: transaction)
            case 4: meta = try field.single(after: meta)
            case 5: index = try field.varint()
            default: break
            }
        }
        if let transaction { try readTransaction(bytes, transaction) }
        if let meta { try readMeta(bytes, meta) }
    }

    private mutating func readTransaction(
        _ bytes: RawSpan,
        _ range: Range<Int>
    ) throws(ProtobufError) {
        var message: Range<Int>?
        var isFirst = true
        var offset = range.lowerBound
        while let field = try ProtobufReader.next(bytes, at: &offset, end: range.upperBound) {
            switch field.number {
            case 1:
                let payload = try field.delimited()
                if isFirst, payload.count == 64 {
                    firstSignature = Signature(bytes, at: payload.lowerBound)
                }
                isFirst = false
            case 2: message = try field.single(after: message)
            default: break
            }
        }
        guard let message else { return }
        offset = message.lowerBound
        while let field = try ProtobufReader.next(bytes, at: &offset, end: message.upperBound) {
            if field.number == 2 { append(bytes, try field.delimited()) }
        }
    }

    private mutating func readMeta(
        _ bytes: RawSpan,
        _ range: Range<Int>
    ) throws(ProtobufError) {
        var offset = range.lowerBound
        while let field = try ProtobufReader.next(bytes, at: &offset, end: range.upperBound) {
            switch field.number {
            case 1: error = try field.single(after: error)
            case 12, 13: append(bytes, try field.delimited())
            default: break
            }
        }
    }

    private mutating func append(_ bytes: RawSpan, _ range: Range<Int>) {
        if let key = PublicKey(bytes, exactly: range) { keys.append(key) }
    }

    /// Owners of the token balances that `expansion` names, read once a transaction.
    mutating func owners(
        _ expansion: TokenAccountExpansion,
        _ bytes: RawSpan
    ) throws(ProtobufError) -> [PublicKey] {
        switch expansion {
        case .all:
            if let ownersOfAll { return ownersOfAll }
            let balances = try TokenBalances(bytes, meta)
            let owners = balances.before.map(\.owner) + balances.after.map(\.owner)
            ownersOfAll = owners
            return owners
        case .balanceChanged:
            if let ownersOfChanged { return ownersOfChanged }
            let owners = try TokenBalances(bytes, meta).changedOwners(bytes)
            ownersOfChanged = owners
            return owners
        }
    }
}

extension ProtobufField {
    /// The payload of a message field that may stand only once.
    func single(after previous: Range<Int>?) throws(ProtobufError) -> Range<Int> {
        guard previous == nil else { throw .repeatedMessage(field: number, offset: start) }
        return try delimited()
    }
}
