package import MarketModel
package import Platform
package import Projection

/// What a state file says of itself, whatever it was made with. Its rows are not looked at.
package struct StateOverview: Hashable, Sendable {
    /// What it was made with; the parts by name.
    package let key: StateKey
    /// How far it goes; nil before the first checkpoint.
    package let checkpoint: Checkpoint?

    /// Reads it.
    ///
    /// - Parameters:
    ///   - path: of the database; somebody may write it meanwhile.
    ///   - chain: whose state it is.
    ///   - fileSystem: the disk.
    /// - Throws: `damaged`, `notOurs`, `failed`.
    package init(
        _ path: String,
        chain: Chain,
        on fileSystem: some FileSystem = LinuxFileSystem()
    ) throws(StateFile.OpenError) {
        _ = try StatePath(path).prepare(.read, fileSystem)
        do throws(SystemError) {
            guard try fileSystem.kind(of: path) == .file else {
                throw StateOverview.missing(path)
            }
        } catch {
            throw StateFile.OpenError(error, at: path)
        }
        do throws(StorageError) {
            let connection = try SQLiteConnection(path, .readOnly)
            defer { connection.close() }
            // One checkpoint as a whole, whoever commits the next one meanwhile.
            try connection.run("PRAGMA cell_size_check=ON; PRAGMA trusted_schema=OFF; BEGIN")
            (key, checkpoint) = try StateDescription.overview(of: chain, connection)
        } catch {
            throw StateFile.OpenError(error)
        }
    }

    private static func missing(_ path: String) -> SystemError {
        SystemError(call: "open", subject: path, errno: 2)
    }

    /// Whether two states were asked for in the same way, so that one of them replaces the other:
    /// the same projectors and options, whatever their versions.
    ///
    /// - Parameter other: what the other state was made with.
    /// - Returns: false when somebody asked for two different states.
    package func isReplaced(by other: StateKey) -> Bool {
        StateOverview.isSameRequest(key, other)
    }

    /// Whether two keys are of states that were asked for in the same way.
    ///
    /// - Parameters:
    ///   - one: a key.
    ///   - other: another one, of the same chain.
    /// - Returns: whatever their versions.
    package static func isSameRequest(_ one: StateKey, _ other: StateKey) -> Bool {
        request(one) == request(other)
    }

    /// What a person decided of a key: which projectors, and the options of the fold.
    private static func request(_ key: StateKey) -> [String] {
        key.parts.compactMap { part in
            if part.name.hasPrefix("projector ") { return part.name }
            guard part.name == "commitment" || part.name == "skips_damage" else { return nil }
            return part.name + " " + part.value
        }.sorted()
    }
}
