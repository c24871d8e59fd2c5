package import Platform

/// A file system in memory that fails on purpose and can lose its power.
///
/// Every call of `FileSystem` and `File` is one numbered operation, from 1. Symbolic links do not
/// exist in it. Used by tests and tools only.
package final class SimulatedFileSystem: FileSystem {
    /// What the disk does although it claims to have done as told. Each is also what a program
    /// would do that does not ask for it: such programs are planted with these.
    package enum Lie: Sendable, Hashable {
        /// A sync of contents does nothing.
        case forgetsSync
        /// A sync of a directory does nothing.
        case forgetsDirectorySync
        /// A failed sync of contents is tried again, which "works".
        case retriesSync
    }

    /// A failure that waits for a call of its kind.
    struct Awaited {
        let call: String
        let suffix: String
        let errno: Int32
        var skipped: Int
        var left: Int

        init(_ call: String, _ suffix: String, _ errno: Int32, skipped: Int, left: Int) {
            (self.call, self.suffix, self.errno) = (call, suffix, errno)
            (self.skipped, self.left) = (skipped, left)
        }
    }

    struct State {
        var awaited: [Awaited] = []
        var disk = SimulatedDisk()
        var faults: [DiskFault] = []
        var operations = 0
        var hasFailed = false
        var hasLostPower = false
        var random: SeededRandom
        /// Bytes of all files beyond which there is no space; nil without limit.
        var bytesMax: Int?
        var lies: Set<Lie> = []
        /// Files whose write or sync has failed in the process at work.
        var failedInodes: Set<Int> = []
        /// The part of them whose sync has failed: another one tells nothing.
        var unsyncableInodes: Set<Int> = []
        var misuses: [String] = []
        var strikes: [String] = []
        var digest: UInt64 = 0xCBF2_9CE4_8422_2325
    }

    let state: Monitor<State>

    /// An empty disk.
    ///
    /// - Parameters:
    ///   - fault: what goes wrong; nil for a healthy disk.
    ///   - seed: what chance decides: how much of a failing write arrives, whether a failing change
    ///     of names takes effect, which sectors a failing sync has written.
    package convenience init(fault: DiskFault? = nil, seed: UInt64 = 1) {
        self.init(disk: SimulatedDisk(), fault: fault, seed: seed)
    }

    private init(disk: SimulatedDisk, fault: DiskFault?, seed: UInt64) {
        var state = State(disk: disk, random: SeededRandom(seed: seed))
        if let fault { state.faults = [fault] }
        self.state = Monitor(state)
        isObserver = false
    }

    private init(observing other: SimulatedFileSystem) {
        state = other.state
        isObserver = true
    }

    private let isObserver: Bool

    /// The same disk for somebody whose operations neither count nor fail.
    package var observer: SimulatedFileSystem { SimulatedFileSystem(observing: self) }

    /// Operations so far.
    package var operations: Int { state.withLock { $0.operations } }
    /// Whether a fault has struck.
    package var hasFailed: Bool { state.withLock { $0.hasFailed } }
    /// Whether the power is gone: nothing works on this disk any more.
    package var hasLostPower: Bool { state.withLock { $0.hasLostPower } }
    /// Writes of files whose write or sync had failed before in the same process, and syncs of
    /// those whose sync had; one sentence each. A program that does not trust such a file has none.
    package var misuses: [String] { state.withLock { $0.misuses } }
    /// The first operations that failed on purpose, one sentence each.
    package var strikes: [String] { state.withLock { $0.strikes } }
    /// A digest of every operation so far: two runs with the same one did the same.
    package var digest: UInt64 { state.withLock { $0.digest } }

    /// Sets what goes wrong from here on; numbers go on counting.
    package func setFault(_ fault: DiskFault?) { setFaults(fault.map { [$0] } ?? []) }  // healthy

    /// Sets all that goes wrong from here on; the first that applies to an operation counts.
    package func setFaults(_ faults: [DiskFault]) {
        state.withLock { state in
            state.faults = faults
            state.awaited = []
        }
    }

    /// Lets the next calls of a kind fail, besides the faults that count operations.
    ///
    /// - Parameters:
    ///   - call: the C function, such as `pwrite` or `fdatasync`.
    ///   - suffix: how the path of the file ends; empty for any.
    ///   - errno: the error.
    ///   - skipped: how many of them work before.
    ///   - times: how many then fail.
    package func failNext(
        _ call: String,
        of suffix: String,
        errno: Int32,
        after skipped: Int = 0,
        times: Int
    ) {
        state.withLock {
            $0.awaited.append(.init(call, suffix, errno, skipped: skipped, left: times))
        }
    }

    /// Sets in what the disk lies.
    package func setLies(_ lies: Set<Lie>) { state.withLock { $0.lies = lies } }

    /// Bounds the bytes of all files; writes beyond it fail with ENOSPC. Nil for no bound.
    package func setBytesMax(_ bytes: Int?) { state.withLock { $0.bytesMax = bytes } }

    /// Bytes of all files that have a name.
    package var usedBytes: Int { state.withLock { $0.usedBytes } }

    /// Ends the process at work: its locks are free, and the next one knows nothing of what failed.
    /// Other processes, such as readers, go on with the disk.
    package func kill() {
        state.withLock { state in
            state.disk.releaseLocks()
            state.failedInodes = []
            state.unsyncableInodes = []
        }
    }

    /// A healthy disk as a process finds it that starts after the one using this was killed.
    package func afterKill(fault: DiskFault? = nil, seed: UInt64 = 1) -> SimulatedFileSystem {
        var disk = state.withLock { $0.disk }
        disk.releaseLocks()
        return SimulatedFileSystem(disk: disk, fault: fault, seed: seed)
    }

    /// A healthy disk after a power cut.
    ///
    /// - Parameters:
    ///   - seed: which unsynced names and sectors are kept.
    ///   - percent: how likely each is kept: 0 only what is durable, 100 everything.
    ///   - tears: the last unsynced write of each file ends at some byte.
    ///   - leavesGarbage: space without its bytes may read as anything, not only zeros.
    ///   - fault: what goes wrong on the new disk; nil for a healthy one.
    /// - Returns: the disk as the next process finds it.
    package func afterPowerCut(
        seed: UInt64,
        percent: UInt64,
        tears: Bool = false,
        leavesGarbage: Bool = false,
        fault: DiskFault? = nil
    ) -> SimulatedFileSystem {
        var random = SeededRandom(seed: seed)
        let disk = state.withLock { $0.disk }.afterPowerCut(
            percent: percent,
            tears: tears,
            leavesGarbage: leavesGarbage,
            random: &random
        )
        return SimulatedFileSystem(disk: disk, fault: fault, seed: seed)
    }

    /// The paths of all files, sorted.
    package var files: [String] {
        state.withLock { state in
            state.disk.nodes.filter { $0.value != .directory }.keys.sorted()
        }
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
        try run("open", path, mayTakeEffect: mode == .createNew) { state throws(SystemError) in
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
        try run("mkdir", path, mayTakeEffect: true) { state throws(SystemError) in
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
        try run("fsync", path, mayTakeEffect: true) { state throws(SystemError) in
            guard state.disk.nodes[path] == .directory else {
                throw SystemError(call: "open", subject: path, errno: 2)
            }
            if !state.lies.contains(.forgetsDirectorySync) { state.disk.syncDirectory(path) }
        }
    }

    package func rename(_ source: String, to target: String) throws(SystemError) {
        try run("rename", source, mayTakeEffect: true) { state throws(SystemError) in
            guard let node = state.disk.nodes[source] else {
                throw SystemError(call: "rename", subject: source, errno: 2)
            }
            state.disk.change([(target, node), (source, nil)])
        }
    }

    package func remove(_ path: String) throws(SystemError) {
        try run("unlink", path, mayTakeEffect: true) { state throws(SystemError) in
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
    ///
    /// What needs space fails on a full disk; what may take effect may have done its work
    /// although it fails.
    func run<Result>(
        _ call: String,
        _ subject: String,
        needsSpace: Bool = false,
        mayTakeEffect: Bool = false,
        _ body: (inout State) throws(SystemError) -> Result
    ) throws(SystemError) -> Result {
        try state.withLock { state throws(SystemError) in
            if isObserver { return try body(&state) }
            switch state.count(call, subject, needsSpace: needsSpace) {
            case .works: return try body(&state)
            case .gone(let errno): throw SystemError(call: call, subject: subject, errno: errno)
            case .fails(let errno):
                if mayTakeEffect, state.random.next(below: 2) == 0 {
                    do throws(SystemError) { _ = try body(&state) } catch { _ = error }
                }
                throw SystemError(call: call, subject: subject, errno: errno)
            }
        }
    }
}

extension SimulatedFileSystem.State {
    /// What becomes of an operation.
    enum Outcome {
        case works
        /// It fails, perhaps half done.
        case fails(errno: Int32)
        /// Nothing happens any more.
        case gone(errno: Int32)
    }

    /// Bytes of the files that have a name.
    var usedBytes: Int {
        disk.nodes.values.reduce(0) { sum, node in
            guard case .file(let number) = node else { return sum }
            return sum + disk.size(of: number)
        }
    }

    /// Counts an operation and decides what becomes of it.
    mutating func count(_ call: String, _ subject: String, needsSpace: Bool) -> Outcome {
        operations += 1
        for byte in call.utf8 { digest = (digest ^ UInt64(byte)) &* 0x100_0000_01B3 }
        for byte in subject.utf8 { digest = (digest ^ UInt64(byte)) &* 0x100_0000_01B3 }
        if hasLostPower { return .gone(errno: 5) }
        let index = awaited.firstIndex {
            $0.left > 0 && $0.call == call && subject.hasSuffix($0.suffix)
        }
        if let index, awaited[index].skipped > 0 {
            awaited[index].skipped -= 1
        } else if let index {
            awaited[index].left -= 1
            noteStrike(call, subject, "asked for")
            return .fails(errno: awaited[index].errno)
        }
        for fault in faults where fault.applies(to: operations, needsSpace: needsSpace) {
            noteStrike(call, subject, "\(fault.kind)")
            digest = (digest ^ 1) &* 0x100_0000_01B3
            if fault.kind == .powerLoss { hasLostPower = true }
            return .fails(errno: fault.errno)
        }
        return .works
    }

    /// Notes an operation that fails on purpose.
    mutating func noteStrike(_ call: String, _ subject: String, _ what: String) {
        hasFailed = true
        guard strikes.count < 20 else { return }
        strikes.append("operation \(operations), \(call) of \(subject): \(what)")
    }

    /// Notes the use of a file behind a failure of it.
    mutating func noteUse(_ call: String, _ path: String) {
        guard !hasLostPower else { return }
        misuses.append("operation \(operations + 1), \(call) of \(path), behind a failure of it")
    }
}
