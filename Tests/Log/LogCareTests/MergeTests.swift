import LogCare
import Platform
import RecordModel
import SegmentFormat
import SegmentLog
import Simulation
import Testing

@Suite struct MergeTests {
    private func merge(_ disk: SimulatedFileSystem, _ paths: [String]) throws -> MergeReport {
        let readers = try paths.map { try RecordingReader(path: $0, disk: disk) }
        let report = try Merge(of: readers, skipsDamage: false, to: output, setting(disk)).run()
        #expect(try verdict(output, disk).isWhole)
        return report
    }

    /// Frames by the payloads of their stream, which differ from recording to recording.
    private func frames(_ reading: Reading) -> [StreamID: [[UInt8]]] {
        var found: [StreamID: [[UInt8]]] = [:]
        for record in reading.records where record.envelope.kind.isDataFrame {
            found[record.envelope.stream, default: []].append(record.payload)
        }
        return found
    }

    @Test func `frames are ordered by time and each stream keeps its own`() throws {
        let disk = SimulatedFileSystem()
        _ = try makeSource(disk, at: "/a", startingAt: 1_000, seed: 5)
        _ = try makeSource(disk, at: "/b", startingAt: 1_203, seed: 6)
        let report = try merge(disk, ["/a", "/b"])
        let made = try Reading(output, disk)
        let times = made.records.filter { $0.envelope.kind.isDataFrame }.map(\.envelope.receivedAt)
        #expect(times.count == 120)
        #expect(times == times.sorted())
        // The streams of the originals, each whole and alone in a stream of the result.
        let originals = [frames(try Reading("/a", disk)), frames(try Reading("/b", disk))]
        let expected = Set(originals.flatMap { $0.values })
        #expect(Set(frames(made).values) == expected)
        #expect(expected.count == 4)
        for stream in frames(made).keys {
            let opened = made.records.first { $0.envelope.sequence == stream }
            #expect(opened?.envelope.kind == .streamOpened)
        }
        // The same declarations share their name.
        #expect(report.renamed.isEmpty)
        let monotonic = made.records.map(\.envelope.monotonic)
        #expect(monotonic == monotonic.sorted())
        #expect(made.records.filter { $0.envelope.kind == .runStarted }.count == 1)
        #expect(made.records.filter { $0.envelope.kind == .note }.count == 4)
    }

    @Test func `equal times keep the order of the recordings`() throws {
        let disk = SimulatedFileSystem()
        _ = try makeSource(disk, at: "/a", frames: 8, seed: 5)
        _ = try makeSource(disk, at: "/b", frames: 8, seed: 6)
        for paths in [["/a", "/b"], ["/b", "/a"]] {
            let copy = disk.afterKill()
            _ = try merge(copy, paths)
            let made = try Reading(output, copy).records.filter { $0.envelope.kind.isDataFrame }
            let originals = try paths.map { path in
                try Reading(path, copy).records.filter { $0.envelope.kind.isDataFrame }
            }
            // The last events before the first frame have the time of the clock, so the first
            // frame of each comes at its own time, and then they take turns.
            #expect(made.count == 16)
            for (one, other) in zip(made, made.dropFirst())
            where one.envelope.receivedAt == other.envelope.receivedAt {
                #expect(originals[0].contains { $0.payload == one.payload })
                #expect(originals[1].contains { $0.payload == other.payload })
            }
        }
    }

    @Test func `a source that means something else gets another name`() throws {
        let disk = SimulatedFileSystem()
        _ = try makeSource(disk, at: "/a", frames: 8, seed: 5)
        var options = LogOptions()
        options.durability = .everyBlock
        options.compressors = 1
        let writer = try LogWriter(
            path: "/b",
            disk: disk,
            clock: TestClock(),
            schedule: SystemClock(),
            random: SeededRandom(seed: 9),
            options: options
        )
        let other = fields([(.source, "main"), (.transport, "websocket")])
        try writer.append(event: .sourceDeclared, fields: other)
        let stream = try writer.append(event: .streamOpened, fields: other).sequence
        try writer.append(
            event: .streamAccepted,
            stream: stream,
            fields: fields([(.source, "main")])
        )
        try writer.close(cause: "test")
        let report = try merge(disk, ["/a", "/b"])
        #expect(report.renamed.map(\.from) == ["main"])
        #expect(report.renamed.map(\.to) == ["main-2"])
        let made = try Reading(output, disk)
        let sources = try made.records.indices
            .filter { !made.records[$0].envelope.kind.isDataFrame }
            .compactMap { try made.fields($0).text(.source) }
        #expect(sources.filter { $0 == "main-2" }.count == 3)
    }

    @Test func `gaps and their ends name each other in the result`() throws {
        let disk = SimulatedFileSystem()
        for (path, seed) in [("/a", UInt64(1)), ("/b", 2)] {
            var options = LogOptions()
            options.durability = .everyBlock
            options.compressors = 1
            let writer = try LogWriter(
                path: path,
                disk: disk,
                clock: TestClock(),
                schedule: SystemClock(),
                random: SeededRandom(seed: seed),
                options: options
            )
            for number in 0..<5 {
                _ = try writer.append(
                    RecordEnvelope(kind: .note, receivedAt: 1_000 + Int64(number), monotonic: 0),
                    payload: [UInt8(seed)].span.bytes
                )
            }
            var opened = fields([(.cause, path)])
            opened.add(.fromSequence, UInt64(4))
            let gap = try writer.append(event: .gapOpened, fields: opened).sequence
            var filled = EventFields()
            filled.add(.gap, gap.value)
            try writer.append(event: .gapFilled, fields: filled)
            try writer.close(cause: "test")
        }
        _ = try merge(disk, ["/a", "/b"])
        let made = try Reading(output, disk)
        var causes: [UInt64: String] = [:]
        var filled = 0
        for index in made.records.indices {
            let record = made.records[index]
            if record.envelope.kind == .gapOpened {
                let fields = try made.fields(index)
                let cause = try #require(fields.text(.cause))
                causes[record.envelope.sequence.value] = cause
                // The record that it names is the same one as before: the third remark.
                let from = try #require(fields.unsigned(.fromSequence))
                let named = try #require(made.records.first { $0.envelope.sequence.value == from })
                #expect(named.payload == [cause == "/a" ? 1 : 2])
                #expect(named.envelope.receivedAt == 1_002)
            }
            if record.envelope.kind == .gapFilled {
                let gap = try #require(try made.fields(index).unsigned(.gap))
                #expect(causes[gap] != nil)
                filled += 1
            }
        }
        #expect(filled == 2)
        #expect(Set(causes.values) == ["/a", "/b"])
    }

    @Test func `streams that a crash left open end where the next run begins`() throws {
        let disk = try makeSource(SimulatedFileSystem(), at: "/a", frames: 8, isClosed: false)
        var options = LogOptions()
        options.durability = .everyBlock
        options.compressors = 1
        let writer = try LogWriter(
            path: "/a",
            disk: disk,
            clock: TestClock(),
            schedule: SystemClock(),
            random: SeededRandom(seed: 10),
            options: options
        )
        try writer.close(cause: "test")
        _ = try merge(disk, ["/a"])
        let made = try Reading(output, disk)
        let opened = made.records.filter { $0.envelope.kind == .streamOpened }
        let closed = made.records.filter { $0.envelope.kind == .streamClosed }
        #expect(opened.map(\.envelope.sequence) == closed.map(\.envelope.stream))
        #expect(opened.count == 2)
    }
}
