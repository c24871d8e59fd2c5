package import MarketModel
package import RecordModel

/// Folds what one chain's assembler says into state: bundles into tables by the projectors, always
/// in the same order; takes bundles back; lets go what is settled; writes checkpoints.
package final class ProjectionEngine {
    /// The tables.
    package let store: StateStore
    /// What has happened so far.
    package internal(set) var counters = Counters()
    /// Slots or blocks for which data came after they were settled, rising; state is stale from
    /// the first.
    package internal(set) var stale: [UInt64] = []
    /// What is or was missing, by first slot or block; the next checkpoint stores it.
    package var gaps: [ChainGap] = []
    /// The newest bundle that is settled; nil before the first.
    package internal(set) var settled: AppliedBundle?

    let projectors: [any Projector]
    let limits: Limits
    /// Bundles that can be taken back, the oldest first.
    private var journal: [AppliedBundle] = []
    var storage: (any RowStorage)?
    /// What the checkpoint held that was restored: nothing of it is folded again.
    var restored: UInt64?
    /// Position of the last checkpoint.
    var stored: UInt64?
    var settledSinceCheckpoint = 0
    /// What storage was given of which it is not known that it is done.
    var pending: Pending?
    /// Rows given to storage since the last checkpoint was; nil while none was begun.
    var rowsAhead: Int?
    var failure: StorageError?
    /// The number of the bundle that comes next, as the tables count.
    private var serial: UInt64 = 1
    private var writer = RowWriter()

    /// What a bundle left behind.
    package struct AppliedBundle: Hashable, Sendable {
        /// Slot or block.
        package let position: UInt64
        /// The block's hash.
        package let hash: Bytes32?
        /// The block's time in seconds since 1970.
        package let time: Int64?
        /// The record that caused the bundle to be folded; `none` for what a checkpoint held.
        package let sequence: Sequence
        /// Digest of all tables after it.
        package let digest: StateDigest
        /// Bundles folded up to it, itself included.
        package let bundles: UInt64
        /// Its number in the journals of tables; zero for what a checkpoint held.
        let serial: UInt64
    }

    /// What storage has in hand.
    struct Pending {
        /// Rows set or removed.
        let rows: Int
        /// Whether a checkpoint ends with them.
        let isCheckpoint: Bool
    }

    /// What has happened since the engine was made.
    package struct Counters: Hashable, Sendable {
        /// Bundles folded.
        package var applied: UInt64 = 0
        /// Bundles taken back.
        package var undone: UInt64 = 0
        /// Bundles whose journal was let go.
        package var settled: UInt64 = 0
        /// Actions on what a checkpoint already held.
        package var ignored: UInt64 = 0
        /// Checkpoints written.
        package var checkpoints: UInt64 = 0
        /// Rows that they wrote or removed.
        package var rowsWritten: UInt64 = 0
        /// How often storage was given rows ahead of a checkpoint.
        package var savesAhead: UInt64 = 0
    }

    /// When checkpoints are due and what stays in memory. None of it changes a result.
    package struct Limits: Hashable, Sendable {
        /// Rows of one table that may stay in memory while they are as storage holds them.
        package var residentRowsMax = Int.max
        /// A checkpoint is due after that many settled bundles.
        package var bundlesPerCheckpoint = 1_000
        /// The first one is due after that many, if that is sooner: it costs little, and an anchor
        /// can be made of it.
        package var bundlesToFirst = 5_000
        /// A checkpoint is due when that many rows wait for one.
        package var dirtyRowsMax = 250_000
        /// Storage is given rows ahead of a checkpoint when it is idle and that many wait, so that
        /// few are left when the checkpoint is made.
        package var rowsAheadMin = Int.max
        /// And while no more rows than these are there in all: storage touches all over itself each
        /// time, which is cheap only as long as it has everything at hand.
        package var rowsForAheadMax: UInt64 = 500_000

        package init() {}
    }

    /// An engine before the first bundle.
    ///
    /// - Parameters:
    ///   - chain: whose state it is.
    ///   - limits: of memory and time between checkpoints.
    ///   - projectors: makes the projectors with their tables, in the order in which they fold.
    package init(
        _ chain: Chain,
        limits: Limits = Limits(),
        projectors: (StateStore) -> [any Projector]
    ) {
        store = StateStore(chain)
        self.limits = limits
        self.projectors = projectors(store)
        store.sort()
    }

    /// The bundle folded last; nil before the first.
    package var head: AppliedBundle? { journal.last ?? settled }

    /// Bundles that can be taken back, the oldest first.
    package var unsettled: [AppliedBundle] { journal }

    /// The number of the newest bundle that can be taken back; nil when there is none.
    var unsettledSerial: UInt64? { journal.last?.serial }

    /// Digest of the chain's state after the last bundle.
    package var chainDigest: StateDigest {
        head?.digest ?? store.chainDigest
    }

    /// Digest of the state as known when a record had been read.
    ///
    /// - Parameter open: what the assembler holds that is no bundle yet, in its canonical form.
    /// - Returns: comparable with positions on the same log only.
    package func positionDigest(open: [UInt8]) -> StateDigest {
        let digest = chainDigest
        writer.removeAll()
        writer.add(digest.value)
        writer.add(store.digestBeside.value)
        writer.add(optional: head?.position) { $0.add($1) }
        writer.append(open)
        return writer.digest
    }

    /// Does what the assembler says.
    ///
    /// What lies at or below the checkpoint that was restored is ignored, save that stale slots
    /// are listed.
    ///
    /// - Parameters:
    ///   - action: one of this chain; bundles rise, and only the last one is taken back.
    ///   - sequence: the record that caused it.
    ///   - notices: what the projectors want to tell is added here.
    /// - Throws: the failure of storage; the engine does nothing any more.
    package func take(
        _ action: ChainAction,
        at sequence: Sequence,
        notices: inout [Notice]
    ) throws(StorageError) {
        if let failure { throw failure }
        switch action {
        case .apply(let bundle):
            try apply(bundle, at: sequence, notices: &notices)
        case .undo(let position):
            undo(position)
        case .final(let position):
            settle(upTo: position)
        case .stale(let position):
            let place = stale.firstIndex { $0 >= position } ?? stale.endIndex
            if place == stale.endIndex || stale[place] != position {
                stale.insert(position, at: place)
            }
        }
    }

    /// Whether an action is about what the restored checkpoint holds.
    private func isRestored(_ position: UInt64) -> Bool {
        guard let restored, position <= restored else { return false }
        counters.ignored += 1
        return true
    }

    private func apply(
        _ bundle: Bundle,
        at sequence: Sequence,
        notices: inout [Notice]
    ) throws(StorageError) {
        precondition(bundle.chain == store.chain, "a bundle of \(bundle.chain)")
        if isRestored(bundle.position) { return }
        let head = head
        if let head {
            precondition(
                bundle.position > head.position,
                "\(bundle.position) does not follow \(head.position)"
            )
        }
        for projector in projectors { projector.apply(bundle, notices: &notices) }
        if let failure = store.failure { try stop(failure) }
        store.close()
        let before = head.map(\.bundles)
        journal.append(
            AppliedBundle(
                position: bundle.position,
                hash: bundle.hash,
                time: bundle.time,
                sequence: sequence,
                digest: store.chainDigest,
                bundles: before.map { $0 + 1 } ?? 1,
                serial: serial
            )
        )
        serial += 1
        counters.applied += 1
    }

    private func undo(_ position: UInt64) {
        if isRestored(position) { return }
        guard let last = journal.popLast(), last.position == position else {
            preconditionFailure("\(position) is not what was folded last")
        }
        store.undo(last.serial)
        counters.undone += 1
    }

    private func settle(upTo position: UInt64) {
        while let first = journal.first, first.position <= position {
            journal.removeFirst()
            store.trim(first.serial)
            settled = first
            settledSinceCheckpoint += 1
            counters.settled += 1
        }
    }

    /// What the tables held after the newest bundle that is settled, by name.
    func contents() -> [Checkpoint.Content] {
        store.tables.map { table in
            Checkpoint.Content(
                name: table.schema.name,
                digest: StateDigest(table.settled.sum),
                rows: table.settled.present
            )
        }
    }

    /// Does nothing any more.
    func stop(_ failure: StorageError) throws(StorageError) -> Never {
        self.failure = failure
        throw failure
    }
}
