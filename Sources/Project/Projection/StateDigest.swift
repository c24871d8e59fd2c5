import BlockCodec

/// 128 bits that stand for a row, a table or a state. Equal states have equal digests; digests of
/// rows are added modulo 2^128, so the digest of a table does not depend on the order of its rows.
@usableFromInline
package struct StateDigest: Hashable, Sendable, CustomStringConvertible {
    /// The number.
    @usableFromInline
    package let value: UInt128

    /// The digest that is this number.
    @usableFromInline
    package init(_ value: UInt128) {
        self.value = value
    }

    /// XXH3-128 of some bytes.
    package init(of bytes: RawSpan) {
        value = BlockCoding.fingerprint(bytes)
    }

    /// From its text; nil for anything else.
    package init?(_ text: String) {
        guard text.utf8.count == 32, text.utf8.allSatisfy(StateDigest.isDigit),
            let value = UInt128(text, radix: 16)
        else { return nil }
        self.value = value
    }

    /// The digest of no rows.
    package static let zero = StateDigest(0)

    /// The lower half, which is stored beside each row.
    @usableFromInline
    package var check: UInt64 { UInt64(truncatingIfNeeded: value) }

    /// 16 bytes, highest first.
    package var bytes: [UInt8] {
        var writer = RowWriter()
        writer.add(value)
        return writer.bytes
    }

    /// 32 digits in lower case.
    @usableFromInline
    package var description: String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 32 - digits.utf8.count) + digits
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }
}
