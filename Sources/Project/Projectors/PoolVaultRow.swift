package import MarketModel
package import Projection

/// Which pool a vault belongs to, as accounts say.
package struct PoolVaultRow: TableRow {
    package var pool: Address
    package var isToken: Bool = false

    package init(pool: Address) {
        self.pool = pool
    }

    package static let schema = TableSchema(
        "pool_vaults",
        "The pool of one vault",
        key: [
            Column("vault", .address, "token account")
        ],
        columns: [
            Column("pool", .address, "account of the pool"),
            Column("is_token", .boolean, "whether it holds the token"),
        ],
        isOutsideDigest: true
    )

    package static func encode(_ key: Address, to writer: inout RowWriter) { writer.add(key) }
    package static func decodeKey(_ reader: inout RowReader) throws(RowError) -> Address {
        try reader.address()
    }
    package func encode(to writer: inout RowWriter) {
        writer.add(pool)
        writer.add(isToken)
    }
    /// Reads the columns beside the key.
    package init(from reader: inout RowReader) throws(RowError) {
        pool = try reader.address()
        isToken = try reader.boolean()
    }
}
