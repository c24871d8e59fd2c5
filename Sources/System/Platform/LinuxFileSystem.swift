import CLinux
import Glibc

/// The real disk. Retries EINTR and short transfers, and nothing else.
package struct LinuxFileSystem: FileSystem {
    package init() {}

    package func open(_ path: String, _ mode: OpenMode) throws(SystemError) -> any File {
        let flags: Int32 =
            switch mode {
            case .readOnly: O_RDONLY
            case .readWrite: O_RDWR
            case .createNew: O_RDWR | O_CREAT | O_EXCL
            case .createIfMissing: O_RDWR | O_CREAT
            }
        while true {
            let descriptor = Glibc.open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0o600)
            if descriptor >= 0 { return LinuxFile(descriptor: descriptor, path: path) }
            let error = SystemError.last("open", path)
            if error.errno != EINTR { throw error }
        }
    }

    package func createDirectory(_ path: String) throws(SystemError) {
        if mkdir(path, 0o700) != 0 { throw .last("mkdir", path) }
    }

    package func syncDirectory(_ path: String) throws(SystemError) {
        let descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if descriptor < 0 { throw .last("open", path) }
        if fsync(descriptor) != 0 {
            let error = SystemError.last("fsync", path)
            Glibc.close(descriptor)
            throw error
        }
        if Glibc.close(descriptor) != 0 { throw .last("close", path) }
    }

    package func rename(_ source: String, to target: String) throws(SystemError) {
        if Glibc.rename(source, target) != 0 { throw .last("rename", "\(source) to \(target)") }
    }

    package func remove(_ path: String) throws(SystemError) {
        if unlink(path) != 0 { throw .last("unlink", path) }
    }

    package func list(_ path: String) throws(SystemError) -> [String] {
        guard let directory = opendir(path) else { throw .last("opendir", path) }
        defer { closedir(directory) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(directory) else {
                if errno != 0 { throw .last("readdir", path) }
                break
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    package func kind(of path: String) throws(SystemError) -> FileKind? {
        var status = stat()
        if lstat(path, &status) != 0 {
            let error = SystemError.last("lstat", path)
            if error.errno == ENOENT || error.errno == ENOTDIR { return nil }
            throw error
        }
        return switch status.st_mode & S_IFMT {
        case S_IFREG: .file
        case S_IFDIR: .directory
        case S_IFLNK: .symbolicLink
        default: .other
        }
    }

    package func freeBytes(at path: String) throws(SystemError) -> UInt64 {
        var status = statvfs()
        if statvfs(path, &status) != 0 { throw .last("statvfs", path) }
        return UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize))
            .partialValue
    }
}

/// An open descriptor; closed by `close`, or at the latest when the last reference goes.
private final class LinuxFile: File, @unchecked Sendable {
    // safety: the descriptor is set once; `isClosed` and `holdsLock` change only in locking,
    // `close` and `deinit`, which the owner calls when no other thread uses the file. pread and
    // pwrite are thread-safe.
    private let descriptor: Int32
    private let path: String
    private var isClosed = false
    private var holdsLock = false

