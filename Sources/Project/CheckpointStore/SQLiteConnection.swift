import CSQLite
import Projection

/// One open database. Every answer of SQLite is checked; what says that the file is not what was
/// written is `damaged`, everything else `failed`.
final class SQLiteConnection {
    /// How a database is opened.
    enum Access {
        case readWrite
        case readOnly
    }

    private var handle: OpaquePointer?
    private let path: String

    /// Opens a file that is there. It is read for the first time by the first statement.
    init(_ path: String, _ access: Access) throws(StorageError) {
        self.path = path
        let flags = access == .readWrite ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY
        // A name that begins like a URI would be taken for one.
        let name = path.hasPrefix("/") ? path : "./" + path
        let code = sqlite3_open_v2(name, &handle, flags | SQLITE_OPEN_NOMUTEX, nil)
        guard code == SQLITE_OK else {
            let failure = failure(code)
            close()
            throw failure
        }
        // No column is longer, so no length that damage made up is believed.
        sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, 1 << 25)
        sqlite3_busy_timeout(handle, 5_000)
    }

    deinit { close() }

    /// Closes the database; all statements were finished before.
    func close() {
        // A close that fails has nothing left to lose: what was committed is durable.
        _ = sqlite3_close_v2(handle)
        handle = nil
    }

    /// What an answer of SQLite means.
    func failure(_ code: Int32) -> StorageError {
        let message = handle.map { String(cString: sqlite3_errmsg($0)) } ?? "no database"
        let text = "\(path): \(message) (\(code))"
        // The primary code stands in the lowest byte.
        switch code & 0xff {
        case SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_FORMAT, SQLITE_SCHEMA, SQLITE_MISMATCH,
            SQLITE_CONSTRAINT, SQLITE_ERROR, SQLITE_TOOBIG:
            return .damaged(text)
        default:
            return .failed(text)
        }
    }

    /// Runs statements that answer nothing.
    func run(_ sql: String) throws(StorageError) {
        let code = sqlite3_exec(handle, sql, nil, nil, nil)
        guard code == SQLITE_OK else { throw failure(code) }
    }

    /// Prepares a statement.
    func prepare(_ sql: String) throws(StorageError) -> SQLiteStatement {
        var statement: OpaquePointer?
        let code = sqlite3_prepare_v3(
            handle,
            sql,
            -1,
            UInt32(SQLITE_PREPARE_PERSISTENT),
            &statement,
            nil
        )
        guard code == SQLITE_OK, let statement else { throw failure(code) }
        return SQLiteStatement(statement, of: self)
    }

    /// The first column of the first row as text; nil when there is no row.
    func text(_ sql: String) throws(StorageError) -> String? {
        let statement = try prepare(sql)
        guard try statement.step() else { return nil }
        return statement.text(0)
    }

    /// The first column of the first row as a number; 0 when there is none.
    func number(_ sql: String) throws(StorageError) -> UInt64 {
        let statement = try prepare(sql)
        guard try statement.step() else { return 0 }
        return UInt64(clamping: statement.integer(0))
    }

    /// Whether a change of the file could not be written.
    var isReadOnly: Bool { sqlite3_db_readonly(handle, "main") != 0 }

    /// Moves what the write-ahead log holds into the database and cuts the log to nothing, unless
    /// somebody is reading.
    func emptyLog() throws(StorageError) {
        let code = sqlite3_wal_checkpoint_v2(handle, nil, SQLITE_CHECKPOINT_TRUNCATE, nil, nil)
        guard code == SQLITE_OK || code & 0xff == SQLITE_BUSY else { throw failure(code) }
    }

    /// Whether changes wait to be committed.
    var isWithinTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }
}

/// One prepared statement. Values that are bound by address stay where they are until `step`.
final class SQLiteStatement {
    let handle: OpaquePointer
    private let connection: SQLiteConnection

    init(_ handle: OpaquePointer, of connection: SQLiteConnection) {
        self.handle = handle
        self.connection = connection
    }

    deinit { sqlite3_finalize(handle) }

    /// Runs the statement up to its next row.
    ///
    /// - Returns: whether there is a row.
    func step() throws(StorageError) -> Bool {
        let code = sqlite3_step(handle)
        switch code {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        default:
            let failure = connection.failure(code)
            sqlite3_reset(handle)
            throw failure
        }
    }

    /// Runs a statement that answers nothing, and makes it ready for the next time.
    func run() throws(StorageError) {
        _ = try step()
        reset()
    }

    /// Makes the statement ready for the next time.
    func reset() {
        // The failure of a step was reported by the step.
        _ = sqlite3_reset(handle)
    }

    /// Binds a number; parameters count from 1.
    func bind(_ value: Int64, at parameter: Int32) {
        check(sqlite3_bind_int64(handle, parameter, value))
    }

    /// Binds a text, which is copied.
    func bind(_ value: String, at parameter: Int32) {
        var value = value
        let code = value.withUTF8 { utf8 in
            utf8.withMemoryRebound(to: CChar.self) { bytes in
                csqlite_bind_text_copied(
                    handle,
                    parameter,
                    bytes.baseAddress,
                    Int32(bytes.count)
                )
            }
        }
        check(code)
    }

    /// Binds nothing.
    func bindNull(at parameter: Int32) {
        check(sqlite3_bind_null(handle, parameter))
    }

    /// Binds a text that stays at its address until the step is done.
    func bindText(_ bytes: UnsafeRawBufferPointer, at parameter: Int32) {
        // An empty text needs an address as well, or it would be null.
        let start = bytes.baseAddress ?? SQLiteStatement.nowhere
        check(
            sqlite3_bind_text(
                handle,
                parameter,
                start.assumingMemoryBound(to: CChar.self),
                Int32(bytes.count),
                nil
            )
        )
    }

    /// Binds bytes that stay at their address until the step is done.
    func bindBytes(_ bytes: UnsafeRawBufferPointer, at parameter: Int32) {
        let start = bytes.baseAddress ?? SQLiteStatement.nowhere
        check(sqlite3_bind_blob(handle, parameter, start, Int32(bytes.count), nil))
    }

    /// An address for what has no bytes.
    private static var nowhere: UnsafeRawPointer {
        UnsafeRawPointer(bitPattern: 16).unsafelyUnwrapped
    }

    private func check(_ code: Int32) {
        precondition(code == SQLITE_OK, "SQLite refuses a value (\(code))")
    }

    /// The type of a column of the row; columns count from 0.
    func type(_ column: Int32) -> Int32 { sqlite3_column_type(handle, column) }

    /// A column of the row as a number.
    func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }

    /// A column of the row as a text; nil when it is none.
    func text(_ column: Int32) -> String? {
        guard type(column) == SQLITE_TEXT else { return nil }
        return String(decoding: bytes(column), as: UTF8.self)
    }

    /// The bytes of a column of the row, text or not, until the next step.
    func bytes(_ column: Int32) -> UnsafeRawBufferPointer {
        let start = sqlite3_column_blob(handle, column)
        return UnsafeRawBufferPointer(
            start: start,
            count: start == nil ? 0 : Int(sqlite3_column_bytes(handle, column))
        )
    }
}
