import MarketModel
import Projection

/// What shares in a pool are worth.
enum PositionFigures {
    static let view = StateView(
        schema: TableSchema(
            "position_figures",
            "What the shares of one owner in one pool are worth; concentrated liquidity is left out",
            key: [
                Column("pool", .address, "account, or contract"),
                Column("owner", .address, "who added or removed"),
            ],
            columns: [
                Column("shares", .unsigned128, "as in lp_positions"),
                Column(
                    "share_bps",
                    .unsigned64,
                    isOptional: true,
                    "of all shares"
                ),
                Column("token", .unsigned128, isOptional: true, "tokens that they would give"),
                Column("quote", .unsigned128, isOptional: true, "quote that they would give"),
                Column(
                    "il_bps",
                    .signed64,
                    isOptional: true,
                    "loss against holding what was put in, at the price now; below zero: ahead"
                ),
            ]
        ),
        tables: [
            PoolRow.schema.name, PoolStateRow.schema.name, PoolPositionRow.schema.name,
        ]
    ) { (store, _) throws(StorageError) in
        var concentrated: Set<Address> = []
        for (pool, row) in try store.all(PoolRow.self) where row.venue.isConcentrated {
            concentrated.insert(pool)
        }
        var states: [Address: PoolStateRow] = [:]
        for (pool, row) in try store.all(PoolStateRow.self) { states[pool] = row }
        var rows: [ListedRow] = []
        for (key, row) in try store.all(PoolPositionRow.self) {
            guard !concentrated.contains(key.pool) else { continue }
            rows.append(
                ListedRow({ writer in
                    writer.add(key.pool)
                    writer.add(key.owner)
                }) { encode(row, states[key.pool], to: &$0) }
            )
        }
        return rows
    }

    private static func encode(
        _ row: PoolPositionRow,
        _ state: PoolStateRow?,
        to writer: inout RowWriter
    ) {
        var value: Reserves?
        var loss: Int64?
        if let supply = state?.shares, let token = state?.token, let quote = state?.quote {
            let reserves = Reserves(token: token, quote: quote)
            value = LiquidityFormulas.withdrawal(row.shares, of: supply, reserves)
            loss = LiquidityFormulas.lossBasisPoints(
                cost: Reserves(token: row.tokenCost, quote: row.quoteCost),
                shares: row.shares,
                of: supply,
                reserves
            )
        }
        writer.add(row.shares)
        let part = state?.shares.flatMap { UInt64.basisPoints(row.shares, of: $0) }
        writer.add(optional: part) { $0.add($1) }
        writer.add(optional: value?.token) { $0.add($1) }
        writer.add(optional: value?.quote) { $0.add($1) }
        writer.add(optional: loss) { $0.add($1) }
    }
}
