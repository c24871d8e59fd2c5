import RecordModel

/// Real transactions in the blocks that they stood in, taken from updates of a Geyser stream.
package struct RealBlocks: Sendable {
    struct Transaction {
        /// `SubscribeUpdateTransactionInfo` as it was.
        var info: [UInt8]
        var signature: [UInt8]
        var isVote: Bool
    }

    struct Block {
        var slot: UInt64
        /// Seconds since 1970; nil when no update tells it.
        var time: Int64?
        var transactions: [Transaction] = []
    }

    private(set) var blocks: [Block] = []
    /// Times by slot that came before the transactions or after them.
    private var times: [UInt64: Int64] = [:]
    /// Updates that hold no transactions; nothing of them is used but block times.
    package private(set) var othersCount: UInt64 = 0

    package init() {}

    /// How many blocks there are: transactions of one slot that follow each other are one.
    package var count: Int { blocks.count }

    /// Adds what one `SubscribeUpdate` holds.
    ///
    /// - Parameter update: the message.
    /// - Returns: false when it is not protobuf, or holds a transaction without a signature.
    package mutating func add(_ update: [UInt8]) -> Bool {
        guard let fields = ProtobufFields.all(in: update) else { return false }
        var isOther = true
        for field in fields {
            switch field.number {
            case 4:
                isOther = false
                guard add(transaction: field.payload(in: update)) else { return false }
            case 5:
                isOther = false
                guard add(block: field.payload(in: update)) else { return false }
            case 7:
                guard note(meta: field.payload(in: update)) else { return false }
            default: break
            }
        }
        if isOther { othersCount += 1 }
        return true
    }

    /// The block time of a block of the list.
    func time(of block: Block) -> Int64? { block.time ?? times[block.slot] }

    private mutating func add(transaction body: [UInt8]) -> Bool {
        guard let fields = ProtobufFields.all(in: body),
            let info = fields.last(where: { $0.number == 1 }).map({ $0.payload(in: body) })
        else { return false }
        // A slot of zero is left out on the wire.
        let slot = fields.last { $0.number == 2 }?.value ?? 0
        return add(info: info, slot: slot)
    }

    private mutating func add(block body: [UInt8]) -> Bool {
        guard let fields = ProtobufFields.all(in: body), note(meta: body) else { return false }
        let slot = fields.last { $0.number == 1 }?.value ?? 0  // likewise
        for field in fields where field.number == 6 {
            guard add(info: field.payload(in: body), slot: slot) else { return false }
        }
        return true
    }

    private mutating func add(info: [UInt8], slot: UInt64) -> Bool {
        guard let fields = ProtobufFields.all(in: info),
            let signature = fields.last(where: { $0.number == 1 })?.payload(in: info),
            signature.count == 64
        else { return false }
        if blocks.last?.slot != slot { blocks.append(Block(slot: slot)) }
        blocks[blocks.count - 1].transactions.append(
            Transaction(
                info: info,
                signature: signature,
                isVote: fields.last { $0.number == 2 }?.value == 1
            )
        )
        return true
    }

    /// The time that a block or its header tells: both have it in the same fields, but for its number.
    private mutating func note(meta body: [UInt8]) -> Bool {
        guard let fields = ProtobufFields.all(in: body) else { return false }
        guard let slot = fields.last(where: { $0.number == 1 })?.value,
            let time = fields.last(where: { $0.number == 4 })?.payload(in: body),
            let inner = ProtobufFields.all(in: time)
        else { return true }
        if let seconds = inner.last(where: { $0.number == 1 })?.value {
            times[slot] = Int64(bitPattern: seconds)
        }
        return true
    }
}

/// The fields of a protobuf message, found in its bytes.
struct ProtobufFields {
    var number: UInt64
    /// With key and length.
    var whole: Range<Int>
    /// Of a field with a length.
    var inner: Range<Int>?
    /// Of a varint.
    var value: UInt64?

    /// Nothing for a field without a length.
    func payload(in bytes: [UInt8]) -> [UInt8] {
        guard let inner else { return [] }
        return Array(bytes[inner])
    }

    /// All fields in order; nil when the bytes are no message.
    static func all(in bytes: [UInt8]) -> [ProtobufFields]? {
        var fields: [ProtobufFields] = []
        var offset = 0
        while offset < bytes.count {
            let start = offset
            guard let key = varint(bytes, &offset), key >> 3 > 0 else { return nil }
            var field = ProtobufFields(number: key >> 3, whole: start..<start)
            switch key & 7 {
            case 0:
                guard let value = varint(bytes, &offset) else { return nil }
                field.value = value
            case 1, 5:
                let count = key & 7 == 1 ? 8 : 4
                guard bytes.count - offset >= count else { return nil }
                offset += count
            case 2:
                guard let count = varint(bytes, &offset), count <= UInt64(bytes.count - offset)
                else { return nil }
                field.inner = offset..<offset + Int(count)
                offset += Int(count)
            default: return nil
            }
            field.whole = start..<offset
            fields.append(field)
        }
        return fields
    }

    private static func varint(_ bytes: [UInt8], _ offset: inout Int) -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 70, by: 7) {
            guard offset < bytes.count else { return nil }
            let byte = bytes[offset]
            offset += 1
            if shift < 64 { value |= UInt64(byte & 0x7F) << shift }
            if byte < 0x80 { return value }
        }
        return nil
    }
}
