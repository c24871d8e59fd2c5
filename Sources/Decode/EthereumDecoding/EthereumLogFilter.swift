package import JSONText
package import MarketModel

/// Which logs a subscription or an `eth_getLogs` call asks for, in one form: two filters are equal
/// when they select the same by the same words, whatever the order of keys and alternatives, the
/// case of digits, or whether one address stands alone or in a list.
package struct EthereumLogFilter: Hashable, Sendable {
    /// Most topic positions of a filter.
    package static let topicsMax = 4
    /// Most alternatives of one position (geth and Bor: maxSubTopics).
    package static let alternativesMax = 1000

    /// Sorted, each once; none means any address.
    package private(set) var addresses: [EthereumAddress] = []
    /// For each position its alternatives, sorted, each once; none means any topic. A log must
    /// have at least as many topics as there are positions here.
    package private(set) var topics: [[Hash256]] = []
    /// The first block.
    package private(set) var fromBlock: BlockTag?
    /// The last block.
    package private(set) var toBlock: BlockTag?
    /// The only block.
    package private(set) var blockHash: Hash256?
    /// Members that the nodes do not know, as one canonical object; empty when there are none.
    package private(set) var unknown: [UInt8] = []

    /// A filter that selects every log.
    package init() {}

    /// Reads the object that `eth_subscribe` and `eth_getLogs` take.
    ///
    /// - Parameters:
    ///   - value: The object.
    ///   - argument: Its position among the parameters, for the error.
    /// - Throws: What a node answers (geth `eth/filters/api.go`).
    package init(_ value: JSONValue, argument: Int) throws(JSONRPCError) {
        guard value.kind == .object else {
            throw .invalidArgument(argument, "filter is not an object")
        }
        var others: [(key: JSONValue, value: JSONValue)] = []
        for (key, value) in value.members {
            if key.isString("address") {
                addresses = try Self.addresses(value, argument)
            } else if key.isString("topics") {
                topics = try Self.topics(value, argument)
            } else if key.isString("fromBlock") {
                fromBlock = value.isNull ? nil : try BlockTag(value, argument: argument)
            } else if key.isString("toBlock") {
                toBlock = value.isNull ? nil : try BlockTag(value, argument: argument)
            } else if key.isString("blockHash") {
                blockHash = try Self.blockHash(value, argument)
            } else {
                others.append((key, value))
            }
        }
        guard blockHash == nil || (fromBlock == nil && toBlock == nil) else {
            throw .invalidArgument(
                argument,
                "cannot specify both BlockHash and FromBlock/ToBlock, choose one or the other"
            )
        }
        if !others.isEmpty { unknown = Self.canonical(others) }
    }

    // MARK: Matching

    /// Whether a log with this address and these topics is selected; block limits aside.
    package func matches(address: EthereumAddress, topics found: LogTopics) -> Bool {
        guard addresses.isEmpty || contains(addresses, address) else { return false }
        guard topics.count <= found.count else { return false }
        for (index, alternatives) in topics.enumerated() where !alternatives.isEmpty {
            guard contains(alternatives, found[index]) else { return false }
        }
        return true
    }

    /// Whether a subscription with this filter sends this log: address, topics, and the range of
    /// heights if there is one.
    package func matches(_ log: EthereumLog) -> Bool {
        if case .number(let first) = fromBlock, log.blockNumber.number < first { return false }
        if case .number(let last) = toBlock, log.blockNumber.number > last { return false }
        return matches(address: log.address, topics: log.topics)
    }

    /// Whether every log whose address and topics `other` selects is selected here too.
    ///
    /// Conservative: false can be wrong, true cannot.
    package func coversSelection(of other: EthereumLogFilter) -> Bool {
        guard covers(addresses, other.addresses) else { return false }
        // A filter of n positions passes only logs of n topics or more.
        guard topics.count <= other.topics.count else { return false }
        return zip(topics, other.topics).allSatisfy { covers($0, $1) }
    }

    /// Whether a subscription with this filter sends every log that one with `other` would.
    ///
    /// Conservative: false can be wrong, true cannot.
    package func covers(_ other: EthereumLogFilter) -> Bool {
        guard coversSelection(of: other) else { return false }
        return selectsNewLogs || hasSameBlocks(as: other)
    }

    /// Whether nothing but address and topics limits what a subscription with this filter sends.
    package var selectsNewLogs: Bool {
        let isOpen = { (tag: BlockTag?) in tag == nil || tag == .latest }
        return isOpen(fromBlock) && isOpen(toBlock) && blockHash == nil && unknown.isEmpty
    }

    private func hasSameBlocks(as other: EthereumLogFilter) -> Bool {
        fromBlock == other.fromBlock && toBlock == other.toBlock
            && blockHash == other.blockHash && unknown == other.unknown
    }

    private func covers<Value: Comparable>(_ own: [Value], _ other: [Value]) -> Bool {
        if own.isEmpty { return true }
        return !other.isEmpty && other.allSatisfy { contains(own, $0) }
    }

    /// Binary search.
    private func contains<Value: Comparable>(_ sorted: [Value], _ value: Value) -> Bool {
        var low = 0
        var high = sorted.count
        while low < high {
            let middle = (low + high) / 2
            if sorted[middle] < value {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low < sorted.count && sorted[low] == value
    }

    // MARK: Reading

    private static func addresses(
        _ value: JSONValue,
        _ argument: Int
    ) throws(JSONRPCError) -> [EthereumAddress] {
        switch value.kind {
        case .null: return []
        case .string:
            guard let address = value.address else {
                throw .invalidArgument(argument, "invalid address")
            }
            return [address]
        case .array:
            var addresses: [EthereumAddress] = []
            for (index, element) in value.elements.enumerated() {
                guard element.kind == .string else {
                    throw .invalidArgument(argument, "non-string address at index \(index)")
                }
                guard let address = element.address else {
                    throw .invalidArgument(argument, "invalid address at index \(index)")
                }
                addresses.append(address)
            }
            return unique(addresses)
        case .object, .number, .boolean:
            throw .invalidArgument(argument, "invalid addresses in query")
        }
    }

    private static func topics(
        _ value: JSONValue,
        _ argument: Int
    ) throws(JSONRPCError) -> [[Hash256]] {
        if value.isNull { return [] }
        guard value.kind == .array else { throw .invalidArgument(argument, "invalid topic(s)") }
        guard value.count <= topicsMax else { throw .exceedMaxTopics }
        var topics: [[Hash256]] = []
        for position in value.elements {
            switch position.kind {
            case .null: topics.append([])
            case .string: topics.append([try topic(position, argument)])
            case .array: topics.append(try alternatives(position, argument))
            case .object, .number, .boolean:
                throw .invalidArgument(argument, "invalid topic(s)")
            }
        }
        return topics
    }

    private static func alternatives(
        _ position: JSONValue,
        _ argument: Int
    ) throws(JSONRPCError) -> [Hash256] {
        guard position.count <= alternativesMax else { throw .exceedMaxTopics }
        var topics: [Hash256] = []
        for element in position.elements {
            // Null among alternatives makes the position match anything.
            if element.isNull { return [] }
            topics.append(try topic(element, argument))
        }
        return unique(topics)
    }

    private static func topic(
        _ value: JSONValue,
        _ argument: Int
    ) throws(JSONRPCError) -> Hash256 {
        guard let topic = value.hash256 else {
            throw .invalidArgument(argument, "invalid topic(s)")
        }
        return topic
    }

    private static func blockHash(
        _ value: JSONValue,
        _ argument: Int
    ) throws(JSONRPCError) -> Hash256? {
        if value.isNull { return nil }
        guard let hash = value.hash256 else {
            throw .invalidArgument(argument, "invalid block hash")
        }
        return hash
    }

    private static func unique<Value: Comparable>(_ values: [Value]) -> [Value] {
        var result: [Value] = []
        for value in values.sorted() where value != result.last { result.append(value) }
        return result
    }

    private static func canonical(_ members: [(key: JSONValue, value: JSONValue)]) -> [UInt8] {
        var texts: [[UInt8]] = members.map { member in
            var text: [UInt8] = []
            member.key.appendCanonical(to: &text)
            text.append(UInt8(ascii: ":"))
            member.value.appendCanonical(to: &text)
            return text
        }
        texts.sort { $0.lexicographicallyPrecedes($1) }
        return Array(texts.joined(separator: [UInt8(ascii: ",")]))
    }
}
