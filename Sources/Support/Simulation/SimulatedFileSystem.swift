package import Platform

/// A file system in memory that fails on purpose and can lose its power.
///
/// Every call of `FileSystem` and `File` is one numbered operation, from 1. Symbolic links do not
/// exist in it. Used by tests and tools only.
package final class SimulatedFileSystem: FileSystem {
    /// What goes wrong, and when.
    package enum Fault: Sendable {
        /// The operation of this number fails with an error, later ones work.
        case once(at: Int, errno: Int32)
        /// The operation of this number and all later ones fail, as if the disk were gone.
        case always(from: Int, errno: Int32)
        /// From this number on every operation that needs space fails with ENOSPC.
        case full(from: Int)
    }

    struct State {
        var disk = SimulatedDisk()
        var fault: Fault?
        var operations = 0
        var hasFailed = false
        var random: SeededRandom
        /// Bytes of all files beyond which there is no space; nil without limit.
        var bytesMax: Int?
    }

    let state: Monitor<State>

    /// An empty disk.
    ///
    /// - Parameters:
    ///   - fault: what goes wrong; nil for a healthy disk.
    ///   - seed: how much of a failing write arrives.
    package convenience init(fault: Fault? = nil, seed: UInt64 = 1) {
        self.init(disk: SimulatedDisk(), fault: fault, seed: seed)
    }

    private init(disk: SimulatedDisk, fault: Fault?, seed: UInt64) {
        state = Monitor(State(disk: disk, fault: fault, random: SeededRandom(seed: seed)))
    }

    /// Operations so far.
    package var operations: Int { state.withLock { $0.operations } }
    /// Whether the fault has struck.
    package var hasFailed: Bool { state.withLock { $0.hasFailed } }

    /// Sets what goes wrong from here on; numbers go on counting.
    package func setFault(_ fault: Fault?) { state.withLock { $0.fault = fault } }

    /// Bounds the bytes of all files; writes beyond it fail with ENOSPC. Nil for no bound.
    package func setBytesMax(_ bytes: Int?) { state.withLock { $0.bytesMax = bytes } }

    /// A healthy disk as a process finds it that starts after the one using this was killed.
    package func afterKill(fault: Fault? = nil) -> SimulatedFileSystem {
        SimulatedFileSystem(
            disk: state.withLock { $0.disk.afterKill() },
            fault: fault,
            seed: 1
        )
    }

    /// A healthy disk after a power cut.
    ///
    /// - Parameters:
    ///   - seed: which unsynced names and sectors are kept.
    ///   - percent: how likely each is kept: 0 only what is durable, 100 everything.
    ///   - fault: what goes wrong on the new disk; nil for a healthy one.
    /// - Returns: the disk as the next process finds it.
    package func afterPowerCut(
        seed: UInt64,
        percent: UInt64,
        fault: Fault? = nil
    ) -> SimulatedFileSystem {
        var random = SeededRandom(seed: seed)
        let disk = state.withLock {
            $0.disk.afterPowerCut { random.next(below: 100) < percent }
        }
        return SimulatedFileSystem(disk: disk, fault: fault, seed: seed)
    }

    /// The contents of a file as processes see it; nil when there is none.
    package func contents(of path: String) -> [UInt8]? {
        state.withLock { state in
            guard case .file(let number)? = state.disk.nodes[path] else { return nil }
            return state.disk.inodes[number]?.contents
        }
    }

    /// Replaces the contents of a file, as damage or a hostile hand would. The file is durable.
    package func replace(_ path: String, with bytes: [UInt8]) {
        state.withLock { state in
            var inode = SimulatedDisk.Inode()
            inode.contents = bytes
            inode.durable = bytes
            let number: Int
            if case .file(let known)? = state.disk.nodes[path] {
                number = known
            } else {
                number = state.disk.nextInode
                state.disk.nextInode += 1
            }
            state.disk.nodes[path] = .file(number)
            state.disk.durableNodes[path] = .file(number)
            state.disk.inodes[number] = inode
        }
    }

    /// Removes a name, durably.
    package func erase(_ path: String) {
        state.withLock { state in
            state.disk.nodes[path] = nil
            state.disk.durableNodes[path] = nil
        }
    }

    // MARK: FileSystem

    package func open(_ path: String, _ mode: OpenMode) throws(SystemError) -> any File {
        try run("open", path) { state throws(SystemError) in
            switch state.disk.nodes[path] {
            case .directory?: throw SystemError(call: "open", subject: path, errno: 21)
            case .file(let number)?:
                if mode == .createNew {
                    throw SystemError(call: "open", subject: path, errno: 17)
                }
                return SimulatedFile(self, path: path, inode: number)
            case nil:
                guard mode == .createNew || mode == .createIfMissing,
                    state.disk.nodes[SimulatedDisk.parent(of: path)] == .directory
                else { throw SystemError(call: "open", subject: path, errno: 2) }
                let number = state.disk.nextInode
                state.disk.nextInode += 1
                state.disk.inodes[number] = SimulatedDisk.Inode()
                state.disk.change([(path, .file(number))])
                return SimulatedFile(self, path: path, inode: number)
            }
        }
    }

    package func createDirectory(_ path: String) throws(SystemError) {
        try run("mkdir", path) { state throws(SystemError) in
            guard state.disk.nodes[path] == nil else {
                throw SystemError(call: "mkdir", subject: path, errno: 17)
            }
            guard state.disk.nodes[SimulatedDisk.parent(of: path)] == .directory else {
                throw SystemError(call: "mkdir", subject: path, errno: 2)
            }
            state.disk.change([(path, .directory)])
        }
    }

    package func syncDirectory(_ path: String) throws(SystemError) {
        try run("fsync", path) { state throws(SystemError) in
            guard state.disk.nodes[path] == .directory else {
                throw SystemError(call: "open", subject: path, errno: 2)
            }
            state.disk.syncDirectory(path)
        }
    }

    package func rename(_ source: String, to target: String) throws(SystemError) {
        try run("rename", source) { state throws(SystemError) in
            guard let node = state.disk.nodes[source] else {
                throw SystemError(call: "rename", subject: source, errno: 2)
            }
            state.disk.change([(target, node), (source, nil)])
        }
    }

    package func remove(_ path: String) throws(SystemError) {
        try run("unlink", path) { state throws(SystemError) in
            guard case .file? = state.disk.nodes[path] else {
                throw SystemError(call: "unlink", subject: path, errno: 2)
            }
            state.disk.change([(path, nil)])
        }
    }

    package func list(_ path: String) throws(SystemError) -> [String] {
        try run("opendir", path) { state throws(SystemError) in
            guard state.disk.nodes[path] == .directory else {
                throw SystemError(call: "opendir", subject: path, errno: 2)
            }
            let prefix = path == "/" ? "/" : path + "/"
            return state.disk.nodes.keys.compactMap { name in
                guard name.hasPrefix(prefix), name != path else { return nil }
                let rest = name.dropFirst(prefix.count)
                return rest.contains("/") || rest.isEmpty ? nil : String(rest)
            }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        }
    }

    package func kind(of path: String) throws(SystemError) -> FileKind? {
        try run("lstat", path) { state throws(SystemError) in
            switch state.disk.nodes[path] {
            case .directory?: .directory
            case .file?: .file
            case nil: nil
            }
        }
    }

    package func freeBytes(at path: String) throws(SystemError) -> UInt64 {
        try run("statvfs", path) { state throws(SystemError) in
            UInt64(max(0, (state.bytesMax ?? 1 << 40) - state.usedBytes))
        }
    }

    // MARK: Faults

    /// Counts an operation and runs it, unless it is the one to fail.
    func run<Result>(
        _ call: String,
        _ subject: String,
        needsSpace: Bool = false,
        _ body: (inout State) throws(SystemError) -> Result
    ) throws(SystemError) -> Result {
        try state.withLock { state throws(SystemError) in
            if let errno = state.count(needsSpace: needsSpace) {
                throw SystemError(call: call, subject: subject, errno: errno)
            }
            return try body(&state)
        }
    }
}

extension SimulatedFileSystem.State {
    /// Bytes of the files that have a name.
    var usedBytes: Int {
        disk.nodes.values.reduce(0) { sum, node in
            guard case .file(let number) = node else { return sum }
            return sum + disk.size(of: number)
        }
    }

    /// Counts an operation.
    ///
    /// - Returns: the error with which it fails, if it does.
    mutating func count(needsSpace: Bool) -> Int32? {
        operations += 1
        let errno: Int32?
        switch fault {
        case .once(let number, let error)?: errno = operations == number ? error : nil
        case .always(let number, let error)?: errno = operations >= number ? error : nil
        case .full(let number)?: errno = needsSpace && operations >= number ? 28 : nil
        case nil: errno = nil
        }
        if errno != nil { hasFailed = true }
        return errno
    }
}
