import Foundation
import Platform
import RecordModel
import SegmentFormat
import SegmentLog
import Simulation
import Testing

@Suite struct DamageTests {
    /// A recording on a simulated disk whose writer was killed after everything was durable.
    private func killed(runs: Int = 1, flushes: Bool = true) throws -> SimulatedFileSystem {
        let disk = SimulatedFileSystem()
        if runs > 1 { _ = simulate(disk, quickOptions(.everyBlock), runs: runs - 1) }
        var options = quickOptions(.everyBlock)
        options.rotateBytes = 1 << 30
        let writer = try open(disk, options)
        for number in 0..<20 {
            _ = try writer.append(
                RecordEnvelope(kind: .grpcMessageIn, receivedAt: 1, monotonic: 1),
                payload: noise(300, seed: UInt64(number)).span.bytes
            )
            if flushes, number % 5 == 4 { try writer.flush() }
        }
        try writer.flush()
        let copy = disk.afterKill()
        try writer.close(cause: "test")
        return copy
    }

    private func open(
        _ disk: SimulatedFileSystem,
        _ options: LogOptions = quickOptions(.everyBlock)
    ) throws -> LogWriter {
        try LogWriter(
            path: simulatedPath,
            disk: disk,
            clock: SystemClock(),
            random: SeededRandom(seed: UInt64(disk.operations) + 5),
            options: options
        )
    }

    private func verify(_ disk: SimulatedFileSystem) throws -> VerifyReport {
        var verifier = RecordingVerifier(try RecordingReader(path: simulatedPath, disk: disk))
        return try verifier.run()
    }

    private func frames(_ disk: SimulatedFileSystem) throws -> Int {
        try readAll(simulatedPath, on: disk).records.filter { $0.envelope.kind == .grpcMessageIn }
            .count
    }

    private let manifest = simulatedPath + "/segments/MANIFEST"

    @Test func `a change of any byte of the manifest loses no record`() throws {
        let disk = try killed(runs: 2)
        let count = try frames(disk)
        let whole = try #require(disk.contents(of: manifest))
        for index in whole.indices {
            let copy = disk.afterKill()
            var bytes = whole
            bytes[index] ^= 0x20
            copy.replace(manifest, with: bytes)
            #expect(try frames(copy) == count, "byte \(index)")
            // The writer refuses, or goes on without losing or using again what is there.
            let writer: LogWriter
            do { writer = try open(copy) } catch { continue }
            let last = try readAll(simulatedPath, on: disk).records.last
            #expect(writer.recovery.lastSequenceKept == last?.envelope.sequence, "byte \(index)")
            try writer.close(cause: "test")
            #expect(try frames(copy) == count, "byte \(index)")
            #expect(try verify(copy).isEnded, "byte \(index)")
        }
    }

    @Test func `a manifest cut between two entries loses no record`() throws {
        let disk = try killed(runs: 2)
        let count = try frames(disk)
        let whole = try #require(disk.contents(of: manifest))
        for size in stride(from: 64, to: whole.count, by: 48) {
            let copy = disk.afterKill()
            copy.replace(manifest, with: Array(whole.prefix(size)))
            #expect(try frames(copy) == count, "\(size)")
            let writer = try open(copy)
            try writer.close(cause: "test")
            #expect(try frames(copy) == count, "\(size)")
        }
    }

    /// What a reader that stops before damage gets of a recording.
    private func beforeDamage(_ disk: SimulatedFileSystem) throws -> (last: Sequence, stops: Bool) {
        let cursor = try RecordCursor(try RecordingReader(path: simulatedPath, disk: disk))
        var last = Sequence.none
        while true {
            switch try cursor.next() {
            case .record: last = cursor.envelope.sequence
            case .hole(let hole): last = hole.last
            case .damage: return (last, true)
            case .end: return (last, false)
            }
        }
    }

