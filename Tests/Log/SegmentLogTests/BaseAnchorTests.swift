import Platform
import RecordModel
import SegmentFormat
import SegmentLog
import Simulation
import Testing

/// State as a test has it: base anchors are files with one byte each.
private struct InventedState: RetainedState {
    let disk: SimulatedFileSystem
    var oldest: Sequence?
    var refuses = false

    func oldestCheckpoint() throws(LogError) -> Sequence? { oldest }

    func leaveBaseAnchors(
        through last: Sequence,
        named: [BaseAnchorMention]
    ) throws(LogError) -> [BaseAnchorMention]? {
        if refuses { throw .noBaseAnchor(path: simulatedPath, detail: "refused") }
        let name = "solana-\(last).sqlite"
        let folder = simulatedPath + "/anchors"
        do throws(SystemError) {
            if try disk.kind(of: folder) == nil { try disk.createDirectory(folder) }
            try disk.syncDirectory(simulatedPath)
            let file = try disk.open(folder + "/" + name, .createIfMissing)
            try file.write([1], at: 0)
            try file.syncData()
            try file.close()
            try disk.syncDirectory(folder)
        } catch { throw .system(error) }
        return [
            BaseAnchorMention(
                file: name,
                chain: "solana",
                position: 7,
                resume: last.next,
                key: String(repeating: "a", count: 32),
                bytes: 1,
                checksum: String(repeating: "0", count: 32)
            )
        ]
    }

    func removeBaseAnchors(except named: [BaseAnchorMention]) {
        do {
            for name in try disk.list(simulatedPath + "/anchors")
            where !named.contains(where: { $0.file == name }) {
                try disk.remove(simulatedPath + "/anchors/" + name)
            }
        } catch {
            // Left for the next time.
        }
    }
}

private struct StandingClock: Clock {
    func wallNanoseconds() -> Int64 { 1_000 }
    func monotonicNanoseconds() -> UInt64 { SystemClock().monotonicNanoseconds() }
}

@Suite struct BaseAnchorNamingTests {
    private func makeRecording() throws -> SimulatedFileSystem {
        let disk = SimulatedFileSystem()
        var options = quickOptions(.everyBlock)
        options.rotateBytes = 2_000
        let writer = try LogWriter(
            path: simulatedPath,
            disk: disk,
            clock: StandingClock(),
            schedule: SystemClock(),
            random: SeededRandom(seed: 1),
            options: options
        )
        for number in 0..<12 {
            let envelope = RecordEnvelope(
                kind: .grpcMessageIn,
                receivedAt: Int64(number) + 1,
                monotonic: UInt64(number)
            )
            let payload = noise(900, seed: UInt64(number))
            _ = try writer.append(envelope, payload: payload.span.bytes)
            try writer.flush()
        }
        try writer.close(cause: "test")
        return disk
    }

    private func retire(
        _ disk: SimulatedFileSystem,
        _ change: (inout InventedState) -> Void = { _ in }
    ) throws -> RetentionReport {
        var policy = RetentionPolicy()
        policy.bytesMax = 6_000
        var state = InventedState(disk: disk, oldest: Sequence(1_000))
        change(&state)
        return try SegmentRetirement(
            path: simulatedPath,
            disk: disk,
            policy: policy,
            state: state
        ).retire(now: 0)
    }

    private func identity(_ disk: SimulatedFileSystem) throws -> RecordingIdentity {
        try RecordingReader(path: simulatedPath, disk: disk).identity
    }

    @Test func `recording.json names what stands for segments, and says the rest as before`() throws
    {
        let disk = try makeRecording()
        let before = try identity(disk)
        let report = try retire(disk)
        #expect(report.decision.retired > 0)
        var after = try identity(disk)
        #expect(after.baseAnchors == report.baseAnchors)
        #expect(after.baseAnchors.first?.resume == report.retired.last?.lastSequence.next)
        after.baseAnchors = []
        #expect(after == before)
        #expect(before.baseAnchors == [])
    }

