package import MarketModel

/// What one SubscribeUpdate says, by kind; for everything that follows from updates. Bytes and texts
/// are ranges that count from the start of the update. Absent plain fields have their proto3
/// default. Where it came from and when is `UpdateSummary`'s.
package enum SolanaUpdate: Hashable, Sendable {
    case account(AccountUpdate)
    case slot(SlotUpdate)
    case transaction(TransactionUpdate)
    case transactionStatus(TransactionStatusUpdate)
    case block(BlockUpdate)
    case blockMeta(BlockHeader)
    case entry(EntryUpdate)
    /// A ping, a pong, or a kind that this version does not know.
    case none

    /// Reads the top level and the kind's own fields; what lies below transactions and accounts of
    /// a block stays unread.
    ///
    /// - Parameter bytes: an uncompressed SubscribeUpdate as on the wire.
    /// - Throws: It is not well formed, or carries two kinds.
    package init(of bytes: RawSpan) throws(ProtobufError) {
        var kind: UpdateKind?
        var body = 0..<0
        var offset = 0
        while let field = try ProtobufReader.next(bytes, at: &offset, end: bytes.byteCount) {
            guard let found = UpdateKind(field: field.number) else { continue }
            guard kind == nil else {
                throw .repeatedMessage(field: field.number, offset: field.start)
            }
            kind = found
            body = try field.delimited()
        }
        switch kind {
        case .account: self = .account(try AccountUpdate(bytes, body))
        case .slot: self = .slot(try SlotUpdate(bytes, body))
        case .transaction: self = .transaction(try TransactionUpdate(bytes, body))
        case .transactionStatus:
            self = .transactionStatus(try TransactionStatusUpdate(bytes, body))
        case .block: self = .block(try BlockUpdate(bytes, body))
        case .blockMeta: self = .blockMeta(try BlockHeader(bytes, meta: body))
        case .entry: self = .entry(try EntryUpdate(bytes, body))
        case .ping, .pong, .unknown, nil: self = .none
        }
    }

    /// The slot that it belongs to.
    package var slot: Slot? {
        switch self {
        case .account(let account): account.slot
        case .slot(let update): update.slot
        case .transaction(let transaction): transaction.slot
        case .transactionStatus(let status): status.slot
        case .block(let block): block.header.slot
        case .blockMeta(let header): header.slot
        case .entry(let entry): entry.slot
        case .none: nil
        }
    }
}