    @Test func `a sealed segment cut anywhere gives its whole blocks before its damage`() throws {
        let disk = try killed(runs: 2)
        let reader = try RecordingReader(path: simulatedPath, disk: disk)
        let segment = try #require(reader.segments.first { $0.isSealed })
        let whole = try #require(disk.contents(of: segment.path))
        let walk = try BlockWalk(reader: reader, segment: segment)
        let all = try beforeDamage(disk)
        #expect(!all.stops)
        #expect(segment.firstSequence == .first)
        for size in stride(from: FormatLimits.segmentHeaderBytes, to: whole.count, by: 3) {
            let copy = disk.afterKill()
            copy.replace(segment.path, with: Array(whole.prefix(size)))
            // The blocks that end at or before the cut, by the index of the uncut segment.
            let kept = walk.entries.last {
                let block = FormatLimits.blockHeaderBytes + Int($0.storedBytes)
                return $0.recordCount > 0 && Int($0.offset) + block <= size
            }
            let expected = kept.map { $0.firstSequence.value + UInt64($0.recordCount) - 1 }
            let found = try beforeDamage(copy)
            #expect(found.stops, "\(size)")
            #expect(found.last.value == expected ?? 0, "\(size)")
        }
    }

    @Test func `a damaged segment header costs no record and no sequence`() throws {
        let disk = try killed()
        let reader = try RecordingReader(path: simulatedPath, disk: disk)
        let path = try #require(reader.segments.first?.path)
        let bytes = try #require(disk.contents(of: path))
        disk.replace(path, with: [UInt8](repeating: 0, count: 128) + bytes.dropFirst(128))
        let read = try readAll(simulatedPath, on: disk)
        #expect(read.records.count == 21)
        #expect(read.damage.count == 1)
        #expect(read.damage.first?.isLoss == false)
        #expect(try !verify(disk).isWhole)
        let writer = try open(disk)
        #expect(writer.recovery.lastSequenceKept == Sequence(21))
        #expect(writer.recovery.damage.count == 1)
        try writer.close(cause: "test")
        #expect(try frames(disk) == 20)
    }

