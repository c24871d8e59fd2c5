import Foundation
import Platform
import RecordModel
import SegmentFormat
import SegmentLog
import Testing

/// The report must not depend on how many threads made it.
@Suite struct ParallelVerifyTests {
    /// Several small segments with streams and gaps that reach across them.
    private func make(_ folder: TemporaryFolder) throws -> [String] {
        var options = LogOptions()
        options.rotateBytes = 4_000
        options.durability = .none
        let writer = try openWriter(folder.path, options)
        for number in 0..<160 {
            if number % 40 == 0 {
                var fields = EventFields()
                fields.add(.source, "source-\(number)")
                _ = try writer.append(event: .streamOpened, fields: fields)
                _ = try writer.append(event: .gapOpened, fields: fields)
            }
            _ = try writer.append(
                RecordEnvelope(kind: .grpcMessageIn, receivedAt: Int64(number), monotonic: 1),
                payload: noise(300, seed: UInt64(number)).span.bytes
            )
            if number % 8 == 7 { try writer.flush() }
        }
        try writer.close(cause: "test")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path + "/segments")
        return names.filter { $0.hasSuffix(".seg") }.sorted()
    }

    private func reports(_ path: String) throws -> (alone: VerifyReport, helped: VerifyReport) {
        let reader = try RecordingReader(path: path, disk: LinuxFileSystem())
        var alone = RecordingVerifier(reader)
        let permits = WorkerPermits(3)
        var helped = RecordingVerifier(reader, permits: permits)
        let result = (alone: try alone.run(), helped: try helped.run())
        // Every helper has ended and given its permit back.
        for _ in 0..<3 { #expect(permits.tryTake()) }
        #expect(!permits.tryTake())
        return result
    }

    @Test func `a whole recording gives one report, alone and helped`() throws {
        let folder = try TemporaryFolder()
        #expect(try make(folder).count > 6)
        let told = Monitor<UInt64>(0)
        let reader = try RecordingReader(path: folder.path, disk: LinuxFileSystem())
        var verifier = RecordingVerifier(reader, permits: WorkerPermits(4)) { bytes in
            told.withLock { $0 += bytes }
        }
        let report = try verifier.run()
        #expect(report.isWhole)
        #expect(report.isEnded)
        #expect(told.withLock { $0 } == report.storedBytes)
        let both = try reports(folder.path)
        #expect(both.alone == both.helped)
        #expect(both.alone == report)
    }

    @Test func `damage anywhere gives one report, alone and helped`() throws {
        let folder = try TemporaryFolder()
        let names = try make(folder)
        for name in names {
            let url = URL(filePath: folder.path + "/segments/" + name)
            let whole = try Data(contentsOf: url)
            for offset in stride(from: 3, to: whole.count, by: 331) {
                var bytes = whole
                bytes[offset] ^= 0x10
                try bytes.write(to: url)
                let both = try reports(folder.path)
                #expect(both.alone == both.helped, "\(name) at \(offset)")
            }
            try whole.write(to: url)
        }
    }

    @Test func `missing, empty and exchanged segments give one report, alone and helped`() throws {
        let folder = try TemporaryFolder()
        let names = try make(folder)
        for (index, name) in names.enumerated() {
            let url = URL(filePath: folder.path + "/segments/" + name)
            let whole = try Data(contentsOf: url)
            let other = URL(
                filePath: folder.path + "/segments/" + names[(index + 1) % names.count]
            )
            for replacement in [nil, Data(), try Data(contentsOf: other)] {
                try FileManager.default.removeItem(at: url)
                try replacement?.write(to: url)
                let both = try reports(folder.path)
                #expect(!both.alone.isWhole, "\(name)")
                #expect(both.alone == both.helped, "\(name)")
                try whole.write(to: url)
            }
        }
    }

    @Test func `without manifest and one segment there is one report, alone and helped`() throws {
        let folder = try TemporaryFolder()
        let names = try make(folder)
        let segments = folder.path + "/segments/"
        try FileManager.default.removeItem(atPath: segments + "MANIFEST")
        try FileManager.default.removeItem(atPath: segments + names[2])
        let both = try reports(folder.path)
        #expect(!both.alone.isWhole)
        #expect(both.alone == both.helped)
    }
}
