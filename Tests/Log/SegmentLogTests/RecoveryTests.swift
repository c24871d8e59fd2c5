import Foundation
import Platform
import RecordModel
import SegmentFormat
import SegmentLog
import Testing

@Suite struct RecoveryTests {
    /// A recording as it stands on disk while its writer is still open: a crash leaves just this.
    private func crashedRecording(
        _ folder: TemporaryFolder,
        frames: Int,
        flushes: Bool = true
    ) throws -> String {
        var options = LogOptions()
        options.reserveBytes = 4096
        let writer = try openWriter(folder.path, options)
        for number in 0..<frames {
            _ = try writer.append(
                RecordEnvelope(kind: .grpcMessageIn, receivedAt: 5, monotonic: 5),
                payload: noise(700, seed: UInt64(number)).span.bytes
            )
            if flushes, number % 100 == 99 { try writer.flush() }
        }
        try writer.flush()
        let copy = folder.root + "/crashed"
        try FileManager.default.copyItem(atPath: folder.path, toPath: copy)
        try writer.close(cause: "test")
        return copy
    }

    private func onlySegment(_ path: String) throws -> String {
        let names = try FileManager.default.contentsOfDirectory(atPath: path + "/segments")
        let segment = try #require(names.first { $0.hasSuffix(".seg") })
        return path + "/segments/" + segment
    }

    private func verify(_ path: String) throws -> VerifyReport {
        var verifier = RecordingVerifier(
            try RecordingReader(path: path, disk: LinuxFileSystem())
        )
        return try verifier.run()
    }

    @Test func `a recording left open is whole, and recording goes on in it`() throws {
        let folder = try TemporaryFolder()
        let path = try crashedRecording(folder, frames: 400)
        #expect(try verify(path).isWhole)
        let writer = try openWriter(path)
        #expect(writer.writerEpoch == 2)
        #expect(!writer.recovery.previousRunEnded)
        #expect(writer.recovery.cuts.isEmpty)
        #expect(writer.recovery.lastSequenceKept == Sequence(401))
        try writer.close(cause: "test")
        let report = try verify(path)
        #expect(report.isWhole)
        #expect(report.isEnded)
        #expect(report.records == 403)
        let read = try readAll(path)
        #expect(read.damage.isEmpty)
        #expect(read.records.map(\.envelope.sequence.value) == Array(1...403))
    }

    @Test func `a torn tail is cut back to the last whole block and kept aside`() throws {
        let folder = try TemporaryFolder()
        let path = try crashedRecording(folder, frames: 400, flushes: false)
        let segment = try onlySegment(path)
        let whole = try Data(contentsOf: URL(fileURLWithPath: segment))
        // Bytes that a torn write of one more block may leave.
        var torn = whole
        torn.append(contentsOf: [0x54, 0x42, 0x4C, 0x4B] + [UInt8](repeating: 0, count: 500))
        try torn.write(to: URL(fileURLWithPath: segment))
        let report = try verify(path)
        #expect(report.isWhole)
        #expect(report.tornBytes == 504)
        let writer = try openWriter(path)
        let cut = try #require(writer.recovery.cuts.first)
        #expect(cut.offset == UInt64(whole.count))
        #expect(cut.bytes == 504)
        let kept = try Data(contentsOf: URL(fileURLWithPath: cut.keptAside))
        #expect(kept == torn.suffix(504))
        try writer.close(cause: "test")
        #expect(try verify(path).isWhole)
    }

    @Test func `damage below the durable mark is reported and never cut`() throws {
        let folder = try TemporaryFolder()
        let path = try crashedRecording(folder, frames: 400)
        let segment = try onlySegment(path)
        var bytes = try Data(contentsOf: URL(fileURLWithPath: segment))
        let before = bytes.count
        bytes[20_000] ^= 1
        try bytes.write(to: URL(fileURLWithPath: segment))
        let report = try verify(path)
        #expect(report.damage.contains { $0.isLoss })
        let read = try readAll(path)
        let loss = try #require(read.damage.first { $0.isLoss })
        let missing = loss.missingFrom.value...loss.missingThrough.value
        let delivered = Set(read.records.map(\.envelope.sequence.value))
        #expect(delivered.isDisjoint(with: missing))
        #expect(delivered.union(missing) == Set(1...401))
        let writer = try openWriter(path)
        #expect(writer.recovery.cuts.isEmpty)
        #expect(writer.recovery.damage.count == 1)
        try writer.close(cause: "test")
        #expect(try Data(contentsOf: URL(fileURLWithPath: segment)).count == before)
        let after = try readAll(path)
        #expect(after.records.count == read.records.count + 2)
        #expect(after.damage.filter(\.isLoss) == read.damage.filter(\.isLoss))
    }

    @Test func `every byte of a sealed segment is guarded`() throws {
        let folder = try TemporaryFolder()
        let writer = try openWriter(folder.path)
        for number in 0..<20 {
            _ = try writer.append(
                RecordEnvelope(kind: .grpcMessageIn, receivedAt: 5, monotonic: 5),
                payload: noise(30, seed: UInt64(number)).span.bytes
            )
        }
        try writer.close(cause: "test")
        let segment = try onlySegment(folder.path)
        let whole = try Data(contentsOf: URL(fileURLWithPath: segment))
        #expect(try verify(folder.path).isWhole)
        for index in whole.indices {
            var bytes = whole
            bytes[index] ^= 0x10
            try bytes.write(to: URL(fileURLWithPath: segment))
            let report = try verify(folder.path)
            #expect(!report.isWhole, "byte \(index)")
            // Reading never delivers a changed record.
            let read = try readAll(folder.path)
            for record in read.records where record.envelope.kind == .grpcMessageIn {
                let number = record.envelope.sequence.value - 2
                #expect(record.payload == noise(30, seed: number), "byte \(index)")
            }
            #expect(read.records.count == 22 || !read.damage.isEmpty, "byte \(index)")
        }
    }

    @Test func `three answers: not a recording, newer, damaged`() throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(
            atPath: folder.path,
            withIntermediateDirectories: true
        )
        try Data("hello".utf8).write(to: URL(fileURLWithPath: folder.path + "/notes.txt"))
        #expect { try RecordingReader(path: folder.path, disk: LinuxFileSystem()) } throws: {
            guard case LogError.notARecording = $0 else { return false }
            return true
        }
        #expect { try openWriter(folder.path) } throws: {
            guard case LogError.exists = $0 else { return false }
            return true
        }
        let other = folder.root + "/newer"
        try openWriter(other).close(cause: "test")
        let identity = URL(fileURLWithPath: other + "/recording.json")
        let text = try String(contentsOf: identity, encoding: .utf8)
        try text.replacingOccurrences(of: "\"1.0\"", with: "\"2.0\"")
            .write(to: identity, atomically: true, encoding: .utf8)
        #expect { try RecordingReader(path: other, disk: LinuxFileSystem()) } throws: {
            guard case LogError.newerVersion = $0 else { return false }
            return true
        }
    }
}
