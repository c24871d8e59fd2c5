import Foundation

/// Real messages that stand beside the repository; tests that need them are skipped without.
enum SharedCapture {
    struct Line {
        let connection: String
        let isFromNode: Bool
        let payload: [UInt8]
    }

    static let file: URL = {
        let environment = ProcessInfo.processInfo.environment["TAPEDECK_SHARED"]
        let root = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let shared =
            environment.map { URL(fileURLWithPath: $0) }
            ?? root.deletingLastPathComponent().appendingPathComponent("shared")
        return shared.appendingPathComponent("data/evm/real.jsonl")
    }()

    static var isThere: Bool { FileManager.default.fileExists(atPath: file.path) }

    static func lines() throws -> [Line] {
        let text = try Data(contentsOf: file)
        return try text.split(separator: UInt8(ascii: "\n")).map { line in
            guard
                let row = try JSONSerialization.jsonObject(with: line) as? [String: Any],
                let connection = row["conn"] as? String, let direction = row["dir"] as? String,
                let payload = row["payload"] as? String
            else { throw CocoaError(.fileReadCorruptFile) }
            return Line(
                connection: connection,
                isFromNode: direction == "in",
                payload: Array(payload.utf8)
            )
        }
    }
}
