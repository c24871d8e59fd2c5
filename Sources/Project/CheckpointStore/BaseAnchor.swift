package import MarketModel
package import Platform
package import Projection
package import RecordModel

/// The anchor that stands for segments that are no longer there: `anchors/<name>` beside them. The
/// recording names it with its checksum, because nothing else could make it again.
package struct BaseAnchor: Hashable, Sendable {
    /// The file's name within `anchors`.
    package let name: String
    /// Whose state it is.
    package let chain: Chain
    /// Slot or block after which its rows are.
    package let position: UInt64
    /// The sequence to read on from.
    package let resume: Sequence
    /// Digest of what it was made with.
    package let key: StateDigest
    /// Bytes of the file.
    package let bytes: UInt64
    /// XXH3-128 of the XXH3-128 of each MiB of the file, one behind the other.
    package let checksum: StateDigest

    package init(
        name: String,
        chain: Chain,
        position: UInt64,
        resume: Sequence,
        key: StateDigest,
        bytes: UInt64,
        checksum: StateDigest
    ) {
        self.name = name
        self.chain = chain
        self.position = position
        self.resume = resume
        self.key = key
        self.bytes = bytes
        self.checksum = checksum
    }

    /// The folder of a recording's base anchors.
    ///
    /// - Parameter recording: the recording's folder.
    /// - Returns: its path.
    package static func folder(_ recording: String) -> String { recording + "/anchors" }

    /// Copies what a state file holds into a recording's `anchors`, as one checkpoint. It may be
    /// written meanwhile. Its rows are not looked at.
    ///
    /// - Parameters:
    ///   - state: the path of the state file.
    ///   - chain: whose state it is.
    ///   - recording: the recording's folder.
    ///   - fileSystem: the disk.
    /// - Returns: what the recording has to remember. The file is durable.
    /// - Throws: why there is none.
    package static func make(
        from state: String,
        chain: Chain,
        recording: String,
        on fileSystem: some FileSystem = LinuxFileSystem()
    ) throws(StateFile.OpenError) -> BaseAnchor {
        let folder = folder(recording)
        try StatePath.prepareFolder(path: folder, on: fileSystem)
        do throws(SystemError) { try fileSystem.syncDirectory(recording) } catch {
            throw StateFile.OpenError(error, at: recording)
        }
        // Named when it is known what the copy holds.
        let draft = folder + "/" + draftName
        try StateCopy.make(from: state, to: draft, on: fileSystem)
        let overview = try StateOverview(draft, chain: chain, on: fileSystem)
        guard let checkpoint = overview.checkpoint else { throw .failed("\(state) is empty") }
        let digits = overview.key.digest.description.prefix(16)
        let name = "\(chain.fileName)-\(digits)-\(checkpoint.position).sqlite"
        do throws(SystemError) {
            let (checksum, bytes) = try StateCopy.copyBytes(from: draft, to: nil, on: fileSystem)
            try fileSystem.rename(draft, to: folder + "/" + name)
            try fileSystem.syncDirectory(folder)
            return BaseAnchor(
                name: name,
                chain: chain,
                position: checkpoint.position,
                resume: checkpoint.resume,
                key: overview.key.digest,
                bytes: bytes,
                checksum: checksum
            )
        } catch {
            throw StateFile.OpenError(error, at: draft)
        }
    }

    /// What a copy is called that has no name yet.
    private static let draftName = "new.sqlite"

    /// Removes all files that stand for nothing: copies that were never named, and those whose
    /// place another one took.
    ///
    /// - Parameters:
    ///   - names: of the files that stay.
    ///   - recording: the recording's folder.
    ///   - fileSystem: the disk.
    /// - Throws: what the disk says.
    package static func removeAll(
        except names: Set<String>,
        recording: String,
        on fileSystem: some FileSystem = LinuxFileSystem()
    ) throws(SystemError) {
        let folder = folder(recording)
        guard try fileSystem.kind(of: folder) == .directory else { return }
        for name in try fileSystem.list(folder) where !names.contains(name) {
            guard try fileSystem.kind(of: folder + "/" + name) == .file else { continue }
            try fileSystem.remove(folder + "/" + name)
        }
    }

    /// Compares the file with what the recording remembers of it.
    ///
    /// - Parameters:
    ///   - recording: the recording's folder.
    ///   - fileSystem: the disk.
    /// - Throws: `damaged` when it is not there or another one, `notOurs`, `failed`.
    package func verify(
        recording: String,
        on fileSystem: some FileSystem = LinuxFileSystem()
    ) throws(StateFile.OpenError) {
        try take(recording: recording, to: nil, on: fileSystem)
    }

    /// Begins a state from it: copies it to where the state is kept, which must be free.
    ///
    /// - Parameters:
    ///   - recording: the recording's folder.
    ///   - target: where the state is to stand.
    ///   - fileSystem: the disk.
    /// - Throws: `damaged` when it is not there or another one, `notOurs`, `failed`.
    package func begin(
        recording: String,
        at target: StatePath,
        on fileSystem: some FileSystem = LinuxFileSystem()
    ) throws(StateFile.OpenError) {
        try take(recording: recording, to: target.path, on: fileSystem)
    }

    private func take(
        recording: String,
        to target: String?,
        on fileSystem: some FileSystem
    ) throws(StateFile.OpenError) {
        // The name comes from a file: it stays within its folder.
        guard !name.contains("/"), name != "..", name != "." else { throw .notOurs(path: name) }
        let path = BaseAnchor.folder(recording) + "/" + name
        do throws(SystemError) {
            // Checked as a whole before anything stands where a state is looked for.
            let found = try StateCopy.copyBytes(from: path, to: nil, on: fileSystem)
            guard found.checksum == checksum, found.bytes == bytes else {
                throw SystemError.otherBytes(path)
            }
            guard let target else { return }
            if try fileSystem.kind(of: target) != nil { throw SystemError.notOurs(target) }
            _ = try StateCopy.copyBytes(from: path, to: target, on: fileSystem)
        } catch {
            if error.isOtherBytes || error.isNotFound { throw .damaged(path) }
            throw StateFile.OpenError(error, at: path)
        }
    }
}

extension SystemError {
    /// A file that is not the one that was written.
    fileprivate static func otherBytes(_ path: String) -> SystemError {
        SystemError(call: otherBytesCall, subject: path, errno: 0)
    }

    fileprivate var isOtherBytes: Bool { call == SystemError.otherBytesCall }

    private static let otherBytesCall = "checksum"
}