    init(descriptor: Int32, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit {
        if !isClosed {
            unlock()
            Glibc.close(descriptor)
        }
    }

    func size() throws(SystemError) -> UInt64 {
        var status = stat()
        if fstat(descriptor, &status) != 0 { throw .last("fstat", path) }
        return UInt64(bitPattern: Int64(status.st_size))
    }

    func read(
        into buffer: UnsafeMutableRawBufferPointer,
        at offset: UInt64
    ) throws(SystemError) -> Int {
        var done = 0
        while done < buffer.count {
            let place = try filePosition(offset, plus: done)
            let count = pread(
                descriptor,
                buffer.baseAddress.map { $0 + done },
                buffer.count - done,
                place
            )
            if count < 0 {
                let error = SystemError.last("pread", path)
                if error.errno == EINTR { continue }
                throw error
            }
            if count == 0 { break }
            done += count
        }
        return done
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(SystemError) {
        var done = 0
        while done < bytes.count {
            let place = try filePosition(offset, plus: done)
            let count = pwrite(
                descriptor,
                bytes.baseAddress.map { $0 + done },
                bytes.count - done,
                place
            )
            if count < 0 {
                let error = SystemError.last("pwrite", path)
                if error.errno == EINTR { continue }
                throw error
            }
            // A write of nothing would repeat for ever; Linux gives ENOSPC instead.
            if count == 0 { throw SystemError(call: "pwrite", subject: path, errno: EIO) }
            done += count
        }
    }

    func write(
        gathering pieces: UnsafeBufferPointer<UnsafeRawBufferPointer>,
        at offset: UInt64
    ) throws(SystemError) {
        // The limit of the kernel: UIO_MAXIOV.
        precondition(pieces.count <= 1024, "too many pieces: \(pieces.count)")
        let place = try filePosition(offset, plus: 0)
        var done = withUnsafeTemporaryAllocation(of: iovec.self, capacity: pieces.count) { parts in
            for (index, piece) in pieces.enumerated() {
                let base = UnsafeMutableRawPointer(mutating: piece.baseAddress)
                parts.initializeElement(at: index, to: iovec(iov_base: base, iov_len: piece.count))
            }
            return pwritev(descriptor, parts.baseAddress, Int32(pieces.count), place)
        }
        if done < 0 {
            let error = SystemError.last("pwritev", path)
            guard error.errno == EINTR else { throw error }
            done = 0
        }
        // What a short write left over goes piece by piece.
        var start = offset
        for piece in pieces {
            if done < piece.count {
                let rest = UnsafeRawBufferPointer(rebasing: piece[done...])
                try write(rest, at: start &+ UInt64(done))
            }
            done = max(0, done - piece.count)
            start &+= UInt64(piece.count)
        }
    }

    func syncData() throws(SystemError) {
        if fdatasync(descriptor) != 0 { throw .last("fdatasync", path) }
    }

    func truncate(to size: UInt64) throws(SystemError) {
        let size = try filePosition(size, plus: 0)
        while ftruncate(descriptor, size) != 0 {
            let error = SystemError.last("ftruncate", path)
            if error.errno != EINTR { throw error }
        }
    }

    func allocate(_ size: UInt64) throws(SystemError) {
        let size = try filePosition(size, plus: 0)
        while true {
            // posix_fallocate reports by its result, not by errno.
            let code = posix_fallocate(descriptor, 0, size)
            if code == 0 { return }
            if code != EINTR {
                throw SystemError(call: "posix_fallocate", subject: path, errno: code)
            }
        }
    }

    func tryLock() throws(SystemError) -> Bool { try lock(LOCK_EX) }

    private func lock(_ operation: Int32) throws(SystemError) -> Bool {
        while true {
            if flock(descriptor, operation | LOCK_NB) == 0 {
                holdsLock = true
                return true
            }
            let error = SystemError.last("flock", path)
            if error.errno == EWOULDBLOCK { return false }
            if error.errno != EINTR { throw error }
        }
    }

    func tryShare() throws(SystemError) -> Bool { try lock(LOCK_SH) }

    func isShared() throws(SystemError) -> Bool {
        guard try lock(LOCK_EX) else { return true }
        if flock(descriptor, LOCK_UN) != 0 { throw .last("flock", path) }
        holdsLock = false
        return false
    }

    func close() throws(SystemError) {
        precondition(!isClosed, "closed twice: \(path)")
        isClosed = true
        unlock()
        // After close the descriptor is gone even when an error is reported: never repeated.
        if Glibc.close(descriptor) != 0 { throw .last("close", path) }
    }

    /// Gives the lock back before the descriptor goes: a child that was forked meanwhile and has
    /// not yet begun its own program holds a copy, and with it the lock.
    private func unlock() {
        guard holdsLock else { return }
        holdsLock = false
        // Closing follows and gives it back as well, as soon as no copy is left.
        _ = flock(descriptor, LOCK_UN)
    }

    private func filePosition(_ offset: UInt64, plus done: Int) throws(SystemError) -> Int {
        let (sum, overflow) = offset.addingReportingOverflow(UInt64(done))
        guard !overflow, let position = Int(exactly: sum) else {
            throw SystemError(call: "seek", subject: path, errno: EOVERFLOW)
        }
        return position
    }
}
