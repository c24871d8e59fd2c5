import Foundation
import Testing

/// Real captured messages that are not part of the repository. Tests on them are skipped, with this
/// reason, where the folder is absent.
enum SharedRecordings {
    static let absent: Comment =
        "needs ../shared/data/solana (or TAPEDECK_SHARED naming the shared folder)"

    static let folder: URL = {
        if let named = ProcessInfo.processInfo.environment["TAPEDECK_SHARED"] {
            return URL(filePath: named).appending(path: "data/solana")
        }
        var root = URL(filePath: #filePath)
        for _ in 0..<4 { root.deleteLastPathComponent() }
        return root.appending(path: "../shared/data/solana")
    }()

    static var isPresent: Bool {
        FileManager.default.fileExists(atPath: folder.appending(path: "capture.bin").path)
    }

    /// The messages of one file: u32 little-endian length, then SubscribeUpdate bytes.
    static func messages(_ name: String) throws -> [[UInt8]] {
        let bytes = [UInt8](try Data(contentsOf: folder.appending(path: name)))
        var messages: [[UInt8]] = []
        var offset = 0
        while offset < bytes.count {
            let length = (0..<4).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) }
            offset += 4
            messages.append([UInt8](bytes[offset..<offset + length]))
            offset += length
        }
        return messages
    }
}
