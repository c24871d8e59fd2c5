package import MarketModel
package import Projection

/// What one maker of tokens did, as far as seen.
package struct TokenCreatorRow: TableRow {
    package var created: UInt32 = 0
    package var completed: UInt32 = 0
    package var migrated: UInt32 = 0
    package var buys: UInt32 = 0
    package var sells: UInt32 = 0
    package var quotePaid: UInt128 = 0
    package var quoteGot: UInt128 = 0
    package var firstPosition: UInt64 = 0
    package var lastPosition: UInt64 = 0

    package init() {}

    package static let schema = TableSchema(
        "creators",
        "One creator: coins, how far they came, and his trades in them",
        key: [
            Column("creator", .address, "who got the fees of the creator when the coin was made")
        ],
        columns: [
            Column("created", .unsigned32, "coins made"),
            Column("completed", .unsigned32, "coins whose curve sold out"),
            Column("migrated", .unsigned32, "coins that got a pool"),
            Column("buys", .unsigned32, "buys in his own coins"),
            Column("sells", .unsigned32, "sells in his own coins"),
            Column(
                "quote_paid",
                .unsigned128,
                "quote paid for those, fees included, over all quotes"
            ),
            Column(
                "quote_got",
                .unsigned128,
                "quote got for those, fees taken off, over all quotes"
            ),
            Column("first_position", .unsigned64, "slot or block in which he was first seen"),
            Column("last_position", .unsigned64, "slot or block of the last change"),
        ]
    )

    package static func encode(_ key: Address, to writer: inout RowWriter) { writer.add(key) }
    package static func decodeKey(_ reader: inout RowReader) throws(RowError) -> Address {
        try reader.address()
    }
    package func encode(to writer: inout RowWriter) {
        writer.add(created)
        writer.add(completed)
        writer.add(migrated)
        writer.add(buys)
        writer.add(sells)
        writer.add(quotePaid)
        writer.add(quoteGot)
        writer.add(firstPosition)
        writer.add(lastPosition)
    }
    /// Reads the columns beside the key.
    package init(from reader: inout RowReader) throws(RowError) {
        created = try reader.unsigned32()
        completed = try reader.unsigned32()
        migrated = try reader.unsigned32()
        buys = try reader.unsigned32()
        sells = try reader.unsigned32()
        quotePaid = try reader.unsigned128()
        quoteGot = try reader.unsigned128()
        firstPosition = try reader.unsigned64()
        lastPosition = try reader.unsigned64()
    }
}
