import Foundation
import Platform

/// A file that is written under a name of its own and gets the wanted one when it is complete.
final class ExportFile {
    /// Bytes written so far.
    private(set) var count: UInt64 = 0

    private let path: String
    private let unfinished: String
    private let file: any Platform.File
    private let disk = LinuxFileSystem()

    /// Begins a file.
    ///
    /// - Parameters:
    ///   - path: where it is to stand.
    ///   - overwrites: whether a file that stands there is replaced.
    /// - Throws: `VerbFailure` when something stands there that may not be replaced, or
    ///   `SystemError`.
    init(_ path: String, overwrites: Bool) throws {
        switch try disk.kind(of: path) {
        case nil: break
        case .file where overwrites: break
        case .file:
            throw VerbFailure(
                code: .failed,
                message: "\(path) exists already; --force replaces it"
            )
        default: throw VerbFailure(code: .failed, message: "\(path) exists and is no file")
        }
        self.path = path
        unfinished = "\(path).unfinished-\(ProcessInfo.processInfo.processIdentifier)"
        file = try disk.open(unfinished, .createNew)
    }

    /// Adds bytes.
    func write(_ bytes: [UInt8]) throws(SystemError) {
        try file.write(bytes, at: count)
        count += UInt64(bytes.count)
    }

    /// Makes the file durable and gives it its name.
    func finish() throws(SystemError) {
        try file.syncData()
        try file.close()
        try disk.rename(unfinished, to: path)
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) }
        try disk.syncDirectory(folder.map { $0.isEmpty ? "/" : $0 } ?? ".")
    }

    /// Removes what was begun.
    func discard() {
        do throws(SystemError) { try disk.remove(unfinished) } catch {
            // A leftover whose name says what it is.
        }
    }
}
