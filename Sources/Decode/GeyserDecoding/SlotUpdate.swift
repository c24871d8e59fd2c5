package import MarketModel

/// `SubscribeUpdateSlot`: a slot has become something.
package struct SlotUpdate: Hashable, Sendable {
    package private(set) var slot: Slot = 0
    /// Nil when the server does not tell it.
    package private(set) var parent: Slot?
    /// As on the wire; a newer server may send a status that `status` does not know.
    package private(set) var statusNumber: Int32 = 0
    /// Why the slot is dead: a text, nil when absent.
    package private(set) var deadError: Range<Int>?

    /// What has become of the slot; nil for a status that this version does not know.
    package var status: SlotStatus? { SlotStatus(rawValue: statusNumber) }

    /// - Parameters:
    ///   - bytes: the update.
    ///   - body: the message's payload within `bytes`.
    /// - Throws: It cannot be read.
    package init(_ bytes: RawSpan, _ body: Range<Int>) throws(ProtobufError) {
        var offset = body.lowerBound
        while let field = try ProtobufReader.next(bytes, at: &offset, end: body.upperBound) {
            switch field.number {
            case 1: slot = Slot(try field.varint())
            case 2: parent = Slot(try field.varint())
            case 3: statusNumber = try field.int32()
            case 4: deadError = try field.delimited()
            default: break
            }
        }
    }
}
