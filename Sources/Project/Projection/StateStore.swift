package import MarketModel

/// All tables of one chain.
public final class StateStore {
    /// Whose state it is.
    package let chain: Chain
    /// In the order in which they were made.
    @usableFromInline var entries: [(table: StateTable, actions: TableActions)] = []

    package init(_ chain: Chain) {
        self.chain = chain
    }

    /// Makes the table of a row type; once for each type, when projectors are made.
    @inlinable
    public func table<Row: TableRow>(_ type: Row.Type) -> Table<Row> {
        precondition(
            !entries.contains { $0.table.schema.name == Row.schema.name },
            "a second table \(Row.schema.name)"
        )
        let table = Table<Row>()
        let actions = TableActions(
            close: { table.closeBundle() },
            undo: { table.undoBundle() },
            trim: { table.trimBundle() },
            restore: { () throws(StorageError) in try table.restoreRows() },
            save: { () throws(StorageError) in try table.saveRows() },
            confirm: { table.confirmRows() },
            list: { () throws(StorageError) in try table.listRows() }
        )
        entries.append((table, actions))
        return table
    }

    /// The tables, by name.
    package var tables: [StateTable] { entries.map(\.table) }

    /// What the tables look like, by name.
    package var schemas: [TableSchema] { entries.map(\.table.schema) }

    /// Puts the tables into the order of their names; none is made afterwards.
    func sort() {
        entries.sort { left, right in
            left.table.schema.name.utf8.lexicographicallyPrecedes(right.table.schema.name.utf8)
        }
    }

    /// Digest of all tables as they are, by name.
    func chainDigest(_ writer: inout RowWriter) -> StateDigest {
        writer.removeAll()
        for (table, _) in entries where !table.schema.isOutsideDigest {
            writer.appendPrefix(table.schema.name)
            writer.add(table.sum)
        }
        return writer.digest
    }

    /// The first failure of storage that a table met.
    var failure: StorageError? {
        for (table, _) in entries {
            if let failure = table.failure { return failure }
        }
        return nil
    }
}
