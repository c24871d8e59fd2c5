/// A row of one table as a value of Swift. Encoding writes exactly the columns of the schema, in
/// order; decoding reads them back.
public protocol TableRow: Hashable, Sendable {
    /// What rows are found by. Its order is the order of its encoded bytes.
    associatedtype Key: Hashable & Comparable & Sendable

    /// The table's shape.
    static var schema: TableSchema { get }
    /// Writes the key columns.
    static func encode(_ key: Key, to writer: inout RowWriter)
    /// Reads the key columns.
    static func decodeKey(_ reader: inout RowReader) throws(RowError) -> Key
    /// Writes the other columns.
    func encode(to writer: inout RowWriter)
    /// Reads the other columns.
    init(from reader: inout RowReader) throws(RowError)
}

/// Stored bytes that are no row of the table's schema. The state that holds them is discarded and
/// rebuilt.
public enum RowError: Error, Hashable, Sendable {
    /// A column needs more bytes than are left.
    case truncated(column: Int)
    /// A column has a value that its type or meaning does not allow.
    case invalid(column: Int)
    /// Bytes are left behind the last column.
    case trailing(count: Int)
}
