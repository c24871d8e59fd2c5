/// The rows of one table. Reading never changes a result; whatever can change one is a row.
///
/// A row stands in a numbered slot of memory. The first change of a key within a bundle keeps the
/// row as it was; the end of the bundle moves the digest and journals the kept rows. Rows that are
/// as storage holds them may leave memory between bundles and come back when they are asked for.
public final class Table<Row: TableRow>: StateTable {
    @exclusivity(unchecked) @usableFromInline var index = SlotIndex()
    @exclusivity(unchecked) @usableFromInline var slots = SlotPages<RowSlot<Row>>()
    /// Keys of rows, when the schema says that they are kept in order.
    @exclusivity(unchecked) @usableFromInline var sorted: SortedKeys<Row.Key>?
    /// Kept rows of the bundle that is being folded.
    @exclusivity(unchecked) @usableFromInline var changes: [RowChange<Row>] = []
    /// Bundles that changed rows and can be taken back, the oldest first.
    @exclusivity(unchecked) @usableFromInline var journal: [TableJournalEntry<Row>] = []
    /// The oldest bundle whose changes can be taken back; `serial` when there is none.
    @inlinable var oldestSerial: UInt64 { journaled.first == 0 ? serial : journaled.first }
    /// Holds the table's name and a zero byte, behind which keys and rows are written.
    @exclusivity(unchecked) @usableFromInline var writer = RowWriter()
    @usableFromInline let prefixCount: Int
    /// Where the search for rows that may leave memory goes on.
    @exclusivity(unchecked) @usableFromInline var hand = 0
    /// Rows that came into memory since that search.
    @exclusivity(unchecked) @usableFromInline var arrived = 0

    /// An empty table that belongs to no store.
    @inlinable
    public init() {
        let schema = Row.schema
        writer.appendPrefix(schema.name)
        prefixCount = writer.count
        sorted = schema.isOrdered ? SortedKeys() : nil
        super.init(schema)
    }

    @inlinable
    deinit {
        slots.deallocate()
        index.deallocate()
    }

    /// The row of a key; nil when there is none.
    @inlinable
    public subscript(_ key: Row.Key) -> Row? {
        let number = slot(of: key, hash: SlotIndex.hash(key))
        guard number >= 0 else { return nil }
        slots[number].pointee.isUsed = true
        return slots[number].pointee.row
    }

    /// Makes or replaces a row.
    @inlinable
    public func put(_ key: Row.Key, _ row: Row) {
        let number = slotForWriting(key)
        if slots[number].pointee.row == nil { sorted?.insert(key) }
        slots[number].pointee.row = row
    }

    /// Removes a row, if there is one.
    @inlinable
    public func remove(_ key: Row.Key) {
        let number = slot(of: key, hash: SlotIndex.hash(key))
        guard number >= 0, slots[number].pointee.row != nil else { return }
        keep(number)
        slots[number].pointee.row = nil
        sorted?.remove(key)
    }

    /// Changes a row in place; `initial` is made when there is none.
    ///
    /// - Precondition: `body` does not touch the row of this key in another way.
    @inlinable
    public func update(
        _ key: Row.Key,
        default initial: @autoclosure () -> Row,
        _ body: (inout Row) -> Void
    ) {
        let number = slotForWriting(key)
        let slot = slots[number]
        if slot.pointee.row == nil {
            slot.pointee.row = initial()
            sorted?.insert(key)
        }
        // A slot never moves, whatever else `body` reads or writes.
        slot.pointee.row?.change(body)
    }

    /// The keys within a range, in order. Only for tables whose schema says `isOrdered`.
    @inlinable
    public func keys(in range: ClosedRange<Row.Key>) -> [Row.Key] {
        guard let sorted else {
            preconditionFailure("\(Row.schema.name) is not kept in order")
        }
        return sorted.keys(in: range)
    }

