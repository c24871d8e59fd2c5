package import MarketModel
package import Projection

/// Which coin a curve sells. An account of a curve does not name it; what it says is kept here
/// until a trade does.
package struct TokenCurveRow: TableRow {
    package var token: Address?
    package var supply: UInt128?
    package var creator: Address?
    package var quote: Address?
    package var isMayhem: Bool = false

    package init() {}

    package static let schema = TableSchema(
        "curves",
        "One curve: its coin, or what its account says while that is unknown",
        key: [
            Column("curve", .address, "account of the curve")
        ],
        columns: [
            Column(
                "token",
                .address,
                isOptional: true,
                "its coin; the rest is left as it was once this is known"
            ),
            Column("supply", .unsigned128, isOptional: true, "supply of the coin, raw units"),
            Column("creator", .address, isOptional: true, "who gets the fees of the creator"),
            Column(
                "quote",
                .address,
                isOptional: true,
                "what it is priced in; nothing means SOL or not told"
            ),
            Column("is_mayhem", .boolean, "whether the agent of pump.fun trades it"),
        ]
    )

    package static func encode(_ key: Address, to writer: inout RowWriter) { writer.add(key) }
    package static func decodeKey(_ reader: inout RowReader) throws(RowError) -> Address {
        try reader.address()
    }
    package func encode(to writer: inout RowWriter) {
        writer.add(optional: token) { $0.add($1) }
        writer.add(optional: supply) { $0.add($1) }
        writer.add(optional: creator) { $0.add($1) }
        writer.add(optional: quote) { $0.add($1) }
        writer.add(isMayhem)
    }
    /// Reads the columns beside the key.
    package init(from reader: inout RowReader) throws(RowError) {
        token = try reader.optional { (reader) throws(RowError) in try reader.address() }
        supply = try reader.optional { (reader) throws(RowError) in try reader.unsigned128() }
        creator = try reader.optional { (reader) throws(RowError) in try reader.address() }
        quote = try reader.optional { (reader) throws(RowError) in try reader.address() }
        isMayhem = try reader.boolean()
    }
}
