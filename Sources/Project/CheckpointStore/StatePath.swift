package import MarketModel
package import Platform
package import Projection

/// Where the state of a chain stands, and the files beside it that belong to it.
package struct StatePath: Hashable, Sendable {
    /// The path of the database.
    package let path: String

    init(_ path: String) {
        self.path = path
    }

    /// Within a recording: `derived/state-<chain>-<key>.sqlite`, with the first 16 digits of the
    /// key's digest.
    ///
    /// - Parameters:
    ///   - recording: the recording's folder.
    ///   - chain: whose state it is.
    ///   - key: what it is made with.
    package init(recording: String, chain: Chain, key: StateKey) {
        let digits = key.digest.description.prefix(16)
        path = StatePath.folder(recording) + "/state-\(chain.fileName)-\(digits).sqlite"
    }

    /// The first 16 digits of its key's digest.
    var keyDigits: Substring { path.dropLast(".sqlite".utf8.count).suffix(16) }

    /// The folder of all that can be made again.
    static func folder(_ recording: String) -> String { recording + "/derived" }

    /// What SQLite keeps beside a database.
    static let suffixes = ["-wal", "-shm", "-journal"]

    /// Makes the folder unless it is there.
    ///
    /// - Parameters:
    ///   - recording: the recording's folder.
    ///   - fileSystem: the disk.
    /// - Throws: `notOurs` when something else stands there, `failed`.
    package static func prepareFolder(
        _ recording: String,
        on fileSystem: some FileSystem
    ) throws(StateFile.OpenError) {
        try prepareFolder(path: folder(recording), on: fileSystem)
    }

    static func prepareFolder(
        path: String,
        on fileSystem: some FileSystem
    ) throws(StateFile.OpenError) {
        do throws(SystemError) {
            switch try fileSystem.kind(of: path) {
            case .directory: return
            case nil: try fileSystem.createDirectory(path)
            default: throw SystemError.notOurs(path)
            }
        } catch {
            throw StateFile.OpenError(error, at: path)
        }
    }

    /// Looks at all names that SQLite will open, and locks the file for writing.
    ///
    /// SQLite follows links and does not say so: nothing but our own files may stand there. The
    /// database is never opened here while SQLite has it open: closing it again would give
    /// SQLite's own locks up.
    func prepare(
        _ purpose: StateFile.Purpose,
        _ fileSystem: some FileSystem
    ) throws(StateFile.OpenError) -> (any File)? {
        do throws(SystemError) {
            let names = [path, path + ".lock"] + StatePath.suffixes.map { path + $0 }
            for name in names {
                switch try fileSystem.kind(of: name) {
                case nil, .file: break
                default: throw SystemError.notOurs(name)
                }
            }
            guard purpose == .write else { return nil }
            let lock = try fileSystem.open(path + ".lock", .createIfMissing)
            guard try lock.tryLock() else { return nil }
            if try fileSystem.kind(of: path) == nil {
                try removeCompanions(on: fileSystem)
                try fileSystem.open(path, .createNew).close()
            }
            return lock
        } catch {
            throw StateFile.OpenError(error, at: path)
        }
    }

    private func removeCompanions(on fileSystem: some FileSystem) throws(SystemError) {
        for suffix in StatePath.suffixes where try fileSystem.kind(of: path + suffix) != nil {
            try fileSystem.remove(path + suffix)
        }
    }

    /// Takes a damaged state out of the way: the database stays as `<name>.damaged` for people,
    /// one at a time.
    ///
    /// - Parameter fileSystem: the disk.
    /// - Throws: what the disk says.
    package func setAside(on fileSystem: some FileSystem) throws(SystemError) {
        if try fileSystem.kind(of: path) != nil {
            try fileSystem.rename(path, to: path + ".damaged")
        }
        try removeCompanions(on: fileSystem)
    }

    /// Why the state cannot be written now; nil when it can. Nothing is made but the folder and
    /// the file of the lock.
    ///
    /// - Parameters:
    ///   - recording: the recording's folder.
    ///   - fileSystem: the disk.
    /// - Returns: `locked`, `notOurs` or `failed`.
    package func hindrance(
        recording: String,
        on fileSystem: some FileSystem
    ) -> StateFile.OpenError? {
        do throws(StateFile.OpenError) {
            try StatePath.prepareFolder(recording, on: fileSystem)
            do throws(SystemError) {
                let lock = try fileSystem.open(path + ".lock", .createIfMissing)
                let isFree = try lock.tryLock()
                try lock.close()
                return isFree ? nil : .locked
            } catch { throw StateFile.OpenError(error, at: path) }
        } catch { return error }
    }

    /// Removes a state with all that belongs to it, unless somebody writes it.
    ///
    /// - Parameter fileSystem: the disk.
    /// - Returns: whether it was removed.
    /// - Throws: what the disk says.
    package func removeUnused(on fileSystem: some FileSystem) throws(SystemError) -> Bool {
        let lock = try fileSystem.open(path + ".lock", .createIfMissing)
        guard try lock.tryLock() else { return false }
        try remove(on: fileSystem)
        try lock.close()
        return true
    }

    /// Removes a state with all that belongs to it.
    ///
    /// - Parameter fileSystem: the disk.
    /// - Throws: what the disk says.
    package func remove(on fileSystem: some FileSystem) throws(SystemError) {
        if try fileSystem.kind(of: path) != nil { try fileSystem.remove(path) }
        try removeCompanions(on: fileSystem)
        for suffix in [".lock", ".damaged"] where try fileSystem.kind(of: path + suffix) != nil {
            try fileSystem.remove(path + suffix)
        }
    }

    /// Removes the database that stands here, which nobody may use, and puts a copy of an anchor
    /// in its place. The lock stays where it is.
    ///
    /// - Parameters:
    ///   - anchor: the path of an anchor; nil for nothing.
    ///   - fileSystem: the disk.
    /// - Throws: `locked` when somebody writes the state; `notOurs`, `failed`.
    package func replace(
        with anchor: String?,
        on fileSystem: some FileSystem
    ) throws(StateFile.OpenError) {
        do throws(SystemError) {
            for name in [anchor, path, path + ".lock"].compactMap(\.self) {
                switch try fileSystem.kind(of: name) {
                case nil, .file: break
                default: throw SystemError.notOurs(name)
                }
            }
            let lock = try fileSystem.open(path + ".lock", .createIfMissing)
            guard try lock.tryLock() else { throw SystemError.isLocked(path) }
            // Its log goes too: with another database it would be taken for that one's.
            if try fileSystem.kind(of: path) != nil { try fileSystem.remove(path) }
            try removeCompanions(on: fileSystem)
            if let anchor {
                _ = try StateCopy.copyBytes(from: anchor, to: path, on: fileSystem)
            }
            try lock.close()
        } catch {
            if error.isOfLock { throw .locked }
            throw StateFile.OpenError(error, at: path)
        }
    }

    /// All states of a recording.
    ///
    /// - Parameters:
    ///   - recording: the recording's folder.
    ///   - fileSystem: the disk.
    /// - Returns: each with its chain, by name.
    /// - Throws: what the disk says.
    package static func all(
        recording: String,
        on fileSystem: some FileSystem
    ) throws(SystemError) -> [(chain: Chain, place: StatePath)] {
        let folder = folder(recording)
        guard try fileSystem.kind(of: folder) == .directory else { return [] }
        return try fileSystem.list(folder).sorted().compactMap { name in
            guard name.hasPrefix("state-"), name.hasSuffix(".sqlite") else { return nil }
            let stem = name.dropFirst(6).dropLast(7)
            // The chain, a dash, and 16 digits.
            guard stem.utf8.count > 17, let chain = Chain(fileName: String(stem.dropLast(17)))
            else { return nil }
            return (chain, StatePath(folder + "/" + name))
        }
    }

    /// States of the same chain made with other keys. They go when this one has got as far as
    /// they are: until then they are what people can look at.
    ///
    /// - Parameters:
    ///   - recording: the recording's folder.
    ///   - chain: whose state it is.
    ///   - fileSystem: the disk.
    /// - Returns: their paths, by name.
    /// - Throws: what the disk says.
    package func others(
        recording: String,
        chain: Chain,
        on fileSystem: some FileSystem
    ) throws(SystemError) -> [StatePath] {
        let folder = StatePath.folder(recording)
        let start = "state-\(chain.fileName)-"
        return try fileSystem.list(folder).filter { name in
            name.hasPrefix(start) && name.hasSuffix(".sqlite")
                && name.utf8.count == start.utf8.count + 16 + ".sqlite".utf8.count
        }.map { StatePath(folder + "/" + $0) }.filter { $0 != self }
    }
}

