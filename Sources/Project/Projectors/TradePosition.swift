package import MarketModel
package import Projection

/// What one wallet bought and sold of one token.
package struct TradePosition: TableRow {
    /// Token and wallet.
    package struct Key: Hashable, Comparable, Sendable {
        package var token: Address
        package var trader: Address

        package init(token: Address, trader: Address) {
            self.token = token
            self.trader = trader
        }

        /// The last words of addresses tell them apart well enough.
        package func hash(into hasher: inout Hasher) {
            hasher.combine(token.storage.words.3)
            hasher.combine(trader.storage.words.3)
        }

        package static func < (left: Key, right: Key) -> Bool {
            (left.token, left.trader) < (right.token, right.trader)
        }
    }

    /// That of the first trade; amounts of quote are in it.
    package var quote: Address
    package var firstSlot: UInt64
    package var buys: UInt32 = 0
    package var sells: UInt32 = 0
    package var bought: UInt128 = 0
    package var sold: UInt128 = 0
    package var spent: UInt128 = 0
    package var received: UInt128 = 0
    /// Trades in other quotes, whose amounts are left out.
    package var otherTrades: UInt32 = 0
    /// Whether most of it was sold: told once.
    package var isClosed = false
    /// The minute of the newest trade, and the pools that the wallet used in it: what makes counts of
    /// different wallets by the minute exact without a set of wallets.
    package var minute: Int64?
    package var pool: Address
    package var otherPools: [Address] = []

    /// A position before its first trade.
    package init(quote: Address, pool: Address, slot: UInt64) {
        self.quote = quote
        self.pool = pool
        firstSlot = slot
    }

    /// Notes that the wallet traded in a pool in a minute.
    ///
    /// - Returns: whether it is its first trade of the token in that minute, and whether it is its
    ///   first in that pool.
    package mutating func note(minute now: Int64, pool used: Address) -> (token: Bool, pool: Bool) {
        guard minute == now else {
            minute = now
            pool = used
            if !otherPools.isEmpty { otherPools = [] }
            return (true, true)
        }
        if pool == used || otherPools.contains(used) { return (false, false) }
        // Each pool of a token can be here once; the bound only keeps the row small.
        if otherPools.count < TradePosition.poolsMax { otherPools.append(used) }
        return (false, true)
    }

    /// The most pools of one token that are told apart within a minute.
    package static let poolsMax = 64

    package static let schema = TableSchema(
        "trader_positions",
        "What a wallet bought and sold of a token",
        key: [
            Column("token", .address, "what was traded"),
            Column("trader", .address, "the wallet"),
        ],
        columns: [
            Column("quote", .address, "currency of the first trade, and of all amounts of quote"),
            Column("first_slot", .unsigned64, "of the first trade"),
            Column("buys", .unsigned32, "buys in that currency"),
            Column("sells", .unsigned32, "sells in that currency"),
            Column("bought", .unsigned128, "tokens"),
            Column("sold", .unsigned128, "tokens"),
            Column("spent", .unsigned128, "quote paid, fees included"),
            Column("received", .unsigned128, "quote got, fees taken off"),
            Column("other_trades", .unsigned32, "trades in other currencies, not in the amounts"),
            Column("is_closed", .boolean, "whether most of it has been sold once"),
            Column("minute", .signed64, isOptional: true, "minute of the newest trade"),
            Column("pool", .address, "first pool used in that minute"),
            Column("other_pools", .bytes, "further pools used in it, 32 bytes each"),
        ]
    )

    package static func encode(_ key: Key, to writer: inout RowWriter) {
        writer.add(key.token)
        writer.add(key.trader)
    }

    package static func decodeKey(_ reader: inout RowReader) throws(RowError) -> Key {
        Key(token: try reader.address(), trader: try reader.address())
    }

    package func encode(to writer: inout RowWriter) {
        writer.add(quote)
        writer.add(firstSlot)
        writer.add(buys)
        writer.add(sells)
        writer.add(bought)
        writer.add(sold)
        writer.add(spent)
        writer.add(received)
        writer.add(otherTrades)
        writer.add(isClosed)
        writer.add(optional: minute) { $0.add($1) }
        writer.add(pool)
        writer.add(otherPools.flatMap(\.bytes))
    }

    /// Reads the other columns.
    package init(from reader: inout RowReader) throws(RowError) {
        quote = try reader.address()
        firstSlot = try reader.unsigned64()
        buys = try reader.unsigned32()
        sells = try reader.unsigned32()
        bought = try reader.unsigned128()
        sold = try reader.unsigned128()
        spent = try reader.unsigned128()
        received = try reader.unsigned128()
        otherTrades = try reader.unsigned32()
        isClosed = try reader.boolean()
        minute = try reader.optional { (reader) throws(RowError) in try reader.signed64() }
        pool = try reader.address()
        let bytes = try reader.byteString()
        guard bytes.count % 32 == 0 else { throw .invalid(column: 12) }
        for start in stride(from: 0, to: bytes.count, by: 32) {
            guard let storage = Bytes32([UInt8](bytes[start..<start + 32])) else {
                throw .invalid(column: 12)
            }
            otherPools.append(Address(storage))
        }
    }
}
