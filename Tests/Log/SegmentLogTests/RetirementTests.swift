import Platform
import RecordModel
import SegmentFormat
import SegmentLog
import Simulation
import Testing

/// A clock that stands still.
private struct StandingClock: Clock {
    let now: Int64
    func wallNanoseconds() -> Int64 { now }
    func monotonicNanoseconds() -> UInt64 { SystemClock().monotonicNanoseconds() }
}

private func open(
    _ disk: SimulatedFileSystem,
    seed: UInt64 = 1,
    retention: RetentionPolicy? = nil,
    retryNanoseconds: UInt64? = nil,
    onRetention: (@Sendable (Result<RetentionReport, LogError>) -> Void)? = nil
) throws -> LogWriter {
    var options = quickOptions(.everyBlock)
    options.rotateBytes = 2_000
    options.retention = retention
    if let retryNanoseconds { options.retryNanoseconds = retryNanoseconds }
    options.onRetention = onRetention
    return try LogWriter(
        path: simulatedPath,
        disk: disk,
        clock: StandingClock(now: 1_000),
        schedule: SystemClock(),
        random: SeededRandom(seed: seed),
        options: options
    )
}

/// Appends records that no codec makes smaller, a block each.
private func append(_ count: Int, to writer: LogWriter, seed: UInt64 = 0) throws {
    for number in 0..<count {
        let envelope = RecordEnvelope(
            kind: .grpcMessageIn,
            receivedAt: Int64(number) + 1,
            monotonic: UInt64(number)
        )
        let payload = noise(900, seed: seed + UInt64(number))
        _ = try writer.append(envelope, payload: payload.span.bytes)
        try writer.flush()
    }
}

/// A recording of several sealed segments.
private func makeRecording() throws -> SimulatedFileSystem {
    let disk = SimulatedFileSystem()
    let writer = try open(disk)
    try append(12, to: writer)
    try writer.close(cause: "test")
    return disk
}

private func descriptors(_ disk: SimulatedFileSystem) throws -> [SegmentDescriptor] {
    try RecordingReader(path: simulatedPath, disk: disk).segments
}

private func keep(_ bytes: UInt64, isForced: Bool = false) -> RetentionPolicy {
    var policy = RetentionPolicy()
    policy.bytesMax = bytes
    policy.isForced = isForced
    return policy
}

private func retirement(
    _ disk: SimulatedFileSystem,
    _ policy: RetentionPolicy
) -> SegmentRetirement {
    SegmentRetirement(path: simulatedPath, disk: disk, policy: policy)
}

private func segmentFiles(_ disk: SimulatedFileSystem) throws -> [String] {
    try disk.list(simulatedPath + "/segments").filter { $0.hasSuffix(".seg") }
}

