package import MarketModel

/// What one SubscribeUpdate is about, read from its bytes without allocation. Ranges count from the
/// start of those bytes. Absent plain fields have their proto3 default, so that a slot status of
/// PROCESSED, which is not written on the wire, is 0 here.
package struct UpdateSummary: Sendable {
    package private(set) var kind = UpdateKind.unknown
    /// Nil for ping, pong and unknown updates.
    package private(set) var slot: Slot?
    /// From the first `filters` field to the end of the last, tags included; empty when there are
    /// none. Servers write them together, at the front.
    package private(set) var filters = 0..<0
    package private(set) var filterCount = 0
    /// The oneof's payload; empty when there is none.
    package private(set) var body = 0..<0
    /// When the upstream plugin got it: seconds and nanoseconds since 1970; nil when absent.
    package private(set) var createdSeconds: Int64?
    package private(set) var createdNanos: Int32 = 0
    /// Transaction and status: 64 bytes when well formed.
    package private(set) var signature: Range<Int>?
    /// Account: 32 bytes when well formed.
    package private(set) var publicKey: Range<Int>?
    /// Account: the payload of the account info, empty when absent.
    package private(set) var accountInfo = 0..<0
    /// Account: the data, empty when absent.
    package private(set) var accountData = 0..<0
    /// Account: orders the writes of one validator only.
    package private(set) var writeVersion: UInt64 = 0
    /// Account: the transaction that wrote it; nil for writes without one.
    package private(set) var transactionSignature: Range<Int>?
    /// Block and block meta: Base58 text; empty when absent.
    package private(set) var blockhash = 0..<0
    /// Entry, transaction and status: place in the block.
    package private(set) var index: UInt64 = 0
    /// Slot: `SlotStatus` as on the wire.
    package private(set) var status: Int32 = 0
    /// Slot, block and block meta: the parent; a slot update may lack it.
    package private(set) var parent: Slot?
    /// Pong: the id of the ping.
    package private(set) var pongID: Int32 = 0

    /// Reads the whole top level and the key parts below it.
    package init(of bytes: RawSpan) throws(ProtobufError) {
        var offset = 0
        while let field = try ProtobufReader.next(bytes, at: &offset, end: bytes.byteCount) {
            switch field.number {
            case 1:
                _ = try field.delimited()
                let start = filterCount == 0 ? field.start : filters.lowerBound
                filters = start..<field.payload.upperBound
                filterCount &+= 1
            case 11:
                try readCreated(bytes, try field.delimited())
            default:
                guard let kind = UpdateKind(field: field.number) else { continue }
                guard self.kind == .unknown else {
                    throw .repeatedMessage(field: field.number, offset: field.start)
                }
                self.kind = kind
                body = try field.delimited()
                try readBody(bytes)
            }
        }
    }

    /// The slot of an update, skipping everything else by length: cheap enough for every message at
    /// write time. Nil when it has none, or is not a well-formed update up to there. Should a
    /// message carry its slot twice, the first one counts.
    package static func slot(of bytes: RawSpan) -> Slot? {
        do throws(ProtobufError) {
            var offset = 0
            while let field = try ProtobufReader.next(bytes, at: &offset, end: bytes.byteCount) {
                guard let kind = UpdateKind(field: field.number) else { continue }
                guard let number = slotField(of: kind), field.wireType == .lengthDelimited else {
                    return nil
                }
                var inner = field.payload.lowerBound
                let end = field.payload.upperBound
                while let part = try ProtobufReader.next(bytes, at: &inner, end: end) {
                    if part.number == number { return Slot(try part.varint()) }
                }
                return 0
            }
            return nil
        } catch {
            return nil
        }
    }

    @inline(__always)
    private static func slotField(of kind: UpdateKind) -> UInt32? {
        switch kind {
        case .account, .transaction: 2
        case .slot, .transactionStatus, .block, .blockMeta, .entry: 1
        case .ping, .pong, .unknown: nil
        }
    }

    private mutating func readCreated(
        _ bytes: RawSpan,
        _ range: Range<Int>
    ) throws(ProtobufError) {
        createdSeconds = 0
        createdNanos = 0
        var offset = range.lowerBound
        while let field = try ProtobufReader.next(bytes, at: &offset, end: range.upperBound) {
            switch field.number {
            case 1: createdSeconds = Int64(bitPattern: try field.varint())
            case 2: createdNanos = try field.int32()
            default: break
            }
        }
    }

    private mutating func readBody(_ bytes: RawSpan) throws(ProtobufError) {
        let slotField = UpdateSummary.slotField(of: kind)
        if slotField != nil { slot = 0 }
        var offset = body.lowerBound
        while let field = try ProtobufReader.next(bytes, at: &offset, end: body.upperBound) {
            if field.number == slotField {
                slot = Slot(try field.varint())
                continue
            }
            switch (kind, field.number) {
            case (.account, 1): try readAccount(bytes, field)
            case (.transaction, 1): try readTransaction(bytes, field)
            case (.transactionStatus, 2): signature = try field.delimited()
            case (.transactionStatus, 4): index = try field.varint()
            case (.slot, 2): parent = Slot(try field.varint())
            case (.slot, 3): status = try field.int32()
            case (.block, 2), (.blockMeta, 2): blockhash = try field.delimited()
            case (.block, 7), (.blockMeta, 6): parent = Slot(try field.varint())
            case (.entry, 2): index = try field.varint()
            case (.pong, 1): pongID = try field.int32()
            default: break
            }
        }
        if kind == .block || kind == .blockMeta, parent == nil { parent = 0 }
    }

    private mutating func readAccount(
        _ bytes: RawSpan,
        _ account: ProtobufField
    ) throws(ProtobufError) {
        guard publicKey == nil else {
            throw .repeatedMessage(field: account.number, offset: account.start)
        }
        let range = try account.delimited()
        accountInfo = range
        publicKey = range.lowerBound..<range.lowerBound
        var offset = range.lowerBound
        while let field = try ProtobufReader.next(bytes, at: &offset, end: range.upperBound) {
            switch field.number {
            case 1: publicKey = try field.delimited()
            case 6: accountData = try field.delimited()
            case 7: writeVersion = try field.varint()
            case 8: transactionSignature = try field.delimited()
            default: break
            }
        }
    }

    private mutating func readTransaction(
        _ bytes: RawSpan,
        _ transaction: ProtobufField
    ) throws(ProtobufError) {
        guard signature == nil else {
            throw .repeatedMessage(field: transaction.number, offset: transaction.start)
        }
        let range = try transaction.delimited()
        signature = range.lowerBound..<range.lowerBound
        var offset = range.lowerBound
        while let field = try ProtobufReader.next(bytes, at: &offset, end: range.upperBound) {
            switch field.number {
            case 1: signature = try field.delimited()
            case 5: index = try field.varint()
            default: break
            }
        }
    }
}
