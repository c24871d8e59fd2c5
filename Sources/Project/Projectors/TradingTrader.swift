package import MarketModel
package import Projection

/// What one wallet did in one quote. A route over several pools counts once in trades and volume;
/// what was spent and received is added up over all its parts, so that what passes through cancels.
package struct TradingTrader: TableRow {
    /// Wallet and quote.
    package struct Key: Hashable, Comparable, Sendable {
        package var trader: Address
        package var quote: Address

        package init(trader: Address, quote: Address) {
            self.trader = trader
            self.quote = quote
        }

        /// The last words of addresses tell them apart well enough.
        package func hash(into hasher: inout Hasher) {
            hasher.combine(trader.storage.words.3)
            hasher.combine(quote.storage.words.3)
        }

        package static func < (left: Key, right: Key) -> Bool {
            (left.trader, left.quote) < (right.trader, right.quote)
        }
    }

    /// Buys; a route counts once.
    package var buys: UInt32 = 0
    /// Sells; a route counts once.
    package var sells: UInt32 = 0
    /// Quote paid or got, of trades that count.
    package var volume: UInt128 = 0
    package var spent: UInt128 = 0
    package var received: UInt128 = 0
    package var whaleTrades: UInt32 = 0
    /// Positions that were sold for the most part, and those of them that had brought more than they
    /// cost by then.
    package var closed: UInt32 = 0
    package var wins: UInt32 = 0
    package var firstSlot: UInt64
    package var lastSlot: UInt64

    /// A wallet before its first trade.
    package init(slot: UInt64) {
        firstSlot = slot
        lastSlot = slot
    }

    /// All that was received less all that was spent; open positions count nothing.
    package var profit: Int128 { Int128(difference: received, spent) }

    package static let schema = TableSchema(
        "traders",
        "Trades and raw profit of a wallet in one quote",
        key: [
            Column("trader", .address, "the wallet"),
            Column("quote", .address, "the currency"),
        ],
        columns: [
            Column("buys", .unsigned32, "buys; a route counts once"),
            Column("sells", .unsigned32, "sells; a route counts once"),
            Column("volume", .unsigned128, "quote paid or got; a route counts once"),
            Column("spent", .unsigned128, "quote paid, fees included"),
            Column("received", .unsigned128, "quote got, fees taken off"),
            Column("whale_trades", .unsigned32, "trades of a whale's size"),
            Column("closed", .unsigned32, "positions that were sold for the most part"),
            Column("wins", .unsigned32, "of them, those with a gain"),
            Column("first_slot", .unsigned64, "of the first trade"),
            Column("last_slot", .unsigned64, "of the newest trade"),
        ]
    )

    package static func encode(_ key: Key, to writer: inout RowWriter) {
        writer.add(key.trader)
        writer.add(key.quote)
    }

    package static func decodeKey(_ reader: inout RowReader) throws(RowError) -> Key {
        Key(trader: try reader.address(), quote: try reader.address())
    }

    package func encode(to writer: inout RowWriter) {
        writer.add(buys)
        writer.add(sells)
        writer.add(volume)
        writer.add(spent)
        writer.add(received)
        writer.add(whaleTrades)
        writer.add(closed)
        writer.add(wins)
        writer.add(firstSlot)
        writer.add(lastSlot)
    }

    /// Reads the other columns.
    package init(from reader: inout RowReader) throws(RowError) {
        buys = try reader.unsigned32()
        sells = try reader.unsigned32()
        volume = try reader.unsigned128()
        spent = try reader.unsigned128()
        received = try reader.unsigned128()
        whaleTrades = try reader.unsigned32()
        closed = try reader.unsigned32()
        wins = try reader.unsigned32()
        firstSlot = try reader.unsigned64()
        lastSlot = try reader.unsigned64()
    }
}

extension Int128 {
    /// `left - right`, held at the ends of the type.
    init(difference left: UInt128, _ right: UInt128) {
        if left >= right {
            self = Int128(clamping: left - right)
        } else {
            let distance = right - left
            self = distance > UInt128(Int128.max) ? .min : -Int128(distance)
        }
    }

    /// The difference, held at the ends of the type.
    func minus(_ other: UInt128) -> Int128 {
        let (value, overflows) = subtractingReportingOverflow(Int128(clamping: other))
        return overflows ? .min : value
    }

    /// The sum, held at the ends of the type.
    func plus(_ other: Int128) -> Int128 {
        let (value, overflows) = addingReportingOverflow(other)
        return overflows ? (other < 0 ? .min : .max) : value
    }
}
