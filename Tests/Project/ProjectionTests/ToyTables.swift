import MarketModel
import Projection

/// Rows of a table that may leave memory: a balance with an optional remark.
struct ToyAccount: TableRow {
    var balance: UInt128
    var change: Int64
    var remark: String?

    static let schema = TableSchema(
        "toy_account",
        "One account of the toy market.",
        key: [
            Column("owner", .unsigned32, "Whose it is."),
            Column("token", .unsigned8, "Of what."),
        ],
        columns: [
            Column("balance", .unsigned128, "What is there."),
            Column("change", .signed64, "What came last."),
            Column("remark", .text, isOptional: true, "Anything."),
        ]
    )

    struct Key: Hashable, Comparable, Sendable {
        var owner: UInt32
        var token: UInt8

        static func < (left: Key, right: Key) -> Bool {
            (left.owner, left.token) < (right.owner, right.token)
        }
    }

    static func encode(_ key: Key, to writer: inout RowWriter) {
        writer.add(key.owner)
        writer.add(key.token)
    }

    static func decodeKey(_ reader: inout RowReader) throws(RowError) -> Key {
        Key(owner: try reader.unsigned32(), token: try reader.unsigned8())
    }

    func encode(to writer: inout RowWriter) {
        writer.add(balance)
        writer.add(change)
        writer.add(optional: remark) { $0.add($1) }
    }

    init(from reader: inout RowReader) throws(RowError) {
        balance = try reader.unsigned128()
        change = try reader.signed64()
        remark = try reader.optional { reader throws(RowError) in try reader.text() }
    }

    init(balance: UInt128, change: Int64, remark: String?) {
        self.balance = balance
        self.change = change
        self.remark = remark
    }
}

/// Rows of a table that is kept in order: what happened lately.
struct ToyRecent: TableRow {
    var what: [UInt8]

    static let schema = TableSchema(
        "toy_recent",
        "What happened within the window.",
        key: [
            Column("position", .unsigned64, "Slot."),
            Column("ordinal", .unsigned16, "Place in it."),
        ],
        columns: [Column("what", .bytes, "Some bytes.")],
        isOrdered: true
    )

    struct Key: Hashable, Comparable, Sendable {
        var position: UInt64
        var ordinal: UInt16

        static func < (left: Key, right: Key) -> Bool {
            (left.position, left.ordinal) < (right.position, right.ordinal)
        }
    }

    static func encode(_ key: Key, to writer: inout RowWriter) {
        writer.add(key.position)
        writer.add(key.ordinal)
    }

    static func decodeKey(_ reader: inout RowReader) throws(RowError) -> Key {
        Key(position: try reader.unsigned64(), ordinal: try reader.unsigned16())
    }

    func encode(to writer: inout RowWriter) { writer.add(what) }

    init(from reader: inout RowReader) throws(RowError) { what = try reader.byteString() }

    init(what: [UInt8]) { self.what = what }
}

/// The same sequence of numbers for the same seed.
struct ToyRandom {
    var state: UInt64

    mutating func next(below bound: UInt64) -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return (mixed ^ mixed >> 31) % bound
    }
}

/// What a toy projector does to its tables.
enum ToyStep {
    case put(ToyAccount.Key, ToyAccount)
    case add(ToyAccount.Key, Int64)
    case remove(ToyAccount.Key)
    case copy(from: ToyAccount.Key, to: ToyAccount.Key)
    case note(ToyRecent.Key, [UInt8])
    case expire(below: UInt64)
    case sum(ClosedRange<ToyRecent.Key>, into: ToyAccount.Key)

    /// What is done in the bundle of a position and time, which is the seed.
    static func steps(position: UInt64, seed: Int64) -> [ToyStep] {
        var random = ToyRandom(state: UInt64(bitPattern: seed) ^ position &* 0x1234_5678_9abc_def1)
        func key() -> ToyAccount.Key {
            ToyAccount.Key(
                owner: UInt32(random.next(below: 24)),
                token: UInt8(random.next(below: 2))
            )
        }
        var steps: [ToyStep] = []
        for ordinal in 0..<random.next(below: 12) {
            switch random.next(below: 8) {
            case 0:
                let balance = UInt128(random.next(below: .max)) << 64
                steps.append(.put(key(), ToyAccount(balance: balance, change: -1, remark: "put")))
            case 1, 2: steps.append(.add(key(), Int64(random.next(below: 3)) - 1))
            case 3: steps.append(.remove(key()))
            case 4: steps.append(.copy(from: key(), to: key()))
            case 5:
                let what = [UInt8](repeating: 7, count: Int(random.next(below: 5)))
                let place = ToyRecent.Key(position: position, ordinal: UInt16(ordinal))
                steps.append(.note(place, what))
            case 6:
                steps.append(.expire(below: position - min(position, random.next(below: 40))))
            default:
                let low = ToyRecent.Key(position: position - min(position, 5), ordinal: 0)
                let high = ToyRecent.Key(position: position, ordinal: 3)
                steps.append(.sum(low...high, into: key()))
            }
        }
        return steps
    }
}

/// Does toy steps to tables.
final class ToyProjector: Projector {
    static let name = "toy"
    static let version: UInt32 = 3

    let configuration = "window=40"
    let accounts: Table<ToyAccount>
    let recent: Table<ToyRecent>

    init(_ store: StateStore) {
        recent = store.table(ToyRecent.self)
        accounts = store.table(ToyAccount.self)
    }

    func apply(_ bundle: Bundle, notices: inout [Notice]) {
        guard let seed = bundle.time else { return }
        for step in ToyStep.steps(position: bundle.position, seed: seed) {
            switch step {
            case .put(let key, let row): accounts.put(key, row)
            case .add(let key, let amount):
                accounts.update(key, default: ToyAccount(balance: 0, change: 0, remark: nil)) {
                    $0.change = amount
                    $0.balance &+= UInt128(amount.magnitude)
                }
            case .remove(let key): accounts.remove(key)
            case .copy(let source, let target):
                if let row = accounts[source] { accounts.put(target, row) }
            case .note(let key, let what): recent.put(key, ToyRecent(what: what))
            case .expire(let below):
                guard below > 0 else { continue }
                let last = ToyRecent.Key(position: below - 1, ordinal: .max)
                for key in recent.keys(in: ToyRecent.Key(position: 0, ordinal: 0)...last) {
                    recent.remove(key)
                }
            case .sum(let range, let target):
                let keys = recent.keys(in: range)
                guard !keys.isEmpty else { continue }
                let order = keys.map { "\($0.position).\($0.ordinal)" }.joined(separator: " ")
                let row = ToyAccount(balance: UInt128(keys.count), change: 1, remark: order)
                accounts.put(target, row)
            }
        }
    }
}
