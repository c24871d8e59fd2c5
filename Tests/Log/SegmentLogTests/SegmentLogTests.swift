import Platform
import RecordModel
import SegmentFormat
import SegmentLog
import Testing

@Suite struct LogWriterTests {
    @Test func `a block closes sooner for a reader that waits`() throws {
        let folder = try TemporaryFolder()
        var options = LogOptions()
        // By age alone no block would close while this test runs.
        options.blockNanosecondsMax = 3_600_000_000_000
        let writer = try openWriter(folder.path, options)
        try writer.flush()
        let reader = try RecordingReader(path: folder.path, disk: LinuxFileSystem())
        let cursor = try RecordCursor(reader, follows: true)
        while case .record = try cursor.next() {}
        let appended = try writer.append(
            RecordEnvelope(kind: .grpcMessageIn, stream: Sequence(1), receivedAt: 1, monotonic: 1),
            payload: [7].span.bytes
        )
        var found: Sequence?
        try eventually("the record") {
            if case .record = try cursor.next() { found = cursor.envelope.sequence }
            return found != nil
        }
        #expect(found == appended.sequence)
        try writer.close(cause: "test")
    }

    @Test func `an idle segment is sealed when it is old enough`() throws {
        let folder = try TemporaryFolder()
        var options = LogOptions()
        options.rotateNanoseconds = 1
        let writer = try openWriter(folder.path, options)
        try writer.flush()
        var segments = 0
        try eventually("the second segment") {
            segments = try RecordingReader(path: folder.path, disk: LinuxFileSystem())
                .segments.count
            return segments >= 2
        }
        #expect(segments == 2)
        try writer.close(cause: "test")
        #expect(try readAll(folder.path).records.count == 2)
    }

    @Test func `what is appended comes back, byte for byte and in order`() throws {
        let folder = try TemporaryFolder()
        let writer = try openWriter(folder.path)
        var expected: [[UInt8]] = []
        for number in 0..<5000 {
            let payload = samplePayload(number)
            expected.append(payload)
            let appended = try writer.append(
                RecordEnvelope(
                    kind: .grpcMessageIn,
                    wireByte: UInt8(number & 1),
                    stream: Sequence(7),
                    receivedAt: Int64(number) * 1000,
                    monotonic: UInt64(number)
                ),
                payload: payload.span.bytes
            )
            #expect(appended.sequence == Sequence(UInt64(number) + 2))
        }
        try writer.close(cause: "test")
        let read = try readAll(folder.path)
        #expect(read.damage.isEmpty)
        #expect(read.records.first?.envelope.kind == .runStarted)
        #expect(read.records.last?.envelope.kind == .runEnded)
        let frames = read.records.filter { $0.envelope.kind == .grpcMessageIn }
        let isSame = frames.map(\.payload) == expected
        #expect(isSame)
        #expect(frames.map(\.envelope.sequence.value) == Array(2...5001))
        #expect(frames[17].envelope.wireByte == 1)
        #expect(frames[17].envelope.receivedAt == 17_000)
        #expect(frames[17].envelope.monotonic == 17)
        #expect(frames[17].envelope.stream == Sequence(7))
    }

