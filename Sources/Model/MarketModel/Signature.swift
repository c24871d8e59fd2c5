/// The first signature of a Solana transaction, its identity. 64 bytes, written in Base58.
package struct Signature: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The longest text of 64 bytes.
    package static let charactersMax = 88

    /// Bytes 0 to 31.
    package let first: Bytes32
    /// Bytes 32 to 63.
    package let second: Bytes32

    /// From its two halves.
    package init(_ first: Bytes32, _ second: Bytes32) {
        self.first = first
        self.second = second
    }

    /// The 64 bytes at `offset`; nil when they do not lie within `bytes`.
    package init?(_ bytes: RawSpan, at offset: Int) {
        guard offset >= 0, bytes.byteCount >= 64, offset <= bytes.byteCount - 64,
            let first = Bytes32(bytes, at: offset),
            let second = Bytes32(bytes, at: offset + 32)
        else { return nil }
        self.first = first
        self.second = second
    }

    /// Nil unless there are exactly 64 bytes.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count == 64,
            let first = Bytes32([UInt8](bytes[..<32])),
            let second = Bytes32([UInt8](bytes[32...]))
        else { return nil }
        self.first = first
        self.second = second
    }

    /// From Base58 text; exactly 64 bytes or an error.
    package init(base58 text: some Collection<UInt8>) throws(Base58Error) {
        let bytes = try Base58.decode(text, charactersMax: Signature.charactersMax)
        guard let signature = Signature(bytes) else { throw .wrongSize }
        self = signature
    }

    /// From Base58 text; exactly 64 bytes or an error.
    package init(_ text: String) throws(Base58Error) {
        try self.init(base58: text.utf8)
    }

    /// The bytes in order.
    package var bytes: [UInt8] { first.bytes + second.bytes }

    /// Base58.
    package var description: String {
        var text: [UInt8] = []
        text.reserveCapacity(Signature.charactersMax)
        Base58.append(self, to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    package static func < (left: Signature, right: Signature) -> Bool {
        left.first == right.first ? left.second < right.second : left.first < right.first
    }
}
