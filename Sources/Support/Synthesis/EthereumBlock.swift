/// One block of the synthetic Polygon chain.
struct EthereumBlock {
    var number: UInt64
    var hash: String
    var parentHash: String
    /// The `result` of a newHeads notification.
    var header: String
    /// Logs that the subscription asks for, in order.
    var logs: [EthereumLog]
}

/// One event log.
struct EthereumLog {
    var address: String
    var topics: [String]
    /// 32-byte words, without prefix.
    var words: [String]
    var transactionHash: String
    var transactionIndex: UInt64
    /// Place in the block; numbers of logs outside the filter are missing.
    var index: UInt64

    /// The `result` of a logs notification.
    func json(in block: EthereumBlock, removed: Bool) -> String {
        let topics = topics.map { "\"\($0)\"" }.joined(separator: ",")
        return
            "{\"address\":\"\(address)\",\"topics\":[\(topics)],\"data\":\"0x\(words.joined())\","
            + "\"blockNumber\":\"\(EthereumText.quantity(block.number))\","
            + "\"transactionHash\":\"\(transactionHash)\","
            + "\"transactionIndex\":\"\(EthereumText.quantity(transactionIndex))\","
            + "\"blockHash\":\"\(block.hash)\",\"logIndex\":\"\(EthereumText.quantity(index))\","
            + "\"removed\":\(removed)}"
    }
}

/// First topics of the events.
enum EthereumTopic {
    static let transfer = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
    static let sync = "0x1c411e9a96e071241c2f21f7726b17ae89e3cab4c78be50e062b03a9fffbbad1"
    static let swap = "0xd78ad95fa46c994b6551d0da85fc275fe613ce37657fb8d5e3d130840159d822"
    static let mint = "0x4c209b5fc8ad50758f13e2e1088ba56a560dff690a1c6fef26394f4c03821c4f"
    static let burn = "0xdccd412f0b1252819cb1fd330b93224ca42612892bb3f4f789976e6d81936496"
    static let swapV3 = "0xc42079f94a6350d7e6235f29174924f928cc2ac818eb64fed8004e115fbcca67"
    static let mintV3 = "0x7a53080ba414158be7ec69b987b5fb7d07dee101fe85488f0853ae16239d0bde"
    static let burnV3 = "0x0c396cd989a39f4459b5fa1aed6a9a8dcdbc45908acfd67e028cd568da98982c"

    /// What the subscription asks for.
    static let subscribed = [sync, swap, mint, burn, transfer, swapV3, mintV3, burnV3]
}
