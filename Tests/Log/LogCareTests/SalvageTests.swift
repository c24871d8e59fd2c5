import LogCare
import Platform
import RecordModel
import SegmentFormat
import SegmentLog
import Simulation
import Testing

@Suite struct SalvageTests {
    private func recover(_ disk: SimulatedFileSystem) throws -> SalvageReport {
        var salvage = Salvage(of: source, to: output, setting(disk))
        return try salvage.run()
    }

    private func state(_ disk: SimulatedFileSystem) throws -> [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        for folder in [source, source + "/segments"] {
            for name in try disk.list(folder) {
                if let bytes = disk.contents(of: folder + "/" + name) {
                    files[folder + "/" + name] = bytes
                }
            }
        }
        return files
    }

    @Test func `a whole recording is recovered record for record and nothing is added`() throws {
        let disk = try makeSource(SimulatedFileSystem())
        let before = try state(disk)
        let report = try recover(disk)
        #expect(!report.hasLoss)
        #expect(try Reading(output, disk).records == Reading(source, disk).records)
        #expect(try verdict(output, disk).isWhole)
        #expect(try state(disk) == before)
        #expect(
            try RecordingReader(path: output, disk: disk).identity.origin?
                .hasPrefix("recovered from ") == true
        )
    }

    @Test func `a damaged block becomes a hole, and a gap record names its place`() throws {
        let disk = try makeSource(SimulatedFileSystem())
        let whole = try Reading(source, disk)
        let file = try segments(disk)[1]
        var bytes = try #require(disk.contents(of: file))
        bytes[bytes.count / 2] ^= 1
        disk.replace(file, with: bytes)
        let report = try recover(disk)
        #expect(report.hasLoss)
        #expect(report.damagedBytes > 0)
        let loss = try #require(report.lost.first)
        let made = try Reading(output, disk)
        // Every record outside of the loss, unchanged, and behind them the run that tells of it.
        let expected = whole.records.filter {
            $0.envelope.sequence < loss.missingFrom || $0.envelope.sequence > loss.missingThrough
        }
        #expect(Array(made.records.prefix(expected.count)) == expected)
        #expect(made.holes.map(\.from) == [loss.missingFrom])
        #expect(made.holes.map(\.last) == [loss.missingThrough])
        let told = made.records.dropFirst(expected.count).map(\.envelope.kind)
        #expect(told == [.runStarted, .gapOpened, .gapBounded, .runEnded])
        let gap = try made.fields(expected.count + 1)
        #expect(gap.text(.cause) == "damage")
        #expect(gap.unsigned(.fromSequence) == loss.missingFrom.value - 1)
        #expect(gap.text(.evidence)?.contains("\(loss.offset)") == true)
        let bound = try made.fields(expected.count + 2)
        #expect(bound.unsigned(.toSequence) == loss.missingThrough.value + 1)
        #expect(try verdict(output, disk).isWhole)
    }

    /// Damages the first segment, which holds the opening of every stream.
    private func loseTheBeginning(_ disk: SimulatedFileSystem, erased: Bool) throws {
        let file = try segments(disk)[0]
        if erased {
            disk.erase(file)
            return
        }
        var bytes = try #require(disk.contents(of: file))
        // Every block from the context on.
        for offset in stride(from: 130, to: bytes.count - 100, by: 60) { bytes[offset] ^= 1 }
        disk.replace(file, with: bytes)
    }

    @Test(arguments: [true, false])
    func `what a later segment knows of lost events is in force again`(erased: Bool) throws {
        let disk = try makeSource(SimulatedFileSystem(), frames: 600)
        let original = try RecordingReader(path: source, disk: disk)
        let whole = try Reading(source, disk)
        #expect(original.segments.count > 3)
        try loseTheBeginning(disk, erased: erased)
        var setting = setting(disk)
        setting.rotateBytes = 3_000
        var salvage = Salvage(of: source, to: output, setting)
        #expect(try salvage.run().hasLoss)
        #expect(try verdict(output, disk).isWhole)
        let made = try RecordingReader(path: output, disk: disk)
        // Right behind the hole, and then wherever the new recording begins a segment.
        var told = 0
        for segment in made.segments where segment.firstSequence.value <= whole.records.count {
            var expected = ContextState()
            for record in whole.records where record.envelope.sequence < segment.firstSequence {
                expected.apply(record.envelope, payload: record.payload.span.bytes)
            }
            guard segment.firstSequence >= original.segments[1].firstSequence else { continue }
            #expect(try made.context(of: segment) == expected, "\(segment.firstSequence)")
            #expect(expected.openStreams.count == 2 || told > 0)
            told += 1
        }
        #expect(told > 2)
        #expect(made.segments.contains { $0.firstSequence == original.segments[1].firstSequence })
        // What was recovered once is recovered again.
        var again = Salvage(of: output, to: "/again", setting)
        #expect(try !again.run().hasLoss)
        let second = try RecordingReader(path: "/again", disk: disk)
        let first = try #require(
            second.segments.first { $0.firstSequence == original.segments[1].firstSequence }
        )
        #expect(try second.context(of: first)?.openStreams.count == 2)
        #expect(try verdict("/again", disk).isWhole)
    }

    @Test func `cuts and merges keep what a later segment knows of lost events`() throws {
        let disk = try makeSource(SimulatedFileSystem())
        try loseTheBeginning(disk, erased: true)
        let reader = try RecordingReader(path: source, disk: disk)
        let second = reader.segments[1]
        let known = try #require(try reader.context(of: second))
        var range = RangeCut(
            of: reader,
            from: .first,
            through: nil,
            skipsDamage: true,
            to: "/range",
            setting(disk)
        )
        _ = try range.run()
        let cut = try RecordingReader(path: "/range", disk: disk)
        let behind = try #require(
            cut.segments.first { $0.firstSequence == second.firstSequence }
        )
        #expect(try cut.context(of: behind) == known)
        var filter = RecordFilter()
        filter.kinds = [RecordKind.grpcMessageIn.rawValue]
        _ = try FilteredCut(
            of: reader,
            from: .first,
            through: nil,
            taking: filter,
            skipsDamage: true,
            to: "/filtered",
            setting(disk)
        ).run()
        _ = try Merge(of: [reader], skipsDamage: true, to: "/merged", setting(disk)).run()
        for path in ["/filtered", "/merged"] {
            let made = try Reading(path, disk)
            let opened = made.records.indices.filter {
                made.records[$0].envelope.kind == .streamOpened
            }
            #expect(try opened.map { try made.fields($0).text(.source) } == ["main", "spare"])
            #expect(try verdict(path, disk).isWhole, "\(path)")
        }
        let history = try GapHistory(reader)
        #expect(history.gaps.count == known.openGaps.count)
    }

    @Test func `identity and manifest may be gone or spoilt`() throws {
        let whole = try Reading(source, try makeSource(SimulatedFileSystem()))
        let names = ["/recording.json", "/segments/MANIFEST"]
        for lost in [[0], [1], [0, 1]] {
            for isErased in [true, false] {
                let disk = try makeSource(SimulatedFileSystem())
                for index in lost {
                    if isErased {
                        disk.erase(source + names[index])
                    } else {
                        disk.replace(source + names[index], with: [0xFF, 0x00])
                    }
                }
                let report = try recover(disk)
                #expect(!report.hasLoss, "\(lost) \(isErased)")
                #expect(!report.harmless.isEmpty, "\(lost) \(isErased)")
                #expect(try Reading(output, disk).records == whole.records, "\(lost) \(isErased)")
            }
        }
    }

    @Test func `a header that is damaged while the manifest is gone costs no record`() throws {
        let disk = try makeSource(SimulatedFileSystem())
        let whole = try Reading(source, disk)
        disk.erase(source + "/segments/MANIFEST")
        let file = try segments(disk)[1]
        var bytes = try #require(disk.contents(of: file))
        // Created at: covered by the header's checksum only.
        bytes[75] ^= 1
        disk.replace(file, with: bytes)
        let report = try recover(disk)
        #expect(!report.hasLoss)
        #expect(try Reading(output, disk).records == whole.records)
    }

    @Test func `a flipped bit anywhere loses at most its block and is never silent`() throws {
        let original = try makeSource(SimulatedFileSystem(), frames: 24)
        let whole = try Reading(source, original)
        for file in try segments(original) {
            let bytes = try #require(original.contents(of: file))
            for offset in stride(from: 1, to: bytes.count, by: 97) {
                let disk = original.afterKill()
                var spoilt = bytes
                spoilt[offset] ^= 4
                disk.replace(file, with: spoilt)
                let report = try recover(disk)
                #expect(
                    report.hasLoss || !report.harmless.isEmpty,
                    "\(file) at \(offset): nothing said"
                )
                let made = try Reading(output, disk)
                let lost = report.lost.map { $0.missingFrom...$0.missingThrough }
                let expected = whole.records.filter { record in
                    !lost.contains { $0.contains(record.envelope.sequence) }
                }
                #expect(Array(made.records.prefix(expected.count)) == expected)
                #expect(report.lostSequences <= 9, "\(file) at \(offset)")
            }
        }
    }

    @Test func `sectors that cannot be read cost only their blocks`() throws {
        let disk = try makeSource(SimulatedFileSystem())
        let whole = try Reading(source, disk)
        let bad = BadSectors(disk, file: try segments(disk)[0], bytes: 2_048..<2_560)
        var salvage = Salvage(of: source, to: output, setting(bad))
        let report = try salvage.run()
        #expect(report.unreadableBytes == 512)
        #expect(report.hasLoss)
        let made = try Reading(output, disk)
        let lost = report.lost.map { $0.missingFrom...$0.missingThrough }
        let expected = whole.records.filter { record in
            !lost.contains { $0.contains(record.envelope.sequence) }
        }
        #expect(expected.count > whole.records.count - 12)
        #expect(Array(made.records.prefix(expected.count)) == expected)
    }

    @Test func `a recording that a kill left is recovered without its torn tail`() throws {
        let disk = try makeSource(SimulatedFileSystem(), isClosed: false)
        let whole = try Reading(source, disk)
        let file = try #require(try segments(disk).last)
        disk.replace(file, with: try #require(disk.contents(of: file)) + [1, 2, 3])
        let report = try recover(disk)
        #expect(!report.hasLoss)
        #expect(report.tornBytes == 3)
        #expect(try Reading(output, disk).records == whole.records)
    }

    @Test func `what is no recording is refused and nothing is made`() throws {
        let disk = SimulatedFileSystem()
        try disk.createDirectory(source)
        try disk.createDirectory(source + "/segments")
        #expect(throws: CareError.self) { try recover(disk) }
        #expect(try disk.kind(of: output) == nil)
    }

    @Test func `the writing of what was recovered can be stopped`() throws {
        let disk = try makeSource(SimulatedFileSystem())
        var asked = setting(disk)
        asked.isAsked = { true }
        var salvage = Salvage(of: source, to: output, asked)
        do {
            _ = try salvage.run()
            Issue.record("it went on")
        } catch {
            guard case .interrupted = error else { throw error }
        }
    }
}

