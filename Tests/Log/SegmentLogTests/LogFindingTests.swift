import Platform
import RecordModel
import SegmentFormat
import SegmentLog
import Simulation
import Testing

/// Whether a log still has the records that somebody read of it.
@Suite struct LogFindingTests {
    private func open(
        _ disk: SimulatedFileSystem,
        seed: UInt64 = 1,
        _ durability: DurabilityPolicy = .everyBlock,
        rotateBytes: UInt64 = 1 << 30
    ) throws -> LogWriter {
        var options = quickOptions(durability)
        options.rotateBytes = rotateBytes
        options.createdAt = 5
        options.segmentsCreatedAt = 5
        return try LogWriter(
            path: simulatedPath,
            disk: disk,
            clock: SystemClock(),
            schedule: SystemClock(),
            random: SeededRandom(seed: seed),
            options: options
        )
    }

    /// Appends records, a block each.
    private func append(
        _ count: Int,
        to writer: LogWriter,
        seed: UInt64 = 0,
        bytes: Int = 300
    ) throws {
        for number in 0..<count {
            let envelope = RecordEnvelope(kind: .grpcMessageIn, receivedAt: 1, monotonic: 1)
            let payload = noise(bytes, seed: seed &+ UInt64(number))
            _ = try writer.append(envelope, payload: payload.span.bytes)
            try writer.flush()
        }
    }

    /// The place of every record, by reading them all.
    private func places(_ disk: SimulatedFileSystem) throws -> [LogPlace] {
        let cursor = try RecordCursor(try RecordingReader(path: simulatedPath, disk: disk))
        var places: [LogPlace] = []
        while true {
            switch try cursor.next() {
            case .record:
                let sequence = cursor.envelope.sequence
                let place = try #require(cursor.place(of: sequence))
                #expect(place.sequence == sequence)
                places.append(place)
            case .hole(let hole):
                let place = try #require(cursor.place(of: hole.last))
                #expect(place.sequence == hole.last)
                places.append(place)
            case .damage: continue
            case .end: return places
            }
        }
    }

    private func finding(_ place: LogPlace, _ disk: SimulatedFileSystem) throws -> LogFinding {
        try RecordingReader(path: simulatedPath, disk: disk).finding(of: place)
    }

