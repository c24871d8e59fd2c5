// The working copy on disk, read once for all rules.

import Foundation

/// One breach of a rule, as `path:line: what is wrong`.
struct Finding: CustomStringConvertible {
    let path: String
    let line: Int
    let message: String

    var description: String { "\(path):\(line): \(message)" }
}

/// Every file of the working copy that is not built, fetched or hidden.
struct SourceTree {
    let topLevel: [String]
    let stages: [String]
    /// All files of `Sources`, `Tests`, `Tools`, `.ci` and the top level up to 1 MiB, by path
    /// from the root; larger ones are recordings.
    let files: [(path: String, bytes: Data)]
    let swift: [SourceFile]
    let manifest: [ManifestTarget]

    /// The files that are part of the program or of a tool, not of a test.
    var program: [SourceFile] { swift.filter { !$0.path.hasPrefix("Tests/") } }
    /// The files of `Sources` only.
    var sources: [SourceFile] { swift.filter { $0.path.hasPrefix("Sources/") } }

    static let shared = Result { try SourceTree(root: root) }

    private static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    init(root: URL) throws {
        let manager = FileManager.default
        topLevel = try manager.contentsOfDirectory(atPath: root.path).sorted()
        stages = try manager.contentsOfDirectory(atPath: root.path + "/Sources")
            .filter { !$0.hasSuffix(".md") }.sorted()
        var files: [(path: String, bytes: Data)] = []
        for entry in topLevel {
            let hidden = entry.hasPrefix(".")
            if hidden, entry != ".ci" && entry != ".gitignore" { continue }
            var paths = [entry]
            if let inside = manager.enumerator(atPath: root.path + "/" + entry) {
                paths += inside.compactMap { ($0 as? String).map { "\(entry)/\($0)" } }
            }
            for path in paths.sorted()
            where !path.contains("/.build") && !path.contains("/__pycache__/") {
                let attributes = try manager.attributesOfItem(atPath: root.path + "/" + path)
                guard attributes[.type] as? FileAttributeType == .typeRegular,
                    let size = attributes[.size] as? Int, size <= 1 << 20
                else { continue }
                files.append((path, try Data(contentsOf: root.appending(path: path))))
            }
        }
        self.files = files
        swift = files.filter { $0.path.hasSuffix(".swift") && $0.path != "Package.swift" }
            .map { SourceFile(path: $0.path, text: String(decoding: $0.bytes, as: UTF8.self)) }
        manifest = manifestTargets(
            files.first { $0.path == "Package.swift" }
                .map { String(decoding: $0.bytes, as: UTF8.self) } ?? ""
        )
    }
}