    /// The slot of a key, loading it if it is not in memory; -1 when there is no row.
    @inlinable
    func slot(of key: Row.Key, hash: UInt32) -> Int32 {
        var position = Int(hash) & index.mask
        while true {
            let entry = index.entries[position]
            if entry == 0 { break }
            if entry >> 32 == UInt64(hash) {
                let number = Int32(bitPattern: UInt32(truncatingIfNeeded: entry) &- 1)
                if slots[number].pointee.key == key { return number }
            }
            position = (position + 1) & index.mask
        }
        return outside == 0 ? -1 : load(key, hash: hash)
    }

    /// The slot of a key, made when there is none, its row kept for the journal.
    @inlinable
    func slotForWriting(_ key: Row.Key) -> Int32 {
        let hash = SlotIndex.hash(key)
        var number = slot(of: key, hash: hash)
        if number < 0 { number = insert(RowSlot(key: key, row: nil, digest: 0), hash: hash) }
        keep(number)
        return number
    }

    @inlinable
    func insert(_ slot: consuming RowSlot<Row>, hash: UInt32) -> Int32 {
        let number = slots.insert(slot)
        index.insert(number, hash: hash)
        resident += 1
        arrived += 1
        return number
    }

    /// Forgets a slot. What becomes of its row is up to the caller.
    @inlinable
    func release(_ number: Int32) {
        index.remove(number, hash: SlotIndex.hash(slots[number].pointee.key))
        slots.remove(number)
        resident -= 1
    }

    /// Keeps the row as it was before the bundle, the first time that the bundle changes it.
    @inlinable
    func keep(_ number: Int32) {
        let slot = slots[number]
        slot.pointee.isUsed = true
        guard slot.pointee.changedIn != serial else { return }
        hasChanges = true
        changes.append(RowChange(slot: number, slot.pointee))
        slot.pointee.changedIn = serial
    }
}

extension TableRow {
    /// Changes the row where it stands.
    @inlinable
    mutating func change(_ body: (inout Self) -> Void) { body(&self) }
}

/// A row in memory, or the place of one that was removed.
@usableFromInline
struct RowSlot<Row: TableRow> {
    @usableFromInline let key: Row.Key
    @usableFromInline var row: Row?
    /// The row's digest as of the last closed bundle; zero when there was none.
    @usableFromInline var digest: UInt128
    /// The bundle that changed it last. From `oldestSerial` on the journal can take that back.
    @usableFromInline var changedIn: UInt64 = 0
    /// Whether it is listed as dirty.
    @usableFromInline var isDirty = false
    /// Whether it was asked for since the hand passed.
    @usableFromInline var isUsed = true

    @inlinable
    init(key: Row.Key, row: Row?, digest: UInt128) {
        self.key = key
        self.row = row
        self.digest = digest
    }
}

/// What a key's row was before a bundle.
@usableFromInline
struct RowChange<Row: TableRow> {
    @usableFromInline let slot: Int32
    @usableFromInline let row: Row?
    @usableFromInline let digest: UInt128
    @usableFromInline let changedIn: UInt64

    @inlinable
    init(slot number: Int32, _ slot: RowSlot<Row>) {
        self.slot = number
        row = slot.row
        digest = slot.digest
        changedIn = slot.changedIn
    }
}

/// What takes one bundle's changes of a table back; there is none where nothing changed.
@usableFromInline
struct TableJournalEntry<Row: TableRow> {
    /// Each changed key once.
    @usableFromInline let changes: [RowChange<Row>]
    /// Slots whose row the bundle removed.
    @usableFromInline let removed: [Int32]
    /// The bundle's number.
    @usableFromInline let serial: UInt64
    /// Sum of digests before.
    @usableFromInline let sum: UInt128
    /// Rows before.
    @usableFromInline let present: UInt64

    @inlinable
    init(
        changes: [RowChange<Row>],
        removed: [Int32],
        serial: UInt64,
        sum: UInt128,
        present: UInt64
    ) {
        self.changes = changes
        self.removed = removed
        self.serial = serial
        self.sum = sum
        self.present = present
    }
}
