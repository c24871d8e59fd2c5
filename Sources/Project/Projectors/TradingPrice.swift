package import MarketModel
package import Projection

/// Price and liquidity of a pool with concentrated liquidity after its last trade: what the next trade
/// met, which its event does not tell.
package struct TradingPrice: TableRow {
    package var price: ConcentratedPrice

    package init(_ price: ConcentratedPrice) {
        self.price = price
    }

    package static let schema = TableSchema(
        "pool_prices",
        "Price and liquidity in range of a pool of concentrated liquidity after its last trade",
        key: [Column("pool", .address, "the pool")],
        columns: [
            Column("sqrt_price", .unsigned128, "square root of side 1 a side 0, times 2^64"),
            Column("liquidity", .unsigned128, "in range"),
        ]
    )

    package static func encode(_ key: Address, to writer: inout RowWriter) { writer.add(key) }
    package static func decodeKey(_ reader: inout RowReader) throws(RowError) -> Address {
        try reader.address()
    }
    package func encode(to writer: inout RowWriter) {
        writer.add(price.sqrtPrice)
        writer.add(price.liquidity)
    }
    /// Reads the columns beside the key.
    package init(from reader: inout RowReader) throws(RowError) {
        price = ConcentratedPrice(
            sqrtPrice: try reader.unsigned128(),
            liquidity: try reader.unsigned128()
        )
    }
}