    @Test func `segments that the oldest checkpoint needs stay unless forced`() throws {
        let disk = try makeRecording()
        let segments = try RecordingReader(path: simulatedPath, disk: disk).segments
        let held = segments[1].firstSequence
        let report = try retire(disk) { $0.oldest = held }
        #expect(report.decision.retired == 1)
        #expect(report.decision.shortfalls.first?.obstacle == .checkpoint(held))
        let left = try RecordingReader(path: simulatedPath, disk: disk).segments
        #expect(left.first?.firstSequence == held)
    }

    @Test func `nothing goes when nothing can stand for it`() throws {
        let disk = try makeRecording()
        let segments = try RecordingReader(path: simulatedPath, disk: disk).segments
        #expect(throws: LogError.self) { try retire(disk) { $0.refuses = true } }
        #expect(try RecordingReader(path: simulatedPath, disk: disk).segments == segments)
        #expect(try identity(disk).baseAnchors == [])
    }

    @Test func `a list that is none is told, and stands for nothing`() throws {
        let good = """
            {"file":"a.sqlite","chain":"solana","position":"7","resume":"8",\
            "key":"\(String(repeating: "a", count: 32))","bytes":"1",\
            "checksum":"\(String(repeating: "0", count: 32))"}
            """
        let lists: [(String, Int, Bool)] = [
            ("[\(good)]", 1, false), ("[]", 0, false), ("{}", 0, true), ("[7]", 0, true),
            ("[\(good.replacing("a.sqlite", with: "../a"))]", 0, true),
            ("[\(good.replacing("\"8\"", with: "\"0\""))]", 0, true),
            ("[\(good.replacing("aaaa", with: "AAAA"))]", 0, true),
            ("[\(good.replacing("\"7\"", with: "7"))]", 0, true),
            ("[\(good),\(good.replacing("bytes", with: "byte"))]", 0, true),
        ]
        for (list, count, isBad) in lists {
            let disk = try makeRecording()
            let path = simulatedPath + "/recording.json"
            let file = try disk.open(path, .readWrite)
            let text = String(decoding: try file.read(4_096, at: 0), as: UTF8.self)
            let changed = text.replacing("}\n", with: ",\"base_anchors\":\(list)}\n")
            try file.write(Array(changed.utf8), at: 0)
            let identity = try identity(disk)
            #expect(identity.baseAnchors.count == count, "\(list)")
            #expect(identity.hasBadBaseAnchors == isBad, "\(list)")
        }
    }

    @Test(arguments: [0, 40, 100] as [UInt64])
    func `no segment is gone before what stands for it is durable and named`(
        percent: UInt64
    ) throws {
        let whole = try makeRecording()
        let first = try #require(
            try RecordingReader(path: simulatedPath, disk: whole).segments.first
        ).firstSequence
        var retired = 0
        for number in 1...1_000 {
            let broken = whole.afterKill(fault: .always(from: number, errno: 5))
            do { _ = try retire(broken) } catch { #expect(broken.hasFailed, "\(error)") }
            guard broken.hasFailed else {
                #expect(retired > 0)
                return
            }
            for disk in [
                broken.afterKill(),
                broken.afterPowerCut(seed: UInt64(number), percent: percent),
            ] {
                let reader = try RecordingReader(path: simulatedPath, disk: disk)
                let oldest = try #require(reader.segments.first).firstSequence
                for base in reader.identity.baseAnchors {
                    let path = simulatedPath + "/anchors/" + base.file
                    #expect(try disk.open(path, .readOnly).read(2, at: 0) == [1], "\(number)")
                }
                guard oldest > first else { continue }
                retired += 1
                #expect(reader.identity.baseAnchors.first?.resume == oldest, "\(number)")
            }
        }
        Issue.record("a retirement of more than a thousand operations")
    }
}