    @Test func `a wrong uuid in the identity is one finding, and every record is read`() throws {
        let disk = try killed()
        let path = simulatedPath + "/recording.json"
        let text = String(decoding: try #require(disk.contents(of: path)), as: UTF8.self)
        let key = try #require(text.range(of: "\"uuid\":\""))
        var changed = Array(text.utf8)
        let index = text.utf8.distance(from: text.startIndex, to: key.upperBound)
        changed[index] = changed[index] == UInt8(ascii: "0") ? UInt8(ascii: "1") : UInt8(ascii: "0")
        disk.replace(path, with: changed)
        #expect(try frames(disk) == 20)
        #expect(try verify(disk).damage.count == 1)
        #expect(throws: LogError.self) { _ = try open(disk) }
    }

    @Test func `damage in the last block before a mark names what it costs`() throws {
        var options = quickOptions(.everyBlock)
        options.rotateBytes = 1 << 30
        let disk = SimulatedFileSystem()
        let writer = try open(disk, options)
        let last = try writer.append(event: .note, fields: EventFields()).sequence
        try writer.flush()
        // The writer is idle now and writes a mark behind the durable block.
        let reader = try RecordingReader(path: simulatedPath, disk: disk)
        let isMarked = try watched("the mark") { [path = reader.segments[0].path] in
            while true {
                do {
                    let other = try RecordingReader(path: simulatedPath, disk: disk)
                    if try other.durableMark() >= last { return path }
                } catch { return "" }
            }
        }
        let copy = disk.afterKill()
        try writer.close(cause: "test")
        let walk = try BlockWalk(
            reader: RecordingReader(path: simulatedPath, disk: copy),
            segment: reader.segments[0]
        )
        let block = try #require(walk.entries.last { $0.recordCount > 0 })
        var bytes = try #require(copy.contents(of: isMarked))
        bytes[Int(block.offset) + 90] ^= 1
        copy.replace(isMarked, with: bytes)
        let read = try readAll(simulatedPath, on: copy)
        #expect(read.damage.map(\.missingThrough) == [last])
    }

    @Test func `a follower sees every record once when a file fails under it`() throws {
        for at in 20..<60 {
            let disk = SimulatedFileSystem()
            var options = quickOptions(.interval(nanoseconds: 100_000_000))
            options.rotateBytes = 1 << 30
            let writer = try open(disk, options)
            let cursor = try RecordCursor(
                RecordingReader(path: simulatedPath, disk: disk),
                follows: true
            )
            var seen: [UInt64] = []
            var damage: [DamageReport] = []
            func follow() throws {
                while true {
                    switch try cursor.next() {
                    case .record: seen.append(cursor.envelope.sequence.value)
                    case .damage(let found): damage.append(found)
                    case .hole(let hole): Issue.record("hole \(hole)")
                    case .end: return
                    }
                }
            }
            for number in 0..<12 {
                let last = try writer.append(event: .note, fields: EventFields()).sequence
                try writer.waitWritten(last)
                if number == 3 {
                    disk.setFault(.once(at: disk.operations + at - 19, errno: 5))
                }
                // Reads beside the writer may meet the fault themselves.
                do { try follow() } catch { _ = error }
            }
            disk.setFault(nil)
            try writer.close(cause: "test")
            try follow()
            #expect(damage.isEmpty, "\(at)")
            let isSame = seen == Array(1...14)
            #expect(isSame, "\(at): \(seen)")
        }
    }

    @Test func `a full disk met while closing uses the reserve`() throws {
        for policy in [DurabilityPolicy.everyBlock, .interval(nanoseconds: 1 << 40), .none] {
            let disk = SimulatedFileSystem()
            let writer = try open(disk, quickOptions(policy, onFull: .exit))
            for _ in 0..<5 { try writer.append(event: .note, fields: EventFields()) }
            let last = writer.watermarks.appended
            try writer.waitWritten(last)
            disk.setBytesMax(8192 + 700)
            #expect(throws: LogError.self) { try writer.close(cause: "test") }
            let read = try readAll(simulatedPath, on: disk)
            #expect(read.damage.isEmpty)
            #expect(read.records.map(\.envelope.sequence.value) == Array(1...7))
            #expect(try verify(disk).isEnded)
            #expect(try verify(disk).isWhole)
        }
    }

    @Test func `what a full disk's last file holds is kept, not stated as a hole`() throws {
        for hasSyncFailed in [false, true] {
            let disk = SimulatedFileSystem()
            var options = quickOptions(.interval(nanoseconds: 1 << 50), onFull: .exit)
            options.rotateBytes = 1 << 20
            let writer = try open(disk, options)
            // More than the space kept for the closing records would take.
            for number in 0..<8 {
                let payload = noise(1800, seed: UInt64(number))
                let envelope = RecordEnvelope(kind: .grpcMessageIn, receivedAt: 1, monotonic: 1)
                let last = try writer.append(envelope, payload: payload.span.bytes).sequence
                try writer.waitWritten(last)
            }
            disk.setBytesMax((1 << 40) - Int(try disk.freeBytes(at: simulatedPath)))
            try writer.append(event: .note, fields: EventFields())
            try eventually("the full disk") { writer.failure != nil }
            // The reserve is removed, then the file is synced.
            if hasSyncFailed { disk.setFault(.once(at: disk.operations + 2, errno: 5)) }
            #expect(throws: LogError.self) { try writer.close(cause: "test") }
            disk.setFault(nil)
            #expect(writer.watermarks.durable == .none)
            let after = disk.afterPowerCut(seed: 1, percent: 0)
            let read = try readAll(simulatedPath, on: after)
            #expect(read.damage.isEmpty)
            let kept = read.records.map(\.envelope.sequence.value).filter { $0 <= 10 }
            if hasSyncFailed {
                #expect(kept.count < 10)
                #expect(read.holes.map(\.cause) == ["disk full"])
            } else {
                // The tenth, which no file took before, fits into the space of the reserve.
                #expect(kept == Array(1...10))
                #expect(read.holes.isEmpty)
            }
            #expect(try verify(after).isWhole)
            #expect(try verify(after).isEnded)
        }
    }

    @Test func `a segment file that nobody wrote blocks in is set aside`() throws {
        let disk = try killed()
        let path = simulatedPath + "/segments/00000002-00000000000000000022.seg"
        disk.replace(path, with: [1, 2, 3])
        let writer = try open(disk)
        #expect(writer.recovery.cuts.map(\.bytes) == [3])
        #expect(writer.recovery.damage.isEmpty)
        try writer.close(cause: "test")
        #expect(disk.contents(of: path + ".torn-2") == [1, 2, 3])
        #expect(try verify(disk).isWhole)
    }

    @Test func `an append after close is refused, and a second close does nothing`() throws {
        let disk = SimulatedFileSystem()
        let writer = try open(disk)
        try writer.close(cause: "test")
        try writer.close(cause: "test")
        #expect { try writer.append(event: .note, fields: EventFields()) } throws: {
            guard case LogError.closed = $0 else { return false }
            return true
        }
        try writer.flush()
        #expect(try verify(disk).isWhole)
    }
}
