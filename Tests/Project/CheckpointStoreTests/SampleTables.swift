import MarketModel
import Projection
import RecordModel

/// A row with a column of every type.
struct Sample: TableRow {
    var small: UInt8 = 0
    var short: UInt16 = 0
    var word: UInt32 = 0
    var long: UInt64 = 0
    var huge: UInt128 = 0
    var signedWord: Int32 = 0
    var signedLong: Int64 = 0
    var signedHuge: Int128 = 0
    var flag = false
    var who: Address = .zero
    var transaction: TransactionID
    var text = ""
    var raw: [UInt8] = []
    var maybe: UInt64?
    var maybeWho: Address?

    static let schema = TableSchema(
        "sample",
        "One row with a column of every type.",
        key: [
            Column("owner", .address, "Whose it is."),
            Column("number", .unsigned64, "Which one."),
        ],
        columns: [
            Column("small", .unsigned8, "u8."), Column("short", .unsigned16, "u16."),
            Column("word", .unsigned32, "u32."), Column("long", .unsigned64, "u64."),
            Column("huge", .unsigned128, "u128."),
            Column("signed_word", .signed32, "i32."), Column("signed_long", .signed64, "i64."),
            Column("signed_huge", .signed128, "i128."), Column("flag", .boolean, "Yes or no."),
            Column("who", .address, "Somebody."),
            Column("transaction_id", .signature, "A transaction."),
            Column("text", .text, "Text."), Column("raw", .bytes, "Bytes."),
            Column("maybe", .unsigned64, isOptional: true, "A number or nothing."),
            Column("maybe_who", .address, isOptional: true, "Somebody or nobody."),
        ]
    )

    struct Key: Hashable, Comparable, Sendable {
        var owner: Address
        var number: UInt64

        static func < (left: Key, right: Key) -> Bool {
            left.owner == right.owner ? left.number < right.number : left.owner < right.owner
        }
    }

    static func encode(_ key: Key, to writer: inout RowWriter) {
        writer.add(key.owner)
        writer.add(key.number)
    }

    static func decodeKey(_ reader: inout RowReader) throws(RowError) -> Key {
        Key(owner: try reader.address(), number: try reader.unsigned64())
    }

    func encode(to writer: inout RowWriter) {
        writer.add(small)
        writer.add(short)
        writer.add(word)
        writer.add(long)
        writer.add(huge)
        writer.add(signedWord)
        writer.add(signedLong)
        writer.add(signedHuge)
        writer.add(flag)
        writer.add(who)
        writer.add(transaction)
        writer.add(text)
        writer.add(raw)
        writer.add(optional: maybe) { $0.add($1) }
        writer.add(optional: maybeWho) { $0.add($1) }
    }

    init(from reader: inout RowReader) throws(RowError) {
        small = try reader.unsigned8()
        short = try reader.unsigned16()
        word = try reader.unsigned32()
        long = try reader.unsigned64()
        huge = try reader.unsigned128()
        signedWord = try reader.signed32()
        signedLong = try reader.signed64()
        signedHuge = try reader.signed128()
        flag = try reader.boolean()
        who = try reader.address()
        transaction = try reader.transaction(on: Sample.chain)
        text = try reader.text()
        raw = try reader.byteString()
        maybe = try reader.optional { reader throws(RowError) in try reader.unsigned64() }
        maybeWho = try reader.optional { reader throws(RowError) in try reader.address() }
    }

    init(_ transaction: TransactionID) { self.transaction = transaction }

    /// Whose transactions are read back.
    @TaskLocal static var chain = Chain.solana
}

/// Rows in order, of a window.
struct Recent: TableRow {
    var amount: UInt64

    static let schema = TableSchema(
        "recent",
        "What happened lately.",
        key: [
            Column("position", .unsigned32, "Slot."), Column("place", .signed32, "Place in it."),
            Column("label", .text, "Name."),
        ],
        columns: [Column("amount", .unsigned64, "How much.")],
        isOrdered: true
    )

    struct Key: Hashable, Comparable, Sendable {
        var position: UInt32
        var place: Int32
        var label: String

        static func < (left: Key, right: Key) -> Bool {
            if left.position != right.position { return left.position < right.position }
            if left.place != right.place { return left.place < right.place }
            let lengths = (left.label.utf8.count, right.label.utf8.count)
            if lengths.0 != lengths.1 { return lengths.0 < lengths.1 }
            return left.label.utf8.lexicographicallyPrecedes(right.label.utf8)
        }
    }

    static func encode(_ key: Key, to writer: inout RowWriter) {
        writer.add(key.position)
        writer.add(key.place)
        writer.add(key.label)
    }

    static func decodeKey(_ reader: inout RowReader) throws(RowError) -> Key {
        Key(
            position: try reader.unsigned32(),
            place: try reader.signed32(),
            label: try reader.text()
        )
    }

    func encode(to writer: inout RowWriter) { writer.add(amount) }

