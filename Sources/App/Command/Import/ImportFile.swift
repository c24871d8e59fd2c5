import Foundation
import Inflation
import Platform

/// The bytes of a file to import, read in windows; a gzip file is inflated whole.
final class ImportFile {
    /// Bytes that a gzip file may become in memory.
    static let inflatedBytesMax = 2 << 30
    private static let windowBytes = 1 << 20

    /// The file's name without its folders: what is recorded of where the bytes come from.
    let name: String
    /// Bytes to read, after inflating.
    let count: Int
    private let path: String
    private let file: (any File)?
    private var window: [UInt8]
    private var windowStart = 0

    /// Opens a file.
    ///
    /// - Throws: `VerbFailure` with one sentence.
    init(_ path: String) throws {
        self.path = path
        name = path.split(separator: "/").last.map(String.init) ?? path
        // Resolved first: the disk of the log refuses symbolic links, a user's file may be one.
        let target = URL(filePath: path).resolvingSymlinksInPath().path
        let file: any File
        let head: [UInt8]
        let size: UInt64
        do throws(SystemError) {
            file = try LinuxFileSystem().open(target, .readOnly)
            size = try file.size()
            head = try file.read(2, at: 0)
        } catch {
            throw VerbFailure(code: .failed, message: "\(path) cannot be read: \(error)")
        }
        guard let whole = Int(exactly: size) else {
            throw VerbFailure(code: .failed, message: "\(path) is too large")
        }
        guard head == [0x1F, 0x8B] else {
            self.file = file
            count = whole
            window = []
            return
        }
        guard whole <= Self.inflatedBytesMax else {
            throw VerbFailure(
                code: .failed,
                message: "\(path) is too large to inflate in memory; gunzip it first"
            )
        }
        do {
            let stored = try file.read(whole, at: 0)
            window = try Inflater(.gzip).inflate(stored.span, limit: Self.inflatedBytesMax)
        } catch let error as InflationError {
            throw VerbFailure(code: .failed, message: "\(path) is no whole gzip file: \(error)")
        } catch {
            throw VerbFailure(code: .failed, message: "\(path) cannot be read: \(error)")
        }
        self.file = nil
        count = window.count
    }

    /// A file whose bytes are in memory already.
    init(name: String, bytes: [UInt8]) {
        self.name = name
        path = name
        file = nil
        window = bytes
        count = bytes.count
    }

    /// Bytes from an offset; fewer only at the end.
    ///
    /// - Throws: `VerbFailure` when the file cannot be read.
    func read(_ wanted: Int, at offset: Int) throws -> ArraySlice<UInt8> {
        let start = min(max(offset, 0), count)
        let end = start + min(max(wanted, 0), count - start)
        if start < windowStart || end > windowStart + window.count {
            guard let file else { preconditionFailure("an inflated file is one window") }
            do throws(SystemError) {
                window = try file.read(max(end - start, Self.windowBytes), at: UInt64(start))
            } catch {
                throw VerbFailure(code: .failed, message: "\(path) cannot be read: \(error)")
            }
            windowStart = start
            guard start + window.count >= end else {
                throw VerbFailure(code: .failed, message: "\(path) became shorter while read")
            }
        }
        return window[(start - windowStart)..<(end - windowStart)]
    }

    /// What is wrong at an offset, as one sentence.
    func failure(at offset: Int, _ what: String) -> VerbFailure {
        VerbFailure(code: .failed, message: "\(path) at byte \(offset): \(what)")
    }
}
