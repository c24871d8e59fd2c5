package import MarketModel

/// Writes the canonical form of keys and rows: columns one behind the other, integers with their
/// highest byte first (signed ones with the sign bit turned over, so that the order of bytes is the
/// order of numbers), text and bytes behind a length of four bytes, an optional column behind a
/// byte that is 0 for nil and 1 otherwise.
public struct RowWriter {
    /// What has been written, and behind it anything: a column costs a store then, where growing
    /// an array costs a call.
    private var room = [UInt8](repeating: 0, count: 512)
    /// How many bytes have been written.
    @usableFromInline
    package private(set) var count = 0

    package init() {}

    /// What has been written.
    package var bytes: [UInt8] { [UInt8](room[..<count]) }

    /// Forgets what was written and keeps the memory.
    package mutating func removeAll() { count = 0 }

    /// Forgets what was written behind the first `count` bytes and keeps the memory.
    ///
    /// - Precondition: that many were written.
    @usableFromInline
    package mutating func cut(to count: Int) {
        precondition(count >= 0 && count <= self.count)
        self.count = count
    }

    /// What has been written behind the first `start` bytes.
    @usableFromInline
    package func bytes(from start: Int) -> [UInt8] { [UInt8](room[start..<count]) }

    /// Lends what has been written.
    @usableFromInline
    package func withBytes(
        _ body: (RawSpan) throws(StorageError) -> Void
    ) throws(StorageError) {
        try body(room.span.bytes.extracting(first: count))
    }

    /// The first eight bytes behind the first `start`, as a number that sorts as they do; zeros
    /// stand for what has not been written.
    @usableFromInline
    package func leading(from start: Int) -> UInt64 {
        var number: UInt64 = 0
        for place in start..<start + 8 {
            number = number << 8 | (place < count ? UInt64(room[place]) : 0)
        }
        return number
    }

    /// Writes what a table's digests begin with: its name and a zero byte.
    @usableFromInline
    package mutating func appendPrefix(_ name: String) {
        append([UInt8](name.utf8))
        add(0 as UInt8)
    }

    /// The digest of what has been written.
    @usableFromInline
    package var digest: StateDigest {
        StateDigest(of: room.span.bytes.extracting(first: count))
    }

    /// Writes bytes as they are, without a length.
    @usableFromInline
    package mutating func append(_ raw: [UInt8]) {
        reserve(raw.count)
        room.withUnsafeMutableBytes {
            UnsafeMutableRawBufferPointer(rebasing: $0[count...]).copyBytes(from: raw)
        }
        count += raw.count
    }

    /// Writes over a column of type `unsigned128`.
    ///
    /// - Precondition: one was written there.
    mutating func replace(at place: Int, _ value: UInt128) {
        room.withUnsafeMutableBytes {
            $0.storeBytes(of: value.bigEndian, toByteOffset: place, as: UInt128.self)
        }
    }

    /// A column of an unsigned type.
    package mutating func add(_ value: UInt8) {
        reserve(1)
        room[count] = value
        count += 1
    }
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
    package mutating func add(_ value: Bool) { add(value ? 1 : 0 as UInt8) }
    /// A column of type `address`.
    package mutating func add(_ value: Address) { append(value.storage) }
    /// A column of type `signature`: 64 bytes.
    package mutating func add(_ value: TransactionID) {
        switch value {
        case .solana(let signature):
            append(signature.first)
            append(signature.second)
        case .evm(let hash):
            append(hash.bytes)
            append([UInt8](repeating: 0, count: 32))
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
        append([UInt8](utf8[..<end]))
    }
    /// A column of type `bytes`.
    ///
    /// - Precondition: at most 16 MiB.
    package mutating func add(_ value: [UInt8]) {
        precondition(value.count <= 1 << 24, "a column of \(value.count) bytes")
        append(UInt32(value.count))
        append(value)
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

    /// Makes sure that there is room for so many bytes more.
    @inline(__always)
    private mutating func reserve(_ more: Int) {
        if room.count - count < more { grow(more) }
    }

    @inline(never)
    private mutating func grow(_ more: Int) {
        room.append(contentsOf: repeatElement(0, count: max(room.count, more)))
    }

    @inline(__always)
    private mutating func append<Number: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
        _ value: Number
    ) {
        let size = Number.bitWidth / 8
        reserve(size)
        room.withUnsafeMutableBytes {
            $0.storeBytes(of: value.bigEndian, toByteOffset: count, as: Number.self)
        }
        count += size
    }

    private mutating func append(_ value: Bytes32) {
        let words = value.words
        append(words.0)
        append(words.1)
        append(words.2)
        append(words.3)
    }
}
