package import MarketModel

/// All tables of one chain.
public final class StateStore {
    /// Whose state it is.
    package let chain: Chain
    /// The tables: in the order in which they were made, then by name.
    @usableFromInline
    package internal(set) var tables: [StateTable] = []
    /// What each of them does.
    @usableFromInline var actions: [TableActions] = []
    /// What the chain's digest is taken of: each table's name and sum, by name.
    private var digested = RowWriter()
    /// Where a table's sum stands in that; nil for one that is outside of it.
    private var places: [Int?] = []

    package init(_ chain: Chain) {
        self.chain = chain
    }

    /// Makes the table of a row type; once for each type, when projectors are made.
    @inlinable
    public func table<Row: TableRow>(_ type: Row.Type) -> Table<Row> {
        precondition(
            !tables.contains { $0.schema.name == Row.schema.name },
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
            list: { () throws(StorageError) in try table.listRows() },
            changes: { table.listChanges() }
        )
        tables.append(table)
        self.actions.append(actions)
        return table
    }

    /// What the tables look like, by name.
    package var schemas: [TableSchema] { tables.map(\.schema) }

    /// Puts the tables into the order of their names; none is made afterwards.
    func sort() {
        let order = tables.indices.sorted { left, right in
            tables[left].schema.name.utf8
                .lexicographicallyPrecedes(tables[right].schema.name.utf8)
        }
        tables = order.map { tables[$0] }
        actions = order.map { actions[$0] }
        digested.removeAll()
        places = tables.map { table in
            guard !table.schema.isOutsideDigest else { return nil }
            digested.appendPrefix(table.schema.name)
            let place = digested.count
            digested.add(table.sum)
            return place
        }
    }

    /// Takes a table's sum into the chain's digest; after every change of it.
    func note(_ number: Int) {
        guard let place = places[number] else { return }
        digested.replace(at: place, tables[number].sum)
    }

    /// Digest of all tables as they are, by name.
    var chainDigest: StateDigest { digested.digest }

    /// Digest of the tables that the chain's digest leaves out, by name.
    var digestBeside: StateDigest {
        var writer = RowWriter()
        for table in tables where table.schema.isOutsideDigest {
            writer.appendPrefix(table.schema.name)
            writer.add(table.sum)
        }
        return writer.digest
    }

    /// The first failure of storage that a table met.
    var failure: StorageError? {
        for table in tables where table.failure != nil { return table.failure }
        return nil
    }

    /// Ends a bundle: of most tables it touches nothing.
    func close() {
        for number in tables.indices {
            let table = tables[number]
            // Reading alone can bring more into memory than may stay there.
            if table.hasChanges || table.resident > table.residentMax {
                actions[number].close()
                note(number)
            } else {
                table.serial += 1
            }
        }
    }

    /// Takes the newest bundle back.
    ///
    /// - Parameter serial: its number.
    func undo(_ serial: UInt64) {
        for number in tables.indices where tables[number].journaled.last == serial {
            actions[number].undo()
            note(number)
        }
    }

    /// Lets go what would take the oldest bundle back.
    ///
    /// - Parameter serial: its number.
    func trim(_ serial: UInt64) {
        for number in tables.indices where tables[number].journaled.first == serial {
            actions[number].trim()
        }
    }
}
