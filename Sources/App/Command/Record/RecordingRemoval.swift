import Foundation
import Platform
import SegmentLog

/// Removes a recording so that a new one can take its place; nothing else is ever removed.
struct RecordingRemoval {
    let path: String
    let disk: any FileSystem

    /// Removes the recording, if one is there.
    ///
    /// - Throws: `VerbFailure` when something else is there, or a process is writing it.
    func run() throws {
        let layout = RecordingLayout(path)
        switch try disk.kind(of: layout.path) {
        case nil: return
        case .directory: break
        default: throw refusal("it is no directory")
        }
        do throws(LogError) { _ = try RecordingIdentity.read(layout, on: disk) } catch {
            throw refusal("\(error)")
        }
        let lock = try disk.open(layout.lock, .createIfMissing)
        guard try lock.tryLock() else { throw refusal("another process is writing it") }
        do { try FileManager.default.removeItem(atPath: layout.path) } catch {
            throw refusal("\(error)")
        }
        try lock.close()
    }

    private func refusal(_ reason: String) -> VerbFailure {
        VerbFailure(code: .failed, message: "--force does not remove \(path): \(reason)")
    }
}