extension Chain {
    /// The chain in a file's name.
    var fileName: String {
        switch self {
        case .solana: "solana"
        case .evm(let id): "evm-\(id)"
        }
    }

    /// From what `fileName` gives; nil for anything else.
    init?(fileName: String) {
        if fileName == "solana" {
            self = .solana
        } else if fileName.hasPrefix("evm-"), let id = UInt64(fileName.dropFirst(4)) {
            self = .evm(id)
        } else {
            return nil
        }
    }
}

extension SystemError {
    /// Something stands at a path that is no file or folder of ours.
    static func notOurs(_ path: String) -> SystemError {
        SystemError(call: notOursCall, subject: path, errno: 0)
    }

    /// A state that another process writes.
    static func isLocked(_ path: String) -> SystemError {
        SystemError(call: lockCall, subject: path, errno: 0)
    }

    /// Whether `isLocked` made it.
    var isOfLock: Bool { call == SystemError.lockCall }

    private static let lockCall = "a state that nobody writes expected"

    /// Whether `notOurs` made it.
    var isNotOurs: Bool { call == SystemError.notOursCall }

    private static let notOursCall = "a file of our own expected"
}

extension StateFile.OpenError {
    init(_ error: SystemError, at path: String) {
        if error.isNotOurs || error.isSymbolicLink {
            self = .notOurs(path: error.subject)
        } else {
            self = .failed(error.description)
        }
    }
}
