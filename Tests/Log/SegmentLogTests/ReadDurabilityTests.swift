import Platform
import RecordModel
import SegmentLog
import Simulation
import Testing

/// Readers can make sure that what they were given stays, whatever the writer does.
@Suite struct ReadDurabilityTests {
    /// A log that is never synced by its writer, with records in several segments.
    private func makeUnsynced(_ disk: SimulatedFileSystem) throws -> LogWriter {
        let writer = try LogWriter(
            path: simulatedPath,
            disk: disk,
            clock: SystemClock(),
            schedule: SystemClock(),
            random: SeededRandom(seed: 1),
            options: quickOptions(.none)
        )
        for number in 0..<30 {
            let envelope = RecordEnvelope(kind: .grpcMessageIn, receivedAt: 1, monotonic: 1)
            let payload = noise(900, seed: UInt64(number))
            _ = try writer.append(envelope, payload: payload.span.bytes)
            try writer.flush()
        }
        return writer
    }

    private func last(after disk: SimulatedFileSystem) throws -> Sequence {
        let cut = disk.afterPowerCut(seed: 3, percent: 0)
        return try readAll(simulatedPath, on: cut).records.last?.envelope.sequence ?? .none
    }

    @Test func `what was read survives a power cut`() throws {
        let disk = SimulatedFileSystem()
        let writer = try makeUnsynced(disk)
        let written = writer.watermarks.written
        #expect(try last(after: disk) < written)
        var durability = ReadDurability(try RecordingReader(path: simulatedPath, disk: disk))
        try durability.reach(before: written.next)
        #expect(try last(after: disk) == written)
        try writer.close(cause: "test")
    }

    @Test func `a sync that fails is told`() throws {
        let disk = SimulatedFileSystem()
        let writer = try makeUnsynced(disk)
        var durability = ReadDurability(try RecordingReader(path: simulatedPath, disk: disk))
        disk.failNext("fdatasync", of: ".seg", errno: 5, times: 1)
        #expect(throws: LogError.self) {
            try durability.reach(before: writer.watermarks.written.next)
        }
        try writer.close(cause: "test")
    }
}
