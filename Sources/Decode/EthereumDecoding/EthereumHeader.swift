package import JSONText
package import MarketModel

/// The facts of a block header that order the chain. Also read from whole block objects.
package struct EthereumHeader: Hashable, Sendable {
    package let number: BlockNumber
    package let hash: Hash256
    package let parentHash: Hash256
    /// Seconds since 1970.
    package let timestamp: UInt64

    /// Reads a header by its keys; others are ignored, in any order.
    ///
    /// - Parameter result: A `newHeads` result or a block object.
    /// - Throws: Which key is missing or not usable.
    package init(_ result: JSONValue) throws(EthereumFault) {
        guard result.kind == .object else { throw .notAnObject }
        var number: JSONValue?
        var hash: JSONValue?
        var parentHash: JSONValue?
        var timestamp: JSONValue?
        for (key, value) in result.members {
            if key.isString("number") {
                number = value
            } else if key.isString("hash") {
                hash = value
            } else if key.isString("parentHash") {
                parentHash = value
            } else if key.isString("timestamp") {
                timestamp = value
            }
        }
        self.number = BlockNumber(try required(number, .number, \.quantity))
        self.hash = try required(hash, .hash, \.hash256)
        self.parentHash = try required(parentHash, .parentHash, \.hash256)
        self.timestamp = try required(timestamp, .timestamp, \.quantity)
    }
}
