import CheckpointStore
import Folding
import LogCare
import Platform
import Projection
import RecordModel
import SegmentLog
import Testing

@testable import Command

/// `gaps --abandon`, as one types it, and what state makes of it.
@Suite struct GapsVerbTests {
    /// A market on one stream that breaks once; its gap is bounded and stays open.
    private static func market(_ folder: TemporaryFolder) throws -> String {
        let words = [
            "--slots", "80", "--blocks", "0", "--votes", "0", "--disconnects", "1", "--seed", "5",
        ]
        try #require(go(["synth"] + words + ["-o", folder.recording]) == .ok)
        return folder.recording
    }

    private static func gaps(_ path: String) throws -> [GapHistory.Gap] {
        try GapHistory(RecordingReader(path: path, disk: LinuxFileSystem())).gaps
    }

    private static func records(_ path: String) throws -> [(RecordKind, EventFields)] {
        let reader = try RecordingReader(path: path, disk: LinuxFileSystem())
        let cursor = try RecordCursor(reader, from: .none)
        var records: [(RecordKind, EventFields)] = []
        while case .record = try cursor.next() {
            guard !cursor.envelope.kind.isDataFrame else { continue }
            let fields = try EventFields(decoding: cursor.payloadBytes.span.bytes)
            records.append((cursor.envelope.kind, fields))
        }
        return records
    }

    private static func fold(_ path: String) throws -> StateFold {
        let reader = try RecordingReader(path: path, disk: LinuxFileSystem())
        var options = FoldOptions()
        options.helpers = 0
        let fold = try StateFold(
            reader,
            options,
            storage: nil,
            clock: SystemClock(),
            observer: nil
        )
        _ = try fold.run()
        return fold
    }

    @Test func `a gap is listed, given up for a reason, and not given up twice`() throws {
        let folder = try TemporaryFolder()
        let path = try Self.market(folder)
        #expect(go(["gaps", path, "--open"]) == .findings)
        let gap = try #require(Self.gaps(path).first)
        #expect(gap.state == .bounded)
        let end = try Self.records(path).count
        let words = ["--abandon", "\(gap.id)", "--reason", "nobody keeps it"]
        #expect(go(["gaps", path, "--format", "json"] + words) == .ok)
        let after = try #require(Self.gaps(path).first)
        #expect(after.state == .abandoned)
        #expect(after.reason == "nobody keeps it")
        // A run of its own, with the gap as a whole in its one record.
        let added = try Self.records(path)[end...]
        #expect(added.map(\.0) == [.runStarted, .gapAbandoned, .runEnded])
        let fields = try #require(added.first { $0.0 == .gapAbandoned }).1
        #expect(fields.unsigned(.gap) == gap.id.value)
        #expect(fields.text(.source) == gap.source)
        #expect(fields.text(.cause) == gap.cause)
        #expect(fields.unsigned(.fromPosition) == gap.fromPosition)
        #expect(fields.unsigned(.toSequence) == gap.to)
        // What is no longer open is refused, and nothing is added.
        #expect(go(["gaps", path] + words) == .failed)
        #expect(go(["gaps", path, "--abandon", "all", "--reason", "again"]) == .failed)
        #expect(try Self.records(path).count == end + 3)
        #expect(go(["gaps", path]) == .ok)
        #expect(go(["verify", path]) == .ok)
    }

