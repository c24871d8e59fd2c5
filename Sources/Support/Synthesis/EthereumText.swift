import MarketModel

/// Hexadecimal forms of JSON-RPC; all lower case.
enum EthereumText {
    /// A quantity without leading zeros; zero is `0x0`.
    static func quantity<Value: BinaryInteger>(_ value: Value) -> String {
        "0x" + String(value, radix: 16)
    }

    static func bytes(_ value: [UInt8]) -> String { Hex.text(value) }

    /// 32 bytes, without prefix.
    static func word(_ value: UInt128) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 64 - digits.count) + digits
    }

    /// An address as a topic.
    static func topic(_ address: String) -> String {
        "0x" + String(repeating: "0", count: 24) + address.dropFirst(2)
    }

    static func randomHash(_ random: inout MarketRandom) -> String { bytes(random.bytes(32)) }

    static func randomAddress(_ random: inout MarketRandom) -> String { bytes(random.bytes(20)) }

    /// 16 random bytes whose leading zero digits are cut off, as the node makes them.
    static func subscriptionID(_ random: inout MarketRandom) -> String {
        let digits = Hex.text(random.bytes(16)).dropFirst(2).drop { $0 == "0" }
        return digits.isEmpty ? "0x0" : "0x" + digits
    }
}
