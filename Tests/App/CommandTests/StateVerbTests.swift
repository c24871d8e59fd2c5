import CheckpointStore
import Folding
import Foundation
import Platform
import Projection
import RecordModel
import Replay
import SegmentLog
import Testing

@testable import Command

/// Verbs that fold, as one types them.
@Suite struct StateVerbTests {
    private static func market(_ folder: TemporaryFolder, _ words: String...) throws -> String {
        let made = ["--slots", "40", "--blocks", "0", "--votes", "0", "--seed", "5"] + words
        try #require(go(["synth"] + made + ["-o", folder.recording]) == .ok)
        return folder.recording
    }

    /// What monitors tell of a play from a record on.
    private static func notices(_ path: String, from first: Sequence) throws -> String {
        let reader = try RecordingReader(path: path, disk: LinuxFileSystem())
        var options = ReplayStageOptions(first: first, last: Sequence(.max).previous)
        options.rate = .unlimited
        let monitor = try ReplayMonitor(reader, FoldOptions(), isJSON: false, clock: SystemClock())
        var text = ""
        var run = ReplayRun(
            reader: reader,
            stage: ReplayStage(clock: SystemClock(), options: options),
            clock: SystemClock(),
            write: { text += String(decoding: $0, as: UTF8.self) },
            report: { Issue.record("\($0)") }
        )
        run.monitor = monitor
        _ = try run.run()
        return text
    }

    @Test func `a play from the middle tells what one of that part alone tells`() throws {
        let folder = try TemporaryFolder()
        let path = try Self.market(folder)
        let part = path + "-part"
        try #require(go(["cut", path, "-o", part, "--from", "seq:1500"]) == .ok)
        let told = try Self.notices(path, from: Sequence(1500))
        #expect(told.contains("token_created"))
        #expect(told == (try Self.notices(part, from: Sequence(1500))))
    }

    @Test func `state is shown while another process writes it`() throws {
        let folder = try TemporaryFolder()
        let path = try Self.market(folder)
        let writer = try FoldSession("test", path, FoldOptions(), .state(AnchorLadder()))
        _ = try writer.run()
        #expect(go(["state", path]) == .ok)
        #expect(go(["rebuild", path]) == .failed)
        // Nor is it removed under the one that writes it.
        #expect(go(["rebuild", path, "--force"]) == .failed)
        #expect(FileManager.default.fileExists(atPath: StoredState(path, .init()).place.path))
    }

    @Test func `state is shown when its place cannot be written`() throws {
        let folder = try TemporaryFolder()
        let path = try Self.market(folder)
        try Data().write(to: URL(filePath: path + "/derived"))
        #expect(go(["state", path]) == .ok)
        #expect(go(["rebuild", path]) == .failed)
    }

    @Test func `state that is ahead of the log is made again`() throws {
        let folder = try TemporaryFolder()
        let path = try Self.market(folder)
        #expect(go(["rebuild", path]) == .ok)
        let checkpoint = try #require(try StoredState(path, .init()).overview()?.checkpoint)
        let short = path + "-short"
        let end = "seq:\(checkpoint.resume.previous.previous)"
        try #require(go(["cut", path, "-o", short, "--to", end]) == .ok)
        try FileManager.default.copyItem(atPath: path + "/derived", toPath: short + "/derived")
        let expected = try FoldSession("test", short, FoldOptions(), .log)
        _ = try expected.run()
        let stored = try FoldSession("test", short, FoldOptions(), .state(AnchorLadder()))
        _ = try stored.run()
        #expect(stored.start != .checkpoint)
        #expect(stored.fold.positionDigest == expected.fold.positionDigest)
    }

    @Test(arguments: ["rebuild", "state", "digest", "coverage", "test"])
    func `a damaged manifest stops a fold unless it is skipped`(verb: String) throws {
        let folder = try TemporaryFolder()
        let path = try Self.market(folder)
        let words = verb == "test" ? ["--update"] : []
        #expect(go([verb, path] + words) == .ok)
        let manifest = URL(filePath: path + "/segments/MANIFEST")
        var bytes = Array(try Data(contentsOf: manifest))
        bytes[20] ^= 0x10
        try Data(bytes).write(to: manifest)
        #expect(go([verb, path]) == .findings)
        #expect(go([verb, path, "--skip-damage"]) == .findings)
    }

