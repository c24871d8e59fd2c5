/// Where the rows of one chain stand between checkpoints: all that were in the last one, and no
/// other. Tables are named by their place in the schemas, sorted by name.
///
/// Whoever has begun a checkpoint finds what it was given for it, also before it is committed;
/// whoever opens the storage anew does not.
@usableFromInline
package protocol RowStorage: AnyObject {
    /// What the last checkpoint says of itself; nil when there was none.
    var checkpoint: Checkpoint? { get }

    /// The stored row of a key; nil when there is none.
    ///
    /// - Parameters:
    ///   - table: the table's place.
    ///   - key: in canonical form.
    /// - Returns: the row in canonical form and what was stored beside it.
    /// - Throws: `damaged` or `failed`; the state is not used any further.
    func load(table: Int, key: [UInt8]) throws(StorageError) -> StoredRow?

    /// Gives each row of a table to `body`, each key once, in an order of the storage's own.
    ///
    /// - Parameters:
    ///   - table: the table's place.
    ///   - body: gets key and row in canonical form, and what was stored beside the row.
    /// - Throws: what `body` throws; `damaged` or `failed`.
    func scan(
        table: Int,
        _ body: (_ key: [UInt8], _ row: [UInt8], _ check: UInt64) throws(StorageError) -> Void
    ) throws(StorageError)

    /// Begins a checkpoint. Nothing of it is seen before it is committed.
    ///
    /// - Throws: `failed`.
    func begin() throws(StorageError)

    /// Sets or removes a row within a checkpoint.
    ///
    /// - Parameters:
    ///   - table: the table's place.
    ///   - key: in canonical form.
    ///   - row: in canonical form; nil removes it.
    ///   - check: is stored beside the row.
    /// - Throws: `failed`.
    func put(table: Int, key: RawSpan, row: RawSpan?, check: UInt64) throws(StorageError)

    /// Ends a checkpoint. It is durable when `finish` says so.
    ///
    /// - Parameter checkpoint: what it says of itself.
    /// - Throws: `failed`; it is then either there as a whole or not at all.
    func commit(_ checkpoint: Checkpoint) throws(StorageError)

    /// Whether all that it was given is done: rows can be loaded as they were set last, and the
    /// checkpoint committed last is durable. Rows are not loaded, and nothing more is given, before.
    ///
    /// - Parameter waits: whether to wait until it is.
    /// - Returns: true unless it is still being written.
    /// - Throws: what `put` and `commit` throw, when it was met only now.
    func finish(waits: Bool) throws(StorageError) -> Bool

    /// Drops a checkpoint that was begun.
    func rollBack()
}

extension RowStorage {
    /// Most storage has written everything when `commit` returns.
    @usableFromInline
    package func finish(waits: Bool) throws(StorageError) -> Bool { true }
}

/// A row as storage holds it.
@usableFromInline
package struct StoredRow: Hashable, Sendable {
    /// In canonical form.
    @usableFromInline
    package var row: [UInt8]
    /// The lower half of the digest of table, key and row.
    @usableFromInline
    package var check: UInt64

    package init(row: [UInt8], check: UInt64) {
        self.row = row
        self.check = check
    }
}

/// Why stored state cannot be used.
@usableFromInline
package enum StorageError: Error, Hashable, Sendable {
    /// What is stored is not what was written: discard it and rebuild from the log.
    case damaged(String)
    /// Reading or writing failed: stop. What was committed before may be read again later.
    case failed(String)
}