    init(from reader: inout RowReader) throws(RowError) { amount = try reader.unsigned64() }

    init(amount: UInt64) { self.amount = amount }
}

/// The same sequence of numbers for the same seed.
struct Dice {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }

    mutating func next(below bound: UInt64) -> UInt64 { next() % bound }

    /// A number of any size, often at the edge of what fits.
    mutating func edge() -> UInt64 {
        switch next(below: 6) {
        case 0: 0
        case 1: UInt64.max
        case 2: UInt64(Int64.max)
        case 3: UInt64(Int64.max) + 1
        case 4: next(below: 1_000)
        default: next()
        }
    }

    mutating func address(on chain: Chain) -> Address {
        let words = (edge(), edge(), edge(), edge())
        switch chain {
        case .solana: return Address(Bytes32(words: words))
        case .evm:
            let isLong = next(below: 8) == 0
            let low = (UInt64(UInt32(truncatingIfNeeded: words.1)), words.2, words.3)
            return Address(Bytes32(words: (isLong ? 9 : 0, low.0, low.1, low.2)))
        }
    }

    mutating func transaction(on chain: Chain) -> TransactionID {
        let bytes = Bytes32(words: (edge(), edge(), edge(), edge()))
        switch chain {
        case .solana:
            return .solana(Signature(bytes, Bytes32(words: (edge(), edge(), edge(), edge()))))
        case .evm:
            guard let hash = Hash256(bytes.bytes) else { preconditionFailure("32 bytes") }
            return .evm(hash)
        }
    }

    mutating func sample(on chain: Chain) -> Sample {
        var row = Sample(transaction(on: chain))
        row.small = UInt8(truncatingIfNeeded: edge())
        row.short = UInt16(truncatingIfNeeded: edge())
        row.word = UInt32(truncatingIfNeeded: edge())
        row.long = edge()
        row.huge = UInt128(edge()) << 64 | UInt128(edge())
        if next(below: 3) == 0 { row.huge = UInt128(edge()) }
        row.signedWord = Int32(truncatingIfNeeded: edge())
        row.signedLong = Int64(truncatingIfNeeded: edge())
        row.signedHuge = Int128(truncatingIfNeeded: UInt128(edge()) << 64 | UInt128(edge()))
        if next(below: 3) == 0 { row.signedHuge = Int128(Int64(truncatingIfNeeded: edge())) - 1 }
        if next(below: 9) == 0 { row.signedHuge = next(below: 2) == 0 ? .min : .max }
        row.flag = next(below: 2) == 0
        row.who = address(on: chain)
        row.text =
            ["", "a", "Zoë's \u{0} \"coin\"", String(repeating: "x", count: 400)][
                Int(next(below: 4))
            ]
        row.raw = (0..<next(below: 5)).map { UInt8(truncatingIfNeeded: $0 &* 90) }
        row.maybe = next(below: 2) == 0 ? nil : edge()
        row.maybeWho = next(below: 2) == 0 ? nil : address(on: chain)
        return row
    }
}

/// Writes rows by the time of a bundle, which is the seed.
final class SampleProjector: Projector {
    static let name = "sample"
    static let version: UInt32 = 1

    let configuration: String
    let chain: Chain
    let samples: Table<Sample>
    let recent: Table<Recent>

    init(_ store: StateStore, configuration: String = "") {
        chain = store.chain
        samples = store.table(Sample.self)
        recent = store.table(Recent.self)
        self.configuration = configuration
    }

    static func key(_ number: UInt64, on chain: Chain) -> Sample.Key {
        var dice = Dice(state: number)
        return Sample.Key(owner: dice.address(on: chain), number: number % 3 == 0 ? .max : number)
    }

    func apply(_ bundle: Bundle, notices: inout [Notice]) {
        guard let seed = bundle.time else { return }
        var dice = Dice(state: UInt64(bitPattern: seed))
        for _ in 0..<dice.next(below: 7) {
            let key = SampleProjector.key(dice.next(below: 30), on: chain)
            switch dice.next(below: 4) {
            case 0: samples.remove(key)
            case 1:
                let amount = dice.edge()
                if samples[key] != nil {
                    samples.update(key, default: dice.sample(on: chain)) { $0.long = amount }
                }
            default: samples.put(key, dice.sample(on: chain))
            }
        }
        for place in 0..<dice.next(below: 3) {
            let label = ["", "a", "a\u{0}b", "b", "aa"][Int(dice.next(below: 5))]
            let key = Recent.Key(
                position: UInt32(bundle.position),
                place: Int32(place) - 1,
                label: label
            )
            recent.put(key, Recent(amount: dice.edge()))
        }
        guard bundle.position > 12 else { return }
        let first = Recent.Key(position: 0, place: .min, label: "")
        let last = Recent.Key(position: UInt32(bundle.position - 12), place: .max, label: "")
        for key in recent.keys(in: first...last) { recent.remove(key) }
    }
}
