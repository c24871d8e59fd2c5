/// Who or what takes part in a market on any chain: a wallet, token, pool or program. 32 bytes; an
/// EVM address stands in the last 20, the others are zero.
package struct Address: Hashable, Comparable, Sendable {
    /// The bytes, as they are compared and hashed.
    package let storage: Bytes32

    package init(_ storage: Bytes32) {
        self.storage = storage
    }

    /// A Solana address, byte for byte.
    package init(_ key: PublicKey) {
        storage = key.storage
    }

    /// The 32 bytes at `offset`; nil when they do not lie within `bytes`.
    @inlinable
    package init?(_ bytes: RawSpan, at offset: Int) {
        guard let storage = Bytes32(bytes, at: offset) else { return nil }
        self.storage = storage
    }

    /// From the Base58 text of a Solana address.
    package init(solana text: String) throws(Base58Error) {
        self.init(try PublicKey(text))
    }

    /// All zero: Solana's system program, and what stands where there is no address.
    package static let zero = Address(Bytes32())

    /// Whether all bytes are zero.
    package var isZero: Bool { self == .zero }

    /// The bytes in order.
    package var bytes: [UInt8] { storage.bytes }

    /// As people of that chain write it.
    package func text(on chain: Chain) -> String {
        switch chain {
        case .solana: Base58.text(storage)
        case .evm: Hex.text([UInt8](bytes.suffix(20)))
        }
    }

    package static func < (left: Address, right: Address) -> Bool { left.storage < right.storage }
}
