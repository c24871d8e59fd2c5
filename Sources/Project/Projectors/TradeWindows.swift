import MarketModel
import Projection

/// Rolling sums of trades by pool, token and venue: the minute that is going on and the whole ones
/// before it that make up the window.
enum TradeWindows {
    /// In seconds: a minute, five, an hour, a day.
    static let widths: [Int64] = [60, 300, 3_600, 86_400]

    /// Of each pool.
    static let pools = StateView(
        schema: TableSchema(
            "pool_windows",
            "Trades of a pool or curve in the newest minute, five minutes, hour and day",
            key: [
                Column("pool", .address, "the pool; a pump.fun curve is named by its coin"), width,
            ],
            columns: [
                Column("venue", .unsigned8, "where the pool stands"),
                Column("token", .address, "what was traded"),
                Column("quote", .address, "what it was traded for"),
            ] + TradeWindowSum.columns
        ),
        tables: [PoolMinute.schema.name]
    ) { (store, moment) throws(StorageError) in
        try sums(store, moment) { key, _ in key.pool }
            .map { pool, width, sum in
                ListedRow({ add(&$0, pool, width) }) { writer in
                    writer.add(sum.venue.rawValue)
                    writer.add(sum.token)
                    writer.add(sum.quote)
                    sum.encode(to: &writer)
                }
            }
    }

    /// Of each token in each quote.
    static let tokens = StateView(
        schema: TableSchema(
            "token_windows",
            "Trades of a token in one quote over all pools, in the same windows",
            key: [
                Column("token", .address, "what was traded"),
                Column("quote", .address, "what it was traded for"), width,
            ],
            columns: [Column("pools", .unsigned32, "pools and curves with a trade")]
                + TradeWindowSum.columns
        ),
        tables: [PoolMinute.schema.name]
    ) { (store, moment) throws(StorageError) in
        try sums(store, moment) { _, row in TokenPair(token: row.token, quote: row.quote) }
            .map { pair, width, sum in
                ListedRow({ writer in
                    writer.add(pair.token)
                    add(&writer, pair.quote, width)
                }) { writer in
                    writer.add(UInt32(clamping: sum.pools.count))
                    sum.encode(to: &writer)
                }
            }
    }

    /// Of each venue in each quote; tokens of different coins are not added up.
    static let venues = StateView(
        schema: TableSchema(
            "venue_windows",
            "Trades of a venue in one quote, in the same windows; amounts of tokens are of many",
            key: [
                Column("venue", .unsigned8, "where the pools stand"),
                Column("quote", .address, "what was paid and got"), width,
            ],
            columns: [Column("pools", .unsigned32, "pools and curves with a trade")]
                + TradeWindowSum.columns
        ),
        tables: [PoolMinute.schema.name]
    ) { (store, moment) throws(StorageError) in
        try sums(store, moment) { _, row in VenueQuote(venue: row.venue, quote: row.quote) }
            .map { key, width, sum in
                ListedRow({ writer in
                    writer.add(key.venue.rawValue)
                    add(&writer, key.quote, width)
                }) { writer in
                    writer.add(UInt32(clamping: sum.pools.count))
                    sum.encode(to: &writer)
                }
            }
    }

    private static let width = Column("seconds", .unsigned32, "width of the window")

    private struct TokenPair: Hashable {
        var token: Address
        var quote: Address
    }

    private struct VenueQuote: Hashable {
        var venue: Venue
        var quote: Address
    }

    private static func add(_ writer: inout RowWriter, _ address: Address, _ width: Int64) {
        writer.add(address)
        writer.add(UInt32(width))
    }

    /// Sums by what a minute belongs to, and by width; in no order.
    private static func sums<Key: Hashable>(
        _ store: StateStore,
        _ moment: StateMoment,
        _ key: (PoolMinute.Key, PoolMinute) -> Key
    ) throws(StorageError) -> [(key: Key, width: Int64, sum: TradeWindowSum)] {
        guard let now = moment.seconds else { return [] }
        let minutes = try store.all(PoolMinute.self)
        var all: [(key: Key, width: Int64, sum: TradeWindowSum)] = []
        for width in widths {
            var sums: [Key: TradeWindowSum] = [:]
            for (place, row) in minutes {
                // The newest minute began at most 59 seconds ago; one that lies ahead counts nowhere.
                let age = now.subtractingReportingOverflow(place.minute)
                guard !age.overflow, age.partialValue >= 0,
                    age.partialValue / 60 < width / 60
                else { continue }
                sums[key(place, row), default: TradeWindowSum(row)].add(row, of: place.pool)
            }
            // Whoever asked sorts by key.
            for (key, sum) in sums { all.append((key, width, sum)) }
        }
        return all
    }
}

/// Sums of minutes of one or more pools.
struct TradeWindowSum {
    /// Those of its first minute.
    let venue: Venue
    let token: Address
    let quote: Address
    private(set) var pools: Set<Address> = []
    private var bucket = TradeBucket()
    private var wallets = TraderSet()

    init(_ row: PoolMinute) {
        venue = row.venue
        token = row.token
        quote = row.quote
    }

    mutating func add(_ row: PoolMinute, of pool: Address) {
        pools.insert(pool)
        bucket.add(row.bucket)
        wallets.formUnion(row.wallets)
    }

    /// Those of a bucket, but with wallets as a union of sets.
    static let columns: [Column] =
        [
            Column("wallets", .unsigned64, "different wallets, the agent apart"),
            Column("is_wallets_exact", .boolean, "whether they are at most 64; else within 1.6 %"),
            Column(
                "buy_pressure",
                .unsigned64,
                isOptional: true,
                "basis points of the quote that buys put in"
            ),
            Column(
                "quote_volume",
                .unsigned128,
                "of both sides; over token_volume the average price"
            ),
            Column("token_volume", .unsigned128, "of both sides"),
        ] + TradeBucket.columns.filter { $0.name != "traders" }

    func encode(to writer: inout RowWriter) {
        writer.add(wallets.count)
        writer.add(wallets.isExact)
        writer.add(optional: bucket.buyPressureBasisPoints) { $0.add($1) }
        writer.add(bucket.quoteVolume)
        writer.add(bucket.tokenVolume)
        bucket.encode(to: &writer, withTraders: false)
    }
}
