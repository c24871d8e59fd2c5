package import MarketModel
package import Projection

/// What happened in a pool within one hour.
package struct PoolHourRow: TableRow {
    package var buys: UInt32 = 0
    package var sells: UInt32 = 0
    package var quoteBought: UInt128 = 0
    package var quoteSold: UInt128 = 0
    package var feesLiquidity: UInt128 = 0
    package var feesVenue: UInt128 = 0
    package var feesCreator: UInt128 = 0
    package var feesCashback: UInt128 = 0
    package var adds: UInt32 = 0
    package var removes: UInt32 = 0
    package var token: UInt128?
    package var quote: UInt128?
    package var shares: UInt128?

    package init() {}

    package static let schema = TableSchema(
        "pool_hours",
        "One pool in one hour of block time",
        key: [
            Column("pool", .address, "account, or contract"),
            Column("hour", .signed64, "its first second since 1970"),
        ],
        columns: [
            Column("buys", .unsigned32, "trades that bought"),
            Column("sells", .unsigned32, "trades that sold"),
            Column(
                "quote_bought",
                .unsigned128,
                "quote of the buys, without fees that do not move the pool"
            ),
            Column("quote_sold", .unsigned128, "quote of the sells"),
            Column("fees_liquidity", .unsigned128, "as in pool_states"),
            Column("fees_venue", .unsigned128, "as in pool_states"),
            Column("fees_creator", .unsigned128, "as in pool_states"),
            Column("fees_cashback", .unsigned128, "as in pool_states"),
            Column("adds", .unsigned32, "how often liquidity was added"),
            Column("removes", .unsigned32, "how often it was removed"),
            Column("token", .unsigned128, isOptional: true, "tokens in the pool at the end"),
            Column(
                "quote",
                .unsigned128,
                isOptional: true,
                "quote in the pool at the end, virtual parts included"
            ),
            Column("shares", .unsigned128, isOptional: true, "all shares at the end"),
        ]
    )

    package static func encode(_ key: PoolHourKey, to writer: inout RowWriter) {
        writer.add(key.pool)
        writer.add(key.hour)
    }
    package static func decodeKey(_ reader: inout RowReader) throws(RowError) -> PoolHourKey {
        PoolHourKey(
            pool: try reader.address(),
            hour: try reader.signed64()
        )
    }
    package func encode(to writer: inout RowWriter) {
        writer.add(buys)
        writer.add(sells)
        writer.add(quoteBought)
        writer.add(quoteSold)
        writer.add(feesLiquidity)
        writer.add(feesVenue)
        writer.add(feesCreator)
        writer.add(feesCashback)
        writer.add(adds)
        writer.add(removes)
        writer.add(optional: token) { $0.add($1) }
        writer.add(optional: quote) { $0.add($1) }
        writer.add(optional: shares) { $0.add($1) }
    }
    /// Reads the columns beside the key.
    package init(from reader: inout RowReader) throws(RowError) {
        buys = try reader.unsigned32()
        sells = try reader.unsigned32()
        quoteBought = try reader.unsigned128()
        quoteSold = try reader.unsigned128()
        feesLiquidity = try reader.unsigned128()
        feesVenue = try reader.unsigned128()
        feesCreator = try reader.unsigned128()
        feesCashback = try reader.unsigned128()
        adds = try reader.unsigned32()
        removes = try reader.unsigned32()
        token = try reader.optional { (reader) throws(RowError) in try reader.unsigned128() }
        quote = try reader.optional { (reader) throws(RowError) in try reader.unsigned128() }
        shares = try reader.optional { (reader) throws(RowError) in try reader.unsigned128() }
    }
}

/// A pool in an hour.
package struct PoolHourKey: Hashable, Comparable, Sendable {
    package let pool: Address
    package let hour: Int64

    package init(pool: Address, hour: Int64) {
        self.pool = pool
        self.hour = hour
    }

    package static func < (left: PoolHourKey, right: PoolHourKey) -> Bool {
        if left.pool != right.pool { return left.pool < right.pool }
        return left.hour < right.hour
    }
}
