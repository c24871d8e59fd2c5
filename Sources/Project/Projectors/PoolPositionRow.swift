package import MarketModel
package import Projection

/// What one owner has in a pool.
package struct PoolPositionRow: TableRow {
    package var shares: UInt128 = 0
    package var tokenCost: UInt128 = 0
    package var quoteCost: UInt128 = 0
    package var tokenWithdrawn: UInt128 = 0
    package var quoteWithdrawn: UInt128 = 0
    package var tokenCollected: UInt128 = 0
    package var quoteCollected: UInt128 = 0
    package var lowerTick: Int32?
    package var upperTick: Int32?
    package var adds: UInt32 = 0
    package var removes: UInt32 = 0
    package var firstPosition: UInt64 = 0
    package var lastPosition: UInt64 = 0
    package var transfersUnseen: Bool = false

    package init() {}

    package static let schema = TableSchema(
        "lp_positions",
        "Shares of one owner in one pool, and what they cost",
        key: [
            Column("pool", .address, "account, or contract"),
            Column("owner", .address, "who added or removed"),
            Column(
                "position",
                .address,
                "concentrated liquidity: what stands for the position; zero otherwise"
            ),
        ],
        columns: [
            Column("shares", .unsigned128, "shares, or liquidity"),
            Column(
                "token_cost",
                .unsigned128,
                "tokens put in for the shares that are left: each removal takes its part "
                    + "off, rounded down"
            ),
            Column("quote_cost", .unsigned128, "quote put in, likewise"),
            Column("token_withdrawn", .unsigned128, "tokens taken out in all"),
            Column("quote_withdrawn", .unsigned128, "quote taken out in all"),
            Column(
                "token_collected",
                .unsigned128,
                "concentrated liquidity: fees taken out, in tokens"
            ),
            Column("quote_collected", .unsigned128, "the same in quote"),
            Column(
                "lower_tick",
                .signed32,
                isOptional: true,
                "concentrated liquidity: lowest tick"
            ),
            Column(
                "upper_tick",
                .signed32,
                isOptional: true,
                "concentrated liquidity: highest tick"
            ),
            Column("adds", .unsigned32, "how often something was added"),
            Column("removes", .unsigned32, "how often something was removed"),
            Column("first_position", .unsigned64, "slot or block of the first change"),
            Column("last_position", .unsigned64, "slot or block of the last change"),
            Column(
                "transfers_unseen",
                .boolean,
                "whether more was removed than had been added or received: shares moved "
                    + "outside what is seen"
            ),
        ]
    )

    package static func encode(_ key: PoolPositionKey, to writer: inout RowWriter) {
        writer.add(key.pool)
        writer.add(key.owner)
        writer.add(key.position)
    }
    package static func decodeKey(_ reader: inout RowReader) throws(RowError) -> PoolPositionKey {
        PoolPositionKey(
            pool: try reader.address(),
            owner: try reader.address(),
            position: try reader.address()
        )
    }
    package func encode(to writer: inout RowWriter) {
        writer.add(shares)
        writer.add(tokenCost)
        writer.add(quoteCost)
        writer.add(tokenWithdrawn)
        writer.add(quoteWithdrawn)
        writer.add(tokenCollected)
        writer.add(quoteCollected)
        writer.add(optional: lowerTick) { $0.add($1) }
        writer.add(optional: upperTick) { $0.add($1) }
        writer.add(adds)
        writer.add(removes)
        writer.add(firstPosition)
        writer.add(lastPosition)
        writer.add(transfersUnseen)
    }
    /// Reads the columns beside the key.
    package init(from reader: inout RowReader) throws(RowError) {
        shares = try reader.unsigned128()
        tokenCost = try reader.unsigned128()
        quoteCost = try reader.unsigned128()
        tokenWithdrawn = try reader.unsigned128()
        quoteWithdrawn = try reader.unsigned128()
        tokenCollected = try reader.unsigned128()
        quoteCollected = try reader.unsigned128()
        lowerTick = try reader.optional { (reader) throws(RowError) in try reader.signed32() }
        upperTick = try reader.optional { (reader) throws(RowError) in try reader.signed32() }
        adds = try reader.unsigned32()
        removes = try reader.unsigned32()
        firstPosition = try reader.unsigned64()
        lastPosition = try reader.unsigned64()
        transfersUnseen = try reader.boolean()
    }
}

/// An owner in a pool.
package struct PoolPositionKey: Hashable, Comparable, Sendable {
    package let pool: Address
    package let owner: Address
    package let position: Address

    package init(pool: Address, owner: Address, position: Address) {
        self.pool = pool
        self.owner = owner
        self.position = position
    }

    package static func < (left: PoolPositionKey, right: PoolPositionKey) -> Bool {
        if left.pool != right.pool { return left.pool < right.pool }
        if left.owner != right.owner { return left.owner < right.owner }
        return left.position < right.position
    }
}
