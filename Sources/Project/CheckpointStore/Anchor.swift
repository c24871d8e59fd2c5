package import MarketModel
package import Platform
package import Projection

/// An immutable copy of a checkpoint: what time travel and late data start from.
package struct Anchor: Hashable, Sendable {
    /// Where it stands.
    package let path: String
    /// Slot or block after which its rows are.
    package let position: UInt64
    /// That block's time in seconds since 1970; nil when none was known.
    package let time: Int64?
    /// Bytes it takes.
    package let bytes: UInt64
}

/// The anchors of one chain's state: `derived/anchors/<chain>-<key>-<position>-<time>.sqlite`.
/// They are written under another name, made durable, and renamed.
package struct AnchorFolder: Hashable, Sendable {
    /// The folder.
    package let path: String
    private let start: String

    /// Of a recording.
    ///
    /// - Parameters:
    ///   - recording: the recording's folder.
    ///   - chain: whose state it is.
    ///   - key: what it is made with.
    package init(recording: String, chain: Chain, key: StateKey) {
        path = StatePath.folder(recording) + "/anchors"
        start = "\(chain.fileName)-\(key.digest.description.prefix(16))-"
    }

    /// Of the state that stands at a path.
    ///
    /// - Parameters:
    ///   - recording: the recording's folder.
    ///   - chain: whose state it is.
    ///   - state: where it stands.
    package init(recording: String, chain: Chain, of state: StatePath) {
        path = StatePath.folder(recording) + "/anchors"
        start = "\(chain.fileName)-\(state.keyDigits)-"
    }

    private func name(_ checkpoint: Checkpoint) -> String {
        let time = checkpoint.time.map { String($0) } ?? "none"
        return start + AnchorFolder.digits(checkpoint.position) + "-\(time).sqlite"
    }

    private static func digits(_ position: UInt64) -> String {
        let digits = String(position)
        return String(repeating: "0", count: 20 - digits.utf8.count) + digits
    }

    /// Position and time of a name; nil when it is none of ours.
    private func parse(_ name: String) -> (position: UInt64, time: Int64?)? {
        guard name.hasPrefix(start), name.hasSuffix(".sqlite") else { return nil }
        let parts = name.dropFirst(start.utf8.count).dropLast(7)
            .split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].utf8.count == 20, let position = UInt64(parts[0]) else {
            return nil
        }
        if parts[1] == "none" { return (position, nil) }
        guard let time = Int64(parts[1]) else { return nil }
        return (position, time)
    }

    /// Copies the checkpoint that a state file holds. It may be written meanwhile: the copy is of
    /// one checkpoint as a whole. This takes as long as reading and writing all of it, so it may
    /// be called on a thread of its own.
    ///
    /// - Parameters:
    ///   - state: the path of the state file.
    ///   - checkpoint: what it holds.
    ///   - fileSystem: the disk.
    /// - Returns: the anchor, durable.
    /// - Throws: why there is none; a copy that is not whole bears no anchor's name.
    package func add(
        from state: String,
        _ checkpoint: Checkpoint,
        on fileSystem: some FileSystem = LinuxFileSystem()
    ) throws(StateFile.OpenError) -> Anchor {
        try StatePath.prepareFolder(path: path, on: fileSystem)
        let target = path + "/" + name(checkpoint)
        try StateCopy.make(from: state, to: target, on: fileSystem)
        do throws(SystemError) {
            let bytes = try fileSystem.open(target, .readOnly).size()
            return Anchor(
                path: target,
                position: checkpoint.position,
                time: checkpoint.time,
                bytes: bytes
            )
        } catch {
            throw StateFile.OpenError(error, at: target)
        }
    }

    /// The anchors, by rising position.
    ///
    /// - Parameter fileSystem: the disk.
    /// - Returns: those whose names are ours.
    /// - Throws: what the disk says.
    package func list(
        on fileSystem: some FileSystem = LinuxFileSystem()
    ) throws(SystemError) -> [Anchor] {
        guard try fileSystem.kind(of: path) == .directory else { return [] }
        var anchors: [Anchor] = []
        for name in try fileSystem.list(path) {
            guard let (position, time) = parse(name) else { continue }
            let file = path + "/" + name
            guard try fileSystem.kind(of: file) == .file else { continue }
            let bytes = try fileSystem.open(file, .readOnly).size()
            anchors.append(Anchor(path: file, position: position, time: time, bytes: bytes))
        }
        return anchors.sorted { $0.position < $1.position }
    }

    /// The newest anchor at or below a position; nil when there is none.
    ///
    /// - Parameters:
    ///   - position: slot or block.
    ///   - fileSystem: the disk.
    /// - Returns: the anchor; it is checked when it is opened.
    /// - Throws: what the disk says.
    package func newest(
        atOrBelow position: UInt64,
        on fileSystem: some FileSystem = LinuxFileSystem()
    ) throws(SystemError) -> Anchor? {
        try list(on: fileSystem).last { $0.position <= position }
    }

    /// Removes the anchors that a ladder does not keep, and copies that never became anchors.
    ///
    /// - Parameters:
    ///   - ladder: the rule.
    ///   - fileSystem: the disk.
    /// - Returns: what was removed.
    /// - Throws: what the disk says.
    @discardableResult
    package func prune(
        _ ladder: AnchorLadder,
        on fileSystem: some FileSystem = LinuxFileSystem()
    ) throws(SystemError) -> [Anchor] {
        let anchors = try list(on: fileSystem)
        let rungs = anchors.map {
            AnchorLadder.Rung(position: $0.position, time: $0.time, bytes: $0.bytes)
        }
        let superfluous = Set(ladder.superfluous(rungs))
        let gone = anchors.filter { superfluous.contains($0.position) }
        for anchor in gone { try fileSystem.remove(anchor.path) }
        try remove(on: fileSystem) { $0.hasSuffix(StateCopy.unfinished) }
        return gone
    }

    /// Takes a damaged anchor out of the way: it stays as `<chain>-<key>-damaged` for people, one
    /// at a time.
    ///
    /// - Parameters:
    ///   - anchor: one of these.
    ///   - fileSystem: the disk.
    /// - Throws: what the disk says.
    package func setAside(
        _ anchor: Anchor,
        on fileSystem: some FileSystem = LinuxFileSystem()
    ) throws(SystemError) {
        try fileSystem.rename(anchor.path, to: path + "/" + start + "damaged")
        for suffix in StatePath.suffixes where try fileSystem.kind(of: anchor.path + suffix) != nil
        { try fileSystem.remove(anchor.path + suffix) }
    }

    /// Removes all of them, with what was set aside.
    ///
    /// - Parameter fileSystem: the disk.
    /// - Throws: what the disk says.
    package func removeAll(on fileSystem: some FileSystem = LinuxFileSystem()) throws(SystemError) {
        try remove(on: fileSystem) { _ in true }
    }

    private func remove(
        on fileSystem: some FileSystem,
        _ isUnwanted: (String) -> Bool
    ) throws(SystemError) {
        guard try fileSystem.kind(of: path) == .directory else { return }
        for name in try fileSystem.list(path) where name.hasPrefix(start) && isUnwanted(name) {
            try fileSystem.remove(path + "/" + name)
        }
    }
}