    @Test func `state waits before an open gap and goes on behind one given up`() throws {
        let folder = try TemporaryFolder()
        let path = try Self.market(folder)
        let gap = try #require(Self.gaps(path).first)
        let from = try #require(gap.fromPosition)
        // Stored state: the second rebuild goes on from what the first one left.
        #expect(go(["rebuild", path]) == .ok)
        let before = try Self.fold(path)
        #expect(before.engine.settled.map { $0.position < from } == true)
        #expect(before.engine.gaps.isEmpty)
        #expect(go(["gaps", path, "--abandon", "all", "--reason", "nobody keeps it"]) == .ok)
        #expect(go(["rebuild", path]) == .ok)
        let after = try Self.fold(path)
        #expect(after.engine.settled.map { $0.position > from } == true)
        let listed = try #require(after.engine.gaps.first)
        #expect(after.engine.gaps.count == 1)
        #expect(listed.first == from)
        #expect(listed.status == .abandoned)
        #expect(listed.reason.hasSuffix("nobody keeps it"))
        #expect(listed.reason.contains("gap \(gap.id)"))
        // The stored state says the same as one that is made anew.
        let stored = try FoldSession("test", path, FoldOptions(), .state(AnchorLadder()))
        _ = try stored.run()
        #expect(stored.fold.engine.gaps == after.engine.gaps)
        #expect(stored.fold.engine.chainDigest == after.engine.chainDigest)
        #expect(stored.fold.positionDigest == after.positionDigest)
    }

    @Test func `a recording that is being written is left alone`() throws {
        let folder = try TemporaryFolder()
        let path = try Self.market(folder)
        let gap = try #require(Self.gaps(path).first)
        let log = try LogWriter(
            path: path,
            disk: LinuxFileSystem(),
            clock: SystemClock(),
            random: SystemRandom(),
            options: LogOptions()
        )
        #expect(go(["gaps", path, "--abandon", "\(gap.id)", "--reason", "no"]) == .failed)
        #expect(go(["gaps", path, "--abandon", "all", "--reason", "no"]) == .failed)
        try log.close(cause: "test")
        #expect(try Self.gaps(path).allSatisfy { $0.state == .bounded })
        #expect(go(["gaps", path, "--abandon", "all", "--reason", "yes"]) == .ok)
    }

    @Test(arguments: [
        ["--abandon", "all"], ["--reason", "why"], ["--abandon", "0", "--reason", "why"],
        ["--abandon", "ten", "--reason", "why"], ["--abandon", "all", "--reason", ""],
        ["--abandon", "", "--reason", "why"],
    ])
    func `half of what is needed is refused`(words: [String]) throws {
        let folder = try TemporaryFolder()
        try makeRecording(folder.recording) { _ in }
        #expect(go(["gaps", folder.recording] + words) == .usage)
    }

    @Test func `what is no gap is refused`() throws {
        let folder = try TemporaryFolder()
        let path = try Self.market(folder)
        let count = try Self.records(path).count
        #expect(go(["gaps", path, "--abandon", "3", "--reason", "why"]) == .failed)
        let gap = try #require(Self.gaps(path).first)
        // One wrong number and none is given up.
        let words = ["--abandon", "\(gap.id)", "--abandon", "3", "--reason", "why"]
        #expect(go(["gaps", path] + words) == .failed)
        #expect(try Self.records(path).count == count)
    }

    @Test func `the gap of a run that crashed is opened, and stays open`() throws {
        let folder = try TemporaryFolder()
        let torn = folder.root + "/torn"
        var gap = Sequence.none
        let log = try LogWriter(
            path: folder.recording,
            disk: LinuxFileSystem(),
            clock: SystemClock(),
            random: SystemRandom(),
            options: LogOptions()
        )
        var source = EventFields()
        source.add(.source, "main")
        gap = try log.append(event: .gapOpened, fields: source).sequence
        let stream = try log.append(event: .streamOpened, fields: source).sequence
        try log.append(event: .streamAccepted, stream: stream, fields: EventFields())
        try log.flush()
        // What a power cut would have left.
        try folder.copy(folder.recording, torn)
        try log.close(cause: "test")
        #expect(go(["gaps", torn, "--abandon", "all", "--reason", "why"]) == .ok)
        let gaps = try Self.gaps(torn)
        #expect(gaps.map(\.state) == [.abandoned, .open])
        #expect(gaps.first?.id == gap)
        #expect(gaps.last?.cause == "crash")
        #expect(gaps.last?.source == "main")
    }
}
