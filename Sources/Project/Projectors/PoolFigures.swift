import MarketModel
import Projection

/// What follows from the tables of a pool.
enum PoolFigures {
    static let view = StateView(
        schema: TableSchema(
            "pool_figures",
            "What follows from the tables of one pool as of the last slot",
            key: [Column("pool", .address, "account, or contract")],
            columns: [
                Column(
                    "age_seconds",
                    .unsigned64,
                    isOptional: true,
                    "since its opening, if that was seen"
                ),
                Column(
                    "volume_24h",
                    .unsigned128,
                    "quote of buys and sells of the newest 24 hours"
                ),
                Column("fees_24h", .unsigned128, "fees for liquidity in them, in quote"),
                Column("fees_24h_venue", .unsigned128, "fees for the venue in them"),
                Column("fees_24h_creator", .unsigned128, "fees for the creator in them"),
                Column(
                    "apr_24h_simple",
                    .unsigned64,
                    isOptional: true,
                    "basis points a year that liquidity earns if it goes on so; of the pool's age "
                        + "when it is younger, nothing when its opening was not seen"
                ),
                Column(
                    "locked_bps",
                    .unsigned64,
                    isOptional: true,
                    "part of all shares that nobody can withdraw"
                ),
                Column(
                    "growth",
                    .unsigned128,
                    isOptional: true,
                    "root of the reserves' product for one share, times 2^64"
                ),
                Column(
                    "yield",
                    .signed64,
                    isOptional: true,
                    "growth since the opening, in units of 10^-12"
                ),
                Column(
                    "yield_24h",
                    .signed64,
                    isOptional: true,
                    "growth since the last event before those 24 hours, in the same units"
                ),
                Column(
                    "tvl_usd_cents",
                    .unsigned128,
                    isOptional: true,
                    "at the newest recorded price of the quote; nothing without one"
                ),
            ]
        ),
        tables: [PoolRow.schema.name, PoolStateRow.schema.name, PoolHourRow.schema.name]
    ) { (store, moment) throws(StorageError) in
        let prices = try QuotePrices(store)
        var states: [Address: PoolStateRow] = [:]
        for (pool, row) in try store.all(PoolStateRow.self) { states[pool] = row }
        var days: [Address: PoolHourRow] = [:]
        /// The last hour before.
        var earlier: [Address: PoolHourRow] = [:]
        for (key, row) in try store.all(PoolHourRow.self) {
            // The hour that is going on and the 23 before it.
            guard let age = moment.seconds(since: key.hour) else { continue }
            if age / 3_600 < 24 {
                days[key.pool, default: PoolHourRow()].add(row)
            } else {
                // By rising hours: a later one replaces an earlier one.
                earlier[key.pool] = row
            }
        }
        return try store.all(PoolRow.self).map { pool, row in
            let figures = Values(
                row,
                states[pool] ?? PoolStateRow(),
                days[pool] ?? PoolHourRow(),
                after: earlier[pool],
                moment
            )
            let dollars = states[pool]?.tvl.flatMap { prices.cents($0, of: row.quote) }
            return ListedRow({ $0.add(pool) }) { writer in
                figures.encode(to: &writer)
                writer.add(optional: dollars) { $0.add($1) }
            }
        }
    }

    private struct Values {
        let age: UInt64?
        let day: PoolHourRow
        var rate: UInt64?
        let locked: UInt64?
        var growth: UInt128?
        var yield: Int64?
        var yieldOfDay: Int64?

        init(
            _ pool: PoolRow,
            _ state: PoolStateRow,
            _ day: PoolHourRow,
            after earlier: PoolHourRow?,
            _ moment: StateMoment
        ) {
            age = moment.seconds(since: pool.createdTime)
            self.day = day
            let supply = state.shares
            locked = supply.flatMap {
                LiquidityFormulas.lockedBasisPoints(
                    locked: state.lockedShares,
                    burnt: state.burntShares,
                    of: $0
                )
            }
            if let age, let tvl = state.tvl {
                rate = LiquidityFormulas.feeAPRBasisPoints(
                    fees: day.feesLiquidity,
                    seconds: min(age, 86_400),
                    tvl: tvl
                )
            }
            guard !pool.venue.isConcentrated else { return }
            growth = Self.growth(state.token, state.quote, supply)
            yield = Self.yield(
                from: Self.growth(pool.startToken, pool.startQuote, pool.startShares),
                to: growth
            )
            yieldOfDay = Self.yield(
                from: Self.growth(earlier?.token, earlier?.quote, earlier?.shares),
                to: growth
            )
        }

        private static func growth(
            _ token: UInt128?,
            _ quote: UInt128?,
            _ shares: UInt128?
        ) -> UInt128? {
            guard let token, let quote, let shares else { return nil }
            return LiquidityFormulas.growth(Reserves(token: token, quote: quote), shares: shares)
        }

        private static func yield(from earlier: UInt128?, to later: UInt128?) -> Int64? {
            guard let earlier, let later else { return nil }
            return LiquidityFormulas.yield(from: earlier, to: later)
        }

        func encode(to writer: inout RowWriter) {
            writer.add(optional: age) { $0.add($1) }
            writer.add(day.quoteBought.plus(day.quoteSold))
            writer.add(day.feesLiquidity)
            writer.add(day.feesVenue)
            writer.add(day.feesCreator)
            writer.add(optional: rate) { $0.add($1) }
            writer.add(optional: locked) { $0.add($1) }
            writer.add(optional: growth) { $0.add($1) }
            writer.add(optional: yield) { $0.add($1) }
            writer.add(optional: yieldOfDay) { $0.add($1) }
        }
    }
}

extension PoolHourRow {
    /// Adds what adds up of another hour.
    fileprivate mutating func add(_ other: PoolHourRow) {
        quoteBought = quoteBought.plus(other.quoteBought)
        quoteSold = quoteSold.plus(other.quoteSold)
        feesLiquidity = feesLiquidity.plus(other.feesLiquidity)
        feesVenue = feesVenue.plus(other.feesVenue)
        feesCreator = feesCreator.plus(other.feesCreator)
    }
}
