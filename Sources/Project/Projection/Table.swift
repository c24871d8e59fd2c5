/// The rows of one table. Reading never changes a result; whatever can change one is a row.
package final class Table<Row: TableRow> {
    private var rows: [Row.Key: Row] = [:]

    package init() {}

    /// The row of a key; nil when there is none.
    package subscript(_ key: Row.Key) -> Row? { rows[key] }

    /// Makes or replaces a row.
    package func put(_ key: Row.Key, _ row: Row) { rows[key] = row }

    /// Removes a row, if there is one.
    package func remove(_ key: Row.Key) { rows[key] = nil }

    /// Changes a row in place; `initial` is made when there is none.
    package func update(
        _ key: Row.Key,
        default initial: @autoclosure () -> Row,
        _ body: (inout Row) -> Void
    ) {
        var row = rows[key] ?? initial()
        body(&row)
        rows[key] = row
    }

    /// The keys within a range, in order. Only for tables whose schema says `isOrdered`.
    package func keys(in range: ClosedRange<Row.Key>) -> [Row.Key] {
        precondition(Row.schema.isOrdered, "\(Row.schema.name) is not kept in order")
        return rows.keys.filter(range.contains).sorted()
    }
}
