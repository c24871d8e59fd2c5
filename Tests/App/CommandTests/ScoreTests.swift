import Foundation
import Testing

@testable import Command

/// `synth` with actors and `score`, as one types them.
@Suite struct ScoreTests {
    private final class Folder {
        let path = NSTemporaryDirectory() + "tapedeck-score-\(UUID().uuidString)"

        init() throws {
            try FileManager.default.createDirectory(
                atPath: path,
                withIntermediateDirectories: true
            )
        }

        deinit {
            do { try FileManager.default.removeItem(atPath: path) } catch {
                // A leftover in the folder for temporary files.
            }
        }
    }

    private static let market = [
        "--slots", "40", "--blocks", "0", "--votes", "0", "--trades", "6", "--tokens", "10",
        "--sandwiches", "12", "--wide", "6",
    ]

    @Test func `labels stand beside the recording and hold`() throws {
        let folder = try Folder()
        let deck = folder.path + "/deck"
        #expect(go(["synth"] + Self.market + ["-o", deck]) == .ok)
        let labels = try LabelFile(path: deck + ".labels.ndjson").labels
        #expect(labels.count >= 12)
        let classes = ["--classes", "sandwich,wide"]
        #expect(go(["score", deck, "--min", "0.99"] + classes) == .ok)
        #expect(go(["score", deck + "/", "--min", "1", "--format", "json"] + classes) == .ok)
    }

    @Test func `a label that nothing detects is below what was demanded`() throws {
        let folder = try Folder()
        let deck = folder.path + "/deck"
        let labels = folder.path + "/truth"
        #expect(go(["synth"] + Self.market + ["-o", deck, "--labels", labels]) == .ok)
        #expect(!FileManager.default.fileExists(atPath: deck + ".labels.ndjson"))
        let text = try String(contentsOfFile: labels, encoding: .utf8)
        let lines = text.split(separator: "\n")
        try lines.dropFirst().joined(separator: "\n").write(
            toFile: labels,
            atomically: true,
            encoding: .utf8
        )
        #expect(go(["score", deck, "--labels", labels]) == .ok)
        let demand = ["score", deck, "--labels", labels, "--min", "0.99", "--classes", "sandwich"]
        #expect(go(demand) == .divergence)
        #expect(go(["score", deck]) == .failed)
        #expect(go(["score", deck, "--labels", labels, "--min", "1.5"]) == .usage)
        #expect(go(["score", deck, "--labels", labels, "--projector", "liquidity"]) == .usage)
    }

    @Test func `a class without labels fails unless it may be absent`() throws {
        let folder = try Folder()
        let deck = folder.path + "/deck"
        #expect(go(["synth"] + Self.market + ["-o", deck]) == .ok)
        let score = ["score", deck, "--min", "0.99"]
        // Nobody front-ran anybody.
        #expect(go(score) == .divergence)
        #expect(go(score + ["--classes", "sandwich,wide,possible_frontrun"]) == .divergence)
        #expect(go(score + ["--classes", "sandwich,wide"]) == .ok)
        for wrong in ["theft", "", "sandwich,", "sandwich, wide"] {
            #expect(go(score + ["--classes", wrong]) == .usage)
        }
        #expect(go(["score", deck, "--classes", "sandwich"]) == .usage)
    }

    @Test func `what is detected of a class without labels is held to the precision`() throws {
        let folder = try Folder()
        let deck = folder.path + "/deck"
        #expect(go(["synth"] + Self.market + ["-o", deck]) == .ok)
        let labels = folder.path + "/truth"
        let text = try String(contentsOfFile: deck + ".labels.ndjson", encoding: .utf8)
        let lines = text.split(separator: "\n").filter { !$0.contains(#""class":"wide""#) }
        try lines.joined(separator: "\n").write(toFile: labels, atomically: true, encoding: .utf8)
        let score = ["score", deck, "--labels", labels, "--min", "0.99", "--classes", "sandwich"]
        #expect(go(score) == .divergence)
    }

    @Test func `look-alikes are read apart from labels`() throws {
        let folder = try Folder()
        let deck = folder.path + "/deck"
        let words = Self.market + ["--look-alikes", "9", "-o", deck]
        #expect(go(["synth"] + words) == .ok)
        let path = deck + ".labels.ndjson"
        let file = try LabelFile(path: path)
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        let alike = lines.filter { $0.contains(#""class":"look_alike""#) }
        #expect(alike.count >= 5)
        #expect(alike.allSatisfy { $0.contains(#","resembles":""#) && $0.hasSuffix(#""}"#) })
        #expect(file.lookAlikes.count == alike.count)
        #expect(file.labels.count == lines.count - alike.count)
        #expect(go(["score", deck, "--min", "0.99", "--classes", "sandwich,wide"]) == .ok)
    }

    @Test(arguments: [
        "{}", "[]", "no json", #"{"class":"theft","slot":"1"}"#,
        #"{"class":"wide","slot":"-1","wide":true}"#,
        #"{"class":"look_alike","slot":"1","wide":true,"resembles":"wide"}"#,
        #"{"class":"look_alike","slot":"1","wide":true,"why":"flip"}"#,
        #"{"class":"look_alike","slot":"1","wide":true,"resembles":"wide","why":"a\nb"}"#,
        #"{"class":"wide","slot":"1","wide":true,"pool":"0","front":[],"victims":[],"back":[],"attacker":"1"}"#,
    ])
    func `a line that is no label is named`(line: String) throws {
        let folder = try Folder()
        let path = folder.path + "/labels"
        try (line + "\n").write(toFile: path, atomically: true, encoding: .utf8)
        let failure = #expect(throws: VerbFailure.self) { _ = try LabelFile(path: path) }
        #expect(failure?.message.hasPrefix("\(path), line 1: no label: ") == true)
    }

    @Test func `labels of others are not overwritten by accident`() throws {
        let folder = try Folder()
        let labels = folder.path + "/truth"
        try "mine".write(toFile: labels, atomically: true, encoding: .utf8)
        let words = ["synth"] + Self.market + ["-o", folder.path + "/deck", "--labels", labels]
        #expect(go(words) == .failed)
        #expect(try String(contentsOfFile: labels, encoding: .utf8) == "mine")
        #expect(go(words + ["--force"]) == .ok)
        #expect(try LabelFile(path: labels).labels.count >= 12)
    }

    @Test func `what is no file of updates is refused before anything is made`() throws {
        let folder = try Folder()
        let file = folder.path + "/updates"
        let deck = folder.path + "/deck"
        for bytes in [[], [3, 0, 0, 0, 0x22, 0x05, 0x0A], [9, 0, 0, 0, 1]] as [[UInt8]] {
            try Data(bytes).write(to: URL(filePath: file))
            #expect(go(["synth", "--real", file, "-o", deck]) == .failed)
            #expect(!FileManager.default.fileExists(atPath: deck))
        }
    }
}
