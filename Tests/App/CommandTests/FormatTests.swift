import Foundation
import Testing

@testable import Command

/// What a released format promises: recordings that were written once read for ever the same, and
/// the format page shows real bytes.
@Suite struct FormatTests {
    private static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    private static let kept = root.appendingPathComponent("Recordings/formats/v1")

    @Test(arguments: ["smallest", "sealed", "crashed"])
    func `a recording of version 1 reads as when it was written`(name: String) throws {
        let folder = Self.kept.appendingPathComponent(name)
        let printed = try list(folder.appendingPathComponent("recording").path)
        let expected = try String(
            contentsOf: folder.appendingPathComponent("expected.ndjson"),
            encoding: .utf8
        )
        #expect(printed.text == expected)
        #expect(printed.code == .ok)
        // A torn tail is told, and is no damage.
        #expect(printed.reports.count == (name == "crashed" ? 1 : 0))
    }

    @Test func `the hex dumps of the format page are the bytes of the smallest recording`() throws {
        let page = try String(
            contentsOf: Self.root.appendingPathComponent("Sources/Log/README.md"),
            encoding: .utf8
        )
        let segments = Self.kept.appendingPathComponent("smallest/recording/segments")
        for name in ["MANIFEST", "00000001-00000000000000000001.seg"] {
            let start = try #require(page.range(of: "```hex \(name)\n"))
            let end = try #require(page.range(of: "```", range: start.upperBound..<page.endIndex))
            var shown: [UInt8] = []
            for line in page[start.upperBound..<end.lowerBound].split(separator: "\n") {
                // An offset, then at most 16 bytes; what it means stands behind a bar.
                let words = line.prefix { $0 != "|" }.split(separator: " ")
                let offset = try #require(words.first.flatMap { Int($0, radix: 16) }, "\(line)")
                #expect(offset == shown.count, "\(line)")
                for word in words.dropFirst() {
                    shown.append(try #require(UInt8(word, radix: 16), "\(line)"))
                }
            }
            let bytes = try Data(contentsOf: segments.appendingPathComponent(name))
            #expect(shown == Array(bytes), "\(name)")
        }
    }

    @Test func `every step of recovery on the format page names a test that exists`() throws {
        let page = try String(
            contentsOf: Self.root.appendingPathComponent("Sources/Log/README.md"),
            encoding: .utf8
        )
        let start = try #require(page.range(of: "\n## Recovery\n"))
        let end = try #require(page.range(of: "\n## ", range: start.upperBound..<page.endIndex))
        let steps = page[start.upperBound..<end.lowerBound].split(separator: #/\n[1-9]\. /#)
            .dropFirst()
        #expect(steps.count == 7)
        let folder = Self.root.appendingPathComponent("Tests/Log/SegmentLogTests")
        let tests = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            .map { try String(contentsOf: folder.appendingPathComponent($0), encoding: .utf8) }
            .joined()
        for step in steps {
            let names = step.matches(of: #/\*`(.+?)`\*/#).map(\.1)
            #expect(!names.isEmpty, "\(step)")
            for name in names {
                #expect(tests.contains("func `\(name)`("), "no test is named '\(name)'")
            }
        }
    }
}
