import LogCare
import Platform
import RecordModel
import SegmentFormat
import SegmentLog
import Simulation
import Testing

@Suite struct CutTests {
    private func cut(
        _ disk: SimulatedFileSystem,
        _ first: UInt64,
        _ last: UInt64?,
        skipsDamage: Bool = false
    ) throws -> CutReport {
        var cut = RangeCut(
            of: try RecordingReader(path: source, disk: disk),
            from: Sequence(first),
            through: last.map { Sequence($0) },
            skipsDamage: skipsDamage,
            to: output,
            setting(disk)
        )
        return try cut.run()
    }

    @Test func `every range is cut with its sequences and records`() throws {
        let original = try makeSource(SimulatedFileSystem())
        let whole = try Reading(source, original)
        let count = UInt64(whole.records.count)
        for first in stride(from: UInt64(1), through: count, by: 7) {
            for last in [first, first + 1, first + 20, nil] {
                let disk = original.afterKill()
                let report = try cut(disk, first, last)
                let end = min(last ?? count, count)
                let expected = whole.records.filter {
                    $0.envelope.sequence.value >= first && $0.envelope.sequence.value <= end
                }
                #expect(try Reading(output, disk).records == expected, "\(first) to \(end)")
                #expect(report.records == UInt64(expected.count))
                #expect(try verdict(output, disk).isWhole, "\(first) to \(end)")
                let reader = try RecordingReader(path: output, disk: disk)
                #expect(reader.segments.first?.firstSequence.value == first)
            }
        }
    }

    @Test func `a cut begins with the streams, sources and gaps that were in force`() throws {
        let disk = try makeSource(SimulatedFileSystem())
        let whole = try Reading(source, disk)
        var expected = ContextState()
        for record in whole.records where record.envelope.sequence.value < 40 {
            expected.apply(record.envelope, payload: record.payload.span.bytes)
        }
        _ = try cut(disk, 40, nil)
        let reader = try RecordingReader(path: output, disk: disk)
        let segment = try #require(reader.segments.first)
        let found = try #require(try reader.context(of: segment))
        #expect(found == expected)
        #expect(found.openStreams.count == 2)
        #expect(found.openGaps.count == 1)
    }

    @Test func `a cut of a cut is the cut of the smaller range`() throws {
        let disk = try makeSource(SimulatedFileSystem())
        _ = try cut(disk, 20, 60)
        var second = RangeCut(
            of: try RecordingReader(path: output, disk: disk),
            from: Sequence(30),
            through: Sequence(50),
            skipsDamage: false,
            to: "/second",
            setting(disk)
        )
        _ = try second.run()
        let expected = try Reading(source, disk).records.filter {
            (30...50).contains($0.envelope.sequence.value)
        }
        #expect(try Reading("/second", disk).records == expected)
    }

    @Test func `damage ends a cut, or becomes a hole`() throws {
        let disk = try makeSource(SimulatedFileSystem())
        let file = try segments(disk)[1]
        var bytes = try #require(disk.contents(of: file))
        bytes[bytes.count / 2] ^= 1
        disk.replace(file, with: bytes)
        let loss = try #require(try Reading(source, disk).damage.first { $0.isLoss })
        do {
            _ = try cut(disk.afterKill(), 1, nil)
            Issue.record("damage was passed over")
        } catch let error as CareError {
            guard case .damaged = error else { throw error }
        }
        // Before the damage it does not matter.
        let before = loss.missingFrom.value - 1
        #expect(try cut(disk.afterKill(), 1, before).damage.isEmpty)
        let skipping = disk.afterKill()
        let report = try cut(skipping, 1, nil, skipsDamage: true)
        #expect(!report.damage.isEmpty)
        let made = try Reading(output, skipping)
        #expect(made.holes.map(\.from) == [loss.missingFrom])
        #expect(made.records == (try Reading(source, disk)).records)
        // A range that begins and ends inside of the loss is a hole.
        if loss.missingThrough > loss.missingFrom {
            let inside = disk.afterKill()
            _ = try cut(
                inside,
                loss.missingFrom.value + 1,
                loss.missingFrom.value + 1,
                skipsDamage: true
            )
            let hole = try #require(try Reading(output, inside).holes.first)
            #expect(hole.from == loss.missingFrom.next && hole.count == 1)
        }
    }

    private func filtered(
        _ disk: SimulatedFileSystem,
        _ change: (inout RecordFilter) -> Void,
        from first: UInt64 = 1
    ) throws -> Reading {
        var filter = RecordFilter()
        change(&filter)
        _ = try FilteredCut(
            of: try RecordingReader(path: source, disk: disk),
            from: Sequence(first),
            through: nil,
            taking: filter,
            skipsDamage: false,
            to: output,
            setting(disk)
        ).run()
        #expect(try verdict(output, disk).isWhole)
        return try Reading(output, disk)
    }

    @Test func `a source's frames stand in a cut of their own with their new stream`() throws {
        for first in [UInt64(1), 30] {
            let disk = try makeSource(SimulatedFileSystem())
            let whole = try Reading(source, disk)
            let made = try filtered(disk, { $0.sources = ["spare"] }, from: first)
            let opened = try #require(made.records.first { $0.envelope.kind == .streamOpened })
            let old = try #require(
                try whole.records.indices.first {
                    try whole.records[$0].envelope.kind == .streamOpened
                        && whole.fields($0).text(.source) == "spare"
                }
            )
            let id = whole.records[old].envelope.sequence
            let expected = whole.records.filter {
                $0.envelope.stream == id && $0.envelope.kind.isDataFrame
                    && $0.envelope.sequence.value >= first
            }
            let frames = made.records.filter { $0.envelope.kind.isDataFrame }
            #expect(frames.map(\.payload) == expected.map(\.payload))
            #expect(frames.map(\.envelope.receivedAt) == expected.map(\.envelope.receivedAt))
            #expect(frames.allSatisfy { $0.envelope.stream == opened.envelope.sequence })
            #expect(made.records.first?.envelope.sequence == .first)
            #expect(made.records.filter { $0.envelope.kind == .sourceDeclared }.count == 1)
            // The gap belongs to the other source.
            #expect(!made.records.contains { $0.envelope.kind == .gapOpened })
        }
    }

    @Test func `a kind keeps the events of streams, and takes no other frame`() throws {
        let disk = try makeSource(SimulatedFileSystem())
        let made = try filtered(disk, { $0.kinds = [RecordKind.note.rawValue] })
        #expect(!made.records.contains { $0.envelope.kind.isDataFrame })
        #expect(made.records.filter { $0.envelope.kind == .streamOpened }.count == 2)
        #expect(made.records.filter { $0.envelope.kind == .runStarted }.count == 1)
    }
}
