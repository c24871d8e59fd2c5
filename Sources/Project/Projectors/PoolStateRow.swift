package import MarketModel
package import Projection

/// What a pool holds, as its events say, and what it earned.
package struct PoolStateRow: TableRow {
    package var token: UInt128?
    package var quote: UInt128?
    package var isEstimated: Bool = false
    package var virtualQuote: Int128 = 0
    package var isBoosted: Bool = false
    package var tvl: UInt128?
    package var tvlReal: UInt128?
    package var shares: UInt128?
    package var lockedShares: UInt128 = 0
    package var burntShares: UInt128 = 0
    package var liquidity: UInt128?
    package var sqrtPrice: UInt128?
    package var tick: Int32?
    package var feesLiquidity: UInt128 = 0
    package var feesVenue: UInt128 = 0
    package var feesCreator: UInt128 = 0
    package var feesCashback: UInt128 = 0
    package var feesBuyback: UInt128 = 0
    package var feesPaidOut: UInt128 = 0
    package var trades: UInt64 = 0
    package var volume: UInt128 = 0
    package var adds: UInt32 = 0
    package var removes: UInt32 = 0
    package var owners: UInt32 = 0
    package var lastTrade: UInt64?
    package var lastPosition: UInt64 = 0
    package var window: UInt64 = 0
    package var windowHigh: UInt128 = 0
    package var earlierHigh: UInt128 = 0
    package var fallWindow: UInt64?

    package init() {}

    package static let schema = TableSchema(
        "pool_states",
        "Reserves, shares, fees and counts of one pool as of its last event",
        key: [
            Column("pool", .address, "account, or contract")
        ],
        columns: [
            Column(
                "token",
                .unsigned128,
                isOptional: true,
                "tokens in the pool; concentrated liquidity: in its vaults, known only when "
                    + "it was seen from its opening or vault accounts were"
            ),
            Column(
                "quote",
                .unsigned128,
                isOptional: true,
                "quote as the price is made of it, virtual parts included"
            ),
            Column(
                "is_estimated",
                .boolean,
                "whether those come from amounts, because the last event told no reserves"
            ),
            Column(
                "virtual_quote",
                .signed128,
                "PumpSwap: quote that counts for the price and is not in the vault, of the "
                    + "newest event; quote - virtual_quote is raw"
            ),
            Column("is_boosted", .boolean, "whether a boost was seen"),
            Column(
                "tvl",
                .unsigned128,
                isOptional: true,
                "2 * quote; concentrated liquidity: quote + tokens at the price; raw units "
                    + "of the quote, rounded down"
            ),
            Column(
                "tvl_real",
                .unsigned128,
                isOptional: true,
                "the same of the quote really there: the smaller of quote and quote - "
                    + "virtual_quote; with a boost and waiting fees at once that is an upper "
                    + "bound"
            ),
            Column(
                "shares",
                .unsigned128,
                isOptional: true,
                "shares made and not redeemed; locked and burnt ones count"
            ),
            Column(
                "locked_shares",
                .unsigned128,
                "shares of those that nobody could withdraw from the start"
            ),
            Column(
                "burnt_shares",
                .unsigned128,
                "shares of those that were burnt outside a withdrawal"
            ),
            Column("liquidity", .unsigned128, isOptional: true, "concentrated liquidity in range"),
            Column(
                "sqrt_price",
                .unsigned128,
                isOptional: true,
                "concentrated liquidity: square root of the price of side 0 in side 1 times 2^64"
            ),
            Column("tick", .signed32, isOptional: true, "concentrated liquidity: its tick"),
            Column(
                "fees_liquidity",
                .unsigned128,
                "fees left to those who provide liquidity; in quote, those charged in "
                    + "tokens turned at the price of their trade, each rounded down"
            ),
            Column("fees_venue", .unsigned128, "fees of the protocol, likewise"),
            Column("fees_creator", .unsigned128, "fees of the creator of the coin, likewise"),
            Column("fees_cashback", .unsigned128, "fees given back to traders, likewise"),
            Column("fees_buyback", .unsigned128, "the part of fees_venue that buys back"),
            Column(
                "fees_paid_out",
                .unsigned128,
                "payouts of fees that had been counted before; no income"
            ),
            Column("trades", .unsigned64, "trades"),
            Column(
                "volume",
                .unsigned128,
                "quote of all trades, without fees that do not move the pool"
            ),
            Column("adds", .unsigned32, "how often liquidity was added"),
            Column("removes", .unsigned32, "how often it was removed"),
            Column("owners", .unsigned32, "positions with shares"),
            Column("last_trade", .unsigned64, isOptional: true, "slot or block of the last trade"),
            Column("last_position", .unsigned64, "slot or block of the last event"),
            Column(
                "window",
                .unsigned64,
                "number of the window of TVL that window_high is of: slot or block / "
                    + "parameter fall_window"
            ),
            Column("window_high", .unsigned128, "highest TVL at the end of a slot in it"),
            Column("earlier_high", .unsigned128, "highest TVL in the window before"),
            Column(
                "fall_window",
                .unsigned64,
                isOptional: true,
                "window in which a fall was last told"
            ),
        ]
    )

    package static func encode(_ key: Address, to writer: inout RowWriter) { writer.add(key) }
    package static func decodeKey(_ reader: inout RowReader) throws(RowError) -> Address {
        try reader.address()
    }
    package func encode(to writer: inout RowWriter) {
        writer.add(optional: token) { $0.add($1) }
        writer.add(optional: quote) { $0.add($1) }
        writer.add(isEstimated)
        writer.add(virtualQuote)
        writer.add(isBoosted)
        writer.add(optional: tvl) { $0.add($1) }
        writer.add(optional: tvlReal) { $0.add($1) }
        writer.add(optional: shares) { $0.add($1) }
        writer.add(lockedShares)
        writer.add(burntShares)
        writer.add(optional: liquidity) { $0.add($1) }
        writer.add(optional: sqrtPrice) { $0.add($1) }
        writer.add(optional: tick) { $0.add($1) }
        writer.add(feesLiquidity)
        writer.add(feesVenue)
        writer.add(feesCreator)
        writer.add(feesCashback)
        writer.add(feesBuyback)
        writer.add(feesPaidOut)
        writer.add(trades)
        writer.add(volume)
        writer.add(adds)
        writer.add(removes)
        writer.add(owners)
        writer.add(optional: lastTrade) { $0.add($1) }
        writer.add(lastPosition)
        writer.add(window)
        writer.add(windowHigh)
        writer.add(earlierHigh)
        writer.add(optional: fallWindow) { $0.add($1) }
    }
    /// Reads the columns beside the key.
    package init(from reader: inout RowReader) throws(RowError) {
        token = try reader.optional { (reader) throws(RowError) in try reader.unsigned128() }
        quote = try reader.optional { (reader) throws(RowError) in try reader.unsigned128() }
        isEstimated = try reader.boolean()
        virtualQuote = try reader.signed128()
        isBoosted = try reader.boolean()
        tvl = try reader.optional { (reader) throws(RowError) in try reader.unsigned128() }
        tvlReal = try reader.optional { (reader) throws(RowError) in try reader.unsigned128() }
        shares = try reader.optional { (reader) throws(RowError) in try reader.unsigned128() }
        lockedShares = try reader.unsigned128()
        burntShares = try reader.unsigned128()
        liquidity = try reader.optional { (reader) throws(RowError) in try reader.unsigned128() }
        sqrtPrice = try reader.optional { (reader) throws(RowError) in try reader.unsigned128() }
        tick = try reader.optional { (reader) throws(RowError) in try reader.signed32() }
        feesLiquidity = try reader.unsigned128()
        feesVenue = try reader.unsigned128()
        feesCreator = try reader.unsigned128()
        feesCashback = try reader.unsigned128()
        feesBuyback = try reader.unsigned128()
        feesPaidOut = try reader.unsigned128()
        trades = try reader.unsigned64()
        volume = try reader.unsigned128()
        adds = try reader.unsigned32()
        removes = try reader.unsigned32()
        owners = try reader.unsigned32()
        lastTrade = try reader.optional { (reader) throws(RowError) in try reader.unsigned64() }
        lastPosition = try reader.unsigned64()
        window = try reader.unsigned64()
        windowHigh = try reader.unsigned128()
        earlierHigh = try reader.unsigned128()
        fallWindow = try reader.optional { (reader) throws(RowError) in try reader.unsigned64() }
    }
}
