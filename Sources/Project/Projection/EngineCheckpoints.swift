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

    /// Whether something new is settled and the limits say that it is time.
    package var isCheckpointDue: Bool {
        guard storage != nil, let settled, settled.position != stored else { return false }
        return settledSinceCheckpoint >= limits.bundlesPerCheckpoint
            || dirtyRows - pendingRows >= limits.dirtyRowsMax
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
        let rows = dirtyRows
        do throws(StorageError) {
            try storage.begin()
            for actions in store.actions { try actions.save() }
            try storage.commit(checkpoint)
        } catch {
            storage.rollBack()
            try stop(error)
        }
        stored = settled.position
        settledSinceCheckpoint = 0
        hasPending = true
        pendingRows = rows
        try finishCheckpoint(waits: false)
        return checkpoint
    }

    /// Takes note that the last checkpoint is durable, if it is.
    ///
    /// - Parameter waits: whether to wait until it is.
    /// - Throws: the failure of storage; the engine does nothing any more.
    package func finishCheckpoint(waits: Bool) throws(StorageError) {
        if let failure { throw failure }
        guard hasPending, let storage else { return }
        let isDurable: Bool
        do throws(StorageError) { isDurable = try storage.finish(waits: waits) } catch {
            try stop(error)
        }
        guard isDurable else { return }
        for actions in store.actions { actions.confirm() }
        counters.checkpoints += 1
        counters.rowsWritten += UInt64(pendingRows)
        hasPending = false
        pendingRows = 0
    }
}
