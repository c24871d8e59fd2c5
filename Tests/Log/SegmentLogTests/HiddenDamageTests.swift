import Platform
import RecordModel
import SegmentFormat
import SegmentLog
import Simulation
import Testing

/// Damage must not hide what stands behind it, nor how far the recording reaches.
@Suite struct HiddenDamageTests {
    /// A recording of two runs; the second one was killed after everything was durable.
    private func killed() throws -> SimulatedFileSystem {
        let disk = SimulatedFileSystem()
        _ = simulate(disk, quickOptions(.everyBlock), runs: 1)
        var options = quickOptions(.everyBlock)
        options.rotateBytes = 1 << 30
        // A mark behind the last block would not always vouch for it.
        options.markNanoseconds = 1 << 60
        let writer = try LogWriter(
            path: simulatedPath,
            disk: disk,
            clock: SystemClock(),
            random: SeededRandom(seed: 5),
            options: options
        )
        // A block each, so that every block but the last has one behind it that proves it.
        for number in 0..<8 {
            _ = try writer.append(
                RecordEnvelope(kind: .grpcMessageIn, receivedAt: 1, monotonic: 1),
                payload: noise(300, seed: UInt64(number)).span.bytes
            )
            try writer.flush()
        }
        let copy = disk.afterKill()
        try writer.close(cause: "test")
        return copy
    }

    @Test func `damage in the active segment does not hide how far the recording reaches`() throws {
        let disk = try killed()
        let reader = try RecordingReader(path: simulatedPath, disk: disk)
        let last = try #require(try reader.sequenceRange()?.last)
        let segment = try #require(reader.segments.last)
        let whole = try #require(disk.contents(of: segment.path))
        let entries = try BlockWalk(reader: reader, segment: segment).entries
        // All but the last block, which nothing behind it proves to have been durable.
        for entry in entries.dropLast() {
            let copy = disk.afterKill()
            var bytes = whole
            bytes[Int(entry.offset) + 30] ^= 1
            copy.replace(segment.path, with: bytes)
            let range = try RecordingReader(path: simulatedPath, disk: copy).sequenceRange()
            #expect(range?.last == last, "block at \(entry.offset)")
        }
    }

    @Test func `reading from within a segment whose file is gone tells of it and goes on`() throws {
        let disk = try killed()
        let reader = try RecordingReader(path: simulatedPath, disk: disk)
        let gone = try #require(reader.segments.first)
        let next = try #require(reader.segments.dropFirst().first)
        try disk.remove(gone.path)
        let cursor = try RecordCursor(
            RecordingReader(path: simulatedPath, disk: disk),
            from: gone.firstSequence.next
        )
        guard case .damage(let damage) = try cursor.next() else {
            Issue.record("no damage is told")
            return
        }
        #expect(damage.missingThrough == next.firstSequence.previous)
        guard case .record = try cursor.next() else {
            Issue.record("nothing is read behind it")
            return
        }
        #expect(cursor.envelope.sequence == next.firstSequence)
    }
}
