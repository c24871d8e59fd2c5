package import RecordModel

// The engine and its storage: restoring what was stored, storing what is settled.

extension ProjectionEngine {
    /// Takes over what storage holds and stores checkpoints there from now on. Every stored row is
    /// looked at, and the sums of their digests must be those of the checkpoint.
    ///
    /// - Parameter storage: with a table for each schema of the store, by name.
    /// - Returns: what the checkpoint says of itself; nil when there is none: begin at the beginning.
    /// - Throws: `damaged` when rows and digests disagree, `failed` when reading did; neither the
    ///   engine nor the storage is to be used then.
    @discardableResult
    package func restore(from storage: any RowStorage) throws(StorageError) -> Checkpoint? {
        precondition(self.storage == nil && head == nil, "restored into a state that is in use")
        self.storage = storage
        for (number, table) in store.tables.enumerated() {
            table.storage = storage
            table.number = number
            table.residentMax = limits.residentRowsMax
        }
        for number in store.tables.indices {
            do throws(StorageError) { try store.actions[number].restore() } catch {
                try stop(error)
            }
            store.note(number)
        }
        guard let checkpoint = storage.checkpoint else {
            guard contents().allSatisfy({ $0.rows == 0 }) else {
                try stop(.damaged("rows without a checkpoint"))
            }
            return nil
        }
        guard contents() == checkpoint.tables else { try stop(.damaged("digests of tables")) }
        guard chainDigest == checkpoint.chainDigest else { try stop(.damaged("chain digest")) }
        settled = AppliedBundle(
            position: checkpoint.position,
            hash: checkpoint.hash,
            time: checkpoint.time,
            sequence: .none,
            digest: checkpoint.chainDigest,
            bundles: checkpoint.bundles,
            serial: 0
        )
        restored = checkpoint.position
        stored = checkpoint.position
        stale = checkpoint.stale
        gaps = checkpoint.gaps
        return checkpoint
    }

    /// Rows that wait for a checkpoint or for the end of one, at most.
    package var dirtyRows: Int {
        store.tables.reduce(0) { $0 + $1.dirtyCount }
    }

    /// Rows that storage was not given yet, at most.
    private var waitingRows: Int { dirtyRows - (pending?.rows ?? 0) }  // none in its hands

    /// Whether something is settled that no checkpoint has.
    private var hasNews: Bool { storage != nil && settled != nil && settled?.position != stored }

    /// Whether something new is settled and the limits say that it is time.
    package var isCheckpointDue: Bool {
        guard hasNews else { return false }
        let bundles = limits.bundlesPerCheckpoint
        return settledSinceCheckpoint
            >= (stored == nil ? min(bundles, limits.bundlesToFirst) : bundles)
            || (rowsAhead ?? 0) + waitingRows >= limits.dirtyRowsMax  // nothing was begun
    }

    /// Whether rows may be given to storage ahead of the checkpoint that they belong to.
    package var isSavingAheadDue: Bool {
        guard limits.rowsAheadMin < .max, pending == nil, hasNews else { return false }
        return dirtyRows >= limits.rowsAheadMin
            && store.tables.reduce(0) { $0 + $1.present } <= limits.rowsForAheadMax
    }

    /// Gives storage the rows of the newest settled bundle ahead of the checkpoint that they belong
    /// to. Nobody finds any of them before there is one.
    ///
    /// - Throws: the failure of storage; the engine does nothing any more.
    package func saveAhead() throws(StorageError) {
        try finishCheckpoint(waits: true)
        guard hasNews, let storage else { return }
        do throws(StorageError) { try save(to: storage) } catch {
            storage.rollBack()
            try stop(error)
        }
        counters.savesAhead += 1
        try finishCheckpoint(waits: false)
    }

    /// Gives storage all rows that wait, within a checkpoint.
    private func save(to storage: any RowStorage) throws(StorageError) {
        let rows = dirtyRows
        if rowsAhead == nil { try storage.begin() }
        for actions in store.actions { try actions.save() }
        rowsAhead = (rowsAhead ?? 0) + rows  // begun just now
        pending = Pending(rows: rows, isCheckpoint: false)
    }

    /// Stores the state as of the newest settled bundle. Storage may go on with it after this
    /// returns; `finishCheckpoint` tells the end.
    ///
    /// - Parameters:
    ///   - resume: the lowest sequence that holds anything of a later slot or block.
    ///   - place: the last record that was read; nil when it is no log's.
    ///   - assembly: what the assembler needs to go on behind it.
    /// - Returns: what was stored; nil when nothing new is settled, or there is no storage.
    /// - Throws: the failure of storage; the engine does nothing any more.
    @discardableResult
    package func checkpoint(
        resume: Sequence,
        place: LogPlace? = nil,
        assembly: [UInt8] = []
    ) throws(StorageError) -> Checkpoint? {
        try finishCheckpoint(waits: true)
        guard let storage, let settled, settled.position != stored else { return nil }
        let checkpoint = Checkpoint(
            position: settled.position,
            hash: settled.hash,
            time: settled.time,
            resume: resume,
            place: place,
            chainDigest: settled.digest,
            tables: contents(),
            bundles: settled.bundles,
            stale: stale,
            gaps: gaps.sorted(),
            assembly: assembly
        )
        do throws(StorageError) {
            try save(to: storage)
            try storage.commit(checkpoint)
        } catch {
            storage.rollBack()
            try stop(error)
        }
        stored = settled.position
        settledSinceCheckpoint = 0
        pending = pending.map { Pending(rows: $0.rows, isCheckpoint: true) }
        rowsAhead = nil
        try finishCheckpoint(waits: false)
        return checkpoint
    }

    /// Takes note that storage is done with what it was given last, if it is: a checkpoint is then
    /// durable.
    ///
    /// - Parameter waits: whether to wait until it is.
    /// - Throws: the failure of storage; the engine does nothing any more.
    package func finishCheckpoint(waits: Bool) throws(StorageError) {
        if let failure { throw failure }
        guard let pending, let storage else { return }
        let isDone: Bool
        do throws(StorageError) { isDone = try storage.finish(waits: waits) } catch {
            try stop(error)
        }
        guard isDone else { return }
        for actions in store.actions { actions.confirm() }
        if pending.isCheckpoint { counters.checkpoints += 1 }
        counters.rowsWritten += UInt64(pending.rows)
        self.pending = nil
    }
}
