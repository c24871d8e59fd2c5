package import MarketModel
package import Projection

/// Traders of a token beyond those that have rows.
package struct TokenSketchRow: TableRow {
    package var others = TraderSet()

    package init() {}

    package static let schema = TableSchema(
        "trader_sketches",
        "Traders beyond the exact ones of one token",
        key: [
            Column("token", .address, "mint, or contract")
        ],
        columns: [
            Column("others", .bytes, TraderSet.meaning)
        ]
    )

    package static func encode(_ key: Address, to writer: inout RowWriter) { writer.add(key) }
    package static func decodeKey(_ reader: inout RowReader) throws(RowError) -> Address {
        try reader.address()
    }
    package func encode(to writer: inout RowWriter) {
        others.encode(to: &writer)
    }
    /// Reads the columns beside the key.
    package init(from reader: inout RowReader) throws(RowError) {
        others = try TraderSet(from: &reader, column: 0)
    }
}
