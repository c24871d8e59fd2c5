package import MarketModel
package import Projection

/// Traders of a token beyond those that have rows, as a sketch.
package struct TokenSketchRow: TableRow {
    package var registers: [UInt8] = []

    package init() {}

    package static let schema = TableSchema(
        "trader_sketches",
        "The sketch of traders beyond the exact ones of one token",
        key: [
            Column("token", .address, "mint, or contract")
        ],
        columns: [
            Column("registers", .bytes, "4,096 registers of HyperLogLog: the highest rank in each")
        ]
    )

    package static func encode(_ key: Address, to writer: inout RowWriter) { writer.add(key) }
    package static func decodeKey(_ reader: inout RowReader) throws(RowError) -> Address {
        try reader.address()
    }
    package func encode(to writer: inout RowWriter) {
        writer.add(registers)
    }
    /// Reads the columns beside the key.
    package init(from reader: inout RowReader) throws(RowError) {
        registers = try reader.byteString()
    }
}
