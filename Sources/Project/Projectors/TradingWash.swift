package import MarketModel
package import Projection

/// Round trips of one wallet in one pool: bought and sold nearly the same within one slot, outside any
/// sandwich.
package struct TradingWash: TableRow {
    /// Pool and wallet.
    package struct Key: Hashable, Comparable, Sendable {
        package var pool: Address
        package var trader: Address

        package init(pool: Address, trader: Address) {
            self.pool = pool
            self.trader = trader
        }

        /// The last words of addresses tell them apart well enough.
        package func hash(into hasher: inout Hasher) {
            hasher.combine(pool.storage.words.3)
            hasher.combine(trader.storage.words.3)
        }

        package static func < (left: Key, right: Key) -> Bool {
            (left.pool, left.trader) < (right.pool, right.trader)
        }
    }

    /// Pairs of a buy and a sell.
    package var roundTrips: UInt32 = 0
    /// Of the smaller side of each.
    package var tokens: UInt128 = 0
    package var firstSlot: UInt64
    package var lastSlot: UInt64

    /// A wallet before its first pair.
    package init(slot: UInt64) {
        firstSlot = slot
        lastSlot = slot
    }

    package static let schema = TableSchema(
        "wash_traders",
        "Round trips of a wallet in a pool within one slot, outside any sandwich",
        key: [
            Column("pool", .address, "the pool; a pump.fun curve is named by its coin"),
            Column("trader", .address, "the wallet"),
        ],
        columns: [
            Column("round_trips", .unsigned32, "pairs of a buy and a sell"),
            Column("tokens", .unsigned128, "of the smaller side of each, native units"),
            Column("first_slot", .unsigned64, "of the first pair"),
            Column("last_slot", .unsigned64, "of the newest pair"),
        ]
    )

    package static func encode(_ key: Key, to writer: inout RowWriter) {
        writer.add(key.pool)
        writer.add(key.trader)
    }

    package static func decodeKey(_ reader: inout RowReader) throws(RowError) -> Key {
        Key(pool: try reader.address(), trader: try reader.address())
    }

    package func encode(to writer: inout RowWriter) {
        writer.add(roundTrips)
        writer.add(tokens)
        writer.add(firstSlot)
        writer.add(lastSlot)
    }

    /// Reads the other columns.
    package init(from reader: inout RowReader) throws(RowError) {
        roundTrips = try reader.unsigned32()
        tokens = try reader.unsigned128()
        firstSlot = try reader.unsigned64()
        lastSlot = try reader.unsigned64()
    }
}