@Suite struct RetirementTests {
    @Test func `segments go, the others stay as they were, and verify is content`() throws {
        let disk = try makeRecording()
        let before = try readAll(simulatedPath, on: disk)
        let segments = try descriptors(disk)
        #expect(segments.count >= 5)
        let report = try retirement(disk, keep(6_000)).retire(now: 0)
        #expect(report.decision.retired > 0)
        let after = try descriptors(disk)
        #expect(after == Array(segments.dropFirst(report.decision.retired)))
        #expect(try segmentFiles(disk).count == after.count)
        let kept = try readAll(simulatedPath, on: disk)
        let first = try #require(after.first).firstSequence
        #expect(kept.damage.isEmpty)
        #expect(
            kept.records.map(\.payload)
                == before.records.filter { $0.envelope.sequence >= first }.map(\.payload)
        )
        var verifier = RecordingVerifier(try RecordingReader(path: simulatedPath, disk: disk))
        let verified = try verifier.run()
        #expect(verified.isWhole)
        #expect(verified.firstSequence == first)
    }

    @Test func `a dry run changes nothing and says the same`() throws {
        let disk = try makeRecording()
        let files = try segmentFiles(disk)
        let preview = try retirement(disk, keep(6_000)).preview(now: 0)
        #expect(try segmentFiles(disk) == files)
        let report = try retirement(disk, keep(6_000)).retire(now: 0)
        #expect(preview.situation.segments == report.situation.segments)
        #expect(preview.decision == report.decision)
    }

    @Test func `times come from the trailers`() throws {
        let disk = try makeRecording()
        let report = try retirement(disk, keep(.max)).preview(now: 0)
        let records = try readAll(simulatedPath, on: disk).records.map(\.envelope)
        for segment in report.situation.segments {
            let latest = records.filter {
                $0.sequence >= segment.firstSequence && $0.sequence <= segment.lastSequence
            }.map(\.receivedAt).max()
            #expect(segment.latest == latest)
        }
    }

    @Test func `the next run goes on behind the sequences that went`() throws {
        let disk = try makeRecording()
        let last = try #require(try readAll(simulatedPath, on: disk).records.last).envelope.sequence
        _ = try retirement(disk, keep(0)).retire(now: 0)
        let writer = try open(disk, seed: 9)
        #expect(writer.recovery.lastSequenceKept == last)
        #expect(writer.recovery.damage.isEmpty)
        try writer.close(cause: "test")
        let after = try readAll(simulatedPath, on: disk)
        #expect(after.damage.isEmpty)
        #expect(after.records.last?.envelope.kind == .runEnded)
    }

    @Test func `sequences are not used again when the only segment left is destroyed`() throws {
        let disk = try makeRecording()
        _ = try retirement(disk, keep(0)).retire(now: 0)
        let left = try #require(try descriptors(disk).first)
        disk.erase(left.path)
        let writer = try open(disk, seed: 9)
        #expect(writer.recovery.lastSequenceKept >= left.firstSequence.previous)
        try writer.close(cause: "test")
    }

    @Test func `a writer at work keeps others from retiring`() throws {
        let disk = try makeRecording()
        let writer = try open(disk, seed: 2)
        #expect {
            try retirement(disk, keep(0)).retire(now: 0)
        } throws: {
            if case LogError.locked? = $0 as? LogError { true } else { false }
        }
        try writer.close(cause: "test")
    }

    @Test func `a manifest that retires the newest segment is not believed`() throws {
        let disk = try makeRecording()
        let path = RecordingLayout(simulatedPath).manifest
        var bytes = try #require(disk.contents(of: path))
        let header = try bytes.withUnsafeBytes { try ManifestHeader.decode($0) }
        let entry = ManifestEntry(kind: .retiredThrough, ordinal: 1_000, writerEpoch: 1)
        bytes += entry.encoded(salt: header.salt)
        disk.replace(path, with: bytes)
        let files = try segmentFiles(disk)
        let reader = try RecordingReader(path: simulatedPath, disk: disk)
        #expect(reader.manifestDamage != nil)
        #expect(reader.segments.count == files.count)
        #expect(throws: LogError.self) { try open(disk, seed: 3) }
        #expect(throws: LogError.self) { try retirement(disk, keep(0)).retire(now: 0) }
        #expect(try segmentFiles(disk) == files)
    }
}

@Suite struct PinTests {
    private func pins(_ disk: SimulatedFileSystem) -> RetentionPins {
        RetentionPins(RecordingLayout(simulatedPath), on: disk)
    }

    @Test func `a pin holds its segment and all behind it, also in the next process`() throws {
        let disk = try makeRecording()
        let segments = try descriptors(disk)
        let pin = RetentionPin(
            name: "backup",
            sequence: segments[2].firstSequence,
            createdAt: 5
        )
        #expect(try pins(disk).set(pin) == [pin])
        let again = disk.afterPowerCut(seed: 1, percent: 0)
        #expect(try pins(again).read() == [pin])
        let report = try retirement(again, keep(0)).retire(now: 0)
        #expect(report.decision.retired == 2)
        #expect(report.decision.shortfalls.map(\.obstacle) == [.pin(pin)])
        #expect(try retirement(again, keep(0, isForced: true)).retire(now: 0).decision.retired > 0)
    }

