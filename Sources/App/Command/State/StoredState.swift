import CheckpointStore
import Folding
import MarketModel
import Platform
import Projection
import SegmentLog

/// Where the state of a recording is stored that is folded in one way: `derived/`, which is safe to
/// delete.
struct StoredState {
    let recording: String
    let chain: Chain
    let key: StateKey
    let schemas: [TableSchema]
    /// The state file.
    let place: StatePath
    /// Copies of its checkpoints.
    let anchors: AnchorFolder

    private let disk = LinuxFileSystem()

    /// - Parameters:
    ///   - recording: the recording's folder.
    ///   - options: how it is folded: part of the state's key.
    init(_ recording: String, _ options: FoldOptions) {
        let engine = ProjectionEngine(.solana) { store in
            ProjectorSet.make(options.projectors, in: store)
        }
        self.recording = recording
        chain = engine.store.chain
        schemas = engine.store.schemas
        key = engine.key(with: StateFold.keyParts(options))
        place = StatePath(recording: recording, chain: chain, key: key)
        anchors = AnchorFolder(recording: recording, chain: chain, key: key)
    }

    /// Opens the state file to go on with it.
    ///
    /// - Throws: `damaged` when it must not be used.
    func file() throws(StorageError) -> StateFile {
        do throws(StateFile.OpenError) {
            try StatePath.prepareFolder(recording, on: disk)
            return try StateFile(place.path, chain: chain, key: key, schemas: schemas, on: disk)
        } catch { throw storageError(error, place.path) }
    }

    /// Opens an anchor to look at it.
    ///
    /// - Throws: `damaged` when it must not be used.
    func anchor(_ path: String) throws(StorageError) -> StateFile {
        do throws(StateFile.OpenError) {
            return try StateFile(
                path,
                chain: chain,
                key: key,
                schemas: schemas,
                for: .read,
                on: disk
            )
        } catch {
            // An anchor bears its key in its name.
            if case .otherKey = error { throw .damaged("\(path) has another key than its name") }
            throw storageError(error, path)
        }
    }

    /// What the state file says of itself; nil when there is none, or when it is damaged.
    ///
    /// - Throws: `VerbFailure` when it cannot be read.
    func overview() throws -> StateOverview? {
        guard try disk.kind(of: place.path) == .file else { return nil }
        do throws(StateFile.OpenError) {
            return try StateOverview(place.path, chain: chain, on: disk)
        } catch {
            if case .damaged = error { return nil }
            throw VerbFailure(code: .failed, message: error.sentence(place.path))
        }
    }

    private func storageError(_ error: StateFile.OpenError, _ path: String) -> StorageError {
        if case .damaged(let text) = error { return .damaged(text) }
        return .failed(error.sentence(path))
    }

    /// Why the state file cannot be gone on with; nil when it can.
    var hindrance: String? {
        place.hindrance(recording: recording, on: disk).map { $0.sentence(place.path) }
    }

    /// Removes what is stored, with its anchors.
    ///
    /// - Throws: `SystemError`, or `VerbFailure` when somebody writes it.
    func remove() throws {
        // Nothing is stored where there is no folder.
        guard try disk.kind(of: recording + "/derived") == .directory else { return }
        guard try place.removeUnused(on: disk) else {
            let reason = StateFile.OpenError.locked.sentence(place.path)
            throw VerbFailure(code: .failed, message: reason)
        }
        try anchors.removeAll(on: disk)
    }

    /// Removes states that this one replaces, which must have been stored: those that were asked
    /// for in the same way, made by other versions, and are no further.
    ///
    /// - Returns: their paths.
    /// - Throws: `SystemError`.
    func removeReplaced() throws -> [String] {
        guard let own = try overview()?.checkpoint else { return [] }
        var removed: [String] = []
        for other in try place.others(recording: recording, chain: chain, on: disk) {
            do throws(StateFile.OpenError) {
                let overview = try StateOverview(other.path, chain: chain, on: disk)
                guard overview.isReplaced(by: key) else { continue }
                if let theirs = overview.checkpoint, theirs.position > own.position { continue }
            } catch {
                // What cannot be read is looked at by whoever set it aside, or not ours to touch.
                continue
            }
            guard try other.removeUnused(on: disk) else { continue }
            try AnchorFolder(recording: recording, chain: chain, of: other).removeAll(on: disk)
            removed.append(other.path)
        }
        return removed
    }
}

extension StateFile.OpenError {
    /// For a person.
    func sentence(_ path: String) -> String {
        switch self {
        case .otherKey(let found): "\(path) has the key \(found)"
        case .locked: "\(path) is being written by another process; try again later"
        case .notOurs(let other): "\(other) is no file of ours; move it away"
        case .damaged(let text): "\(path) is damaged: \(text)"
        case .failed(let text): text
        }
    }
}
