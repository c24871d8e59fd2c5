package import MarketModel
package import Projection

/// Which pool a share token belongs to.
package struct PoolShareRow: TableRow {
    package var pool: Address

    package init(pool: Address) {
        self.pool = pool
    }

    package static let schema = TableSchema(
        "share_tokens",
        "The pool of one share token",
        key: [
            Column("share_token", .address, "mint")
        ],
        columns: [
            Column("pool", .address, "account of the pool")
        ]
    )

    package static func encode(_ key: Address, to writer: inout RowWriter) { writer.add(key) }
    package static func decodeKey(_ reader: inout RowReader) throws(RowError) -> Address {
        try reader.address()
    }
    package func encode(to writer: inout RowWriter) {
        writer.add(pool)
    }
    /// Reads the columns beside the key.
    package init(from reader: inout RowReader) throws(RowError) {
        pool = try reader.address()
    }
}
