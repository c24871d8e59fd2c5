package import MarketModel
package import Projection

/// What one trader did in one token.
package struct TokenTraderRow: TableRow {
    package var bought: UInt128 = 0
    package var sold: UInt128 = 0
    package var quotePaid: UInt128 = 0
    package var quoteGot: UInt128 = 0
    package var buys: UInt32 = 0
    package var sells: UInt32 = 0
    package var firstPosition: UInt64 = 0
    package var firstTransaction: UInt32 = 0
    package var lastPosition: UInt64 = 0

    package init() {}

    package static let schema = TableSchema(
        "token_traders",
        "One trader of one token, up to the parameter exact_traders_max of each token",
        key: [
            Column("token", .address, "mint, or contract"),
            Column("trader", .address, "as the event names him"),
        ],
        columns: [
            Column("bought", .unsigned128, "tokens bought"),
            Column("sold", .unsigned128, "tokens sold"),
            Column(
                "quote_paid",
                .unsigned128,
                "quote paid, fees included; trades in the quote of the token alone"
            ),
            Column("quote_got", .unsigned128, "quote got, fees taken off"),
            Column("buys", .unsigned32, "how many"),
            Column("sells", .unsigned32, "how many"),
            Column("first_position", .unsigned64, "slot or block of the first trade"),
            Column("first_transaction", .unsigned32, "place of its transaction in it"),
            Column("last_position", .unsigned64, "slot or block of the last trade"),
        ]
    )

    package static func encode(_ key: TokenTraderKey, to writer: inout RowWriter) {
        writer.add(key.token)
        writer.add(key.trader)
    }
    package static func decodeKey(_ reader: inout RowReader) throws(RowError) -> TokenTraderKey {
        TokenTraderKey(
            token: try reader.address(),
            trader: try reader.address()
        )
    }
    package func encode(to writer: inout RowWriter) {
        writer.add(bought)
        writer.add(sold)
        writer.add(quotePaid)
        writer.add(quoteGot)
        writer.add(buys)
        writer.add(sells)
        writer.add(firstPosition)
        writer.add(firstTransaction)
        writer.add(lastPosition)
    }
    /// Reads the columns beside the key.
    package init(from reader: inout RowReader) throws(RowError) {
        bought = try reader.unsigned128()
        sold = try reader.unsigned128()
        quotePaid = try reader.unsigned128()
        quoteGot = try reader.unsigned128()
        buys = try reader.unsigned32()
        sells = try reader.unsigned32()
        firstPosition = try reader.unsigned64()
        firstTransaction = try reader.unsigned32()
        lastPosition = try reader.unsigned64()
    }
}

/// A trader in a token.
package struct TokenTraderKey: Hashable, Comparable, Sendable {
    package let token: Address
    package let trader: Address

    package init(token: Address, trader: Address) {
        self.token = token
        self.trader = trader
    }

    package static func < (left: TokenTraderKey, right: TokenTraderKey) -> Bool {
        if left.token != right.token { return left.token < right.token }
        return left.trader < right.trader
    }

    /// Mixes two words instead of eight. Whoever wanted keys to collide had to find addresses with the
    /// same exclusive or of their words.
    package func hash(into hasher: inout Hasher) {
        let token = token.storage.words
        let trader = trader.storage.words
        hasher.combine(token.0 ^ token.1 ^ token.2 ^ token.3)
        hasher.combine(trader.0 ^ trader.1 ^ trader.2 ^ trader.3)
    }
}
