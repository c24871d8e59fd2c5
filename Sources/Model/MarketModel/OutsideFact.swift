/// A fact that does not come from a chain: a price, a document. It was recorded, so everyone who reads
/// the log knows it from the same place on; until then nobody does.
package struct OutsideFact: Hashable, Sendable {
    /// What is known of a key.
    package enum Value: Hashable, Sendable {
        case text(String)
        case bytes([UInt8])

        /// Bytes that it takes.
        package var byteCount: Int {
            switch self {
            case .text(let text): text.utf8.count
            case .bytes(let bytes): bytes.count
            }
        }
    }

    /// What the key belongs to, such as `price`.
    package var namespace: String
    /// What it is about, such as `SOL/USD`.
    package var key: String
    package var value: Value
    /// Slot or block that the value was true at, as its source says; nil when that is not told.
    package var asOf: UInt64?
    /// Who said it; nil when that is not told.
    package var origin: String?
    /// The record that told it.
    package var sequence: UInt64

    package init(
        namespace: String,
        key: String,
        value: Value,
        asOf: UInt64? = nil,
        origin: String? = nil,
        sequence: UInt64
    ) {
        self.namespace = namespace
        self.key = key
        self.value = value
        self.asOf = asOf
        self.origin = origin
        self.sequence = sequence
    }
}