    @Test func `a second writer is refused, and a later one goes on with a higher epoch`() throws {
        let folder = try TemporaryFolder()
        let writer = try openWriter(folder.path)
        #expect(throws: LogError.self) {
            _ = try openWriter(folder.path)
        }
        try writer.close(cause: "test")
        let second = try openWriter(folder.path)
        #expect(second.writerEpoch == 2)
        #expect(second.recovery.previousRunEnded)
        #expect(second.recovery.lastSequenceKept == Sequence(2))
        try second.close(cause: "test")
        let read = try readAll(folder.path)
        #expect(read.damage.isEmpty)
        #expect(read.records.map(\.envelope.sequence.value) == [1, 2, 3, 4])
    }

    @Test func `segments rotate by size and keep one chain`() throws {
        let folder = try TemporaryFolder()
        var options = LogOptions()
        options.rotateBytes = 100_000
        let writer = try openWriter(folder.path, options)
        for number in 0..<3000 {
            _ = try writer.append(
                RecordEnvelope(kind: .webSocketFrameIn, receivedAt: 1, monotonic: 1),
                payload: noise(1000, seed: UInt64(number)).span.bytes
            )
        }
        try writer.close(cause: "test")
        let reader = try RecordingReader(path: folder.path, disk: LinuxFileSystem())
        #expect(reader.segments.count > 10)
        let unsealed = reader.segments.filter { !$0.isSealed }
        #expect(unsealed.isEmpty)
        let read = try readAll(folder.path)
        #expect(read.damage.isEmpty)
        #expect(read.records.count == 3002)
    }

    @Test func `flush makes everything durable`() throws {
        let folder = try TemporaryFolder()
        var options = LogOptions()
        options.durability = .interval(nanoseconds: 3_600_000_000_000)
        let writer = try openWriter(folder.path, options)
        for _ in 0..<10 {
            let last = try writer.append(event: .note, fields: EventFields()).sequence
            try writer.flush()
            #expect(writer.watermarks.durable >= last)
        }
        try writer.close(cause: "test")
    }

    @Test func `with policy none the durable sequence stays`() throws {
        let folder = try TemporaryFolder()
        var options = LogOptions()
        options.durability = .none
        let writer = try openWriter(folder.path, options)
        let last = try writer.append(event: .note, fields: EventFields()).sequence
        try writer.flush()
        #expect(writer.watermarks.written >= last)
        #expect(writer.watermarks.durable == .none)
        try writer.close(cause: "test")
        let records = try readAll(folder.path).records
        #expect(records.count == 3)
    }

    @Test func `an oversized record gets a block of its own`() throws {
        let folder = try TemporaryFolder()
        let writer = try openWriter(folder.path)
        let large = noise(5_000_000, seed: 3)
        let envelope = RecordEnvelope(kind: .grpcMessageIn, receivedAt: 1, monotonic: 1)
        _ = try writer.append(envelope, payload: [UInt8]([1, 2, 3]).span.bytes)
        _ = try writer.append(envelope, payload: large.span.bytes)
        _ = try writer.append(envelope, payload: [UInt8]([4]).span.bytes)
        #expect(throws: LogError.self) {
            let beyond = [UInt8](repeating: 0, count: FormatLimits.payloadBytesMax + 1)
            _ = try writer.append(envelope, payload: beyond.span.bytes)
        }
        try writer.close(cause: "test")
        let frames = try readAll(folder.path).records.filter { $0.envelope.kind.isDataFrame }
        let isSame = frames.map(\.payload) == [[1, 2, 3], large, [4]]
        #expect(isSame)
    }

    @Test func `a cursor seeks to any sequence`() throws {
        let folder = try TemporaryFolder()
        var options = LogOptions()
        options.rotateBytes = 50_000
        let writer = try openWriter(folder.path, options)
        for number in 0..<2000 {
            _ = try writer.append(
                RecordEnvelope(kind: .grpcMessageIn, receivedAt: Int64(number), monotonic: 0),
                payload: noise(300, seed: UInt64(number)).span.bytes
            )
        }
        try writer.close(cause: "test")
        let reader = try RecordingReader(path: folder.path, disk: LinuxFileSystem())
        for target in stride(from: UInt64(1), through: 2002, by: 97) {
            let cursor = try RecordCursor(reader, from: Sequence(target))
            guard case .record = try cursor.next() else {
                Issue.record("no record at \(target)")
                continue
            }
            #expect(cursor.envelope.sequence == Sequence(target))
        }
        let behind = try RecordCursor(reader, from: Sequence(2003))
        guard case .end = try behind.next() else {
            Issue.record("something behind the end")
            return
        }
    }

    @Test func `a follower sees records while they are written, across segments`() throws {
        let folder = try TemporaryFolder()
        var options = LogOptions()
        options.rotateBytes = 20_000
        let writer = try openWriter(folder.path, options)
        let reader = try RecordingReader(path: folder.path, disk: LinuxFileSystem())
        let cursor = try RecordCursor(reader, from: .first, follows: true)
        var seen: [UInt64] = []
        for number in 0..<300 {
            _ = try writer.append(
                RecordEnvelope(kind: .grpcMessageIn, receivedAt: 1, monotonic: 0),
                payload: noise(500, seed: UInt64(number)).span.bytes
            )
            guard number % 50 == 49 else { continue }
            try writer.flush()
            steps: while true {
                switch try cursor.next() {
                case .record: seen.append(cursor.envelope.sequence.value)
                case .end: break steps
                case .hole, .damage: Issue.record("neither hole nor damage was written")
                }
            }
            #expect(seen.count == number + 2)
        }
        try writer.close(cause: "test")
        let isSame = seen == Array(1...301)
        #expect(isSame)
    }
}
