package import MarketModel

/// Reads what `RowWriter` wrote. Every length is checked: stored bytes may be damaged.
public struct RowReader {
    private let bytes: [UInt8]
    private var offset = 0
    private var column = 0

    @usableFromInline
    package init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Ends reading.
    ///
    /// - Throws: `trailing` when bytes are left.
    @usableFromInline
    package func finish() throws(RowError) {
        guard offset == bytes.count else { throw .trailing(count: bytes.count - offset) }
    }

    /// A column of type `unsigned8`.
    package mutating func unsigned8() throws(RowError) -> UInt8 { try number() }
    /// A column of type `unsigned16`.
    package mutating func unsigned16() throws(RowError) -> UInt16 { try number() }
    /// A column of type `unsigned32`.
    package mutating func unsigned32() throws(RowError) -> UInt32 { try number() }
    /// A column of type `unsigned64`.
    package mutating func unsigned64() throws(RowError) -> UInt64 { try number() }
    /// A column of type `unsigned128`.
    package mutating func unsigned128() throws(RowError) -> UInt128 { try number() }
    /// A column of type `signed32`.
    package mutating func signed32() throws(RowError) -> Int32 {
        Int32(bitPattern: try number() ^ 1 << 31)
    }
    /// A column of type `signed64`.
    package mutating func signed64() throws(RowError) -> Int64 {
        Int64(bitPattern: try number() ^ 1 << 63)
    }
    /// A column of type `signed128`.
    package mutating func signed128() throws(RowError) -> Int128 {
        let value: UInt128 = try number()
        return Int128(truncatingIfNeeded: value ^ 1 << 127)
    }
    /// A column of type `boolean`.
    @usableFromInline
    package mutating func boolean() throws(RowError) -> Bool {
        let value: UInt8 = try number()
        guard value <= 1 else { throw .invalid(column: column) }
        return value == 1
    }
    /// A column of type `address`.
    package mutating func address() throws(RowError) -> Address {
        guard let address = Address(bytes.span.bytes, at: offset) else {
            throw .truncated(column: column)
        }
        offset += 32
        column += 1
        return address
    }
    /// A column of type `signature`, as its 64 bytes.
    package mutating func signature() throws(RowError) -> [UInt8] { try take(64) }
    /// A column of type `signature`, of a chain's transaction.
    package mutating func transaction(on chain: Chain) throws(RowError) -> TransactionID {
        let taken = try take(64)
        switch chain {
        case .solana:
            guard let signature = Signature(taken.span.bytes, at: 0) else {
                throw .invalid(column: column)
            }
            return .solana(signature)
        case .evm:
            guard let hash = Hash256([UInt8](taken.prefix(32))) else {
                throw .invalid(column: column)
            }
            return .evm(hash)
        }
    }
    /// A column of type `text`.
    package mutating func text() throws(RowError) -> String {
        let count: UInt32 = try number()
        guard count <= 1 << 16 else { throw .invalid(column: column) }
        return String(decoding: try take(Int(count)), as: UTF8.self)
    }
    /// A column of type `bytes`.
    package mutating func byteString() throws(RowError) -> [UInt8] {
        let count: UInt32 = try number()
        guard count <= 1 << 24 else { throw .invalid(column: column) }
        return try take(Int(count))
    }
    /// An optional column.
    @inlinable
    public mutating func optional<Value>(
        _ body: (inout RowReader) throws(RowError) -> Value
    ) throws(RowError) -> Value? {
        try boolean() ? try body(&self) : nil
    }

    private mutating func number<Number: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>()
        throws(RowError)
        -> Number
    {
        let count = Number.bitWidth / 8
        guard bytes.count - offset >= count else { throw .truncated(column: column) }
        // The span checks its bounds itself and every bit pattern is a number.
        let value = Number(
            bigEndian: bytes.span.bytes.unsafeLoadUnaligned(
                fromByteOffset: offset,
                as: Number.self
            )
        )
        offset += count
        column += 1
        return value
    }

    private mutating func take(_ count: Int) throws(RowError) -> [UInt8] {
        guard bytes.count - offset >= count else { throw .truncated(column: column) }
        defer {
            offset += count
            column += 1
        }
        return [UInt8](bytes[offset..<offset + count])
    }
}
