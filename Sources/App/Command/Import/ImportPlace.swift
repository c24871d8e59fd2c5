import Foundation
import Platform
import SegmentLog

/// Where a new recording is made and under which name it will stand, whole or not at all.
struct ImportPlace {
    private let layout: RecordingLayout
    private let overwrites: Bool
    private let disk = LinuxFileSystem()

    /// Where it is made.
    let unfinished: String
    private let replaced: String

    init(output: String, overwrites: Bool) {
        layout = RecordingLayout(output)
        self.overwrites = overwrites
        let name = layout.path.split(separator: "/").last.map(String.init) ?? "recording"
        let number = ProcessInfo.processInfo.processIdentifier
        unfinished = "\(layout.parent)/.\(name).unfinished-\(number)"
        replaced = "\(layout.parent)/.\(name).replaced-\(number)"
    }

    /// Refuses a place where something stands that may not be replaced.
    ///
    /// - Throws: `VerbFailure` or `LogError`.
    func check() throws {
        do throws(SystemError) {
            guard let kind = try disk.kind(of: layout.path) else { return }
            // A link is not followed, and what it leads to is not ours.
            guard kind == .directory else {
                throw SystemError(call: "open", subject: layout.path, errno: 20)
            }
        } catch { throw LogError.system(error) }
        guard overwrites else {
            throw VerbFailure(
                code: .failed,
                message: "\(layout.path) exists already; --force replaces a recording"
            )
        }
        // Whatever else stands there is not ours to remove.
        _ = try RecordingIdentity.read(layout, on: disk)
        do throws(SystemError) {
            guard try disk.kind(of: layout.lock) != nil else { return }
            let lock = try disk.open(layout.lock, .readWrite)
            let isFree = try lock.tryLock()
            try lock.close()
            if isFree { return }
        } catch { throw LogError.system(error) }
        throw LogError.locked(path: layout.path)
    }

    /// Gives the finished recording its name; the one that stood there goes last.
    ///
    /// - Throws: `LogError`; what stood there is then still there.
    func finish() throws {
        do throws(SystemError) {
            let isReplacing = try disk.kind(of: layout.path) != nil
            if isReplacing { try disk.rename(layout.path, to: replaced) }
            do throws(SystemError) { try disk.rename(unfinished, to: layout.path) } catch {
                if isReplacing { try disk.rename(replaced, to: layout.path) }
                throw error
            }
            try disk.syncDirectory(layout.parent)
            if isReplacing { remove(replaced) }
        } catch { throw LogError.system(error) }
    }

    /// Removes what was begun.
    func discard() { remove(unfinished) }

    private func remove(_ path: String) {
        do { try FileManager.default.removeItem(atPath: path) } catch {
            // A leftover with a name that says what it is; the work itself is settled already.
        }
    }
}
