package import MarketModel
package import Projection

/// What a pool is. Written when it is made or first seen.
package struct PoolRow: TableRow {
    package var venue: Venue
    package var token: Address
    package var quote: Address
    package var isReversed: Bool?
    package var isRaw: Bool = false
    package var isPartial: Bool = false
    package var isCanonical: Bool?
    package var index: UInt16?
    package var creator: Address?
    package var coinCreator: Address?
    package var shareToken: Address?
    package var tokenDecimals: UInt8?
    package var quoteDecimals: UInt8?
    package var firstPosition: UInt64 = 0
    package var createdPosition: UInt64?
    package var createdTime: Int64?
    package var startToken: UInt128?
    package var startQuote: UInt128?
    package var startShares: UInt128?

    package init(venue: Venue, token: Address, quote: Address) {
        self.venue = venue
        self.token = token
        self.quote = quote
    }

    package static let schema = TableSchema(
        "pools",
        "One pool: where it is, what it trades, and how it began",
        key: [
            Column("pool", .address, "account, or contract")
        ],
        columns: [
            Column("venue", .unsigned8, "where it is"),
            Column("token", .address, "the side that is priced"),
            Column("quote", .address, "the side it is priced in"),
            Column(
                "is_reversed",
                .boolean,
                isOptional: true,
                "whether the token is its second side (quote, pc, 1)"
            ),
            Column(
                "is_raw",
                .boolean,
                "whether neither side is a known quote, so that its own order counts"
            ),
            Column("is_partial", .boolean, "whether it was not seen from its opening"),
            Column(
                "is_canonical",
                .boolean,
                isOptional: true,
                "PumpSwap: whether it is the pool of a migration"
            ),
            Column(
                "index",
                .unsigned16,
                isOptional: true,
                "PumpSwap: its number among those of its creator"
            ),
            Column("creator", .address, isOptional: true, "who opened it"),
            Column(
                "coin_creator",
                .address,
                isOptional: true,
                "PumpSwap: who gets the fees of the creator"
            ),
            Column("share_token", .address, isOptional: true, "token that stands for shares"),
            Column("token_decimals", .unsigned8, isOptional: true, "of the token"),
            Column("quote_decimals", .unsigned8, isOptional: true, "of the quote"),
            Column("first_position", .unsigned64, "slot or block in which it was first seen"),
            Column(
                "created_position",
                .unsigned64,
                isOptional: true,
                "slot or block of its opening"
            ),
            Column("created_time", .signed64, isOptional: true, "its time, seconds since 1970"),
            Column("start_token", .unsigned128, isOptional: true, "tokens put in at the opening"),
            Column("start_quote", .unsigned128, isOptional: true, "quote put in at the opening"),
            Column(
                "start_shares",
                .unsigned128,
                isOptional: true,
                "shares made at the opening, locked ones included"
            ),
        ]
    )

    package static func encode(_ key: Address, to writer: inout RowWriter) { writer.add(key) }
    package static func decodeKey(_ reader: inout RowReader) throws(RowError) -> Address {
        try reader.address()
    }
    package func encode(to writer: inout RowWriter) {
        writer.add(venue.rawValue)
        writer.add(token)
        writer.add(quote)
        writer.add(optional: isReversed) { $0.add($1) }
        writer.add(isRaw)
        writer.add(isPartial)
        writer.add(optional: isCanonical) { $0.add($1) }
        writer.add(optional: index) { $0.add($1) }
        writer.add(optional: creator) { $0.add($1) }
        writer.add(optional: coinCreator) { $0.add($1) }
        writer.add(optional: shareToken) { $0.add($1) }
        writer.add(optional: tokenDecimals) { $0.add($1) }
        writer.add(optional: quoteDecimals) { $0.add($1) }
        writer.add(firstPosition)
        writer.add(optional: createdPosition) { $0.add($1) }
        writer.add(optional: createdTime) { $0.add($1) }
        writer.add(optional: startToken) { $0.add($1) }
        writer.add(optional: startQuote) { $0.add($1) }
        writer.add(optional: startShares) { $0.add($1) }
    }
    /// Reads the columns beside the key.
    package init(from reader: inout RowReader) throws(RowError) {
        venue = try Venue(from: &reader, column: 0)
        token = try reader.address()
        quote = try reader.address()
        isReversed = try reader.optional { (reader) throws(RowError) in try reader.boolean() }
        isRaw = try reader.boolean()
        isPartial = try reader.boolean()
        isCanonical = try reader.optional { (reader) throws(RowError) in try reader.boolean() }
        index = try reader.optional { (reader) throws(RowError) in try reader.unsigned16() }
        creator = try reader.optional { (reader) throws(RowError) in try reader.address() }
        coinCreator = try reader.optional { (reader) throws(RowError) in try reader.address() }
        shareToken = try reader.optional { (reader) throws(RowError) in try reader.address() }
        tokenDecimals = try reader.optional { (reader) throws(RowError) in try reader.unsigned8() }
        quoteDecimals = try reader.optional { (reader) throws(RowError) in try reader.unsigned8() }
        firstPosition = try reader.unsigned64()
        createdPosition = try reader.optional { (reader) throws(RowError) in try reader.unsigned64()
        }
        createdTime = try reader.optional { (reader) throws(RowError) in try reader.signed64() }
        startToken = try reader.optional { (reader) throws(RowError) in try reader.unsigned128() }
        startQuote = try reader.optional { (reader) throws(RowError) in try reader.unsigned128() }
        startShares = try reader.optional { (reader) throws(RowError) in try reader.unsigned128() }
    }
}