    @Test func `a pin below the oldest record is refused`() throws {
        let disk = try makeRecording()
        _ = try retirement(disk, keep(0)).retire(now: 0)
        #expect {
            try pins(disk).set(RetentionPin(name: "late", sequence: .first, createdAt: 0))
        } throws: {
            if case LogError.rangeNotAvailable? = $0 as? LogError { true } else { false }
        }
        #expect(try pins(disk).read().isEmpty)
    }

    @Test func `a pin can be moved and removed`() throws {
        let disk = try makeRecording()
        for number: UInt64 in [3, 2] {
            _ = try pins(disk).set(
                RetentionPin(name: "a", sequence: Sequence(number), createdAt: 0)
            )
        }
        #expect(try pins(disk).read().map(\.sequence) == [Sequence(2)])
        #expect(try pins(disk).remove("a"))
        #expect(try !pins(disk).remove("a"))
        #expect(try pins(disk).read().isEmpty)
    }

    @Test(arguments: [
        "", "[]", "{", #"{"pins":{}}"#, #"{"pins":[{"name":"a"}]}"#,
        #"{"pins":[{"name":"a","sequence":5,"created_ns":"0"}]}"#,
        #"{"pins":[{"name":"a","sequence":"0","created_ns":"0"}]}"#,
        #"{"pins":[{"name":"../x","sequence":"1","created_ns":"0"}]}"#,
        #"{"pins":[{"name":"a","sequence":"99999999999999999999","created_ns":"0"}]}"#,
        #"{"pins":[{"name":"a","sequence":"1","created_ns":"0"},"#
            + #"{"name":"a","sequence":"9","created_ns":"0"}]}"#,
        #"{"pins":["# + String(repeating: "0,", count: 300) + "0]}",
        String(repeating: " ", count: 70_000) + #"{"pins":[]}"#,
    ])
    func `pins that nobody of ours wrote are refused, and nothing is retired`(text: String) throws {
        let disk = try makeRecording()
        let files = try segmentFiles(disk)
        disk.replace(simulatedPath + "/pins.json", with: Array(text.utf8))
        for isForced in [false, true] {
            #expect {
                try retirement(disk, keep(0, isForced: isForced)).retire(now: 0)
            } throws: {
                if case LogError.damaged? = $0 as? LogError { true } else { false }
            }
        }
        #expect(try segmentFiles(disk) == files)
    }

    @Test(arguments: [("a", true), ("Run-7_b.1", true), ("", false), ("a/b", false), ("é", false)])
    func `a pin's name is short and plain`(name: String, isName: Bool) {
        #expect(RetentionPin.isName(name) == isName)
        #expect(!RetentionPin.isName(String(repeating: "a", count: 65)))
    }
}

@Suite struct LiveRetentionTests {
    @Test func `a writer keeps its recording small, and readers never see damage`() throws {
        let disk = SimulatedFileSystem()
        let retired = Monitor<UInt64>(0)
        let writer = try open(disk, retention: keep(9_000)) { result in
            if case .success(let report) = result {
                retired.update { $0 += UInt64(report.decision.retired) }
            }
        }
        for round: UInt64 in 0..<10 {
            try append(4, to: writer, seed: round * 100)
            // A mark may begin a segment, and retire one, while we read.
            do { #expect(try readAll(simulatedPath, on: disk).damage.isEmpty) } catch {
                guard case LogError.rangeNotAvailable = error else { throw error }
            }
            let sizes = try segmentFiles(disk).map {
                disk.contents(of: simulatedPath + "/segments/" + $0)?.count ?? 0
            }
            #expect(sizes.reduce(0, +) <= 9_000 + 1_200, "round \(round)")
        }
        try writer.close(cause: "test")
        #expect(retired.withLock { $0 } > 10)
        var verifier = RecordingVerifier(try RecordingReader(path: simulatedPath, disk: disk))
        #expect(try verifier.run().isWhole)
    }

    @Test func `pins that cannot be believed stop the retirement, not the recording`() throws {
        let disk = try makeRecording()
        disk.replace(simulatedPath + "/pins.json", with: Array("x".utf8))
        let failures = Monitor<Int>(0)
        let count = try segmentFiles(disk).count
        let writer = try open(disk, seed: 2, retention: keep(0)) { result in
            if case .failure(.damaged) = result { failures.update { $0 += 1 } }
        }
        try append(6, to: writer)
        try writer.close(cause: "test")
        #expect(failures.withLock { $0 } > 1)
        #expect(try segmentFiles(disk).count > count)
    }

    @Test func `a full disk is relieved by what may go`() throws {
        let disk = SimulatedFileSystem()
        var policy = RetentionPolicy()
        policy.freeBytesMin = 1
        let writer = try open(disk, retention: policy)
        try append(12, to: writer)
        let count = try segmentFiles(disk).count
        #expect(count > 4)
        // Not one byte more: even the statement of a retirement needs the reserve.
        let folders = [simulatedPath, simulatedPath + "/segments"]
        disk.setBytesMax(
            try folders.flatMap { folder in try disk.list(folder).map { folder + "/" + $0 } }
                .reduce(0) { $0 + (disk.contents(of: $1)?.count ?? 0) }
        )
        let isDone = try watched("a log on a full disk") {
            do {
                try append(12, to: writer, seed: 50)
                return true
            } catch { return false }
        }
        #expect(isDone)
        #expect(try segmentFiles(disk).count <= count + 1)
        // Closing does not wait for space.
        disk.setBytesMax(nil)
        try writer.close(cause: "test")
        #expect(try readAll(simulatedPath, on: disk).damage.isEmpty)
    }
}

