import CSQLite
import MarketModel
import Projection

// Columns as SQL shows them, and as digests take them in.
//
//   unsigned8, 16, 32, signed32, signed64, boolean   INTEGER
//   unsigned64     INTEGER up to 2^63 - 1, above TEXT of 20 digits
//   unsigned128    INTEGER up to 2^63 - 1, above TEXT of 39 digits
//   signed128      INTEGER within 64 bits, else TEXT of a sign and 39 digits
//   address        TEXT: Base58, or `0x` and 40 digits (64 when the first 12 bytes are not zero)
//   signature      TEXT: Base58, or `0x` and 64 digits
//   text, bytes    TEXT, BLOB
//
// SQL sorts integers below text, so unsigned numbers sort as numbers whatever their size. Every
// value has exactly one form; any other is damage.

extension ColumnType {
    /// The type of a column in a strict table.
    var sqlName: String {
        switch self {
        case .unsigned8, .unsigned16, .unsigned32, .signed32, .signed64, .boolean: "INTEGER"
        case .unsigned64, .unsigned128, .signed128: "ANY"
        case .address, .signature, .text: "TEXT"
        case .bytes: "BLOB"
        }
    }
}

/// Walks over the canonical form of a key or row and binds its columns.
struct ColumnBinder {
    let chain: Chain
    let bytes: UnsafeRawBufferPointer
    private var offset = 0
    /// Texts that were made for binding; they stay where they are.
    private let scratch: UnsafeMutableRawBufferPointer
    private let addresses: AddressTexts
    private var used = 0

    /// Bytes of scratch that a column may need.
    static let scratchPerColumn = 96

    init(
        _ bytes: UnsafeRawBufferPointer,
        chain: Chain,
        scratch: UnsafeMutableRawBufferPointer,
        addresses: AddressTexts
    ) {
        self.bytes = bytes
        self.chain = chain
        self.scratch = scratch
        self.addresses = addresses
    }

    /// Whether everything was bound.
    var isAtEnd: Bool { offset == bytes.count }

    /// How much scratch was used.
    var scratchUsed: Int { used }

    /// Binds the next column. Canonical forms come from our own rows: what does not fit is a
    /// mistake of ours.
    mutating func bind(_ column: ColumnForm, at parameter: Int32, of statement: SQLiteStatement) {
        if column.isOptional, number(UInt8.self) == 0 {
            statement.bindNull(at: parameter)
            return
        }
        switch column.type {
        case .unsigned8, .boolean: statement.bind(Int64(number(UInt8.self)), at: parameter)
        case .unsigned16: statement.bind(Int64(number(UInt16.self)), at: parameter)
        case .unsigned32: statement.bind(Int64(number(UInt32.self)), at: parameter)
        case .signed32:
            statement.bind(Int64(number(UInt32.self)) - 1 << 31, at: parameter)
        case .signed64:
            statement.bind(Int64(bitPattern: number(UInt64.self) ^ 1 << 63), at: parameter)
        case .unsigned64:
            let value = number(UInt64.self)
            if let small = Int64(exactly: value) {
                statement.bind(small, at: parameter)
            } else {
                bindDigits(UInt128(value), 20, sign: nil, at: parameter, of: statement)
            }
        case .unsigned128:
            let value = number128()
            if let small = Int64(exactly: value) {
                statement.bind(small, at: parameter)
            } else {
                bindDigits(value, 39, sign: nil, at: parameter, of: statement)
            }
        case .signed128:
            let raw = number128() ^ 1 << 127
            let value = Int128(truncatingIfNeeded: raw)
            if let small = Int64(exactly: value) {
                statement.bind(small, at: parameter)
            } else {
                let sign = UInt8(ascii: value < 0 ? "-" : "+")
                bindDigits(value.magnitude, 39, sign: sign, at: parameter, of: statement)
            }
        case .address: bindAddress(take(32), at: parameter, of: statement)
        case .signature: bindSignature(take(64), at: parameter, of: statement)
        case .text: statement.bindText(take(Int(number(UInt32.self))), at: parameter)
        case .bytes: statement.bindBytes(take(Int(number(UInt32.self))), at: parameter)
        }
    }

