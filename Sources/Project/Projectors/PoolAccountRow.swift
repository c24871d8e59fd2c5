package import MarketModel
package import Projection

/// What the accounts of a pool said last. Events are what state is made of; this only seeds what
/// was not seen from its opening.
package struct PoolAccountRow: TableRow {
    package var tokenVault: UInt128?
    package var quoteVault: UInt128?
    package var tokenWaiting: UInt128?
    package var quoteWaiting: UInt128?
    package var virtualQuote: Int128?
    package var shares: UInt128?
    package var lastPosition: UInt64 = 0

    package init() {}

    package static let schema = TableSchema(
        "pool_accounts",
        "The accounts of one pool as last seen",
        key: [
            Column("pool", .address, "account of the pool")
        ],
        columns: [
            Column(
                "token_vault",
                .unsigned128,
                isOptional: true,
                "amount of the vault of the token"
            ),
            Column(
                "quote_vault",
                .unsigned128,
                isOptional: true,
                "amount of the vault of the quote"
            ),
            Column(
                "token_waiting",
                .unsigned128,
                isOptional: true,
                "part of it that belongs to others"
            ),
            Column(
                "quote_waiting",
                .unsigned128,
                isOptional: true,
                "part of it that belongs to others"
            ),
            Column(
                "virtual_quote",
                .signed128,
                isOptional: true,
                "PumpSwap: quote that counts for the price and is not in the vault"
            ),
            Column("shares", .unsigned128, isOptional: true, "shares"),
            Column("last_position", .unsigned64, "slot of the last change"),
        ],
        isOutsideDigest: true
    )

    package static func encode(_ key: Address, to writer: inout RowWriter) { writer.add(key) }
    package static func decodeKey(_ reader: inout RowReader) throws(RowError) -> Address {
        try reader.address()
    }
    package func encode(to writer: inout RowWriter) {
        writer.add(optional: tokenVault) { $0.add($1) }
        writer.add(optional: quoteVault) { $0.add($1) }
        writer.add(optional: tokenWaiting) { $0.add($1) }
        writer.add(optional: quoteWaiting) { $0.add($1) }
        writer.add(optional: virtualQuote) { $0.add($1) }
        writer.add(optional: shares) { $0.add($1) }
        writer.add(lastPosition)
    }
    /// Reads the columns beside the key.
    package init(from reader: inout RowReader) throws(RowError) {
        tokenVault = try reader.optional { (reader) throws(RowError) in try reader.unsigned128() }
        quoteVault = try reader.optional { (reader) throws(RowError) in try reader.unsigned128() }
        tokenWaiting = try reader.optional { (reader) throws(RowError) in try reader.unsigned128() }
        quoteWaiting = try reader.optional { (reader) throws(RowError) in try reader.unsigned128() }
        virtualQuote = try reader.optional { (reader) throws(RowError) in try reader.signed128() }
        shares = try reader.optional { (reader) throws(RowError) in try reader.unsigned128() }
        lastPosition = try reader.unsigned64()
    }
}
