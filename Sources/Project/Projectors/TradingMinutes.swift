package import MarketModel
package import Projection

/// The trades of one token in one quote within one minute of block time, over all its pools.
package struct TokenMinute: TableRow {
    /// Token, quote, and the second at which the minute begins.
    package struct Key: Hashable, Comparable, Sendable {
        package var token: Address
        package var quote: Address
        package var minute: Int64

        package init(token: Address, quote: Address, minute: Int64) {
            self.token = token
            self.quote = quote
            self.minute = minute
        }

        /// The last word of an address tells it apart well enough.
        package func hash(into hasher: inout Hasher) {
            hasher.combine(token.storage.words.3)
            hasher.combine(minute)
        }

        package static func < (left: Key, right: Key) -> Bool {
            (left.token, left.quote, left.minute) < (right.token, right.quote, right.minute)
        }
    }

    /// The sums.
    package var bucket: TradeBucket

    package init(_ bucket: TradeBucket = TradeBucket()) {
        self.bucket = bucket
    }

    package static let schema = TableSchema(
        "token_minutes",
        "Trades of a token in one quote within a minute of block time, over all pools",
        key: [
            Column("token", .address, "what was traded"),
            Column("quote", .address, "what it was traded for"),
            Column("minute", .signed64, "seconds since 1970 at its beginning"),
        ],
        columns: TradeBucket.columns
    )

    package static func encode(_ key: Key, to writer: inout RowWriter) {
        writer.add(key.token)
        writer.add(key.quote)
        writer.add(key.minute)
    }

    package static func decodeKey(_ reader: inout RowReader) throws(RowError) -> Key {
        Key(
            token: try reader.address(),
            quote: try reader.address(),
            minute: try reader.signed64()
        )
    }

    package func encode(to writer: inout RowWriter) { bucket.encode(to: &writer) }

    /// Reads the other columns.
    package init(from reader: inout RowReader) throws(RowError) {
        bucket = try TradeBucket(from: &reader)
    }
}

/// The trades of one pool within one minute of block time.
package struct PoolMinute: TableRow {
    /// Pool, and the second at which the minute begins.
    package struct Key: Hashable, Comparable, Sendable {
        package var pool: Address
        package var minute: Int64

        package init(pool: Address, minute: Int64) {
            self.pool = pool
            self.minute = minute
        }

        /// The last word of an address tells it apart well enough.
        package func hash(into hasher: inout Hasher) {
            hasher.combine(pool.storage.words.3)
            hasher.combine(minute)
        }

        package static func < (left: Key, right: Key) -> Bool {
            (left.pool, left.minute) < (right.pool, right.minute)
        }
    }

    /// Where the pool stands.
    package var venue: Venue
    /// What was traded.
    package var token: Address
    /// What it was traded for.
    package var quote: Address
    /// The sums.
    package var bucket: TradeBucket
    /// Different wallets, in a form that those of several minutes and pools can be joined of.
    package var wallets = TraderSet()

    package init(
        venue: Venue,
        token: Address,
        quote: Address,
        bucket: TradeBucket = TradeBucket()
    ) {
        self.venue = venue
        self.token = token
        self.quote = quote
        self.bucket = bucket
    }

    package static let schema = TableSchema(
        "pool_minutes",
        "Trades of a pool or curve within a minute of block time",
        key: [
            Column("pool", .address, "the pool; a pump.fun curve is named by its coin"),
            Column("minute", .signed64, "seconds since 1970 at its beginning"),
        ],
        columns: [
            Column("venue", .unsigned8, "where the pool stands"),
            Column("token", .address, "what was traded"),
            Column("quote", .address, "what it was traded for"),
        ] + TradeBucket.columns + [Column("wallets", .bytes, TraderSet.meaning)]
    )

    package static func encode(_ key: Key, to writer: inout RowWriter) {
        writer.add(key.pool)
        writer.add(key.minute)
    }

    package static func decodeKey(_ reader: inout RowReader) throws(RowError) -> Key {
        Key(pool: try reader.address(), minute: try reader.signed64())
    }

    package func encode(to writer: inout RowWriter) {
        writer.add(venue.rawValue)
        writer.add(token)
        writer.add(quote)
        bucket.encode(to: &writer)
        wallets.encode(to: &writer)
    }

    /// Reads the other columns.
    package init(from reader: inout RowReader) throws(RowError) {
        guard let venue = Venue(rawValue: try reader.unsigned8()) else {
            throw .invalid(column: 0)
        }
        self.venue = venue
        token = try reader.address()
        quote = try reader.address()
        bucket = try TradeBucket(from: &reader)
        wallets = try TraderSet(from: &reader, column: 3 + TradeBucket.columns.count)
    }
}
