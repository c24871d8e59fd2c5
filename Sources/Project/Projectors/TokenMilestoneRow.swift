package import MarketModel
package import Projection

/// A market cap that a token reached.
package struct TokenMilestoneRow: TableRow {
    package var position: UInt64 = 0
    package var transaction: UInt32 = 0
    package var time: Int64?
    package var marketCap: UInt128 = 0
    package var isSeen: Bool = false
    package var crossings: UInt32 = 0

    package init() {}

    package static let schema = TableSchema(
        "milestones",
        "One threshold of market cap that one token reached",
        key: [
            Column("token", .address, "mint, or contract"),
            Column("threshold", .unsigned128, "in raw units of the quote of the token"),
        ],
        columns: [
            Column("position", .unsigned64, "slot or block of the first crossing"),
            Column("transaction", .unsigned32, "place of its transaction in it"),
            Column("time", .signed64, isOptional: true, "its time, seconds since 1970"),
            Column("market_cap", .unsigned128, "the cap after it"),
            Column(
                "is_seen",
                .boolean,
                "whether the crossing itself was seen: false when the first known cap was "
                    + "already above"
            ),
            Column(
                "crossings",
                .unsigned32,
                "how often it was crossed upwards, once the parameter rearms_milestones is set"
            ),
        ]
    )

    package static func encode(_ key: TokenMilestoneKey, to writer: inout RowWriter) {
        writer.add(key.token)
        writer.add(key.threshold)
    }
    package static func decodeKey(_ reader: inout RowReader) throws(RowError) -> TokenMilestoneKey {
        TokenMilestoneKey(
            token: try reader.address(),
            threshold: try reader.unsigned128()
        )
    }
    package func encode(to writer: inout RowWriter) {
        writer.add(position)
        writer.add(transaction)
        writer.add(optional: time) { $0.add($1) }
        writer.add(marketCap)
        writer.add(isSeen)
        writer.add(crossings)
    }
    /// Reads the columns beside the key.
    package init(from reader: inout RowReader) throws(RowError) {
        position = try reader.unsigned64()
        transaction = try reader.unsigned32()
        time = try reader.optional { (reader) throws(RowError) in try reader.signed64() }
        marketCap = try reader.unsigned128()
        isSeen = try reader.boolean()
        crossings = try reader.unsigned32()
    }
}

/// A threshold for a token.
package struct TokenMilestoneKey: Hashable, Comparable, Sendable {
    package let token: Address
    package let threshold: UInt128

    package init(token: Address, threshold: UInt128) {
        self.token = token
        self.threshold = threshold
    }

    package static func < (left: TokenMilestoneKey, right: TokenMilestoneKey) -> Bool {
        if left.token != right.token { return left.token < right.token }
        return left.threshold < right.threshold
    }
}
