package import MarketModel
package import Projection

/// What trades make of a token: price, progress and counts.
package struct TokenMarketRow: TableRow {
    package var priceVenue: Venue?
    package var pricePosition: UInt64?
    package var tokens: UInt128?
    package var quote: UInt128?
    package var realTokens: UInt128?
    package var realQuote: UInt128?
    package var progress: UInt16?
    package var supply: UInt128?
    package var marketCap: UInt128?
    package var highestCap: UInt128?
    package var highestPosition: UInt64?
    package var isSaturated: Bool = false
    package var milestones: UInt16 = 0
    package var trades: UInt64 = 0
    package var buys: UInt64 = 0
    package var agentTrades: UInt64 = 0
    package var quoteBought: UInt128 = 0
    package var quoteSold: UInt128 = 0
    package var traders: UInt32 = 0
    package var moreTraders: UInt64 = 0
    package var holders: UInt32 = 0
    package var creatorBought: UInt128 = 0
    package var creatorSold: UInt128 = 0
    package var lastTrade: UInt64?

    package init() {}

    package static let schema = TableSchema(
        "token_markets",
        "Price, progress and counts of one token as of its last trade",
        key: [
            Column("token", .address, "mint, or contract")
        ],
        columns: [
            Column(
                "price_venue",
                .unsigned8,
                isOptional: true,
                "where the price comes from: the curve, or the venue of its pool"
            ),
            Column("price_position", .unsigned64, isOptional: true, "slot or block of the price"),
            Column(
                "tokens",
                .unsigned128,
                isOptional: true,
                "tokens that the price is made of: virtual ones of the curve, or those of the pool"
            ),
            Column(
                "quote",
                .unsigned128,
                isOptional: true,
                "quote that the price is made of, virtual parts included: quote / tokens is "
                    + "the price"
            ),
            Column("real_tokens", .unsigned128, isOptional: true, "tokens left on the curve"),
            Column("real_quote", .unsigned128, isOptional: true, "quote that the curve holds"),
            Column(
                "progress",
                .unsigned16,
                isOptional: true,
                "(R0 - real tokens) * 10,000 / R0, rounded down, 0 to 10,000"
            ),
            Column(
                "supply",
                .unsigned128,
                isOptional: true,
                "supply that the market cap is made of: the newest that an event told"
            ),
            Column(
                "market_cap",
                .unsigned128,
                isOptional: true,
                "quote * supply / tokens in raw units of the quote, rounded down"
            ),
            Column("highest_cap", .unsigned128, isOptional: true, "highest market cap so far"),
            Column(
                "highest_position",
                .unsigned64,
                isOptional: true,
                "slot or block of the first trade that reached it"
            ),
            Column(
                "is_saturated",
                .boolean,
                "whether any amount of this row was too great and stands at its limit"
            ),
            Column(
                "milestones",
                .unsigned16,
                "how many thresholds of its quote the market cap has reached"
            ),
            Column("trades", .unsigned64, "trades by others than the agent of pump.fun"),
            Column("buys", .unsigned64, "those of them that bought"),
            Column("agent_trades", .unsigned64, "trades by that agent"),
            Column(
                "quote_bought",
                .unsigned128,
                "quote that buys moved into curve and pools, without fees; trades in its "
                    + "quote alone"
            ),
            Column(
                "quote_sold",
                .unsigned128,
                "quote that sells moved out, before fees; trades in its quote alone"
            ),
            Column(
                "traders",
                .unsigned32,
                "different traders with a row of their own in token_traders; neither agent, "
                    + "curve nor pool"
            ),
            Column(
                "more_traders",
                .unsigned64,
                "estimate of different traders beyond those (HyperLogLog, p = 12)"
            ),
            Column(
                "holders",
                .unsigned32,
                "traders with a row who bought more than they sold; transfers are not seen"
            ),
            Column("creator_bought", .unsigned128, "tokens that its makers bought"),
            Column("creator_sold", .unsigned128, "tokens that its makers sold"),
            Column(
                "last_trade",
                .unsigned64,
                isOptional: true,
                "slot or block of the last trade; abandoned is reckoned from it"
            ),
        ]
    )

    package static func encode(_ key: Address, to writer: inout RowWriter) { writer.add(key) }
    package static func decodeKey(_ reader: inout RowReader) throws(RowError) -> Address {
        try reader.address()
    }
    package func encode(to writer: inout RowWriter) {
        writer.add(optional: priceVenue) { $0.add($1.rawValue) }
        writer.add(optional: pricePosition) { $0.add($1) }
        writer.add(optional: tokens) { $0.add($1) }
        writer.add(optional: quote) { $0.add($1) }
        writer.add(optional: realTokens) { $0.add($1) }
        writer.add(optional: realQuote) { $0.add($1) }
        writer.add(optional: progress) { $0.add($1) }
        writer.add(optional: supply) { $0.add($1) }
        writer.add(optional: marketCap) { $0.add($1) }
        writer.add(optional: highestCap) { $0.add($1) }
        writer.add(optional: highestPosition) { $0.add($1) }
        writer.add(isSaturated)
        writer.add(milestones)
        writer.add(trades)
        writer.add(buys)
        writer.add(agentTrades)
        writer.add(quoteBought)
        writer.add(quoteSold)
        writer.add(traders)
        writer.add(moreTraders)
        writer.add(holders)
        writer.add(creatorBought)
        writer.add(creatorSold)
        writer.add(optional: lastTrade) { $0.add($1) }
    }
    /// Reads the columns beside the key.
    package init(from reader: inout RowReader) throws(RowError) {
        priceVenue = try reader.optional { (reader) throws(RowError) in
            try Venue(from: &reader, column: 0)
        }
        pricePosition = try reader.optional { (reader) throws(RowError) in try reader.unsigned64() }
        tokens = try reader.optional { (reader) throws(RowError) in try reader.unsigned128() }
        quote = try reader.optional { (reader) throws(RowError) in try reader.unsigned128() }
        realTokens = try reader.optional { (reader) throws(RowError) in try reader.unsigned128() }
        realQuote = try reader.optional { (reader) throws(RowError) in try reader.unsigned128() }
        progress = try reader.optional { (reader) throws(RowError) in try reader.unsigned16() }
        supply = try reader.optional { (reader) throws(RowError) in try reader.unsigned128() }
        marketCap = try reader.optional { (reader) throws(RowError) in try reader.unsigned128() }
        highestCap = try reader.optional { (reader) throws(RowError) in try reader.unsigned128() }
        highestPosition = try reader.optional { (reader) throws(RowError) in try reader.unsigned64()
        }
        isSaturated = try reader.boolean()
        milestones = try reader.unsigned16()
        trades = try reader.unsigned64()
        buys = try reader.unsigned64()
        agentTrades = try reader.unsigned64()
        quoteBought = try reader.unsigned128()
        quoteSold = try reader.unsigned128()
        traders = try reader.unsigned32()
        moreTraders = try reader.unsigned64()
        holders = try reader.unsigned32()
        creatorBought = try reader.unsigned128()
        creatorSold = try reader.unsigned128()
        lastTrade = try reader.optional { (reader) throws(RowError) in try reader.unsigned64() }
    }
}
