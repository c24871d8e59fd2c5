package import MarketModel
package import Projection

/// What happened to a token right after its creation. Only tokens whose creation was seen have one;
/// it never changes after the early slots.
package struct TokenStartRow: TableRow {
    package var devBuys: UInt32 = 0
    package var devTokens: UInt128 = 0
    package var devQuote: UInt128 = 0
    package var bundleBuyers: UInt32 = 0
    package var sniperBuyers: UInt32 = 0
    package var earlyTrades: UInt32 = 0
    package var earlyBuys: UInt32 = 0
    package var earlyBuyers: UInt32 = 0
    package var earlyQuoteBought: UInt128 = 0
    package var earlyQuoteSold: UInt128 = 0

    package init() {}

    package static let schema = TableSchema(
        "token_starts",
        "The first slots of one token whose creation was seen",
        key: [
            Column("token", .address, "mint, or contract")
        ],
        columns: [
            Column("dev_buys", .unsigned32, "buys of its makers in the creating transaction"),
            Column("dev_tokens", .unsigned128, "tokens of those"),
            Column("dev_quote", .unsigned128, "quote of those, without fees"),
            Column(
                "bundle_buyers",
                .unsigned32,
                "different first buyers later in the creating slot"
            ),
            Column(
                "sniper_buyers",
                .unsigned32,
                "different first buyers in the next slots (parameter sniper_slots)"
            ),
            Column(
                "early_trades",
                .unsigned32,
                "trades up to the last early slot (parameter early_slots), of the creating slot too"
            ),
            Column("early_buys", .unsigned32, "those of them that bought"),
            Column("early_buyers", .unsigned32, "different buyers in them"),
            Column("early_quote_bought", .unsigned128, "quote of those buys, without fees"),
            Column("early_quote_sold", .unsigned128, "quote of the sells"),
        ]
    )

    package static func encode(_ key: Address, to writer: inout RowWriter) { writer.add(key) }
    package static func decodeKey(_ reader: inout RowReader) throws(RowError) -> Address {
        try reader.address()
    }
    package func encode(to writer: inout RowWriter) {
        writer.add(devBuys)
        writer.add(devTokens)
        writer.add(devQuote)
        writer.add(bundleBuyers)
        writer.add(sniperBuyers)
        writer.add(earlyTrades)
        writer.add(earlyBuys)
        writer.add(earlyBuyers)
        writer.add(earlyQuoteBought)
        writer.add(earlyQuoteSold)
    }
    /// Reads the columns beside the key.
    package init(from reader: inout RowReader) throws(RowError) {
        devBuys = try reader.unsigned32()
        devTokens = try reader.unsigned128()
        devQuote = try reader.unsigned128()
        bundleBuyers = try reader.unsigned32()
        sniperBuyers = try reader.unsigned32()
        earlyTrades = try reader.unsigned32()
        earlyBuys = try reader.unsigned32()
        earlyBuyers = try reader.unsigned32()
        earlyQuoteBought = try reader.unsigned128()
        earlyQuoteSold = try reader.unsigned128()
    }
}
