import RecordModel

extension [UInt8] {
    /// Appends an integer in little-endian order, as Borsh, bincode and program data have it.
    mutating func appendLittleEndian<Value: FixedWidthInteger>(_ value: Value) {
        var rest = value
        for _ in 0..<(Value.bitWidth / 8) {
            append(UInt8(truncatingIfNeeded: rest))
            rest >>= 8
        }
    }

    /// The same for the commonest width: a generic function of another module costs much more.
    mutating func appendLittleEndian(_ value: UInt64) {
        for shift in stride(from: UInt64(0), to: 64, by: 8) {
            append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }

    /// Appends a Borsh string: u32 length, then UTF-8.
    mutating func appendBorsh(_ text: String) {
        appendLittleEndian(UInt32(text.utf8.count))
        append(contentsOf: text.utf8)
    }

    /// Appends a Borsh bool.
    mutating func appendBorsh(_ value: Bool) { append(value ? 1 : 0) }

    /// Appends 32 bytes.
    mutating func append(_ key: SolanaKey) { key.append(to: &self) }

    /// Appends zero bytes until the count is reached.
    mutating func padZeros(to count: Int) {
        precondition(self.count <= count, "\(self.count) bytes do not fit into \(count)")
        append(contentsOf: repeatElement(0, count: count - self.count))
    }
}
