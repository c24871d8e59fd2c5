package import MarketModel
package import Projection

/// How often an account said something else than the events before it. The events' value stays.
package struct MonitorDrift<Owner: MonitorOwner>: TableRow {
    /// What differed; raw values stand in rows and never change.
    package struct Kinds: OptionSet, Hashable, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }

        /// Reserves of the token.
        package static var token: Kinds { Kinds(rawValue: 1 << 0) }
        /// Reserves of the quote.
        package static var quote: Kinds { Kinds(rawValue: 1 << 1) }
        /// Tokens left on a curve.
        package static var realTokens: Kinds { Kinds(rawValue: 1 << 2) }
        /// Whether a curve is complete.
        package static var completeness: Kinds { Kinds(rawValue: 1 << 3) }
        /// Supply of a token, or shares of a pool.
        package static var supply: Kinds { Kinds(rawValue: 1 << 4) }
    }

    /// Slots or blocks in which something differed.
    package var count: UInt64 = 0
    /// All that ever differed.
    package var kinds: Kinds = []
    /// First and last slot or block in which something did.
    package var firstPosition: UInt64
    package var lastPosition: UInt64

    /// One that nothing has been counted in yet, begun in a slot or block.
    package init(position: UInt64) {
        firstPosition = position
        lastPosition = position
    }

    package static var schema: TableSchema { Owner.driftSchema }

    package static func encode(_ key: Address, to writer: inout RowWriter) { writer.add(key) }
    package static func decodeKey(_ reader: inout RowReader) throws(RowError) -> Address {
        try reader.address()
    }
    package func encode(to writer: inout RowWriter) {
        writer.add(count)
        writer.add(kinds.rawValue)
        writer.add(firstPosition)
        writer.add(lastPosition)
    }
    /// Reads the columns beside the key.
    package init(from reader: inout RowReader) throws(RowError) {
        count = try reader.unsigned64()
        kinds = Kinds(rawValue: try reader.unsigned8())
        firstPosition = try reader.unsigned64()
        lastPosition = try reader.unsigned64()
    }

    /// The table's shape.
    ///
    /// - Parameters:
    ///   - name: of the table.
    ///   - subject: what its rows are about, as the name of the key column.
    /// - Returns: the schema.
    package static func schema(named name: String, subject: String) -> TableSchema {
        TableSchema(
            name,
            "How often accounts of one \(subject) differed from what events gave, which stays",
            key: [Column(subject, .address, "mint, account or contract")],
            columns: [
                Column("count", .unsigned64, "slots or blocks in which something differed"),
                Column(
                    "kinds",
                    .unsigned8,
                    "what ever did: 1 token, 2 quote, 4 real tokens, 8 completeness, 16 supply"
                ),
                Column("first_position", .unsigned64, "first slot or block in which it did"),
                Column("last_position", .unsigned64, "last slot or block in which it did"),
            ],
            isOutsideDigest: true
        )
    }
}

extension Table {
    /// Counts a drift.
    ///
    /// - Parameters:
    ///   - subject: whose.
    ///   - kinds: what differs; nothing is counted when that is nothing.
    ///   - position: slot or block.
    /// - Returns: whether it is the subject's first.
    func count<Owner: MonitorOwner>(
        _ subject: Address,
        _ kinds: MonitorDrift<Owner>.Kinds,
        at position: UInt64
    ) -> Bool where Row == MonitorDrift<Owner> {
        guard !kinds.isEmpty else { return false }
        let old = self[subject]
        var row = old ?? MonitorDrift(position: position)
        row.count += 1
        row.kinds.formUnion(kinds)
        row.lastPosition = position
        put(subject, row)
        return old == nil
    }
}
