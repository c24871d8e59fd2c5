package import MarketModel

/// `SubscribeUpdateTransaction`: where a transaction stands, to be read by
/// `SolanaTransactionReader`.
package struct TransactionUpdate: Hashable, Sendable {
    package private(set) var slot: Slot = 0
    /// The payload of its `SubscribeUpdateTransactionInfo`; nil when absent.
    package private(set) var info: Range<Int>?

    /// - Parameters:
    ///   - bytes: the update.
    ///   - body: the message's payload within `bytes`.
    /// - Throws: It cannot be read.
    package init(_ bytes: RawSpan, _ body: Range<Int>) throws(ProtobufError) {
        var offset = body.lowerBound
        while let field = try ProtobufReader.next(bytes, at: &offset, end: body.upperBound) {
            switch field.number {
            case 1: info = try field.single(after: info)
            case 2: slot = Slot(try field.varint())
            default: break
            }
        }
    }
}

/// `SubscribeUpdateTransactionStatus`: how a transaction ended, without its contents.
package struct TransactionStatusUpdate: Hashable, Sendable {
    package private(set) var slot: Slot = 0
    /// Nil unless there are 64 bytes.
    package private(set) var signature: Signature?
    package private(set) var isVote = false
    /// Place in the block, votes included.
    package private(set) var index: UInt64 = 0
    /// Whether it was rolled back.
    package private(set) var isFailed = false

    /// - Parameters:
    ///   - bytes: the update.
    ///   - body: the message's payload within `bytes`.
    /// - Throws: It cannot be read.
    package init(_ bytes: RawSpan, _ body: Range<Int>) throws(ProtobufError) {
        var error: Range<Int>?
        var offset = body.lowerBound
        while let field = try ProtobufReader.next(bytes, at: &offset, end: body.upperBound) {
            switch field.number {
            case 1: slot = Slot(try field.varint())
            case 2: signature = Signature(bytes, exactly: try field.delimited())
            case 3: isVote = try field.bool()
            case 4: index = try field.varint()
            case 5: error = try field.single(after: error)
            default: break
            }
        }
        isFailed = error != nil
    }
}

extension Signature {
    /// The signature that fills `range` exactly; nil for any other length.
    init?(_ bytes: RawSpan, exactly range: Range<Int>) {
        guard range.count == 64 else { return nil }
        self.init(bytes, at: range.lowerBound)
    }
}