/// A disk on which a range of one file gives EIO.
private struct BadSectors: FileSystem {
    let below: SimulatedFileSystem
    let file: String
    let bytes: Range<UInt64>

    init(_ below: SimulatedFileSystem, file: String, bytes: Range<UInt64>) {
        self.below = below
        self.file = file
        self.bytes = bytes
    }

    func open(_ path: String, _ mode: OpenMode) throws(SystemError) -> any File {
        let opened = try below.open(path, mode)
        return path == file ? BadFile(below: opened, bytes: bytes) : opened
    }
    func createDirectory(_ path: String) throws(SystemError) { try below.createDirectory(path) }
    func syncDirectory(_ path: String) throws(SystemError) { try below.syncDirectory(path) }
    func rename(_ from: String, to target: String) throws(SystemError) {
        try below.rename(from, to: target)
    }
    func remove(_ path: String) throws(SystemError) { try below.remove(path) }
    func list(_ path: String) throws(SystemError) -> [String] { try below.list(path) }
    func kind(of path: String) throws(SystemError) -> FileKind? { try below.kind(of: path) }
    func freeBytes(at path: String) throws(SystemError) -> UInt64 {
        try below.freeBytes(at: path)
    }
}

private final class BadFile: File {
    let below: any File
    let bytes: Range<UInt64>

    init(below: any File, bytes: Range<UInt64>) {
        self.below = below
        self.bytes = bytes
    }

    func size() throws(SystemError) -> UInt64 { try below.size() }
    func read(
        into buffer: UnsafeMutableRawBufferPointer,
        at offset: UInt64
    ) throws(SystemError) -> Int {
        if offset < bytes.upperBound, offset + UInt64(buffer.count) > bytes.lowerBound {
            throw SystemError(call: "pread", subject: "bad", errno: 5)
        }
        return try below.read(into: buffer, at: offset)
    }
    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(SystemError) {
        try below.write(bytes, at: offset)
    }
    func syncData() throws(SystemError) { try below.syncData() }
    func truncate(to size: UInt64) throws(SystemError) { try below.truncate(to: size) }
    func allocate(_ size: UInt64) throws(SystemError) { try below.allocate(size) }
    func tryLock() throws(SystemError) -> Bool { try below.tryLock() }
    func close() throws(SystemError) { try below.close() }
}
