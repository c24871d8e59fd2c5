import CSQLite
import MarketModel
import Projection

/// Makes the canonical form of a key or row from the columns of a stored one. Whatever is not
/// exactly what was bound is damage.
struct ColumnReading {
    let chain: Chain
    /// What was made so far.
    var bytes: [UInt8] = []

    init(chain: Chain) {
        self.chain = chain
    }

    /// Appends a column of the row that a statement stands at.
    ///
    /// - Returns: whether it has the form of its type.
    mutating func add(_ column: Column, at place: Int32, of statement: SQLiteStatement) -> Bool {
        let type = statement.type(place)
        if column.isOptional {
            bytes.append(type == SQLITE_NULL ? 0 : 1)
            if type == SQLITE_NULL { return true }
        }
        switch column.type {
        case .unsigned8: return addNumber(0...255, 1, type, place, statement)
        case .boolean: return addNumber(0...1, 1, type, place, statement)
        case .unsigned16: return addNumber(0...0xffff, 2, type, place, statement)
        case .unsigned32: return addNumber(0...0xffff_ffff, 4, type, place, statement)
        case .signed32:
            guard type == SQLITE_INTEGER else { return false }
            guard let value = Int32(exactly: statement.integer(place)) else { return false }
            append(UInt64(UInt32(bitPattern: value) ^ 1 << 31), 4)
        case .signed64:
            guard type == SQLITE_INTEGER else { return false }
            append(UInt64(bitPattern: statement.integer(place)) ^ 1 << 63, 8)
        case .unsigned64:
            guard let value = large(20, type, place, statement) else { return false }
            guard let value = UInt64(exactly: value) else { return false }
            append(value, 8)
        case .unsigned128:
            guard let value = large(39, type, place, statement) else { return false }
            append(value)
        case .signed128:
            guard let value = signed(type, place, statement) else { return false }
            append(UInt128(truncatingIfNeeded: value) ^ 1 << 127)
        case .address: return type == SQLITE_TEXT && addAddress(statement.bytes(place))
        case .signature: return type == SQLITE_TEXT && addSignature(statement.bytes(place))
        case .text:
            return type == SQLITE_TEXT && addCounted(statement.bytes(place), max: 1 << 16)
        case .bytes:
            return type == SQLITE_BLOB && addCounted(statement.bytes(place), max: 1 << 24)
        }
        return true
    }

    private mutating func append(_ value: UInt64, _ count: Int) {
        if count == 8 {
            append(value)
        } else {
            for place in (0..<count).reversed() {
                bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(place * 8)))
            }
        }
    }

    private mutating func append(_ value: UInt64) {
        withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }

    private mutating func append(_ value: UInt128) {
        withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }

    private mutating func append(_ value: Bytes32) {
        let words = value.words
        withUnsafeBytes(
            of: (words.0.bigEndian, words.1.bigEndian, words.2.bigEndian, words.3.bigEndian)
        ) { bytes.append(contentsOf: $0) }
    }

    private mutating func addNumber(
        _ range: ClosedRange<Int64>,
        _ count: Int,
        _ type: Int32,
        _ place: Int32,
        _ statement: SQLiteStatement
    ) -> Bool {
        guard type == SQLITE_INTEGER else { return false }
        let value = statement.integer(place)
        guard range.contains(value) else { return false }
        append(UInt64(value), count)
        return true
    }

    /// An unsigned number that stands as INTEGER when it fits and as digits only when it does not.
    private func large(
        _ digits: Int,
        _ type: Int32,
        _ place: Int32,
        _ statement: SQLiteStatement
    ) -> UInt128? {
        if type == SQLITE_INTEGER { return UInt128(exactly: statement.integer(place)) }
        guard type == SQLITE_TEXT else { return nil }
        let value = ColumnReading.number(statement.bytes(place), digits)
        guard let value, value > UInt128(Int64.max) else { return nil }
        return value
    }

    private func signed(
        _ type: Int32,
        _ place: Int32,
        _ statement: SQLiteStatement
    ) -> Int128? {
        if type == SQLITE_INTEGER { return Int128(statement.integer(place)) }
        guard type == SQLITE_TEXT else { return nil }
        let text = statement.bytes(place)
        guard text.count == 40, [UInt8(ascii: "+"), UInt8(ascii: "-")].contains(text[0]),
            let magnitude = ColumnReading.number(.init(rebasing: text[1...]), 39)
        else { return nil }
        let value: Int128
        if text[0] == UInt8(ascii: "-") {
            guard magnitude <= 1 << 127 else { return nil }
            value = Int128(truncatingIfNeeded: 0 &- magnitude)
        } else {
            guard let positive = Int128(exactly: magnitude) else { return nil }
            value = positive
        }
        return Int64(exactly: value) == nil ? value : nil
    }

    private static func number(_ text: UnsafeRawBufferPointer, _ digits: Int) -> UInt128? {
        guard text.count == digits else { return nil }
        var value: UInt128 = 0
        for byte in text {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            let (tenfold, isTooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflows) = tenfold.addingReportingOverflow(
                UInt128(byte - UInt8(ascii: "0"))
            )
            if isTooLarge || overflows { return nil }
            value = sum
        }
        return value
    }

    private mutating func addAddress(_ text: UnsafeRawBufferPointer) -> Bool {
        switch chain {
        case .solana:
            guard let value = Base58.bytes32(text.bytes) else { return false }
            append(value)
            return true
        case .evm:
            guard text.count == 42 || text.count == 66 else { return false }
            if text.count == 42 { bytes.append(contentsOf: repeatElement(0, count: 12)) }
            guard addHex(text) else { return false }
            return text.count == 42 || bytes.suffix(32).prefix(12).contains { $0 != 0 }
        }
    }

    private mutating func addSignature(_ text: UnsafeRawBufferPointer) -> Bool {
        switch chain {
        case .solana:
            guard let value = Base58.signature(text.bytes) else { return false }
            append(value.first)
            append(value.second)
            return true
        case .evm:
            guard text.count == 66, addHex(text) else { return false }
            bytes.append(contentsOf: repeatElement(0, count: 32))
            return true
        }
    }

    /// Bytes of `0x` and digits in lower case.
    private mutating func addHex(_ text: UnsafeRawBufferPointer) -> Bool {
        guard text.starts(with: "0x".utf8), text.count % 2 == 0 else { return false }
        for place in stride(from: 2, to: text.count, by: 2) {
            guard let high = Hex.value(of: text[place]), let low = Hex.value(of: text[place + 1]),
                Hex.digit(of: high) == text[place], Hex.digit(of: low) == text[place + 1]
            else { return false }
            bytes.append(high << 4 | low)
        }
        return true
    }

    private mutating func addCounted(_ content: UnsafeRawBufferPointer, max: Int) -> Bool {
        guard content.count <= max else { return false }
        append(UInt64(content.count), 4)
        bytes.append(contentsOf: content)
        return true
    }
}
