import CheckpointStore
import Folding
import MarketModel
import Platform
import Projection

/// Where the state of a recording is stored: `derived/`, which is safe to delete.
enum StoredState {
    private static let disk = LinuxFileSystem()

    /// Opens the stored state that belongs to an engine. What is damaged is set aside for people,
    /// and the state is made anew from the log.
    ///
    /// - Parameters:
    ///   - path: the recording.
    ///   - options: how it is folded: part of the state's key.
    /// - Returns: opens it once the engine is there.
    static func opener(
        _ path: String,
        _ options: FoldOptions
    ) -> (ProjectionEngine) throws(StorageError) -> any RowStorage {
        { engine throws(StorageError) in
            let key = engine.key(with: StateFold.keyParts(options))
            let place = StatePath(recording: path, chain: engine.store.chain, key: key)
            do throws(StateFile.OpenError) {
                try StatePath.prepareFolder(path, on: disk)
                return try open(place, engine, key)
            } catch {
                guard case .damaged = error else { throw .failed(sentence(error, place)) }
            }
            do throws(SystemError) { try place.setAside(on: disk) } catch {
                throw .failed("\(error)")
            }
            do throws(StateFile.OpenError) { return try open(place, engine, key) } catch {
                throw .failed(sentence(error, place))
            }
        }
    }

    private static func open(
        _ place: StatePath,
        _ engine: ProjectionEngine,
        _ key: StateKey
    ) throws(StateFile.OpenError) -> StateFile {
        try StateFile(
            place.path,
            chain: engine.store.chain,
            key: key,
            schemas: engine.store.schemas,
            on: disk
        )
    }

    private static func sentence(_ error: StateFile.OpenError, _ place: StatePath) -> String {
        switch error {
        case .otherKey(let found): "\(place.path) has the key \(found)"
        case .locked: "\(place.path) is being written by another process; try again later"
        case .notOurs(let path): "\(path) is no file of ours; move it away"
        case .damaged(let text): "\(place.path) is damaged: \(text)"
        case .failed(let text): text
        }
    }

    /// Removes what is stored for an engine.
    ///
    /// - Throws: `VerbFailure`.
    static func remove(_ path: String, _ options: FoldOptions) throws {
        let engine = ProjectionEngine(.solana) { store in
            ProjectorSet.make(options.projectors, in: store)
        }
        let key = engine.key(with: StateFold.keyParts(options))
        let place = StatePath(recording: path, chain: engine.store.chain, key: key)
        // Nothing is stored where there is no folder.
        guard try disk.kind(of: path + "/derived") == .directory else { return }
        try place.remove(on: disk)
    }

    /// Sets aside what is stored for an engine, because its rows were found damaged.
    ///
    /// - Throws: `SystemError`.
    static func setAside(_ path: String, _ options: FoldOptions) throws {
        let engine = ProjectionEngine(.solana) { store in
            ProjectorSet.make(options.projectors, in: store)
        }
        let key = engine.key(with: StateFold.keyParts(options))
        try StatePath(recording: path, chain: engine.store.chain, key: key).setAside(on: disk)
    }
}
