import LogCare
import Platform
import RecordModel
import SegmentFormat
import SegmentLog
import Simulation
import Testing

@Suite struct GapHistoryTests {
    private func history(_ body: (LogWriter) throws -> Void) throws -> GapHistory {
        let disk = SimulatedFileSystem()
        var options = LogOptions()
        options.durability = .everyBlock
        options.compressors = 1
        let writer = try LogWriter(
            path: source,
            disk: disk,
            clock: TestClock(),
            schedule: SystemClock(),
            random: SeededRandom(seed: 5),
            options: options
        )
        try body(writer)
        try writer.close(cause: "test")
        return try GapHistory(try RecordingReader(path: source, disk: disk))
    }

    private func settle(
        _ writer: LogWriter,
        _ kind: RecordKind,
        _ gap: Sequence,
        _ change: (inout EventFields) -> Void = { _ in }
    ) throws {
        var fields = EventFields()
        fields.add(.gap, gap.value)
        change(&fields)
        try writer.append(event: kind, fields: fields)
    }

    @Test func `gaps go from open to bounded, filled or abandoned`() throws {
        let found = try history { writer in
            var ids: [Sequence] = []
            for number in 0..<4 {
                var gap = fields([(.source, "s\(number)"), (.cause, "crash")])
                gap.add(.fromTime, Int64(100))
                gap.add(.fromSequence, UInt64(7))
                ids.append(try writer.append(event: .gapOpened, fields: gap).sequence)
            }
            for id in ids.dropFirst() {
                try settle(writer, .gapBounded, id) { fields in
                    fields.add(.toTime, Int64(350))
                    fields.add(.toSequence, UInt64(9))
                    fields.add(.toPosition, UInt64(33))
                }
            }
            try settle(writer, .gapFilled, ids[2])
            try settle(writer, .gapAbandoned, ids[3]) { $0.add(.cause, "too old") }
        }
        #expect(found.gaps.map(\.state) == [.open, .bounded, .filled, .abandoned])
        #expect(found.gaps.map(\.source) == ["s0", "s1", "s2", "s3"])
        #expect(found.gaps.map(\.duration) == [nil, 250, 250, 250])
        #expect(found.gaps.map(\.to) == [nil, 9, 9, 9])
        #expect(found.gaps.map(\.toPosition) == [nil, 33, 33, 33])
        #expect(found.gaps.allSatisfy { $0.from == 7 && $0.cause == "crash" })
        #expect(found.gaps[3].reason == "too old")
        #expect(found.gaps.map(\.settledAt) == [nil, nil, 1_000, 1_000])
        #expect(found.hasFindings)
    }

    @Test func `settled gaps are no findings, damage is one`() throws {
        let found = try history { writer in
            let gap = try writer.append(event: .gapOpened, fields: EventFields()).sequence
            try settle(writer, .gapAbandoned, gap)
        }
        #expect(!found.hasFindings)
        let disk = try makeSource(SimulatedFileSystem())
        let file = try segments(disk)[1]
        var bytes = try #require(disk.contents(of: file))
        bytes[bytes.count / 2] ^= 1
        disk.replace(file, with: bytes)
        let damaged = try GapHistory(try RecordingReader(path: source, disk: disk))
        #expect(damaged.damage.count == 1)
        #expect(damaged.hasFindings)
        var salvage = Salvage(of: source, to: output, setting(disk))
        let report = try salvage.run()
        let recovered = try GapHistory(try RecordingReader(path: output, disk: disk))
        #expect(recovered.damage.isEmpty)
        #expect(recovered.holes.map(\.from) == report.lost.map(\.missingFrom))
        #expect(recovered.gaps.contains { $0.cause == "damage" && $0.state == .bounded })
    }

    @Test func `a gap that was open before a cut is one of the cut`() throws {
        let disk = try makeSource(SimulatedFileSystem())
        var cut = RangeCut(
            of: try RecordingReader(path: source, disk: disk),
            from: Sequence(50),
            through: nil,
            skipsDamage: false,
            to: output,
            setting(disk)
        )
        _ = try cut.run()
        let all = try GapHistory(try RecordingReader(path: source, disk: disk))
        let found = try GapHistory(try RecordingReader(path: output, disk: disk))
        #expect(found.gaps.map(\.id) == all.gaps.map(\.id))
        #expect(found.gaps.count == 1)
    }
}

@Suite struct ByteUsageTests {
    @Test func `every byte of every segment is counted once, whatever is damaged`() throws {
        let original = try makeSource(SimulatedFileSystem())
        let files = try segments(original)
        for spoilt in [nil, 0, 130, 2_000, 5_000] as [Int?] {
            let disk = original.afterKill()
            if let spoilt {
                var bytes = try #require(disk.contents(of: files[1]))
                bytes[spoilt] ^= 8
                disk.replace(files[1], with: bytes)
            }
            let size = try files.reduce(0) { $0 + (try #require(disk.contents(of: $1))).count }
            for grouping in ByteUsage.Grouping.allCases {
                let reader = try RecordingReader(path: source, disk: disk)
                let usage = try ByteUsage(reader, by: grouping)
                #expect(usage.total.storedBytes == UInt64(size), "\(grouping) \(spoilt ?? -1)")
            }
        }
    }

    @Test func `frames are counted for their stream and source`() throws {
        let disk = try makeSource(SimulatedFileSystem())
        let whole = try Reading(source, disk)
        let reader = try RecordingReader(path: source, disk: disk)
        let rows = try ByteUsage(reader, by: .source).rows
        for name in ["main", "spare"] {
            let row = try #require(rows.first { $0.name == name })
            #expect(row.frames == 30)
        }
        let streams = try ByteUsage(reader, by: .stream).rows
        for row in streams where row.frames > 0 {
            let expected = whole.records.filter {
                $0.envelope.stream.description == row.name && $0.envelope.kind.isDataFrame
            }
            #expect(row.frames == UInt64(expected.count))
        }
        #expect(streams.filter { $0.frames == 30 }.count == 2)
    }
}
