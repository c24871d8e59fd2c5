package import MarketModel
package import Projection

/// What a creation says of its token in words. In a table of its own, because every trade reads the
/// row of its token.
package struct TokenTextRow: TableRow {
    package var name: String
    package var symbol: String
    package var uri: String

    package init(name: String, symbol: String, uri: String) {
        self.name = name
        self.symbol = symbol
        self.uri = uri
    }

    package static let schema = TableSchema(
        "token_texts",
        "The texts of one token whose creation was seen",
        key: [
            Column("token", .address, "mint, or contract")
        ],
        columns: [
            Column("name", .text, "as its creation says; any text at all"),
            Column("symbol", .text, "likewise"),
            Column("uri", .text, "likewise; where more about it stands"),
        ]
    )

    package static func encode(_ key: Address, to writer: inout RowWriter) { writer.add(key) }
    package static func decodeKey(_ reader: inout RowReader) throws(RowError) -> Address {
        try reader.address()
    }
    package func encode(to writer: inout RowWriter) {
        writer.add(name)
        writer.add(symbol)
        writer.add(uri)
    }
    /// Reads the columns beside the key.
    package init(from reader: inout RowReader) throws(RowError) {
        name = try reader.text()
        symbol = try reader.text()
        uri = try reader.text()
    }
}