    @Test func `a log and its copy have every record that was read of it`() throws {
        let disk = SimulatedFileSystem()
        var writer = try open(disk, rotateBytes: 3_000)
        try append(20, to: writer)
        // While it is written, of a segment without an end.
        for place in try places(disk) { #expect(try finding(place, disk) == .same) }
        try writer.close(cause: "test")
        writer = try open(disk, seed: 2)
        try append(5, to: writer)
        try writer.close(cause: "test")
        let places = try places(disk)
        #expect(Set(places.map(\.segment)).count >= 4)
        #expect(Set(places.map(\.writerEpoch)) == [1, 2])
        let copy = disk.afterPowerCut(seed: 1, percent: 100)
        for place in places {
            #expect(try finding(place, disk) == .same)
            #expect(try finding(place, copy) == .same)
        }
    }

    @Test func `what a power cut took is missed, whatever was appended in its place`() throws {
        let disk = SimulatedFileSystem()
        var writer = try open(disk)
        try append(10, to: writer)
        try writer.close(cause: "test")
        let kept = try #require(try places(disk).last).sequence
        writer = try open(disk, seed: 2, .none)
        try append(10, to: writer)
        let read = try places(disk)
        let after = disk.afterPowerCut(seed: 3, percent: 0)
        try writer.close(cause: "test")
        // As the power cut left it, and then with as many other records and more.
        for count in [0, 10, 100] {
            if count > 0 {
                writer = try open(after, seed: 4)
                try append(count, to: writer, seed: 1_000)
                try writer.close(cause: "test")
            }
            for place in read {
                let found = try finding(place, after)
                if place.sequence <= kept {
                    #expect(found == .same)
                } else {
                    #expect(found != .same, "record \(place.sequence) after \(count)")
                }
            }
        }
        #expect(try places(after).last.map { $0.sequence > read[read.count - 1].sequence } == true)
        // Where the segment is still there, it says how much of it was kept.
        let shorter = disk.afterKill()
        writer = try open(shorter, seed: 7)
        let reopened = try places(shorter)
        try append(3, to: writer)
        let cut = shorter.afterPowerCut(seed: 3, percent: 100)
        try writer.close(cause: "test")
        let beyond = try #require(try places(shorter).last)
        _ = try open(cut, seed: 8).close(cause: "test")
        let found = try finding(beyond, cut)
        #expect(found == .keptThrough(beyond.sequence.previous))
        for place in reopened { #expect(try finding(place, cut) == .same) }
    }

    @Test func `a copy that was gone on with parts from the log it was made of`() throws {
        let disk = SimulatedFileSystem()
        let writer = try open(disk)
        try append(10, to: writer)
        let backup = disk.afterPowerCut(seed: 1, percent: 100)
        let common = try places(disk)
        try writer.close(cause: "test")
        // Both go on in a second run that writes as much as the other one.
        for (place, seed) in [(disk, 21), (backup, 22)] as [(SimulatedFileSystem, UInt64)] {
            let writer = try open(place, seed: seed)
            try append(10, to: writer, seed: seed * 100)
            try writer.close(cause: "test")
        }
        for place in common {
            #expect(try finding(place, disk) == .same)
            #expect(try finding(place, backup) == .same)
        }
        let own = try places(disk).filter { $0.writerEpoch == 2 }
        let other = try places(backup).filter { $0.writerEpoch == 2 }
        #expect(own.count > 10 && other.count > 10)
        for place in own {
            #expect(try finding(place, disk) == .same)
            #expect(try finding(place, backup) == .otherRecords)
        }
        for place in other { #expect(try finding(place, disk) == .otherRecords) }
    }

    @Test func `another recording has none of them, with the same identity either`() throws {
        let disk = SimulatedFileSystem()
        let writer = try open(disk)
        try append(10, to: writer)
        try writer.close(cause: "test")
        let last = try #require(try places(disk).last)
        let other = SimulatedFileSystem()
        let otherWriter = try open(other, seed: 2)
        try append(10, to: otherWriter)
        try otherWriter.close(cause: "test")
        let found = try RecordingReader(path: simulatedPath, disk: other)
        #expect(try finding(last, other) == .otherRecording(found.recordingID))
        // The same identity and salts: what the blocks hold, or where they begin, tells.
        for (seed, bytes) in [(5, 300), (0, 301), (0, 3_000)] as [(UInt64, Int)] {
            let twin = SimulatedFileSystem()
            let writer = try open(twin)
            try append(10, to: writer, seed: seed, bytes: bytes)
            try append(30, to: writer)
            try writer.close(cause: "test")
            let read = try places(disk).filter { $0.sequence > Sequence(1) }
            let reader = try RecordingReader(path: simulatedPath, disk: twin)
            #expect(reader.recordingID == last.recording)
            for place in read { #expect(try finding(place, twin) == .otherRecords) }
        }
    }

    @Test func `what a failed file held is looked for where the same run wrote it again`() throws {
        let disk = SimulatedFileSystem()
        let writer = try open(disk)
        try append(10, to: writer)
        disk.failNext("fdatasync", of: ".seg", errno: 5, times: 1)
        for number in 0..<3 {
            let envelope = RecordEnvelope(kind: .grpcMessageIn, receivedAt: 1, monotonic: 1)
            _ = try writer.append(envelope, payload: noise(300, seed: UInt64(number)).span.bytes)
        }
        try writer.flush()
        var read = try places(disk)
        let segments = try RecordingReader(path: simulatedPath, disk: disk).segments
        #expect(segments.count == 2)
        let limit = try #require(segments[0].limit)
        // As somebody read them who came before the failure.
        for index in read.indices where read[index].sequence >= limit {
            read[index].segment = read[0].segment
            read[index].segmentLink = read[0].segmentLink
            read[index].blockLink ^= 1
        }
        #expect(read.contains { $0.sequence >= limit })
        try append(3, to: writer)
        let cut = disk.afterPowerCut(seed: 1, percent: 100)
        try writer.close(cause: "test")
        for place in read { #expect(try finding(place, disk) == .same) }
        // Before it had been written again, the power went: then another run's stand there.
        let second = segments[1].path
        let bytes = try #require(cut.contents(of: second))
        cut.replace(second, with: Array(bytes.prefix(FormatLimits.segmentHeaderBytes)))
        let next = try open(cut, seed: 9)
        try append(20, to: next, seed: 77)
        try next.close(cause: "test")
        for place in read {
            let found = try finding(place, cut)
            #expect((found == .same) == (place.sequence < limit), "record \(place.sequence)")
        }
    }

    @Test func `of what was retired the manifest still tells`() throws {
        let disk = SimulatedFileSystem()
        let writer = try open(disk, rotateBytes: 3_000)
        try append(20, to: writer)
        try writer.close(cause: "test")
        let read = try places(disk)
        var policy = RetentionPolicy()
        policy.bytesMax = 0
        _ = try SegmentRetirement(path: simulatedPath, disk: disk, policy: policy).retire(now: 0)
        let left = try RecordingReader(path: simulatedPath, disk: disk).segments
        #expect(left.count == 1)
        for place in read { #expect(try finding(place, disk) == .same) }
        // Beyond what the segment had, or of one that was another one.
        var place = read[3]
        place.sequence = Sequence(place.sequence.value + 1_000)
        #expect(try finding(place, disk) != .same)
        place = read[3]
        place.segmentLink ^= 1
        #expect(try finding(place, disk) == .otherRecords)
    }

    @Test func `damage is not taken for another log`() throws {
        let disk = SimulatedFileSystem()
        let writer = try open(disk, rotateBytes: 3_000)
        try append(20, to: writer)
        try writer.close(cause: "test")
        let read = try places(disk)
        let segment = try RecordingReader(path: simulatedPath, disk: disk).segments[1]
        let whole = try #require(disk.contents(of: segment.path))
        for offset in stride(from: 0, to: whole.count, by: 37) {
            var bytes = whole
            bytes[offset] ^= 0x10
            disk.replace(segment.path, with: bytes)
            for place in read where place.segment == segment.ordinal {
                #expect(try finding(place, disk) == .same, "byte \(offset)")
            }
        }
        disk.erase(segment.path)
        for place in read { #expect(try finding(place, disk) == .same) }
    }
}
