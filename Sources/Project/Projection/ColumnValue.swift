package import MarketModel

/// The value of one column, for output.
package enum ColumnValue: Hashable, Sendable {
    case none
    /// Of any integer type, in decimal digits.
    case number(String)
    case boolean(Bool)
    case address(Address)
    /// A transaction's 64 bytes, or a hash and 32 zeros.
    case signature([UInt8])
    case text(String)
    case bytes([UInt8])

    /// As people of that chain write it; nil for `none`.
    package func text(on chain: Chain) -> String? {
        switch self {
        case .none: nil
        case .number(let digits): digits
        case .boolean(let value): value ? "true" : "false"
        case .address(let address): address.text(on: chain)
        case .signature(let bytes):
            switch chain {
            case .solana: Base58.encode(bytes)
            case .evm: Hex.text([UInt8](bytes.prefix(32)))
            }
        case .text(let text): text
        case .bytes(let bytes): Hex.text(bytes)
        }
    }
}

extension TableSchema {
    /// The values of a row, key columns first.
    ///
    /// - Throws: the bytes are no row of this schema.
    package func values(_ listed: ListedRow) throws(RowError) -> [ColumnValue] {
        var values: [ColumnValue] = []
        values.reserveCapacity(key.count + columns.count)
        var reader = RowReader(listed.key)
        for column in key { values.append(try reader.value(of: column)) }
        try reader.finish()
        reader = RowReader(listed.row)
        for column in columns { values.append(try reader.value(of: column)) }
        try reader.finish()
        return values
    }
}

extension RowReader {
    /// The next column, whatever its type.
    fileprivate mutating func value(of column: Column) throws(RowError) -> ColumnValue {
        if column.isOptional, !(try boolean()) { return .none }
        switch column.type {
        case .unsigned8: return .number(String(try unsigned8()))
        case .unsigned16: return .number(String(try unsigned16()))
        case .unsigned32: return .number(String(try unsigned32()))
        case .unsigned64: return .number(String(try unsigned64()))
        case .unsigned128: return .number(String(try unsigned128()))
        case .signed32: return .number(String(try signed32()))
        case .signed64: return .number(String(try signed64()))
        case .signed128: return .number(String(try signed128()))
        case .boolean: return .boolean(try boolean())
        case .address: return .address(try address())
        case .signature: return .signature(try signature())
        case .text: return .text(try text())
        case .bytes: return .bytes(try byteString())
        }
    }
}
