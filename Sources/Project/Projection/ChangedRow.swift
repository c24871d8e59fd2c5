/// What one bundle did to a row.
@usableFromInline
package struct ChangedRow: Hashable, Sendable {
    /// The key columns.
    @usableFromInline package let key: [UInt8]
    /// The row before the bundle and after it; nil where there was none.
    @usableFromInline package let old: ListedRow?
    @usableFromInline package let new: ListedRow?

    @usableFromInline
    init(key: [UInt8], old: ListedRow?, new: ListedRow?) {
        self.key = key
        self.old = old
        self.new = new
    }
}

extension Table {
    /// What the bundle did that was closed last, if it did anything, in no order.
    @inlinable
    func listChanges() -> [ChangedRow] {
        guard let entry = journal.last else { return [] }
        return entry.changes.map { change in
            let slot = slots[change.slot]
            writer.cut(to: prefixCount)
            Row.encode(slot.pointee.key, to: &writer)
            let key = writer.bytes(from: prefixCount)
            func listed(_ row: Row?) -> ListedRow? {
                guard let row else { return nil }
                writer.cut(to: prefixCount)
                row.encode(to: &writer)
                return ListedRow(key: key, row: writer.bytes(from: prefixCount))
            }
            return ChangedRow(key: key, old: listed(change.row), new: listed(slot.pointee.row))
        }
    }
}

extension ProjectionEngine {
    /// What the bundle folded last did to rows.
    ///
    /// - Parameter isWanted: which rows matter; asked with a row as it is, or was before it was
    ///   removed.
    /// - Returns: the place of the table among the store's and the change, by table and key.
    package func newestChanges(
        where isWanted: (TableSchema, ListedRow) -> Bool
    ) -> [(number: Int, change: ChangedRow)] {
        guard let serial = unsettledSerial else { return [] }
        var changes: [(number: Int, change: ChangedRow)] = []
        for (number, table) in store.tables.enumerated() where table.journaled.last == serial {
            let wanted = store.actions[number].changes().filter { change in
                guard let row = change.new ?? change.old else { return false }
                return isWanted(table.schema, row)
            }
            changes += wanted.sorted { $0.key.lexicographicallyPrecedes($1.key) }
                .map { (number, $0) }
        }
        return changes
    }
}
