import MarketModel

/// What one recorded connection has asked and been told, as far as answers depend on it.
struct ChainStream {
    /// A call whose answer is awaited.
    enum Call {
        case subscribe(EthereumSubscription)
        case unsubscribe(id: [UInt8])
        case chainID
        case netVersion
        case blockNumber
        case block(full: Bool)
        case logs(EthereumLogFilter)
    }

    /// The newest block that the stream announced.
    struct Head: Equatable {
        let number: UInt64
        let hash: Hash256
    }

    /// By the id's text in the call.
    var calls: [[UInt8]: Call] = [:]
    /// Log subscriptions that are confirmed, by their id. Every log of theirs has been seen since.
    var filters: [[UInt8]: EthereumLogFilter] = [:]
    var head: Head?
}