@Suite struct ClosingOnFullDiskTests {
    /// Closes a log that waits for space, and with an hour to go until its next try.
    private func close(_ disk: SimulatedFileSystem, spaceComesBack: Bool) throws {
        var policy = RetentionPolicy()
        policy.freeBytesMin = 1
        let isFull = Monitor(false)
        let writer = try open(disk, retention: policy, retryNanoseconds: 3_600_000_000_000) { _ in
            isFull.update { $0 = true }
        }
        isFull.update { $0 = false }
        disk.setBytesMax(0)
        let envelope = RecordEnvelope(kind: .grpcMessageIn, receivedAt: 1, monotonic: 1)
        let payload = noise(900, seed: 1)
        _ = try writer.append(envelope, payload: payload.span.bytes)
        let deadline = SystemClock().monotonicNanoseconds() + 60_000_000_000
        let seen: Bool? = isFull.wait(deadline: deadline) { $0 ? true : nil }
        try #require(seen == true, "the disk was never full")
        if spaceComesBack { disk.setBytesMax(nil) }
        try writer.close(cause: "test")
    }

    @Test func `a log that is closed while it waits takes space that has come back`() throws {
        let disk = SimulatedFileSystem()
        try close(disk, spaceComesBack: true)
        let found = try readAll(simulatedPath, on: disk)
        #expect(found.damage.isEmpty)
        #expect(found.records.contains { $0.envelope.kind == .grpcMessageIn })
        #expect(found.records.last?.envelope.kind == .runEnded)
    }

    @Test func `a log that is closed on a full disk says so`() throws {
        #expect(throws: LogError.self) {
            try close(SimulatedFileSystem(), spaceComesBack: false)
        }
    }
}

@Suite struct ReadingBesideRetirementTests {
    private func isUnavailable(_ error: any Error) -> Bool {
        if case LogError.rangeNotAvailable? = error as? LogError { true } else { false }
    }

    @Test func `a cursor in a retired segment reads it to its end, then says what is gone`() throws
    {
        let disk = try makeRecording()
        let segments = try descriptors(disk)
        let reader = try RecordingReader(path: simulatedPath, disk: disk)
        let cursor = try RecordCursor(reader)
        guard case .record = try cursor.next() else {
            Issue.record("no record")
            return
        }
        _ = try retirement(disk, keep(0)).retire(now: 0)
        var last = cursor.envelope.sequence
        #expect {
            while true {
                guard case .record = try cursor.next() else {
                    Issue.record("no record")
                    return
                }
                last = cursor.envelope.sequence
            }
        } throws: {
            isUnavailable($0)
        }
        #expect(last == segments[1].firstSequence.previous)
        // It stays so, and a new cursor begins at what is left.
        #expect { try cursor.next() } throws: { isUnavailable($0) }
        try reader.refresh()
        #expect { try RecordCursor(reader, from: .first) } throws: { isUnavailable($0) }
        let fresh = try RecordCursor(reader)
        guard case .record = try fresh.next() else {
            Issue.record("no record")
            return
        }
        #expect(fresh.envelope.sequence == segments.last?.firstSequence)
    }

    @Test func `a follower in the active segment goes on through its retirement`() throws {
        let disk = SimulatedFileSystem()
        let writer = try open(disk, retention: keep(0))
        try append(1, to: writer)
        let cursor = try RecordCursor(
            RecordingReader(path: simulatedPath, disk: disk),
            follows: true
        )
        var sequences: [UInt64] = []
        func drain() throws {
            while true {
                switch try cursor.next() {
                case .record: sequences.append(cursor.envelope.sequence.value)
                case .end: return
                case .hole(let hole): Issue.record("\(hole)")
                case .damage(let damage): Issue.record("\(damage)")
                }
            }
        }
        try drain()
        // One segment more, and the one that is followed is retired at once.
        let file = try #require(try segmentFiles(disk).first)
        var seed: UInt64 = 10
        while try segmentFiles(disk).contains(file), seed < 100 {
            try append(1, to: writer, seed: seed)
            seed += 1
        }
        #expect(try !segmentFiles(disk).contains(file))
        try drain()
        let last = writer.watermarks.appended.value
        #expect(sequences == Array(1...last))
        // Several segments more: what lies between is gone, and that is said.
        try append(12, to: writer, seed: 200)
        #expect { try drain() } throws: { isUnavailable($0) }
        try writer.close(cause: "test")
    }

    @Test func `verify and searches pass over what went since the recording was opened`() throws {
        let disk = try makeRecording()
        let reader = try RecordingReader(path: simulatedPath, disk: disk)
        let seek = RecordingSeek(reader, positions: NoPositions())
        _ = try retirement(disk, keep(0)).retire(now: 0)
        let left = try #require(try descriptors(disk).first)
        var verifier = RecordingVerifier(reader)
        let report = try verifier.run()
        #expect(report.isWhole)
        #expect(report.segments == 1)
        #expect(report.firstSequence == left.firstSequence)
        #expect(try seek.first(atOrAfter: 0) == left.firstSequence)
    }
}

