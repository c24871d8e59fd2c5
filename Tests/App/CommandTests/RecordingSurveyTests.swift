import Foundation
import JSONText
import Platform
import RecordModel
import SegmentFormat
import SegmentLog
import Testing

@testable import Command

private func survey(_ path: String, isComplete: Bool = true) throws -> SurveyReport {
    let reader = try RecordingReader(path: path, disk: LinuxFileSystem())
    return SurveyReport(reader, try RecordingSurvey(reader, isComplete: isComplete))
}

private func event(_ add: (inout EventFields) -> Void) -> EventFields {
    var fields = EventFields()
    add(&fields)
    return fields
}

@Suite struct RecordingSurveyTests {
    let folder: TemporaryFolder

    /// Two runs; source main has three streams, of which one stays open; four gaps, one a state.
    init() throws {
        folder = try TemporaryFolder()
        try makeRecording(folder.recording) { writer in
            try writer.append(
                event: .sourceDeclared,
                fields: event {
                    $0.add(.source, "main")
                    $0.add(.chain, "solana")
                }
            )
            let first = try writer.append(
                event: .streamOpened,
                fields: event { $0.add(.source, "main") }
            ).sequence
            for slot in [30, 20, 40] as [UInt8] {
                _ = try writer.append(
                    frame(stream: first.value, at: Int64(slot)),
                    payload: slotUpdate(slot).span.bytes
                )
            }
            try writer.append(
                event: .streamClosed,
                stream: first,
                fields: event { $0.add(.statusCode, UInt64(14)) }
            )
            let gaps = try (0..<4).map { number in
                try writer.append(
                    event: .gapOpened,
                    fields: event {
                        $0.add(.source, "main")
                        $0.add(.cause, "cause \(number)")
                    }
                ).sequence
            }
            let endings: [(Int, RecordKind)] = [
                (1, .gapBounded), (2, .gapBounded), (2, .gapFilled), (3, .gapAbandoned),
            ]
            for (index, kind) in endings {
                try writer.append(
                    event: kind,
                    fields: event { $0.add(.gap, gaps[index].value) }
                )
            }
            try writer.append(event: .streamOpened, fields: event { $0.add(.source, "main") })
        }
        try makeRecording(folder.recording) { writer in
            try writer.append(event: .streamOpened, fields: event { $0.add(.source, "main") })
        }
    }

    @Test func `runs, streams, gaps and ranges are counted`() throws {
        let report = try survey(folder.recording)
        let survey = report.survey
        #expect(survey.runs.map(\.epoch) == [1, 2])
        #expect(survey.runs.map(\.cause) == ["test", "test"])
        #expect(survey.frames == 3)
        #expect(
            survey.payloadBytes > 12 && survey.rawBytes == survey.payloadBytes + 36 * survey.records
        )
        #expect(
            survey.slots
                == { () -> PositionRange in
                    var range = PositionRange()
                    range.insert(20)
                    range.insert(40)
                    return range
                }()
        )
        #expect(survey.blocks.isEmpty)
        let sum = try #require(survey.sourceSums.first)
        #expect(survey.sourceSums.count == 1)
        #expect(sum.streams == 3 && sum.open == 2 && sum.frames == 3 && sum.bytes == 12)
        #expect(sum.ends.map(\.words) == ["gRPC status 14"])
        for state in ["open", "bounded", "filled", "abandoned"] {
            #expect(survey.gapCount(state) == 1, "\(state)")
        }
        #expect(report.segments.map(\.state) == ["sealed", "sealed"])
        #expect(report.damage.isEmpty)
        #expect(report.text.contains("  gaps       1 open, 1 bounded, 1 filled, 1 abandoned\n"))
        #expect(report.text.contains("source     main (solana): 3 streams, 3 frames, 12 B"))
    }

    @Test func `without reading all, what is in force is still known`() throws {
        let report = try survey(folder.recording, isComplete: false)
        #expect(report.survey.gapCount("open") == 1)
        #expect(report.survey.gapCount("bounded") == 1)
        #expect(report.survey.slots.highest == 40)
        #expect(report.survey.records == 3)
        #expect(report.text.contains("--deep reads every record"))
    }

    @Test func `the JSON says the same`() throws {
        let report = try survey(folder.recording)
        let root = try JSONDocument.parse(Array(report.json.utf8))
        #expect(root.member("first_sequence")?.string == "1")
        #expect(root.member("first_slot")?.string == "20")
        #expect(root.member("first_block")?.isNull == true)
        #expect(root.member("frames")?.string == "3")
        #expect(root.member("runs")?.count == 2)
        #expect(root.member("gaps")?.count == 4)
        #expect(root.member("segments")?.count == 2)
        #expect(root.member("damage")?.count == 0)
    }

    @Test func `a missing segment is damage`() throws {
        let reader = try RecordingReader(path: folder.recording, disk: LinuxFileSystem())
        try FileManager.default.removeItem(atPath: reader.segments[0].path)
        let report = try survey(folder.recording)
        #expect(report.damage.count == 1)
        #expect(report.text.contains("file missing"))
    }

    @Test func `not a recording, newer and damaged are three answers`() throws {
        let plain = folder.root + "/plain"
        try FileManager.default.createDirectory(atPath: plain, withIntermediateDirectories: true)
        #expect(throws: LogError.self) { try survey(plain) }
        let identity = folder.recording + "/recording.json"
        let text = try String(contentsOfFile: identity, encoding: .utf8)
        let newer = text.replacingOccurrences(of: #""version":"1.0""#, with: #""version":"9.0""#)
        #expect(newer != text)
        try newer.write(toFile: identity, atomically: true, encoding: .utf8)
        do {
            _ = try survey(folder.recording)
            Issue.record("a newer recording was read")
        } catch let error as LogError {
            #expect("\(error)".contains("newer version"))
        }
    }
}
