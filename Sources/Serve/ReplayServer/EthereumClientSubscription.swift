import Deduplication
import EthereumDecoding
import MarketModel
import RecordModel

/// A subscription of a client.
struct EthereumClientSubscription {
    /// As it stands between its quotes.
    let id: [UInt8]
    let request: EthereumSubscription
    /// The recorded subscriptions that it is answered from.
    let feeds: [EthereumFeed]
    /// Whether its feeds are filtered and each message sent once. Otherwise they are the same
    /// request on one connection after another, and every message counts.
    let merges: Bool
    let lifetime: EthereumLifetime
    private var sent = RecentKeys(countMax: 65_536)

    init(
        id: [UInt8],
        request: EthereumSubscription,
        feeds: [EthereumFeed],
        merges: Bool,
        lifetime: EthereumLifetime
    ) {
        self.id = id
        self.request = request
        self.feeds = feeds
        self.merges = merges
        self.lifetime = lifetime
    }

    /// Whether the message has not been sent yet; it counts as sent from now on.
    mutating func isNew(_ key: EthereumKey) -> Bool { feeds.count == 1 || sent.insert(key) }
}

/// The keys seen last.
struct RecentKeys {
    private let countMax: Int
    private var keys: Set<EthereumKey> = []
    /// A ring once it is full.
    private var order: [EthereumKey] = []
    private var oldest = 0

    init(countMax: Int) {
        precondition(countMax >= 1, "no room for a key")
        self.countMax = countMax
    }

    /// - Returns: false when the key is there.
    mutating func insert(_ key: EthereumKey) -> Bool {
        guard keys.insert(key).inserted else { return false }
        if order.count < countMax {
            order.append(key)
        } else {
            keys.remove(order[oldest])
            order[oldest] = key
            oldest = (oldest + 1) % countMax
        }
        return true
    }
}
