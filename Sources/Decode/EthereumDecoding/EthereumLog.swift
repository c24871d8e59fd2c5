package import JSONText
package import MarketModel

/// The facts of a log that identify it and that filters look at.
///
/// It is one and the same log only with the same block hash and log index; the transaction may
/// come back in another block.
package struct EthereumLog: Hashable, Sendable {
    package let blockNumber: BlockNumber
    package let blockHash: Hash256
    /// The position in the block.
    package let logIndex: UInt64
    package let transactionHash: Hash256
    package let address: EthereumAddress
    package let topics: LogTopics
    /// Whether the message takes the log back because its block left the chain.
    package let removed: Bool

    /// Reads a log by its keys; others are ignored, in any order.
    ///
    /// - Parameter result: A `logs` result or an element of an `eth_getLogs` result.
    /// - Throws: Which key is missing or not usable.
    package init(_ result: JSONValue) throws(EthereumFault) {
        guard result.kind == .object else { throw .notAnObject }
        var blockNumber: JSONValue?
        var blockHash: JSONValue?
        var logIndex: JSONValue?
        var transactionHash: JSONValue?
        var address: JSONValue?
        var topics: JSONValue?
        var removed: JSONValue?
        for (key, value) in result.members {
            if key.isString("address") {
                address = value
            } else if key.isString("topics") {
                topics = value
            } else if key.isString("blockNumber") {
                blockNumber = value
            } else if key.isString("transactionHash") {
                transactionHash = value
            } else if key.isString("blockHash") {
                blockHash = value
            } else if key.isString("logIndex") {
                logIndex = value
            } else if key.isString("removed") {
                removed = value
            }
        }
        self.blockNumber = BlockNumber(try required(blockNumber, .blockNumber, \.quantity))
        self.blockHash = try required(blockHash, .blockHash, \.hash256)
        self.logIndex = try required(logIndex, .logIndex, \.quantity)
        self.transactionHash = try required(transactionHash, .transactionHash, \.hash256)
        self.address = try required(address, .address, \.address)
        self.topics = try required(topics, .topics, Self.topics)
        self.removed = try required(removed, .removed, \.boolean)
    }

    private static func topics(_ value: JSONValue) -> LogTopics? {
        guard value.kind == .array, value.count <= LogTopics.countMax else { return nil }
        var topics = LogTopics()
        for element in value.elements {
            guard let topic = element.hash256 else { return nil }
            topics.append(topic)
        }
        return topics
    }
}
