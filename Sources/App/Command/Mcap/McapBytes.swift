import RecordModel

/// Reads the content of MCAP records from the front, never behind its end.
struct McapBytes {
    /// The bytes end before what is wanted.
    struct Ended: Error {}

    private let bytes: ArraySlice<UInt8>
    private var offset: Int

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        offset = bytes.startIndex
    }

    /// Bytes that are left.
    var count: Int { bytes.endIndex - offset }

    /// The next bytes.
    mutating func take(_ count: UInt64) throws(Ended) -> ArraySlice<UInt8> {
        guard let count = Int(exactly: count), count <= self.count else { throw Ended() }
        defer { offset += count }
        return bytes[offset..<(offset + count)]
    }

    /// The next integer, lowest byte first.
    mutating func integer<Value: FixedWidthInteger & UnsignedInteger>(
        _ type: Value.Type
    ) throws(Ended) -> Value {
        var value: Value = 0
        for (place, byte) in try take(UInt64(Value.bitWidth / 8)).enumerated() {
            value |= Value(byte) << (place * 8)
        }
        return value
    }

    /// The next text; bytes that are not UTF-8 are replaced.
    mutating func text() throws(Ended) -> String {
        String(decoding: try take(UInt64(try integer(UInt32.self))), as: UTF8.self)
    }

    /// The next map of texts.
    mutating func map() throws(Ended) -> [String: String] {
        var inner = McapBytes(try take(UInt64(try integer(UInt32.self))))
        var map: [String: String] = [:]
        while inner.count > 0 { map[try inner.text()] = try inner.text() }
        return map
    }
}