    @inline(__always)
    private mutating func take(_ count: Int) -> UnsafeRawBufferPointer {
        precondition(bytes.count - offset >= count, "a row that ends too early")
        defer { offset += count }
        return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count])
    }

    @inline(__always)
    private mutating func number<Number: FixedWidthInteger>(_ type: Number.Type) -> Number {
        Number(bigEndian: take(MemoryLayout<Number>.size).loadUnaligned(as: Number.self))
    }

    @inline(__always)
    private mutating func number128() -> UInt128 {
        let high = number(UInt64.self)
        return UInt128(high) << 64 | UInt128(number(UInt64.self))
    }

    /// Binds a text that is made in scratch.
    @inline(__always)
    private mutating func bindMade(
        at parameter: Int32,
        of statement: SQLiteStatement,
        _ make: (inout MutableSpan<UInt8>) -> Int
    ) {
        let room = UnsafeMutableRawBufferPointer(rebasing: scratch[used...])
            .assumingMemoryBound(to: UInt8.self)
        var span = room.mutableSpan
        let count = make(&span)
        used += count
        statement.bindText(
            UnsafeRawBufferPointer(start: room.baseAddress, count: count),
            at: parameter
        )
    }

    private mutating func bindDigits(
        _ value: UInt128,
        _ count: Int,
        sign: UInt8?,
        at parameter: Int32,
        of statement: SQLiteStatement
    ) {
        bindMade(at: parameter, of: statement) { text in
            let start = sign == nil ? 0 : 1
            if let sign { text[0] = sign }
            var rest = value
            for place in (start..<start + count).reversed() {
                let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
                text[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: digit)
                rest = quotient
            }
            precondition(rest == 0, "more than \(count) digits")
            return start + count
        }
    }

    private mutating func bindAddress(
        _ bytes: UnsafeRawBufferPointer,
        at parameter: Int32,
        of statement: SQLiteStatement
    ) {
        switch chain {
        case .solana:
            guard let value = Bytes32(bytes.bytes, at: 0) else { return }
            let room = UnsafeMutableRawBufferPointer(rebasing: scratch[used...])
                .assumingMemoryBound(to: UInt8.self)
            let count = addresses.write(value, to: room)
            used += count
            let text = UnsafeRawBufferPointer(start: room.baseAddress, count: count)
            statement.bindText(text, at: parameter)
        case .evm:
            let isShort = bytes.prefix(12).allSatisfy { $0 == 0 }
            bindHex([UInt8](bytes.dropFirst(isShort ? 12 : 0)), at: parameter, of: statement)
        }
    }

    private mutating func bindSignature(
        _ bytes: UnsafeRawBufferPointer,
        at parameter: Int32,
        of statement: SQLiteStatement
    ) {
        switch chain {
        case .solana:
            guard let value = Signature(bytes.bytes, at: 0) else { return }
            bindMade(at: parameter, of: statement) { Base58.write(value, to: &$0) }
        case .evm: bindHex([UInt8](bytes.prefix(32)), at: parameter, of: statement)
        }
    }

    private mutating func bindHex(
        _ bytes: [UInt8],
        at parameter: Int32,
        of statement: SQLiteStatement
    ) {
        var text = [UInt8]("0x".utf8)
        Hex.append(bytes, to: &text)
        bindMade(at: parameter, of: statement) { made in
            for place in text.indices { made[place] = text[place] }
            return text.count
        }
    }
}

/// What binding needs to know of a column: the rest of it is text, and would be counted as held
/// each time.
struct ColumnForm {
    let type: ColumnType
    let isOptional: Bool

    init(_ column: Column) {
        type = column.type
        isOptional = column.isOptional
    }
}
