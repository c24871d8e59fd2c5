package import MarketModel

/// `SubscribeUpdateEntry`: some transactions of a slot that were executed together.
package struct EntryUpdate: Hashable, Sendable {
    package private(set) var slot: Slot = 0
    /// Place in the slot.
    package private(set) var index: UInt64 = 0
    package private(set) var executedTransactionCount: UInt64 = 0
    /// Place of its first transaction in the block.
    package private(set) var startingTransactionIndex: UInt64 = 0

    /// - Parameters:
    ///   - bytes: the update.
    ///   - body: the message's payload within `bytes`.
    /// - Throws: It cannot be read.
    package init(_ bytes: RawSpan, _ body: Range<Int>) throws(ProtobufError) {
        var offset = body.lowerBound
        while let field = try ProtobufReader.next(bytes, at: &offset, end: body.upperBound) {
            switch field.number {
            case 1: slot = Slot(try field.varint())
            case 2: index = try field.varint()
            case 5: executedTransactionCount = try field.varint()
            case 6: startingTransactionIndex = try field.varint()
            default: break
            }
        }
    }
}
