/// What the actors of a market know of the newest trades, so that nobody does by accident what a
/// label must tell.
struct MarketBooks {
    /// As far as front and back of a sandwich may be apart, and two more.
    static let reach: UInt64 = 6
    /// As far as front and back of a wide sandwich may be apart.
    static let wideSlots: UInt64 = 4

    /// What a wallet did with one token.
    struct Position {
        var bought: UInt64 = 0
        var sold: UInt64 = 0
        var spent: UInt64 = 0
        var received: UInt64 = 0
    }

    /// In chain order, of the newest slots.
    private(set) var fills: [MarketFill] = []
    /// By token account; of tokens that nobody trades any more none are kept.
    private(set) var positions: [SolanaKey: Position] = [:]
    /// Pools on which a scene is being played: nobody else trades there meanwhile.
    private var held: Set<SolanaKey> = []
    /// Pools that have had their scene of the slot.
    private var used: Set<SolanaKey> = []

    mutating func begin(slot: UInt64) {
        let kept = fills.firstIndex { $0.slot + Self.reach >= slot } ?? fills.count
        fills.removeFirst(kept)
        used.removeAll()
    }

    mutating func note(_ fill: MarketFill, account: SolanaKey) {
        fills.append(fill)
        var position = positions[account] ?? Position()
        if fill.isBuy {
            position.bought += fill.tokens
            position.spent += fill.quote
        } else {
            position.sold += fill.tokens
            position.received += fill.quote
        }
        positions[account] = position
    }

    mutating func forget(_ accounts: [SolanaKey]) {
        for account in accounts { positions[account] = nil }
    }

    // MARK: Scenes

    func isHeld(_ pool: SolanaKey) -> Bool { held.contains(pool) }
    mutating func hold(_ pool: SolanaKey) { held.insert(pool) }
    mutating func release(_ pool: SolanaKey) { held.remove(pool) }
    func isUsed(_ pool: SolanaKey) -> Bool { used.contains(pool) }
    mutating func use(_ pool: SolanaKey) { used.insert(pool) }

    // MARK: Questions

    /// Trades of a pool in the newest slots.
    func fills(on pool: SolanaKey) -> [MarketFill] { fills.filter { $0.venue.pool == pool } }

    /// Whether a wallet has traded on a pool in the newest slots.
    func hasTraded(_ wallet: Int, on pool: SolanaKey) -> Bool {
        fills.contains { $0.venue.pool == pool && ($0.wallet == wallet || $0.payer == wallet) }
    }

    /// Whether a trade would be the way back of one that a sandwich could span.
    func reverses(_ wallet: Int, isBuy: Bool, on pool: SolanaKey) -> Bool {
        fills.contains {
            $0.venue.pool == pool && $0.isBuy != isBuy
                && ($0.wallet == wallet || $0.payer == wallet)
        }
    }

    /// Whether one of the last places of the block holds a trade of the same side by somebody else: a
    /// tight limit behind it would make a victim of whoever comes next.
    func isCrowded(before index: UInt64, slot: UInt64, isBuy: Bool, on pool: SolanaKey) -> Bool {
        fills.reversed().prefix(while: { $0.slot == slot && $0.index + 3 >= index }).contains {
            $0.venue.pool == pool && $0.isBuy == isBuy
        }
    }
}
