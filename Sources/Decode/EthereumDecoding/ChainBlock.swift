import MarketModel

/// What the recording says of one variant of a block.
struct ChainBlock {
    /// One log as it was recorded.
    struct Log {
        let index: UInt64
        let address: EthereumAddress
        let topics: LogTopics
        /// The JSON of the log, byte for byte.
        let text: [UInt8]
    }

    /// Evidence that is not whole yet: the logs of one subscription on one stream.
    struct Opening {
        let stream: UInt64
        let subscription: [UInt8]
        let filter: EthereumLogFilter
    }

    let number: UInt64
    /// Nil while only logs are known.
    var parentHash: Hash256?
    /// Sorted by index, each once.
    private(set) var logs: [Log] = []
    private var logBytes = 0
    /// Selections of which every log is in `logs`.
    private(set) var covered: [EthereumLogFilter] = []
    /// Selections that will be covered when the child's header arrives on the same stream.
    var openings: [Opening] = []
    /// Streams that took logs of this block back and did not bring them again.
    var removedBy: Set<UInt64> = []
    /// The block object with transaction hashes, and the one with whole transactions.
    var object: [UInt8]?
    var fullObject: [UInt8]?

    init(number: UInt64) {
        self.number = number
    }

    /// Bytes of JSON that are kept.
    var bytes: Int { logBytes + (object?.count ?? 0) + (fullObject?.count ?? 0) }

    /// Adds a log unless one with its index is there.
    mutating func insert(_ log: Log) {
        var low = 0
        var high = logs.count
        while low < high {
            let middle = (low + high) / 2
            if logs[middle].index < log.index {
                low = middle + 1
            } else {
                high = middle
            }
        }
        if low < logs.count, logs[low].index == log.index { return }
        logs.insert(log, at: low)
        logBytes += log.text.count
    }

    /// Notes that every log that the filter selects is here.
    mutating func cover(_ filter: EthereumLogFilter) {
        if !isCovered(filter) { covered.append(filter) }
    }

    /// Makes what is open on a stream covered: its logs have all arrived.
    mutating func close(stream: UInt64) {
        for opening in openings where opening.stream == stream { cover(opening.filter) }
        openings.removeAll { $0.stream == stream }
    }

    /// Whether every log that the filter selects is here.
    func isCovered(_ filter: EthereumLogFilter) -> Bool {
        covered.contains { $0.coversSelection(of: filter) }
    }
}

extension ChainBlock.Log {
    init(_ log: EthereumLog, _ text: [UInt8]) {
        self.init(index: log.logIndex, address: log.address, topics: log.topics, text: text)
    }
}
