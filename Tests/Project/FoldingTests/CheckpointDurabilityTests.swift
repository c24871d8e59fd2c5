import Folding
import Platform
import Projection
import RecordModel
import SegmentLog
import Simulation
import Synthesis
import Testing

/// A checkpoint never outlives the records that it was made of.
@Suite struct CheckpointDurabilityTests {
    /// Knows which checkpoints it was given, and nothing of their rows.
    private final class Storage: RowStorage {
        private(set) var checkpoint: Checkpoint?

        func load(table: Int, key: [UInt8]) throws(StorageError) -> StoredRow? { nil }
        func scan(
            table: Int,
            _ body: ([UInt8], [UInt8], UInt64) throws(StorageError) -> Void
        ) throws(StorageError) {}
        func begin() throws(StorageError) {}
        func put(
            table: Int,
            key: RawSpan,
            row: RawSpan?,
            check: UInt64
        ) throws(StorageError) {}
        func commit(_ checkpoint: Checkpoint) throws(StorageError) {
            self.checkpoint = checkpoint
        }
        func rollBack() {}
    }

    private static let path = "/market"

    private func market() throws -> (SimulatedFileSystem, RecordingReader) {
        let disk = SimulatedFileSystem()
        var options = SynthesisOptions()
        options.slots = 60
        options.ethereumBlocks = 0
        _ = try SynthesizedRecording(options, toolVersion: "test").write(
            to: Self.path,
            disk: disk,
            schedule: SystemClock(),
            positions: nil
        )
        return (disk, try RecordingReader(path: Self.path, disk: disk))
    }

    private func fold(
        _ reader: RecordingReader,
        _ storage: Storage
    ) throws -> StateFold.Report {
        var options = FoldOptions()
        options.helpers = 0
        return try StateFold(
            reader,
            options,
            storage: { (_) throws(StorageError) in storage },
            clock: SystemClock()
        ).run()
    }

    @Test func `there is no checkpoint of what cannot be made durable`() throws {
        let (disk, reader) = try market()
        let storage = Storage()
        disk.failNext("fdatasync", of: ".seg", errno: 5, times: 1)
        // What the records are made durable by is the reader's own sync: nobody else writes.
        #expect(throws: FoldError.self) { try fold(reader, storage) }
        #expect(storage.checkpoint == nil)
    }
}
