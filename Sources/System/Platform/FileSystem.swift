/// How a file is opened. Symbolic links are never followed in the last path component.
package enum OpenMode: Sendable, Equatable {
    /// An existing file, for reading.
    case readOnly
    /// An existing file, for reading and writing.
    case readWrite
    /// A file that must not exist yet, for reading and writing, with permissions 0600.
    case createNew
    /// As `createNew`, but an existing file is opened as it is.
    case createIfMissing
}

/// What stands at a path.
package enum FileKind: Sendable, Equatable {
    case file, directory, symbolicLink, other
}

/// The disk: one implementation for Linux, another that crashes on purpose for tests.
///
/// Every call is one step that a power cut can separate from the next. Names are durable only
/// after `syncDirectory`, contents only after `File.syncData`.
package protocol FileSystem: Sendable {
    /// Opens a file. Corresponds to `open`.
    func open(_ path: String, _ mode: OpenMode) throws(SystemError) -> any File
    /// Makes one directory with permissions 0700. Corresponds to `mkdir`.
    func createDirectory(_ path: String) throws(SystemError)
    /// Makes the names in a directory durable. Corresponds to `fsync` on the directory.
    func syncDirectory(_ path: String) throws(SystemError)
    /// Replaces `target` by `source` in one step. Corresponds to `rename`.
    func rename(_ source: String, to target: String) throws(SystemError)
    /// Removes a file's name. Corresponds to `unlink`.
    func remove(_ path: String) throws(SystemError)
    /// The names in a directory, sorted by bytes, without `.` and `..`.
    func list(_ path: String) throws(SystemError) -> [String]
    /// What stands at a path, without following a link; nil when nothing does.
    func kind(of path: String) throws(SystemError) -> FileKind?
    /// Bytes that an unprivileged process may still write on the file system of `path`.
    func freeBytes(at path: String) throws(SystemError) -> UInt64
}

/// An open file. Offsets are explicit; there is no file position.
///
/// A failed write, sync or close is final for the file: the kernel may have dropped the data and
/// a second sync may claim success (measured on ext4).
package protocol File: AnyObject, Sendable {
    /// Bytes in the file now. Corresponds to `fstat`.
    func size() throws(SystemError) -> UInt64
    /// Reads up to `buffer.count` bytes; fewer only at the end of the file. Corresponds to `pread`.
    func read(
        into buffer: UnsafeMutableRawBufferPointer,
        at offset: UInt64
    ) throws(SystemError) -> Int
    /// Writes all bytes or throws; short writes and EINTR are carried on. Corresponds to `pwrite`.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(SystemError)
    /// Writes several pieces one behind the other, as `write` does one. Corresponds to `pwritev`.
    func write(
        gathering pieces: UnsafeBufferPointer<UnsafeRawBufferPointer>,
        at offset: UInt64
    ) throws(SystemError)
    /// Makes the contents durable. Corresponds to `fdatasync`.
    func syncData() throws(SystemError)
    /// Cuts or extends the file. Corresponds to `ftruncate`.
    func truncate(to size: UInt64) throws(SystemError)
    /// Reserves real disk space for the first `size` bytes. Corresponds to `fallocate`.
    func allocate(_ size: UInt64) throws(SystemError)
    /// Takes the exclusive advisory lock if it is free. Corresponds to `flock`.
    func tryLock() throws(SystemError) -> Bool
    /// Shares the advisory lock until the file is closed, unless somebody holds it alone.
    /// Corresponds to `flock` with `LOCK_SH`.
    func tryShare() throws(SystemError) -> Bool
    /// Whether somebody else shares the advisory lock.
    func isShared() throws(SystemError) -> Bool
    /// Closes the file; its handle must not be used again. Corresponds to `close`.
    func close() throws(SystemError)
}

extension File {
    /// For file systems without shared locks: nobody is ever seen sharing.
    ///
    /// - Throws: nothing here.
    package func tryShare() throws(SystemError) -> Bool { true }

    /// As `tryShare`.
    ///
    /// - Throws: nothing here.
    package func isShared() throws(SystemError) -> Bool { false }

    /// Joins the pieces and writes them at once, for files that know no better way.
    ///
    /// - Throws: the error of the failed call, which is final for the file.
    package func write(
        gathering pieces: UnsafeBufferPointer<UnsafeRawBufferPointer>,
        at offset: UInt64
    ) throws(SystemError) {
        var joined: [UInt8] = []
        for piece in pieces { joined.append(contentsOf: piece) }
        try write(joined, at: offset)
    }

    /// Writes all bytes of an array or throws.
    ///
    /// - Throws: the error of the failed call, which is final for the file.
    package func write(_ bytes: [UInt8], at offset: UInt64) throws(SystemError) {
        try bytes.span.bytes.withUnsafeBytes { buffer throws(SystemError) in
            try write(buffer, at: offset)
        }
    }

    /// Reads up to `count` bytes; fewer only at the end of the file.
    ///
    /// - Returns: the bytes that were there.
    /// - Throws: the error of the failed call.
    package func read(_ count: Int, at offset: UInt64) throws(SystemError) -> [UInt8] {
        var failure: SystemError?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            do throws(SystemError) {
                filled = try read(into: UnsafeMutableRawBufferPointer(buffer), at: offset)
            } catch {
                failure = error
                filled = 0
            }
        }
        if let failure { throw failure }
        return bytes
    }
}
