import Foundation
import Testing

/// Real messages of the shared folder.
enum SharedMessages {
    static let absent: Comment =
        "needs ../shared/data/solana (or TAPEDECK_SHARED naming the shared folder)"

    private static let folder: URL = {
        if let named = ProcessInfo.processInfo.environment["TAPEDECK_SHARED"] {
            return URL(filePath: named).appending(path: "data/solana")
        }
        var root = URL(filePath: #filePath)
        for _ in 0..<4 { root.deleteLastPathComponent() }
        return root.appending(path: "../shared/data/solana")
    }()

    static var isPresent: Bool {
        FileManager.default.fileExists(atPath: folder.appending(path: "real.bin").path)
    }

    /// Messages of a file: length as 32 bits, then SubscribeUpdate.
    static func updates(_ name: String) throws -> [[UInt8]] {
        let bytes = [UInt8](try Data(contentsOf: folder.appending(path: name)))
        var updates: [[UInt8]] = []
        var offset = 0
        while offset + 4 <= bytes.count {
            let count = (0..<4).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) }
            let end = offset + 4 + count
            try #require(end <= bytes.count)
            updates.append(Array(bytes[offset + 4..<end]))
            offset = end
        }
        return updates
    }
}
