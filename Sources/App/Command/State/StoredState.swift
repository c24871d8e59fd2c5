import Folding
import Projection

/// Where the state of a recording is stored: `derived/`, which is safe to delete.
enum StoredState {
    /// Opens the stored state that belongs to an engine.
    ///
    /// - Parameters:
    ///   - path: the recording.
    ///   - options: how it is folded: part of the state's key.
    /// - Returns: opens it once the engine is there; nil when nothing is stored for it.
    static func opener(
        _ path: String,
        _ options: FoldOptions
    ) -> ((ProjectionEngine) throws(StorageError) -> any RowStorage)? {
        nil
    }

    /// Removes what is stored for these options.
    ///
    /// - Throws: `VerbFailure`.
    static func remove(_ path: String, _ options: FoldOptions) throws {}
}
