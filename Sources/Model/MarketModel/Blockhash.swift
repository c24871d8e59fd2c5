/// The hash that names one variant of a Solana slot's block. 32 bytes, written in Base58.
package struct Blockhash: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The longest text of 32 bytes.
    package static let charactersMax = 44

    /// The bytes, as they are compared and hashed.
    package let storage: Bytes32

    /// The 32 bytes at `offset`; nil when they do not lie within `bytes`.
    package init?(_ bytes: RawSpan, at offset: Int) {
        guard let storage = Bytes32(bytes, at: offset) else { return nil }
        self.storage = storage
    }

    /// Nil unless there are exactly 32 bytes.
    package init?(_ bytes: [UInt8]) {
        guard let storage = Bytes32(bytes) else { return nil }
        self.storage = storage
    }

    /// From Base58 text; exactly 32 bytes or an error.
    package init(base58 text: some Collection<UInt8>) throws(Base58Error) {
        let bytes = try Base58.decode(text, charactersMax: Blockhash.charactersMax)
        guard let storage = Bytes32(bytes) else { throw .wrongSize }
        self.storage = storage
    }

    /// From Base58 text; exactly 32 bytes or an error.
    package init(_ text: String) throws(Base58Error) {
        try self.init(base58: text.utf8)
    }

    /// The bytes in order.
    package var bytes: [UInt8] { storage.bytes }

    /// Base58.
    package var description: String { Base58.encode(bytes) }

    package static func < (left: Blockhash, right: Blockhash) -> Bool {
        left.storage < right.storage
    }
}
