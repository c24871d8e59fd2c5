package import Platform

/// A disk whose unreadable sectors read as zeros, so that what lies around them can be had. Zeros
/// are never taken for a record: every checksum refuses them.
///
/// Only reading; writing calls go to the disk below as they are.
package struct SalvageDisk: FileSystem {
    /// The smallest piece that is tried alone: a sector.
    static let pieceBytes = 512
    /// EIO: the medium, and nothing that another try would change.
    static let unreadable: Int32 = 5

    private let below: any FileSystem
    private let lost = Monitor<Set<Piece>>([])

    struct Piece: Hashable, Sendable {
        let path: String
        let number: UInt64
    }

    /// - Parameter below: the disk.
    package init(_ below: any FileSystem) { self.below = below }

    /// Bytes that could not be read so far, in whole sectors.
    package var unreadableBytes: UInt64 {
        UInt64(lost.withLock { $0.count }) * UInt64(Self.pieceBytes)
    }

    package func open(_ path: String, _ mode: OpenMode) throws(SystemError) -> any File {
        SalvageFile(try below.open(path, mode), path: path) { piece in
            lost.withLock { _ = $0.insert(piece) }
        }
    }

    package func createDirectory(_ path: String) throws(SystemError) {
        try below.createDirectory(path)
    }
    package func syncDirectory(_ path: String) throws(SystemError) {
        try below.syncDirectory(path)
    }
    package func rename(_ source: String, to target: String) throws(SystemError) {
        try below.rename(source, to: target)
    }
    package func remove(_ path: String) throws(SystemError) { try below.remove(path) }
    package func list(_ path: String) throws(SystemError) -> [String] { try below.list(path) }
    package func kind(of path: String) throws(SystemError) -> FileKind? {
        try below.kind(of: path)
    }
    package func freeBytes(at path: String) throws(SystemError) -> UInt64 {
        try below.freeBytes(at: path)
    }
}

/// A file of that disk.
private final class SalvageFile: File {
    private let below: any File
    private let path: String
    private let lose: @Sendable (SalvageDisk.Piece) -> Void

    init(
        _ below: any File,
        path: String,
        lose: @escaping @Sendable (SalvageDisk.Piece) -> Void
    ) {
        self.below = below
        self.path = path
        self.lose = lose
    }

    func size() throws(SystemError) -> UInt64 { try below.size() }

    func read(
        into buffer: UnsafeMutableRawBufferPointer,
        at offset: UInt64
    ) throws(SystemError) -> Int {
        do throws(SystemError) { return try below.read(into: buffer, at: offset) } catch {
            guard error.errno == SalvageDisk.unreadable else { throw error }
        }
        return try readInPieces(into: buffer, at: offset)
    }

    private func readInPieces(
        into buffer: UnsafeMutableRawBufferPointer,
        at offset: UInt64
    ) throws(SystemError) -> Int {
        let size = try below.size()
        let whole = Int(clamping: size > offset ? size - offset : 0)
        let count = min(buffer.count, whole)
        let piece = UInt64(SalvageDisk.pieceBytes)
        var done = 0
        while done < count {
            let place = offset + UInt64(done)
            let end = (place / piece + 1) * piece
            let length = min(count - done, Int(end - place))
            let target = UnsafeMutableRawBufferPointer(rebasing: buffer[done..<(done + length)])
            do throws(SystemError) {
                let got = try below.read(into: target, at: place)
                if got < length { return done + got }
            } catch {
                guard error.errno == SalvageDisk.unreadable else { throw error }
                target.initializeMemory(as: UInt8.self, repeating: 0)
                lose(SalvageDisk.Piece(path: path, number: place / piece))
            }
            done += length
        }
        return done
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(SystemError) {
        try below.write(bytes, at: offset)
    }
    func syncData() throws(SystemError) { try below.syncData() }
    func truncate(to size: UInt64) throws(SystemError) { try below.truncate(to: size) }
    func allocate(_ size: UInt64) throws(SystemError) { try below.allocate(size) }
    func tryLock() throws(SystemError) -> Bool { try below.tryLock() }
    func close() throws(SystemError) { try below.close() }
}
