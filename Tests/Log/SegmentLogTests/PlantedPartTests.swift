import Foundation
import Platform
import RecordModel
import SegmentFormat
import SegmentLog
import Testing

/// Something else than a file in place of a part of a recording: never opened, and one of the three
/// answers.
@Suite struct PlantedPartTests {
    enum Plant: CaseIterable { case link, pipe, folder }

    private let folder: TemporaryFolder
    private let disk = LinuxFileSystem()

    /// Three segments: the first two sealed, the last one too.
    init() throws {
        folder = try TemporaryFolder()
        var options = LogOptions()
        options.durability = .none
        options.rotateBytes = 4_000
        let writer = try openWriter(folder.path, options)
        for number in 0..<30 {
            _ = try writer.append(
                RecordEnvelope(kind: .grpcMessageIn, receivedAt: 1, monotonic: 1),
                payload: noise(400, seed: UInt64(number)).span.bytes
            )
            if number % 5 == 4 { try writer.flush() }
        }
        try writer.close(cause: "test")
    }

    private func plant(_ what: Plant, at path: String) throws {
        let files = FileManager.default
        let elsewhere = folder.root + "/elsewhere"
        try files.moveItem(atPath: path, toPath: elsewhere)
        switch what {
        case .link: try files.createSymbolicLink(atPath: path, withDestinationPath: elsewhere)
        case .folder: try files.createDirectory(atPath: path, withIntermediateDirectories: false)
        case .pipe: #expect(mkfifo(path, 0o600) == 0)
        }
    }

    private func verify() throws -> VerifyReport {
        var verifier = RecordingVerifier(try RecordingReader(path: folder.path, disk: disk))
        return try verifier.run()
    }

    @Test(arguments: Plant.allCases)
    func `in place of a segment it is damage with exactly its records missing`(
        what: Plant
    ) throws {
        let segments = try RecordingReader(path: folder.path, disk: disk).segments
        try #require(segments.count > 2)
        let segment = segments[1]
        try plant(what, at: segment.path)
        let expected = DamageReport(
            path: segment.path,
            offset: 0,
            error: .wrongKind(structure: "segment file", needed: "regular file"),
            missingFrom: segment.firstSequence,
            missingThrough: segments[2].firstSequence.previous
        )
        #expect(try verify().damage == [expected])
        let read = try readAll(folder.path)
        #expect(read.damage == [expected])
        #expect(read.records.last?.envelope.sequence == Sequence(32))
        let reader = try RecordingReader(path: folder.path, disk: disk)
        #expect(throws: LogError.self) { try reader.context(of: segment) }
        #expect(try reader.bytes(of: segment) == 0)
        // The same when only the files tell what segments there are.
        try FileManager.default.removeItem(atPath: folder.path + "/segments/MANIFEST")
        #expect(try readAll(folder.path).damage.filter(\.isLoss).count == 1)
    }

    @Test(arguments: Plant.allCases)
    func `in place of the manifest it is damage that costs no record`(what: Plant) throws {
        let manifest = folder.path + "/segments/MANIFEST"
        try plant(what, at: manifest)
        let report = try verify()
        #expect(
            report.damage.map(\.error)
                == [.wrongKind(structure: "manifest", needed: "regular file")]
        )
        #expect(report.damage.first?.path == manifest)
        #expect(report.records == 32)
        #expect { try openWriter(folder.path) } throws: { error in
            guard case LogError.damaged(manifest, 0, _) = error else { return false }
            return true
        }
    }

    @Test(arguments: [Plant.link, .pipe])
    func `in place of the folder of segments everything is missing`(what: Plant) throws {
        let place = folder.path + "/segments"
        try plant(what, at: place)
        let report = try verify()
        #expect(report.damage.map(\.error) == [.wrongKind(structure: "segments", needed: "folder")])
        #expect(report.damage.first?.missingFrom == .first)
        #expect(report.records == 0)
        let read = try readAll(folder.path)
        #expect(read.damage == report.damage)
        #expect(read.records.isEmpty)
        #expect { try openWriter(folder.path) } throws: { error in
            guard case LogError.damaged(place, 0, _) = error else { return false }
            return true
        }
    }

    @Test(arguments: Plant.allCases)
    func `in place of the identity there is no recording`(what: Plant) throws {
        try plant(what, at: folder.path + "/recording.json")
        #expect { try RecordingReader(path: folder.path, disk: disk) } throws: { error in
            guard case LogError.notARecording = error else { return false }
            return true
        }
    }

    @Test(arguments: Plant.allCases)
    func `in place of the pins nothing is retired`(what: Plant) throws {
        let pins = folder.path + "/pins.json"
        try Data().write(to: URL(filePath: pins))
        try plant(what, at: pins)
        var policy = RetentionPolicy()
        policy.bytesMax = 1
        let retirement = SegmentRetirement(path: folder.path, disk: disk, policy: policy)
        #expect { try retirement.retire(now: 0) } throws: { error in
            guard case LogError.damaged(pins, 0, _) = error else { return false }
            return true
        }
        #expect(try readAll(folder.path).records.count == 32)
    }
}