    @Test func `the command that goes on has every flag that state depends on`() throws {
        func again(_ words: [String], without names: Set<String> = []) throws -> String {
            let parser = ArgumentParser(verbs: allVerbs, environment: { _ in nil })
            guard case .run(let arguments) = try parser.parse(words) else {
                Issue.record("\(words) runs nothing")
                return ""
            }
            return arguments.commandLine(without: names)
        }
        let words = ["--projector=trading", "--commitment", "processed", "--skip-damage"]
        #expect(
            try again(["rebuild", "my deck", "--force"] + words, without: ["force"])
                == "tapedeck rebuild 'my deck' --projector trading --commitment processed "
                + "--skip-damage"
        )
        #expect(
            try again(["why", "deck", "So1", "--last", "3"]) == "tapedeck why deck So1 --last 3"
        )
    }

    @Test func `a recording that cannot be tested hides no other`() throws {
        let folder = try TemporaryFolder()
        let path = try Self.market(folder)
        try #require(go(["test", path, "--update"]) == .ok)
        #expect(go(["test", path + "-absent", path]) == .failed)
        let ladder = URL(filePath: path + "/expected/ladder.txt")
        try Data("every 10\n".utf8).write(to: ladder)
        #expect(go(["test", path + "-absent", path]) == .divergence)
        #expect(go(["test", path, "--every", "3"]) == .usage)
        #expect(go(["test", path, "--every", "3", "--update"]) == .ok)
        #expect(go(["test", path]) == .ok)
    }

    @Test func `an expectation is never written through a link`() throws {
        let folder = try TemporaryFolder()
        let path = try Self.market(folder)
        let other = path + "-other"
        try FileManager.default.createDirectory(
            atPath: other,
            withIntermediateDirectories: false
        )
        try FileManager.default.createSymbolicLink(
            atPath: path + "/expected",
            withDestinationPath: other
        )
        #expect(go(["test", path, "--update"]) == .failed)
        #expect(try FileManager.default.contentsOfDirectory(atPath: other).isEmpty)
    }

    @Test func `flags that would have no effect are refused`() throws {
        let folder = try TemporaryFolder()
        let path = try Self.market(folder, "--tokens", "1")
        #expect(go(["replay", path, "--rate", "max", "--commitment", "processed"]) == .usage)
        #expect(
            go(["replay", path, "--rate", "max", "--projector", "trading", "--format", "csv"])
                == .usage
        )
    }
}

/// What `tapedeck test` shows of a table.
@Suite struct RowDifferenceTests {
    @Test func `a row that came moves no other`() {
        let before = "slot,place,kind\n7,1,a\n7,2,b\n7,3,c\n"
        let after = "slot,place,kind\n7,0,n\n7,1,a\n7,2,x\n7,3,c\n"
        #expect(
            RowDifference("detections.csv", keyCount: 2, before, after).text
                == "  detections.csv: 2 rows differ\n    + 7,0,n\n    7,2\n      kind: b -> x\n"
        )
    }

    @Test func `numbers that stand for something are told in words`() {
        let before = "token,phase,venue,trades\nA,2,1,4\nB,3,9,5\n"
        let after = "token,phase,venue,trades\nA,3,2,5\nB,3,9,5\nC,1,6,7\n"
        #expect(
            RowDifference("tokens.csv", keyCount: 1, before, after).text == """
                  tokens.csv: 2 rows differ
                    A
                      phase: trading -> near_graduation
                      venue: pump_curve -> pumpswap
                      trades: 4 -> 5
                    + C,created,launchlab,7

                """
        )
    }

    @Test func `names that strangers chose steer no terminal and part no rows`() {
        let before = "token,name\nA,\"\u{1B}[2J\n\"\"x,\"\nB,b\n"
        let after = "token,name\nA,\"\u{202E}y\r\n,\"\nB,b\n"
        #expect(
            RowDifference("token_texts.csv", keyCount: 1, before, after).text
                == "  token_texts.csv: 1 rows differ\n    A\n      name: [2J\"x, -> y,\n"
        )
    }

    @Test func `fields come back as they were quoted`() {
        let fields = [
            "", "a", "a,b", "\"", "\"\"", "\r\n", "\n", "a\"b,\n", "é", "a,\u{301}b", "\"\u{301}",
        ]
        let text = fields.map(quotedCSV).joined(separator: ",") + "\n"
        #expect(CSVRows(text + text).rows == [fields, fields])
        #expect(CSVRows("").rows.isEmpty)
    }
}
