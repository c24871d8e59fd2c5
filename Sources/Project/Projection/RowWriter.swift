package import MarketModel

/// Writes the canonical form of keys and rows: columns one behind the other, integers with their
/// highest byte first (signed ones with the sign bit turned over, so that the order of bytes is the
/// order of numbers), text and bytes behind a length of four bytes, an optional column behind a
/// byte that is 0 for nil and 1 otherwise.
public struct RowWriter {
    /// What has been written.
    package private(set) var bytes: [UInt8] = []

    package init() {}

    /// Forgets what was written and keeps the memory.
    package mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

    /// Forgets what was written behind the first `count` bytes and keeps the memory.
    ///
    /// - Precondition: that many were written.
    @usableFromInline
    package mutating func cut(to count: Int) { bytes.removeLast(bytes.count - count) }

    /// How many bytes have been written.
    @usableFromInline
    package var count: Int { bytes.count }

    /// What has been written behind the first `start` bytes.
    @usableFromInline
    package func bytes(from start: Int) -> [UInt8] { [UInt8](bytes[start...]) }

    /// Writes what a table's digests begin with: its name and a zero byte.
    @usableFromInline
    package mutating func appendPrefix(_ name: String) {
        bytes.append(contentsOf: name.utf8)
        bytes.append(0)
    }

    /// The digest of what has been written.
    @usableFromInline
    package var digest: StateDigest { StateDigest(of: bytes.span.bytes) }

    /// Writes bytes as they are, without a length.
    @usableFromInline
    package mutating func append(_ raw: [UInt8]) { bytes.append(contentsOf: raw) }

    /// Writes over a column of type `unsigned128`.
    ///
    /// - Precondition: one was written there.
    mutating func replace(at place: Int, _ value: UInt128) {
        bytes.withUnsafeMutableBytes {
            $0.storeBytes(of: value.bigEndian, toByteOffset: place, as: UInt128.self)
        }
    }

    /// A column of an unsigned type.
    package mutating func add(_ value: UInt8) { bytes.append(value) }
    /// A column of type `unsigned16`.
    package mutating func add(_ value: UInt16) { append(value) }
    /// A column of type `unsigned32`.
    package mutating func add(_ value: UInt32) { append(value) }
    /// A column of type `unsigned64`.
    package mutating func add(_ value: UInt64) { append(value) }
    /// A column of type `unsigned128`.
    package mutating func add(_ value: UInt128) { append(value) }
    /// A column of type `signed32`.
    package mutating func add(_ value: Int32) {
        append(UInt32(bitPattern: value) ^ 1 << 31)
    }
    /// A column of type `signed64`.
    package mutating func add(_ value: Int64) {
        append(UInt64(bitPattern: value) ^ 1 << 63)
    }
    /// A column of type `signed128`.
    package mutating func add(_ value: Int128) {
        append(UInt128(truncatingIfNeeded: value) ^ 1 << 127)
    }
    /// A column of type `boolean`.
    @usableFromInline
    package mutating func add(_ value: Bool) { bytes.append(value ? 1 : 0) }
    /// A column of type `address`.
    package mutating func add(_ value: Address) { append(value.storage) }
    /// A column of type `signature`: 64 bytes.
    package mutating func add(_ value: TransactionID) {
        switch value {
        case .solana(let signature):
            append(signature.first)
            append(signature.second)
        case .evm(let hash):
            bytes.append(contentsOf: hash.bytes)
            bytes.append(contentsOf: repeatElement(0, count: 32))
        }
    }
    /// A column of type `text`, cut after the last whole character within 65,536 bytes: strangers
    /// write texts.
    package mutating func add(_ value: String) {
        let utf8 = value.utf8
        var end = utf8.endIndex
        if utf8.count > 1 << 16 {
            end = utf8.index(utf8.startIndex, offsetBy: 1 << 16)
            // Bytes 10xxxxxx carry a character on.
            while utf8[end] & 0xc0 == 0x80 { end = utf8.index(before: end) }
        }
        append(UInt32(utf8.distance(from: utf8.startIndex, to: end)))
        bytes.append(contentsOf: utf8[..<end])
    }
    /// A column of type `bytes`.
    ///
    /// - Precondition: at most 16 MiB.
    package mutating func add(_ value: [UInt8]) {
        precondition(value.count <= 1 << 24, "a column of \(value.count) bytes")
        append(UInt32(value.count))
        bytes.append(contentsOf: value)
    }
    /// An optional column: its mark, and `body` when it is there.
    @inlinable
    public mutating func add<Value>(
        optional value: Value?,
        _ body: (inout RowWriter, Value) -> Void
    ) {
        guard let value else { return add(false) }
        add(true)
        body(&self, value)
    }

    private mutating func append<Number: FixedWidthInteger & UnsignedInteger>(_ value: Number) {
        withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }

    private mutating func append(_ value: Bytes32) {
        let words = value.words
        withUnsafeBytes(
            of: (words.0.bigEndian, words.1.bigEndian, words.2.bigEndian, words.3.bigEndian)
        ) { bytes.append(contentsOf: $0) }
    }
}
