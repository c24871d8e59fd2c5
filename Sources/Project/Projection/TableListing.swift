/// A row in canonical form, for output and comparison.
@usableFromInline
package struct ListedRow: Hashable, Sendable {
    /// The key columns.
    @usableFromInline package let key: [UInt8]
    /// The other columns.
    @usableFromInline package let row: [UInt8]

    /// A row in canonical form.
    @usableFromInline
    package init(key: [UInt8], row: [UInt8]) {
        self.key = key
        self.row = row
    }
}

extension Table {
    /// All rows as of the last bundle, in memory or not, by rising key.
    @inlinable
    func listRows() throws(StorageError) -> [ListedRow] {
        var listed: [ListedRow] = []
        // Of removed rows too: what storage still holds of them is not listed.
        var inMemory: Set<[UInt8]> = []
        for number in slots.isTaken.indices where slots.isTaken[number] {
            let slot = slots[Int32(number)]
            writer.cut(to: prefixCount)
            Row.encode(slot.pointee.key, to: &writer)
            let key = writer.bytes(from: prefixCount)
            if storage != nil { inMemory.insert(key) }
            guard let row = slot.pointee.row else { continue }
            let start = writer.count
            row.encode(to: &writer)
            listed.append(ListedRow(key: key, row: writer.bytes(from: start)))
        }
        if let storage, outside > 0 {
            try storage.scan(table: self.number) { key, row, _ throws(StorageError) in
                if !inMemory.contains(key) { listed.append(ListedRow(key: key, row: row)) }
            }
        }
        return listed.sorted { $0.key.lexicographicallyPrecedes($1.key) }
    }
}

extension StateStore {
    /// All rows of a table as of the last bundle, by rising key.
    ///
    /// - Parameter name: the table's.
    /// - Returns: nil when there is no such table.
    /// - Throws: the failure of storage.
    package func rows(of name: String) throws(StorageError) -> [ListedRow]? {
        guard let number = tables.firstIndex(where: { $0.schema.name == name }) else { return nil }
        return try actions[number].list()
    }
}
