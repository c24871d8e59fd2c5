import Foundation
import Platform
import RecordModel
import Replay
import SegmentLog
import Testing

@testable import Command

private struct Played {
    var summary = ReplayRun.Summary()
    var text = ""
    var reports: [String] = []
}

private func play(
    _ path: String,
    _ range: ResolvedRange = ResolvedRange(first: .first, last: nil),
    format: RecordPrinter.Format? = nil,
    skipsDamage: Bool = false,
    rate: ReplayRate = .unlimited,
    isStopped: Bool = false
) throws -> Played {
    var played = Played()
    let last = range.last ?? Sequence(.max).previous
    var options = ReplayStageOptions(first: range.first, last: last)
    options.rate = rate
    let stage = ReplayStage(clock: SystemClock(), options: options)
    if isStopped { stage.stop() }
    var run = ReplayRun(
        reader: try RecordingReader(path: path, disk: LinuxFileSystem()),
        stage: stage,
        clock: SystemClock(),
        write: { played.text += String(decoding: $0, as: UTF8.self) },
        report: { played.reports.append($0) }
    )
    run.format = format
    run.skipsDamage = skipsDamage
    played.summary = try run.run()
    return played
}

@Test func `an empty recording is played without a record`() throws {
    let folder = try TemporaryFolder()
    let writer = try SequencedWriter(
        path: folder.recording,
        disk: LinuxFileSystem(),
        clock: SystemClock(),
        random: SeededRandom(seed: 1),
        options: LogOptions(),
        start: .init()
    )
    try writer.close()
    #expect(ResolvedRange(first: .first, last: Sequence.none).count == 0)
    for words in [[], ["--rate", "max"], ["--format", "ndjson"]] {
        #expect(go(["replay", folder.recording] + words) == .ok)
    }
}

@Suite struct ReplayRunTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        try makeRecording(folder.recording, rotateBytes: 100_000) { writer in
            var random = SeededRandom(seed: 9)
            for _ in 0..<40 {
                let payload = (0..<10_000).map { _ in UInt8(truncatingIfNeeded: random.next()) }
                _ = try writer.append(frame(), payload: payload.span.bytes)
            }
        }
    }

    private func damage() throws {
        let reader = try RecordingReader(path: folder.recording, disk: LinuxFileSystem())
        let path = reader.segments[2].path
        var bytes = Array(try Data(contentsOf: URL(filePath: path)))
        bytes[bytes.count / 2] ^= 0x10
        try Data(bytes).write(to: URL(filePath: path))
    }

    @Test func `a replay prints what cat prints`() throws {
        let printed = try list(folder.recording).text
        let played = try play(folder.recording, format: .ndjson)
        #expect(played.text == printed)
        #expect(played.summary.frames == 40)
        #expect(played.summary.events == 2)
        #expect(played.summary.last == Sequence(42))
        #expect(played.summary.code == .ok)
        #expect(played.summary.jitter.count == 0)
    }

    @Test func `without a format nothing is printed`() throws {
        let played = try play(
            folder.recording,
            ResolvedRange(first: Sequence(3), last: Sequence(9))
        )
        #expect(played.text.isEmpty)
        #expect(played.summary.records == 7)
    }

    @Test func `paced records are measured`() throws {
        let range = ResolvedRange(first: Sequence(2), last: Sequence(20))
        #expect(try play(folder.recording, range, rate: .recorded).summary.jitter.count == 19)
    }

    @Test func `it stops before damage unless told to step over it`() throws {
        try damage()
        let stopped = try play(folder.recording, format: .ndjson)
        #expect(stopped.summary.ending == .damage)
        #expect(stopped.summary.code == .findings)
        #expect(stopped.reports.first?.contains("--skip-damage") == true)
        let skipped = try play(folder.recording, format: .ndjson, skipsDamage: true)
        #expect(skipped.summary.ending == .end)
        #expect(skipped.summary.code == .findings)
        #expect(skipped.summary.last == Sequence(42))
        #expect(skipped.summary.records < 42 && skipped.summary.records > stopped.summary.records)
        #expect(skipped.text.hasPrefix(stopped.text))
        #expect(skipped.text.contains(#"{"kind":"damage""#))
    }

    @Test func `a stopped replay has not done its work`() throws {
        let played = try play(folder.recording, isStopped: true)
        #expect(played.summary.ending == .stopped)
        #expect(played.summary.code == .failed)
        #expect(played.summary.records == 0)
    }
}

@Suite struct ShellWordTests {
    @Test(arguments: [
        ("deck", "deck"), ("/a/b-c.d", "/a/b-c.d"), ("my deck", "'my deck'"), ("", "''"),
        ("it's", "'it'\\''s'"), ("$(x)", "'$(x)'"),
    ])
    func `a shell reads the word back`(word: String, quoted: String) {
        #expect(shellWord(word) == quoted)
    }
}
