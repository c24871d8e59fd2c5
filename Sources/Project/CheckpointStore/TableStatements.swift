import CSQLite
import Projection

/// The SQL of one table. Its columns are those of the schema, key first, and `row_check` behind
/// them.
final class TableStatements {
    let schema: TableSchema
    let keyForms: [ColumnForm]
    let rowForms: [ColumnForm]
    let load: SQLiteStatement
    let scan: SQLiteStatement
    let put: SQLiteStatement
    let remove: SQLiteStatement

    /// The statement that makes a table.
    static func creation(_ schema: TableSchema) -> String {
        let columns = (schema.key + schema.columns).map { column in
            "\"\(column.name)\" \(column.type.sqlName)\(column.isOptional ? "" : " NOT NULL")"
        }
        let key = schema.key.map { "\"\($0.name)\"" }.joined(separator: ", ")
        return "CREATE TABLE \"\(schema.name)\" (\(columns.joined(separator: ", ")),"
            + " \"row_check\" INTEGER NOT NULL, PRIMARY KEY (\(key))) STRICT, WITHOUT ROWID"
    }

    init(_ schema: TableSchema, _ connection: SQLiteConnection) throws(StorageError) {
        self.schema = schema
        keyForms = schema.key.map { ColumnForm($0) }
        rowForms = schema.columns.map { ColumnForm($0) }
        func list(_ columns: [Column]) -> String {
            columns.map { "\"\($0.name)\"" }.joined(separator: ", ")
        }
        let condition = schema.key.map { "\"\($0.name)\" = ?" }.joined(separator: " AND ")
        let all = schema.key + schema.columns
        let places = Array(repeating: "?", count: all.count + 1).joined(separator: ", ")
        let rowColumns = schema.columns.map { "\"\($0.name)\", " }.joined() + "\"row_check\""
        load = try connection.prepare(
            "SELECT \(rowColumns) FROM \"\(schema.name)\" WHERE \(condition)"
        )
        scan = try connection.prepare(
            "SELECT \(list(all)), \"row_check\" FROM \"\(schema.name)\" ORDER BY \(list(schema.key))"
        )
        put = try connection.prepare(
            "INSERT OR REPLACE INTO \"\(schema.name)\" (\(list(all)), \"row_check\")"
                + " VALUES (\(places))"
        )
        remove = try connection.prepare("DELETE FROM \"\(schema.name)\" WHERE \(condition)")
    }
}

/// The order in which SQL keeps keys, as bytes that compare the same way: to prove while all rows
/// are read that a row can also be found.
struct KeyOrder {
    private(set) var bytes: [UInt8] = []

    mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

    /// Whether it comes before another one.
    func isBelow(_ other: KeyOrder) -> Bool { bytes.lexicographicallyPrecedes(other.bytes) }

    /// Appends a column; `hasNoZero` says that its text is known to hold no zero byte. Integers are
    /// below text, text is below bytes.
    mutating func add(_ column: Int32, hasNoZero: Bool, of statement: SQLiteStatement) {
        let type = statement.type(column)
        if type == SQLITE_INTEGER {
            bytes.append(1)
            let value = UInt64(bitPattern: statement.integer(column)) ^ 1 << 63
            withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
            return
        }
        bytes.append(type == SQLITE_TEXT ? 2 : 3)
        let content = statement.bytes(column)
        if hasNoZero {
            bytes.append(contentsOf: content)
        } else {
            for byte in content {
                bytes.append(byte)
                // A zero ends a column only when no 255 follows.
                if byte == 0 { bytes.append(255) }
            }
        }
        bytes.append(0)
    }
}
