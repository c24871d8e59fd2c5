package import MarketModel
import RecordModel

/// What a block says about itself: all of `SubscribeUpdateBlockMeta`, and the head of
/// `SubscribeUpdateBlock`.
package struct BlockHeader: Hashable, Sendable {
    package private(set) var slot: Slot = 0
    /// Nil unless the text is Base58 of 32 bytes. Without it the header proves nothing.
    package private(set) var blockhash: Blockhash?
    package private(set) var parent: Slot = 0
    /// Nil unless the text is Base58 of 32 bytes.
    package private(set) var parentBlockhash: Blockhash?
    /// Seconds since 1970; nil when absent.
    package private(set) var time: Int64?
    package private(set) var height: UInt64?
    /// Votes and failed ones included.
    package private(set) var executedTransactionCount: UInt64 = 0
    package private(set) var entriesCount: UInt64 = 0

    /// What the two messages have under different numbers.
    private struct Numbers {
        var parent: UInt32
        var parentBlockhash: UInt32
        var executed: UInt32
        var entries: UInt32

        static let meta = Numbers(parent: 6, parentBlockhash: 7, executed: 8, entries: 9)
        static let block = Numbers(parent: 7, parentBlockhash: 8, executed: 9, entries: 12)
    }

    /// - Parameters:
    ///   - bytes: the update.
    ///   - meta: the payload of a `SubscribeUpdateBlockMeta` within `bytes`.
    /// - Throws: It cannot be read.
    package init(_ bytes: RawSpan, meta: Range<Int>) throws(ProtobufError) {
        try self.init(bytes, meta, .meta)
    }

    /// - Parameters:
    ///   - bytes: the update.
    ///   - block: the payload of a `SubscribeUpdateBlock` within `bytes`.
    /// - Throws: It cannot be read.
    package init(_ bytes: RawSpan, block: Range<Int>) throws(ProtobufError) {
        try self.init(bytes, block, .block)
    }

    private init(
        _ bytes: RawSpan,
        _ body: Range<Int>,
        _ numbers: Numbers
    ) throws(ProtobufError) {
        var timeMessage: Range<Int>?
        var heightMessage: Range<Int>?
        var hashText = 0..<0
        var parentHashText = 0..<0
        var offset = body.lowerBound
        while let field = try ProtobufReader.next(bytes, at: &offset, end: body.upperBound) {
            switch field.number {
            case 1: slot = Slot(try field.varint())
            case 2: hashText = try field.delimited()
            case 4: timeMessage = try field.single(after: timeMessage)
            case 5: heightMessage = try field.single(after: heightMessage)
            case numbers.parent: parent = Slot(try field.varint())
            case numbers.parentBlockhash: parentHashText = try field.delimited()
            case numbers.executed: executedTransactionCount = try field.varint()
            case numbers.entries: entriesCount = try field.varint()
            default: break
            }
        }
        blockhash = BlockHeader.blockhash(bytes, hashText)
        parentBlockhash = BlockHeader.blockhash(bytes, parentHashText)
        if let timeMessage {
            time = Int64(bitPattern: try BlockHeader.number(bytes, timeMessage))
        }
        if let heightMessage { height = try BlockHeader.number(bytes, heightMessage) }
    }

    /// The one field of `UnixTimestamp` and of `BlockHeight`.
    private static func number(
        _ bytes: RawSpan,
        _ range: Range<Int>
    ) throws(ProtobufError) -> UInt64 {
        var number: UInt64 = 0
        var offset = range.lowerBound
        while let field = try ProtobufReader.next(bytes, at: &offset, end: range.upperBound) {
            if field.number == 1 { number = try field.varint() }
        }
        return number
    }

    private static func blockhash(_ bytes: RawSpan, _ text: Range<Int>) -> Blockhash? {
        guard text.count <= Blockhash.charactersMax else { return nil }
        do throws(Base58Error) {
            return try Blockhash(base58: bytes.copyBytes(text))
        } catch {
            return nil  // not a hash: as good as absent
        }
    }
}

/// `SubscribeUpdateBlock`: a whole block in one message, or the parts that a filter asked for.
package struct BlockUpdate: Hashable, Sendable {
    package let header: BlockHeader
    /// The payload, for `parts`.
    private let body: Range<Int>

    /// Reads the head; the parts are not looked into.
    ///
    /// - Parameters:
    ///   - bytes: the update.
    ///   - body: the message's payload within `bytes`.
    /// - Throws: It cannot be read.
    package init(_ bytes: RawSpan, _ body: Range<Int>) throws(ProtobufError) {
        header = try BlockHeader(bytes, block: body)
        self.body = body
    }

    /// Its transactions, accounts and entries from the first on, in the order of the wire, which
    /// need not be that of the block.
    package var parts: BlockParts { BlockParts(body) }
}

/// Walks over the parts of a block, without a list of them.
package struct BlockParts: Hashable, Sendable {
    /// One part, as the range of its payload.
    package enum Part: Hashable, Sendable {
        /// A `SubscribeUpdateTransactionInfo`, for `SolanaTransactionReader`.
        case transaction(Range<Int>)
        /// A `SubscribeUpdateAccountInfo`, for `AccountContents`.
        case account(Range<Int>)
        /// A `SubscribeUpdateEntry`, for `EntryUpdate`.
        case entry(Range<Int>)
    }

    private var offset: Int
    private let end: Int

    init(_ body: Range<Int>) {
        offset = body.lowerBound
        end = body.upperBound
    }

    /// The next part; nil after the last.
    ///
    /// - Parameter bytes: the update that the block was read from.
    /// - Returns: Where the part's payload stands.
    /// - Throws: The block is not well formed.
    package mutating func next(_ bytes: RawSpan) throws(ProtobufError) -> Part? {
        while let field = try ProtobufReader.next(bytes, at: &offset, end: end) {
            switch field.number {
            case 6: return .transaction(try field.delimited())
            case 11: return .account(try field.delimited())
            case 13: return .entry(try field.delimited())
            default: continue
            }
        }
        return nil
    }
}
