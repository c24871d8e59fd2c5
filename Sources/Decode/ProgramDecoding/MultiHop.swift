import MarketModel

/// Trades of one transaction that pass one thing on to the next: what one gives, a later one on
/// another pool takes. Their amounts do not matter, as routes split and leave dust.
enum MultiHop {
    static func mark(_ events: inout [PlacedEvent]) {
        var count = 0
        for event in events where isTrade(event) { count += 1 }
        // More hops than a route can have are no route: the search stays short.
        guard (2...hopsMax).contains(count) else { return }
        var marked = [Bool](repeating: false, count: events.count)
        for position in events.indices {
            guard case .trade(let trade) = events[position].event else { continue }
            for later in events.indices where later > position {
                guard case .trade(let next) = events[later].event, next.pool != trade.pool,
                    output(trade) == input(next)
                else { continue }
                marked[position] = true
                marked[later] = true
            }
        }
        for position in events.indices where marked[position] {
            guard case .trade(var trade) = events[position].event else { continue }
            trade.flags.insert(.multiHop)
            events[position].event = .trade(trade)
        }
    }

    private static let hopsMax = 64

    private static func isTrade(_ event: PlacedEvent) -> Bool {
        if case .trade = event.event { return true }
        return false
    }

    private static func input(_ trade: Trade) -> Address {
        trade.side == .buy ? trade.quote : trade.token
    }

    private static func output(_ trade: Trade) -> Address {
        trade.side == .buy ? trade.token : trade.quote
    }
}
