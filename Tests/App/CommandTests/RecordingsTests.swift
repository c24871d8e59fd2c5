import Foundation
import Platform
import SegmentLog
import Synthesis
import Testing

@testable import Command

/// The recordings of this repository, next to the commands that their table gives.
@Suite struct RecordingsTests {
    private static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private static func recordings() throws -> [(name: String, words: [String])] {
        let table = try String(
            contentsOf: root.appendingPathComponent("Recordings/README.md"),
            encoding: .utf8
        )
        return table.split(separator: "\n").compactMap { line in
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            guard cells.count >= 2, cells[1].hasPrefix("`tapedeck synth") else { return nil }
            let words = cells[1].trimmingCharacters(in: ["`"]).split(separator: " ").map(
                String.init
            )
            return (cells[0].trimmingCharacters(in: ["`"]), Array(words.dropFirst()))
        }
    }

    private func files(_ folder: URL) throws -> [String: Data] {
        var files: [String: Data] = [:]
        for name in ["recording.json", "segments"] {
            let url = folder.appendingPathComponent(name)
            guard name == "segments" else {
                files[name] = try Data(contentsOf: url)
                continue
            }
            for file in try FileManager.default.contentsOfDirectory(atPath: url.path) {
                files[file] = try Data(contentsOf: url.appendingPathComponent(file))
            }
        }
        return files
    }

    @Test func `each recording is what its command makes, byte for byte`() throws {
        let recordings = try Self.recordings()
        #expect(recordings.count >= 4)
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("tapedeck-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for (name, words) in recordings {
            let fresh = folder.appendingPathComponent(name)
            #expect(go(words + ["-o", fresh.path]) == .ok)
            let kept = Self.root.appendingPathComponent("Recordings/\(name)")
            let isSame = try files(kept) == files(fresh)
            #expect(isSame, "Recordings/\(name) is not what 'tapedeck \(words)' makes")
        }
    }

    @Test func `each recording is whole and at most a mebibyte`() throws {
        for (name, _) in try Self.recordings() {
            let folder = Self.root.appendingPathComponent("Recordings/\(name)")
            var verifier = RecordingVerifier(
                try RecordingReader(path: folder.path, disk: LinuxFileSystem())
            )
            let report = try verifier.run()
            #expect(report.isWhole, "\(name)")
            #expect(report.isEnded, "\(name)")
            let size = try files(folder).values.reduce(0) { $0 + $1.count }
            #expect(size <= 1 << 20, "\(name)")
        }
    }
}
