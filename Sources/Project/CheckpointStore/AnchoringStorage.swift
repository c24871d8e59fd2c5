package import Platform
package import Projection

/// A state file whose checkpoints now and then become anchors. Copies are made by whoever commits,
/// right after a checkpoint: nothing is written meanwhile, so each is of one checkpoint.
///
/// An anchor only saves time: when none can be made that is said, and the state goes on.
package final class AnchoringStorage: RowStorage {
    private let file: StateFile
    private let folder: AnchorFolder
    private let cadence: AnchorCadence
    private let ladder: AnchorLadder
    private let fileSystem: any FileSystem
    private let clock: any Clock
    private let tell: @Sendable (String) -> Void
    private let began: UInt64
    /// Nanoseconds that copies took, and their bytes.
    private var spent: UInt64 = 0
    private var copied: UInt64 = 0
    /// The newest anchor; nil while there is none, or nobody has looked.
    private var newest: Anchor?
    private var hasLooked = false
    private var hasFailed = false

    /// - Parameters:
    ///   - file: where the state is kept.
    ///   - folder: where anchors are.
    ///   - cadence: when one is made.
    ///   - ladder: which ones stay.
    ///   - fileSystem: the disk.
    ///   - clock: measures what copies cost; no result depends on it.
    ///   - tell: takes a sentence for a person, on whatever thread commits.
    package init(
        _ file: StateFile,
        _ folder: AnchorFolder,
        _ cadence: AnchorCadence,
        _ ladder: AnchorLadder,
        on fileSystem: any FileSystem,
        clock: any Clock,
        tell: @escaping @Sendable (String) -> Void
    ) {
        self.file = file
        self.folder = folder
        self.cadence = cadence
        self.ladder = ladder
        self.fileSystem = fileSystem
        self.clock = clock
        self.tell = tell
        began = clock.monotonicNanoseconds()
    }

    package var checkpoint: Checkpoint? { file.checkpoint }

    package func load(table: Int, key: [UInt8]) throws(StorageError) -> StoredRow? {
        try file.load(table: table, key: key)
    }

    package func scan(
        table: Int,
        _ body: (_ key: [UInt8], _ row: [UInt8], _ check: UInt64) throws(StorageError) -> Void
    ) throws(StorageError) {
        try file.scan(table: table, body)
    }

    package func begin() throws(StorageError) { try file.begin() }

    package func put(
        table: Int,
        key: RawSpan,
        row: RawSpan?,
        check: UInt64
    ) throws(StorageError) {
        try file.put(table: table, key: key, row: row, check: check)
    }

    package func commit(_ checkpoint: Checkpoint) throws(StorageError) {
        try file.commit(checkpoint)
        leaveAnchor(checkpoint, isLast: false)
    }

    package func rollBack() { file.rollBack() }

    /// Leaves an anchor of the last checkpoint, if it is worth what it costs. No other thread uses
    /// the storage meanwhile.
    package func end() {
        if let checkpoint { leaveAnchor(checkpoint, isLast: true) }
    }

    private func leaveAnchor(_ checkpoint: Checkpoint, isLast: Bool) {
        do throws(StateFile.OpenError) {
            do throws(SystemError) {
                if !hasLooked { newest = try folder.list(on: fileSystem).last }
                hasLooked = true
            } catch {
                throw StateFile.OpenError(error, at: folder.path)
            }
            let now = clock.monotonicNanoseconds()
            let cost = AnchorCadence.Cost(
                bytes: file.bytes,
                elapsed: now &- began,
                spent: spent,
                copied: copied
            )
            guard cadence.isDue(checkpoint, after: newest, isLast: isLast, cost) else { return }
            try checkRoom(cost.bytes)
            let anchor = try folder.add(from: file.path, checkpoint, on: fileSystem)
            newest = anchor
            do throws(SystemError) { try folder.prune(ladder, on: fileSystem) } catch {
                throw StateFile.OpenError(error, at: folder.path)
            }
            spent &+= clock.monotonicNanoseconds() &- now
            copied &+= anchor.bytes
            hasFailed = false
        } catch {
            // Once, until it works again: a full disk stays full for a while.
            guard !hasFailed else { return }
            hasFailed = true
            tell("no anchor was left of slot \(checkpoint.position): \(error)")
        }
    }

    /// A recorder may need the disk: a copy leaves at least as much of it as it takes.
    private func checkRoom(_ bytes: UInt64) throws(StateFile.OpenError) {
        let free: UInt64
        do throws(SystemError) { free = try fileSystem.freeBytes(at: file.path) } catch {
            throw StateFile.OpenError(error, at: file.path)
        }
        guard free / 2 >= bytes else {
            throw .failed("the disk has \(free) bytes free, a copy takes \(bytes)")
        }
    }
}
