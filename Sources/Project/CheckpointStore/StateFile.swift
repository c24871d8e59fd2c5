import CSQLite
package import MarketModel
package import Platform
package import Projection
import RecordModel

/// The state of one chain in a SQLite database: a table for each table of the projectors, and four
/// that say what they mean and how far they go. Every row is looked at when an engine is restored
/// from it; a file that is not exactly what was committed is refused.
package final class StateFile: RowStorage {
    /// Why a file is not opened as the state of a key.
    package enum OpenError: Error, Hashable, Sendable {
        /// It was made with something else: rebuild beside it.
        case otherKey(found: String)
        /// Another process writes it: stop.
        case locked
        /// What stands there is no file of its own: stop.
        case notOurs(path: String)
        /// It is not what was written: set it aside and rebuild.
        case damaged(String)
        /// Reading or writing failed: stop.
        case failed(String)

        init(_ error: StorageError) {
            switch error {
            case .damaged(let text): self = .damaged(text)
            case .failed(let text): self = .failed(text)
            }
        }
    }

    /// What a file is opened for.
    package enum Purpose: Hashable, Sendable {
        /// To go on with it; it is made when there is none.
        case write
        /// To look at it. Nothing is stored, and nobody is kept from writing.
        case read
    }

    /// Where the file stands.
    package let path: String
    package private(set) var checkpoint: Checkpoint?
    /// Rows set or removed by the last checkpoint.
    package private(set) var rowsWritten = 0

    let chain: Chain
    let key: StateKey
    private let purpose: Purpose
    /// Held for as long as the file is written.
    private let lock: (any File)?
    private let connection: SQLiteConnection
    private var tables: [TableStatements] = []
    private let scratch: Scratch
    private let addresses = AddressTexts()
    private var rowReading: ColumnReading
    private let description: StateDescription

    /// Opens the state of a key, or begins one.
    ///
    /// - Parameters:
    ///   - path: of the database; its folder is there and belongs to us alone.
    ///   - chain: whose state it is.
    ///   - key: what it must have been made with.
    ///   - schemas: of all tables, by name.
    ///   - purpose: what it is opened for.
    ///   - fileSystem: the disk.
    ///   - pageSize: of a new database.
    /// - Throws: why it cannot be used; what stands there is left as it was.
    package init(
        _ path: String,
        chain: Chain,
        key: StateKey,
        schemas: [TableSchema],
        for purpose: Purpose = .write,
        on fileSystem: some FileSystem = LinuxFileSystem(),
        pageSize: Int = 16_384
    ) throws(OpenError) {
        self.path = path
        self.chain = chain
        self.key = key
        self.purpose = purpose
        let columnsMax = schemas.map { $0.key.count + $0.columns.count }.max() ?? 1
        scratch = Scratch(columnsMax * ColumnBinder.scratchPerColumn)
        rowReading = ColumnReading(chain: chain)
        description = StateDescription(chain: chain, key: key, schemas: schemas)
        lock = try StatePath(path).prepare(purpose, fileSystem)
        if purpose == .write, lock == nil { throw .locked }
        do throws(StorageError) {
            connection = try SQLiteConnection(path, purpose == .write ? .readWrite : .readOnly)
        } catch {
            throw OpenError(error)
        }
        let foundKey: String
        do throws(StorageError) {
            try configure(pageSize: pageSize)
            if purpose == .write, try StateDescription.objects(connection).isEmpty { try make() }
            let found = try description.read(connection)
            foundKey = found.key
            checkpoint = found.checkpoint
            if foundKey == key.digest.description {
                for schema in schemas { tables.append(try TableStatements(schema, connection)) }
            }
        } catch {
            throw OpenError(error)
        }
        guard foundKey == key.digest.description else { throw .otherKey(found: foundKey) }
    }

    deinit {
        // Statements go before the database they belong to.
        tables = []
        connection.close()
    }

    private func configure(pageSize: Int) throws(StorageError) {
        // Damaged cells are noticed when a page is read, and no text in the file is run.
        try connection.run("PRAGMA cell_size_check=ON; PRAGMA trusted_schema=OFF")
        try connection.run("PRAGMA cache_size=-16384; PRAGMA temp_store=MEMORY")
        guard purpose == .write else { return }
        try connection.run("PRAGMA page_size=\(pageSize)")
        // Readers do not hold us up. A commit is durable when it returns; what it wrote is moved
        // into the database right afterwards, so that the log is empty while nothing happens.
        guard try connection.text("PRAGMA journal_mode=WAL") == "wal", !connection.isReadOnly
        else { throw .damaged("\(path): cannot be written") }
        try connection.run("PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0")
    }

    private func make() throws(StorageError) {
        try connection.run("BEGIN IMMEDIATE")
        try description.make(connection)
        try connection.run("COMMIT")
        try connection.emptyLog()
    }

    package func load(table: Int, key: [UInt8]) throws(StorageError) -> StoredRow? {
        let statements = tables[table]
        let statement = statements.load
        defer { statement.reset() }
        let isThere = try bind(key.span.bytes, nil, statements, statement) {
            () throws(StorageError) in try statement.step()
        }
        guard isThere else { return nil }
        rowReading.bytes.removeAll(keepingCapacity: true)
        try read(statements.schema.columns, from: 0, of: statement, into: &rowReading)
        let check = statement.integer(Int32(statements.schema.columns.count))
        return StoredRow(row: rowReading.bytes, check: UInt64(bitPattern: check))
    }

    package func scan(
        table: Int,
        _ body: (_ key: [UInt8], _ row: [UInt8], _ check: UInt64) throws(StorageError) -> Void
    ) throws(StorageError) {
        let schema = tables[table].schema
        let statement = tables[table].scan
        defer { statement.reset() }
        let keyCount = Int32(schema.key.count)
        let all = keyCount + Int32(schema.columns.count)
        var order = KeyOrder()
        var before = KeyOrder()
        // Out of the object, where each access would be checked.
        var keyReading = ColumnReading(chain: chain)
        var rowReading = ColumnReading(chain: chain)
        while try statement.step() {
            keyReading.bytes.removeAll(keepingCapacity: true)
            rowReading.bytes.removeAll(keepingCapacity: true)
            try read(schema.key, from: 0, of: statement, into: &keyReading)
            try read(schema.columns, from: keyCount, of: statement, into: &rowReading)
            order.removeAll()
            for place in 0..<keyCount {
                let type = schema.key[Int(place)].type
                // What was read above is digits of Base58 or hexadecimal.
                let hasNoZero = type == .address || type == .signature
                order.add(place, hasNoZero: hasNoZero, of: statement)
            }
            guard before.isBelow(order) else { throw .damaged("\(schema.name): order of rows") }
            swap(&order, &before)
            try body(
                keyReading.bytes,
                rowReading.bytes,
                UInt64(bitPattern: statement.integer(all))
            )
        }
    }

    private func read(
        _ columns: [Column],
        from first: Int32,
        of statement: SQLiteStatement,
        into reading: inout ColumnReading
    ) throws(StorageError) {
        var place = first
        for column in columns {
            guard reading.add(column, at: place, of: statement) else {
                throw .damaged("\(path): a value of \(column.name)")
            }
            place += 1
        }
    }

    package func begin() throws(StorageError) {
        guard purpose == .write else { throw .failed("\(path) was opened to be read") }
        rowsWritten = 0
        try connection.run("BEGIN IMMEDIATE")
    }

    package func put(
        table: Int,
        key: RawSpan,
        row: RawSpan?,
        check: UInt64
    ) throws(StorageError) {
        let statements = tables[table]
        rowsWritten += 1
        guard let row else {
            try bind(key, nil, statements, statements.remove) { () throws(StorageError) in
                try statements.remove.run()
            }
            return
        }
        let last = Int32(statements.keyForms.count + statements.rowForms.count + 1)
        statements.put.bind(Int64(bitPattern: check), at: last)
        try bind(key, row, statements, statements.put) { () throws(StorageError) in
            try statements.put.run()
        }
    }

    /// Binds a key, and a row behind it, for as long as `body` runs.
    private func bind<Answer>(
        _ key: RawSpan,
        _ row: RawSpan?,
        _ table: TableStatements,
        _ statement: SQLiteStatement,
        _ body: () throws(StorageError) -> Answer
    ) throws(StorageError) -> Answer {
        try key.withUnsafeBytes { key throws(StorageError) in
            var keys = ColumnBinder(
                key,
                chain: chain,
                scratch: scratch.bytes,
                addresses: addresses
            )
            var parameter: Int32 = 1
            for column in table.keyForms {
                keys.bind(column, at: parameter, of: statement)
                parameter += 1
            }
            precondition(keys.isAtEnd, "\(table.schema.name): a key that is too long")
            guard let row else { return try body() }
            let rest = UnsafeMutableRawBufferPointer(
                rebasing: scratch.bytes[keys.scratchUsed...]
            )
            return try row.withUnsafeBytes { row throws(StorageError) in
                var columns = ColumnBinder(
                    row,
                    chain: chain,
                    scratch: rest,
                    addresses: addresses
                )
                for column in table.rowForms {
                    columns.bind(column, at: parameter, of: statement)
                    parameter += 1
                }
                precondition(columns.isAtEnd, "\(table.schema.name): a row that is too long")
                return try body()
            }
        }
    }

    package func commit(_ checkpoint: Checkpoint) throws(StorageError) {
        try description.write(checkpoint, connection)
        try connection.run("COMMIT")
        self.checkpoint = checkpoint
        try connection.emptyLog()
    }

    /// Bytes of the database, without its log; 0 when SQLite does not tell.
    var bytes: UInt64 {
        do throws(StorageError) {
            let pages = try connection.number("PRAGMA page_count")
            let size = try connection.number("PRAGMA page_size")
            let (bytes, overflows) = pages.multipliedReportingOverflow(by: size)
            return overflows ? .max : bytes
        } catch {
            // It only weighs what a copy costs.
            return 0
        }
    }

    package func rollBack() {
        guard connection.isWithinTransaction else { return }
        do throws(StorageError) {
            try connection.run("ROLLBACK")
        } catch {
            // What was not committed is not read by whoever opens the file next.
        }
    }
}

/// Memory for texts that are bound, which must not move before the statement has run.
private final class Scratch {
    let bytes: UnsafeMutableRawBufferPointer

    init(_ count: Int) {
        bytes = .allocate(byteCount: count, alignment: 16)
    }

    deinit { bytes.deallocate() }
}
