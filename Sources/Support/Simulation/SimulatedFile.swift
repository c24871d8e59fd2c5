import Platform

/// A file of a simulated disk.
final class SimulatedFile: File {
    private let system: SimulatedFileSystem
    private let path: String
    private let inode: Int
    private let holdsLock = Monitor(false)

    init(_ system: SimulatedFileSystem, path: String, inode: Int) {
        self.system = system
        self.path = path
        self.inode = inode
    }

    deinit { unlock() }

    private func unlock() {
        let holds = holdsLock.withLock { holds in
            defer { holds = false }
            return holds
        }
        if holds { system.state.withLock { $0.disk.inodes[inode]?.isLocked = false } }
    }

    func size() throws(SystemError) -> UInt64 {
        try system.run("fstat", path) { state throws(SystemError) in
            UInt64(state.disk.size(of: inode))
        }
    }

    func read(
        into buffer: UnsafeMutableRawBufferPointer,
        at offset: UInt64
    ) throws(SystemError) -> Int {
        try system.run("pread", path) { state throws(SystemError) in
            guard let contents = state.disk.inodes[inode]?.contents,
                offset < UInt64(contents.count)
            else { return 0 }
            let count = min(buffer.count, contents.count - Int(offset))
            buffer.copyBytes(from: contents[Int(offset)..<(Int(offset) + count)])
            return count
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(SystemError) {
        try system.state.withLock { state throws(SystemError) in
            if state.failedInodes.contains(inode) { state.noteUse("pwrite", path) }
            var (errno, arrived) = (Int32?.none, bytes.count)
            switch state.count("pwrite", path, needsSpace: true) {
            case .works: break
            case .gone(let error): (errno, arrived) = (error, 0)
            // Part of a failing write may have reached the file, or all of it.
            case .fails(let error):
                (errno, arrived) = (error, Int(state.random.next(below: UInt64(bytes.count) + 1)))
            }
            if errno == nil, let limit = state.bytesMax {
                let size = state.disk.size(of: inode)
                let room = max(0, limit - state.usedBytes) + max(0, size - Int(offset))
                if room < bytes.count {
                    (errno, arrived) = (28, room)
                    state.noteStrike("pwrite", path, "no space")
                }
            }
            if arrived > 0 {
                state.disk.inodes[inode]?.apply(
                    .write(offset: Int(offset), bytes: Array(bytes.prefix(arrived)))
                )
            }
            if let errno {
                state.failedInodes.insert(inode)
                throw SystemError(call: "pwrite", subject: path, errno: errno)
            }
        }
    }

    func syncData() throws(SystemError) {
        try system.state.withLock { state throws(SystemError) in
            if state.unsyncableInodes.contains(inode) { state.noteUse("fdatasync", path) }
            switch state.count("fdatasync", path, needsSpace: false) {
            case .works: break
            case .gone(let errno):
                throw SystemError(call: "fdatasync", subject: path, errno: errno)
            case .fails(let errno):
                // The kernel forgets that these pages are dirty: a later sync claims success
                // without them (measured on ext4).
                var random = state.random
                state.disk.inodes[inode]?.failSync(random: &random)
                state.random = random
                state.failedInodes.insert(inode)
                state.unsyncableInodes.insert(inode)
                // A program that tries again is told a lie.
                if state.lies.contains(.retriesSync) { return }
                throw SystemError(call: "fdatasync", subject: path, errno: errno)
            }
            if !state.lies.contains(.forgetsSync) { state.disk.inodes[inode]?.sync() }
        }
    }

    func truncate(to size: UInt64) throws(SystemError) {
        try system.run("ftruncate", path, mayTakeEffect: true) { state throws(SystemError) in
            state.disk.inodes[inode]?.apply(.resize(Int(size)))
        }
    }

    func allocate(_ size: UInt64) throws(SystemError) {
        try system.run("posix_fallocate", path, needsSpace: true) { state throws(SystemError) in
            let now = state.disk.size(of: inode)
            guard Int(size) > now else { return }
            if let limit = state.bytesMax, limit - state.usedBytes < Int(size) - now {
                state.noteStrike("posix_fallocate", path, "no space")
                throw SystemError(call: "posix_fallocate", subject: path, errno: 28)
            }
            state.disk.inodes[inode]?.apply(.resize(Int(size)))
        }
    }

    func tryLock() throws(SystemError) -> Bool {
        let isOurs = try system.run("flock", path) { state throws(SystemError) -> Bool in
            guard state.disk.inodes[inode]?.isLocked == false else { return false }
            state.disk.inodes[inode]?.isLocked = true
            return true
        }
        if isOurs { holdsLock.withLock { $0 = true } }
        return isOurs
    }

    func close() throws(SystemError) {
        unlock()
        try system.run("close", path) { state throws(SystemError) in _ = state.operations }
    }
}
