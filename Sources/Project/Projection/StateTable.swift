/// What the engine sees of a table, whatever its rows are: what it holds, as of the last bundle
/// that was closed.
///
/// One thread at a time has a state store, and no method of a table runs while another one holds
/// one of its properties: what a table calls is given rows and bytes, never the table. So nothing
/// asks at run time whether accesses overlap; every trade makes hundreds of them.
public class StateTable {
    /// The table's shape.
    @usableFromInline
    package final let schema: TableSchema
    /// Sum of the digests of its rows.
    @exclusivity(unchecked) @usableFromInline final var sum: UInt128 = 0
    /// Rows there are, in memory or not.
    @exclusivity(unchecked) @usableFromInline final var present: UInt64 = 0
    /// `sum` and `present` as of the newest bundle that is settled.
    @exclusivity(unchecked) @usableFromInline final var settled: (sum: UInt128, present: UInt64) = (
        0, 0
    )
    /// The number of the bundle that is being folded; never used twice, and the same in all tables.
    @exclusivity(unchecked) @usableFromInline final var serial: UInt64 = 1
    /// Whether the bundle that is being folded has touched a row.
    @exclusivity(unchecked) @usableFromInline final var hasChanges = false
    /// The oldest and the newest bundle that the journal holds rows of; zero for none.
    @exclusivity(unchecked) @usableFromInline final var journaled: (first: UInt64, last: UInt64) = (
        0, 0
    )
    /// Rows that storage holds and memory does not.
    @exclusivity(unchecked) @usableFromInline final var outside: UInt64 = 0
    /// Rows and removed rows in memory.
    @exclusivity(unchecked) @usableFromInline final var resident = 0
    /// Places whose row is another one than storage holds, or was since the last checkpoint.
    @exclusivity(unchecked) @usableFromInline final var dirty: [Int32] = []
    /// How many of those the checkpoint has that is being written, from the first; and the oldest
    /// bundle whose changes it does not have.
    @exclusivity(unchecked) @usableFromInline final var saved: (count: Int, before: UInt64) =
        (0, 0)
    /// Where rows stand that are not in memory.
    @exclusivity(unchecked) @usableFromInline final var storage: (any RowStorage)?
    /// The table's place in storage.
    @exclusivity(unchecked) @usableFromInline final var number = 0
    /// How many rows may stay in memory while they are as storage holds them.
    @exclusivity(unchecked) @usableFromInline final var residentMax = Int.max
    /// The first failure of storage. Whatever was folded since is worth nothing.
    @exclusivity(unchecked) @usableFromInline final var failure: StorageError?

    @usableFromInline
    init(_ schema: TableSchema) {
        self.schema = schema
    }

    /// Sum of the digests of its rows.
    package final var digest: StateDigest { StateDigest(sum) }
    /// Rows there are.
    package final var rowCount: UInt64 { present }
    /// Rows that storage says it holds, as far as memory is to be prepared for them.
    @usableFromInline final var expectedRows: Int {
        let tables = storage?.checkpoint?.tables
        guard let tables, tables.indices.contains(number) else { return 0 }
        return Int(min(tables[number].rows, 1 << 24))
    }
    /// Rows in memory.
    package final var residentCount: Int { resident }
    /// Rows that the next checkpoint writes, at most.
    package final var dirtyCount: Int { dirty.count }
}

/// What the engine does to a table. Closures made where the row type is known, so that the compiler
/// makes code for that very type; one call for each bundle, not for each row.
@usableFromInline
struct TableActions {
    /// Ends a bundle: moves the digest and journals what changed.
    @usableFromInline var close: () -> Void
    /// Takes the newest journaled bundle back.
    @usableFromInline var undo: () -> Void
    /// Forgets the old rows of the oldest journaled bundle.
    @usableFromInline var trim: () -> Void
    /// Takes over all rows that storage holds, as far as they fit.
    @usableFromInline var restore: () throws(StorageError) -> Void
    /// Writes rows that changed since the last checkpoint, as they were before the journal.
    @usableFromInline var save: () throws(StorageError) -> Void
    /// Remembers that what `save` wrote is stored.
    @usableFromInline var confirm: () -> Void
    /// All rows by rising key.
    @usableFromInline var list: () throws(StorageError) -> [ListedRow]
    /// What the newest journaled bundle did, in no order.
    @usableFromInline var changes: () -> [ChangedRow]

    @usableFromInline
    init(
        close: @escaping () -> Void,
        undo: @escaping () -> Void,
        trim: @escaping () -> Void,
        restore: @escaping () throws(StorageError) -> Void,
        save: @escaping () throws(StorageError) -> Void,
        confirm: @escaping () -> Void,
        list: @escaping () throws(StorageError) -> [ListedRow],
        changes: @escaping () -> [ChangedRow]
    ) {
        self.close = close
        self.undo = undo
        self.trim = trim
        self.restore = restore
        self.save = save
        self.confirm = confirm
        self.list = list
        self.changes = changes
    }
}
