import Projection

/// Storage in memory: what was committed, and nothing of what was not.
final class MemoryStorage: RowStorage {
    var checkpoint: Checkpoint?
    var tables: [[[UInt8]: StoredRow]]
    /// Rows asked for.
    var loads = 0
    /// Rows asked for that there are.
    var hits = 0
    /// The call that fails, counted from 1 over all calls.
    var failsAt: Int?
    /// How often a checkpoint is said to be still on its way before it is there.
    var delay = 0
    private var late: (tables: [[[UInt8]: StoredRow]], checkpoint: Checkpoint, left: Int)?
    private var calls = 0
    private var busy = 0
    /// Rows set or removed.
    private(set) var puts = 0
    private var pending: [[[UInt8]: StoredRow]]?

    init(tables count: Int) {
        tables = Array(repeating: [:], count: count)
    }

    /// What somebody finds who opens it now.
    func copy() -> MemoryStorage {
        let copy = MemoryStorage(tables: tables.count)
        copy.tables = tables
        copy.checkpoint = checkpoint
        return copy
    }

    private func call() throws(StorageError) {
        calls += 1
        if calls == failsAt { throw .failed("call \(calls)") }
    }

    func load(table: Int, key: [UInt8]) throws(StorageError) -> StoredRow? {
        try call()
        arrive()
        loads += 1
        let row = (pending ?? tables)[table][key]
        if row != nil { hits += 1 }
        return row
    }

    func scan(
        table: Int,
        _ body: (_ key: [UInt8], _ row: [UInt8], _ check: UInt64) throws(StorageError) -> Void
    ) throws(StorageError) {
        try call()
        arrive()
        let rows = (pending ?? tables)[table]
        for key in rows.keys.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            guard let stored = rows[key] else { continue }
            try body(key, stored.row, stored.check)
        }
    }

    func begin() throws(StorageError) {
        try call()
        precondition(pending == nil, "begun twice")
        pending = tables
    }

    func put(table: Int, key: RawSpan, row: RawSpan?, check: UInt64) throws(StorageError) {
        try call()
        let key = key.withUnsafeBytes { [UInt8]($0) }
        busy = delay
        puts += 1
        guard let row else {
            pending?[table][key] = nil
            return
        }
        pending?[table][key] = StoredRow(row: row.withUnsafeBytes { [UInt8]($0) }, check: check)
    }

    func commit(_ checkpoint: Checkpoint) throws(StorageError) {
        try call()
        guard let pending else { preconditionFailure("commit without begin") }
        late = (pending, checkpoint, delay)
        self.pending = nil
        if delay == 0 { arrive() }
    }

    func finish(waits: Bool) throws(StorageError) -> Bool {
        try call()
        if pending != nil {
            // Rows of which no checkpoint is yet.
            if waits { busy = 0 }
            busy -= 1
            return busy < 0
        }
        guard let late else { return true }
        if waits || late.left == 0 {
            arrive()
            return true
        }
        self.late?.left -= 1
        return false
    }

    private func arrive() {
        guard let late else { return }
        tables = late.tables
        checkpoint = late.checkpoint
        self.late = nil
    }

    func rollBack() { pending = nil }
}
