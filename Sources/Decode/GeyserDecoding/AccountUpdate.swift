package import MarketModel

/// `SubscribeUpdateAccount`: the state of an account after a write.
package struct AccountUpdate: Hashable, Sendable {
    package private(set) var slot: Slot = 0
    /// Whether it was sent because the server started and not because of a write.
    package private(set) var isStartup = false
    /// The account itself; nil when absent.
    package private(set) var contents: AccountContents?

    /// - Parameters:
    ///   - bytes: the update.
    ///   - body: the message's payload within `bytes`.
    /// - Throws: It cannot be read.
    package init(_ bytes: RawSpan, _ body: Range<Int>) throws(ProtobufError) {
        var info: Range<Int>?
        var offset = body.lowerBound
        while let field = try ProtobufReader.next(bytes, at: &offset, end: body.upperBound) {
            switch field.number {
            case 1: info = try field.single(after: info)
            case 2: slot = Slot(try field.varint())
            case 3: isStartup = try field.bool()
            default: break
            }
        }
        if let info { contents = try AccountContents(bytes, info) }
    }
}

/// `SubscribeUpdateAccountInfo`, as updates and blocks carry it.
package struct AccountContents: Hashable, Sendable {
    /// Nil unless there are 32 bytes.
    package private(set) var address: Address?
    /// The program that owns it; nil unless there are 32 bytes.
    package private(set) var owner: Address?
    package private(set) var lamports: UInt64 = 0
    /// Empty when absent; a part of the data when the stream was asked for slices.
    package private(set) var data: Range<Int>
    /// Orders the writes of one validator only.
    package private(set) var writeVersion: UInt64 = 0
    /// The transaction that wrote it: 64 bytes when well formed, nil for writes without one.
    package private(set) var signature: Range<Int>?

    /// - Parameters:
    ///   - bytes: the update.
    ///   - info: the message's payload within `bytes`.
    /// - Throws: It cannot be read.
    package init(_ bytes: RawSpan, _ info: Range<Int>) throws(ProtobufError) {
        data = info.lowerBound..<info.lowerBound
        var offset = info.lowerBound
        while let field = try ProtobufReader.next(bytes, at: &offset, end: info.upperBound) {
            switch field.number {
            case 1: address = AccountContents.address(bytes, try field.delimited())
            case 2: lamports = try field.varint()
            case 3: owner = AccountContents.address(bytes, try field.delimited())
            case 6: data = try field.delimited()
            case 7: writeVersion = try field.varint()
            case 8: signature = try field.delimited()
            default: break
            }
        }
    }

    private static func address(_ bytes: RawSpan, _ range: Range<Int>) -> Address? {
        range.count == 32 ? Address(bytes, at: range.lowerBound) : nil
    }
}
