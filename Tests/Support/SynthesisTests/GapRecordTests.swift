import Foundation
import Platform
import RecordModel
import SegmentLog
import Testing

@testable import Synthesis

/// What a recording of a market with broken streams says about them.
struct GapRecordTests {
    private struct Record {
        var sequence: Sequence
        var kind: RecordKind
        var stream: StreamID
        var payload: [UInt8]

        func fields() throws -> EventFields {
            try EventFields(decoding: unsafe payload.span.bytes)
        }
    }

    private func records(_ options: SynthesisOptions) throws -> [Record] {
        let path = NSTemporaryDirectory() + "tapedeck-gaps-\(UUID().uuidString)"
        defer {
            do { try FileManager.default.removeItem(atPath: path) } catch {
                Issue.record("\(path) stays: \(error)")
            }
        }
        _ = try SynthesizedRecording(options, toolVersion: "test").write(
            to: path,
            disk: LinuxFileSystem(),
            schedule: SystemClock(),
            positions: nil
        )
        let cursor = try RecordCursor(try RecordingReader(path: path, disk: LinuxFileSystem()))
        var records: [Record] = []
        while true {
            guard case .record = try cursor.next() else { return records }
            records.append(
                Record(
                    sequence: cursor.envelope.sequence,
                    kind: cursor.envelope.kind,
                    stream: cursor.envelope.stream,
                    payload: cursor.payloadBytes
                )
            )
        }
    }

    private static var options: SynthesisOptions {
        var options = SynthesisOptions()
        options.slots = 60
        options.ethereumBlocks = 0
        options.tradesPerSlot = 2
        options.votesPerSlot = 0
        return options
    }

    @Test func `each break leaves a gap that the next stream's first message bounds`() throws {
        var options = Self.options
        options.streams = 2
        options.disconnects = 3
        let records = try records(options)
        let opened = records.filter { $0.kind == .gapOpened }
        let bounded = records.filter { $0.kind == .gapBounded }
        #expect(opened.count == 3)
        #expect(bounded.count == 3)
        for gap in opened {
            let fields = try gap.fields()
            let source = try #require(fields.text(.source))
            let from = try #require(fields.unsigned(.fromSequence))
            let last = try #require(records.first { $0.sequence.value == from })
            #expect(last.kind == .grpcMessageIn)
            let closed = try #require(
                records.last { $0.kind == .streamClosed && $0.sequence < gap.sequence }
            )
            // Nothing of the stream comes behind what the gap names.
            #expect(closed.stream == last.stream)
            #expect(
                !records.contains {
                    $0.stream == last.stream && $0.kind == .grpcMessageIn
                        && $0.sequence > last.sequence
                }
            )
            #expect(fields.text(.cause) == "status_14")
            let bound = try #require(
                bounded.first { try $0.fields().unsigned(.gap) == gap.sequence.value }
            )
            #expect(try bound.fields().text(.source) == source)
            let to = try #require(try bound.fields().unsigned(.toSequence))
            let first = try #require(records.first { $0.sequence.value == to })
            #expect(first.kind == .grpcMessageIn)
            #expect(first.stream != last.stream)
        }
    }

    @Test func `without breaks nothing says gap`() throws {
        var options = Self.options
        options.missedSlots = 4
        options.forks = 2
        let kinds = Set(try records(options).map(\.kind))
        #expect(!kinds.contains(.gapOpened))
        #expect(!kinds.contains(.gapBounded))
    }
}
