import MarketModel

/// What one fold gathers before it writes.
struct TradingBundle {
    /// The trades of one pool.
    struct Group {
        var pool: Address
        var venue: Venue
        var token: Address
        var quote: Address
        /// Whether the token is no currency itself.
        var isToken: Bool
        var scale: TradingParameters.QuoteScale?
        var bucket = TradeBucket()
        /// Wallets that had not traded the token in this minute before.
        var tokenTraders: UInt32 = 0
        /// Hashes of wallets that had not traded in the pool in this minute before.
        var wallets: [UInt64] = []
        /// Of a pool of concentrated liquidity, after the last trade folded.
        var price: ConcentratedPrice?
        var legs: [TradeLeg] = []
        var dropped: UInt32 = 0
    }

    /// An address that is hashed by its last word alone, which tells addresses apart well enough.
    private struct Name: Hashable {
        var address: Address

        func hash(into hasher: inout Hasher) { hasher.combine(address.storage.words.3) }
    }

    var slot: UInt64 = 0
    var seconds: Int64?
    /// Second at which the minute begins.
    var minute: Int64?
    var day: Int64?
    var isTimeEstimated = false
    /// In the order of their first trade.
    var groups: [Group] = []
    private var groupOf: [Name: Int] = [:]
    /// Transfers by token, and the tokens in the order of their first one.
    var links: [Address: [TradingLinks.Link]] = [:]
    var linkedTokens: [Address] = []
    var windowLinks: [Address: [TradeWindow.LinkAt]] = [:]

    mutating func begin(slot: UInt64, seconds: Int64?, isEstimated: Bool) {
        self.slot = slot
        self.seconds = seconds
        isTimeEstimated = isEstimated
        minute = seconds.map { $0 &- TradingBundle.remainder($0, 60) }
        day = seconds.map { ($0 &- TradingBundle.remainder($0, 86_400)) / 86_400 }
    }

    mutating func removeAll() {
        groups.removeAll(keepingCapacity: true)
        groupOf.removeAll(keepingCapacity: true)
        links.removeAll(keepingCapacity: true)
        linkedTokens.removeAll(keepingCapacity: true)
        windowLinks.removeAll(keepingCapacity: true)
    }

    /// Where the trades of a trade's pool are gathered, and whether it is the first of them.
    mutating func group(
        of trade: Trade,
        _ parameters: TradingParameters,
        _ knownQuotes: [Address]
    ) -> (index: Int, isNew: Bool) {
        if let index = groupOf[Name(address: trade.pool)] { return (index, false) }
        let index = groups.count
        groupOf[Name(address: trade.pool)] = index
        groups.append(
            Group(
                pool: trade.pool,
                venue: trade.venue,
                token: trade.token,
                quote: trade.quote,
                isToken: !knownQuotes.contains(trade.token),
                scale: parameters.scale(of: trade.quote)
            )
        )
        return (index, true)
    }

    /// Above zero or zero, also before 1970. At the lowest end the difference wraps, which no block
    /// time reaches.
    private static func remainder(_ seconds: Int64, _ whole: Int64) -> Int64 {
        let rest = seconds % whole
        return rest < 0 ? rest + whole : rest
    }
}