private struct NoPositions: PositionReader {
    mutating func position(of envelope: RecordEnvelope, payload: RawSpan) -> ChainPosition? { nil }
}

/// Every operation of a retirement fails, or the power goes behind it.
@Suite struct RetirementFaultTests {
    /// The same retirement again and again, with a fault at each operation in turn.
    private func loop(
        _ fault: (Int) -> DiskFault,
        _ check: (SimulatedFileSystem, Int) throws -> Void
    ) throws {
        let whole = try makeRecording()
        for number in 1...1_000 {
            let disk = whole.afterKill(fault: fault(number))
            do { _ = try retirement(disk, keep(6_000)).retire(now: 0) } catch {
                #expect(disk.hasFailed, "operation \(number): \(error)")
            }
            guard disk.hasFailed else { return }
            try check(disk, number)
        }
        Issue.record("a retirement of more than a thousand operations")
    }

    /// Whether what can be read is the end of what there was, and opening settles everything.
    private func expectSound(_ disk: SimulatedFileSystem, _ what: String) throws {
        let all = try readAll(simulatedPath, on: makeRecording()).records.map(\.payload)
        let read = try readAll(simulatedPath, on: disk)
        #expect(read.damage.isEmpty, "\(what)")
        #expect(read.records.map(\.payload) == Array(all.suffix(read.records.count)), "\(what)")
        let writer = try open(disk, seed: 5)
        #expect(writer.recovery.damage.isEmpty, "\(what)")
        try writer.close(cause: "test")
        let named = try descriptors(disk).map {
            $0.path.split(separator: "/").last.map(String.init)
        }
        #expect(try segmentFiles(disk) == named, "\(what)")
        var verifier = RecordingVerifier(try RecordingReader(path: simulatedPath, disk: disk))
        #expect(try verifier.run().isWhole, "\(what)")
        let next = try retirement(disk, keep(0)).retire(now: 0)
        #expect(next.decision.retired > 0, "\(what)")
        #expect(try segmentFiles(disk).count == 1, "\(what)")
    }

    @Test(arguments: [5, 28] as [Int32])
    func `an operation may fail once`(errno: Int32) throws {
        try loop({ .once(at: $0, errno: errno) }) { disk, number in
            try expectSound(disk.afterKill(), "after a kill at operation \(number)")
        }
    }

    @Test func `the process may end and the power may go behind every operation`() throws {
        try loop({ .always(from: $0, errno: 5) }) { disk, number in
            try expectSound(disk.afterKill(), "after a kill at operation \(number)")
            for (seed, percent) in [(1, 0), (2, 40), (3, 60), (4, 100)] as [(UInt64, UInt64)] {
                try expectSound(
                    disk.afterPowerCut(seed: seed + UInt64(number), percent: percent),
                    "after a power cut at operation \(number), \(percent) % kept"
                )
            }
        }
    }

    @Test func `the power may go a second time while opening finishes a retirement`() throws {
        let whole = try makeRecording()
        let disk = whole.afterKill()
        let last = disk.operations
        _ = try retirement(disk, keep(6_000)).retire(now: 0)
        // Between the statement and the last removal.
        for first in stride(from: last + 1, through: disk.operations, by: 3) {
            let broken = whole.afterKill(fault: .always(from: first, errno: 5))
            do { _ = try retirement(broken, keep(6_000)).retire(now: 0) } catch { _ = error }
            for second in 1...12 {
                let again = broken.afterPowerCut(
                    seed: UInt64(second),
                    percent: 50,
                    fault: .always(from: second, errno: 5)
                )
                do { _ = try open(again, seed: 6) } catch { _ = error }
                try expectSound(
                    again.afterPowerCut(seed: UInt64(first), percent: 50),
                    "operations \(first) and \(second)"
                )
            }
        }
    }
}