/// Copies of whole checkpoints.
enum StateCopy {
    /// Behind the name of a copy that is not whole yet.
    static let unfinished = ".unfinished"

    /// Copies a state file as one transaction sees it, and makes the copy durable before it gets
    /// its name.
    static func make(
        from state: String,
        to target: String,
        on fileSystem: some FileSystem
    ) throws(StateFile.OpenError) {
        let draft = target + unfinished
        do throws(SystemError) {
            for name in [state, target, draft] + StatePath.suffixes.map({ draft + $0 }) {
                switch try fileSystem.kind(of: name) {
                case nil, .file: break
                default: throw SystemError.notOurs(name)
                }
            }
            if try fileSystem.kind(of: draft) != nil { try fileSystem.remove(draft) }
            // SQLite copies into an empty file that is there: so it is for its owner alone.
            try fileSystem.open(draft, .createNew).close()
        } catch {
            throw StateFile.OpenError(error, at: target)
        }
        do throws(StorageError) {
            let source = try SQLiteConnection(state, .readOnly)
            let statement = try source.prepare("VACUUM INTO ?")
            statement.bind(draft.hasPrefix("/") ? draft : "./" + draft, at: 1)
            try statement.run()
        } catch {
            // Half a copy takes room on a disk that may be full.
            do throws(SystemError) { try fileSystem.remove(draft) } catch {
                // It is removed when the next copy is made.
            }
            throw StateFile.OpenError(error)
        }
        do throws(SystemError) {
            let file = try fileSystem.open(draft, .readWrite)
            try file.syncData()
            try file.close()
            try fileSystem.rename(draft, to: target)
            try fileSystem.syncDirectory(folder(of: target))
        } catch {
            throw StateFile.OpenError(error, at: target)
        }
    }

    /// Copies a file byte for byte, makes it durable and gives it its name.
    ///
    /// - Returns: the checksum of its bytes and their number.
    static func copyBytes(
        from source: String,
        to target: String?,
        on fileSystem: some FileSystem
    ) throws(SystemError) -> (checksum: StateDigest, bytes: UInt64) {
        let input = try fileSystem.open(source, .readOnly)
        let draft = target.map { $0 + unfinished }
        if let draft, try fileSystem.kind(of: draft) != nil { try fileSystem.remove(draft) }
        let output = try draft.map { draft throws(SystemError) in
            try fileSystem.open(draft, .createNew)
        }
        var writer = RowWriter()
        var offset: UInt64 = 0
        while true {
            let bytes = try input.read(1 << 20, at: offset)
            if bytes.isEmpty { break }
            try output?.write(bytes, at: offset)
            writer.add(StateDigest(of: bytes.span.bytes).value)
            offset += UInt64(bytes.count)
        }
        if let draft, let target, let output {
            try output.syncData()
            try output.close()
            try fileSystem.rename(draft, to: target)
            try fileSystem.syncDirectory(folder(of: target))
        }
        return (writer.digest, offset)
    }

    static func folder(of path: String) -> String {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
        guard !parts.isEmpty else { return "." }
        let folder = parts.joined(separator: "/")
        return folder.isEmpty ? "/" : folder
    }
}
