import Platform
import RecordModel
import SegmentLog
import Testing

@testable import Command

@Suite struct RetentionVerbTests {
    /// A recording of several small segments.
    private func makeDeck(_ folder: TemporaryFolder) throws -> [SegmentDescriptor] {
        try makeRecording(folder.recording, rotateBytes: 400) { writer in
            for number in 0..<12 {
                let bytes = (0..<300).map { UInt8(truncatingIfNeeded: $0 &* ($0 + number)) }
                _ = try writer.append(frame(at: Int64(number)), payload: bytes.span.bytes)
                try writer.flush()
            }
        }
        return try RecordingReader(path: folder.recording, disk: LinuxFileSystem()).segments
    }

    private func run(_ words: String, _ folder: TemporaryFolder) -> ExitCode {
        go(words.replacing("DECK", with: folder.recording).split(separator: " ").map(String.init))
    }

    @Test func `retire and pin work from the command line`() throws {
        let folder = try TemporaryFolder()
        let segments = try makeDeck(folder)
        #expect(segments.count > 4)
        #expect(run("retire DECK --keep-bytes 0 --dry-run", folder) == .findings)
        #expect(run("pin DECK one --at seq:\(segments[1].firstSequence)", folder) == .ok)
        #expect(run("pin DECK", folder) == .ok)
        #expect(run("retire DECK --keep-bytes 0 --format json", folder) == .findings)
        let left = try RecordingReader(path: folder.recording, disk: LinuxFileSystem()).segments
        #expect(left == Array(segments.dropFirst()))
        #expect(run("pin DECK late --at seq:1", folder) == .rangeNotAvailable)
        #expect(run("cat DECK --from seq:1", folder) == .rangeNotAvailable)
        #expect(run("pin DECK one --remove", folder) == .ok)
        #expect(run("pin DECK one --remove", folder) == .failed)
        #expect(run("retire DECK --keep-bytes 1GiB", folder) == .ok)
        #expect(run("verify DECK", folder) == .ok)
        #expect(try list(folder.recording).code == .ok)
    }

    @Test(arguments: [
        "retire DECK", "retire DECK --keep-bytes", "retire DECK --keep-age soon",
        "pin DECK a/b --at seq:1", "pin DECK --at seq:1", "pin DECK a",
        "pin DECK a --at seq:1 --remove",
    ])
    func `mistakes are said before anything happens`(words: String) throws {
        let folder = try TemporaryFolder()
        let segments = try makeDeck(folder)
        #expect(run(words, folder) == .usage)
        let left = try RecordingReader(path: folder.recording, disk: LinuxFileSystem()).segments
        #expect(left == segments)
    }

    @Test func `the table says what goes, what stays and why`() throws {
        let folder = try TemporaryFolder()
        let segments = try makeDeck(folder)
        var policy = RetentionPolicy()
        policy.bytesMax = 0
        let report = try SegmentRetirement(
            path: folder.recording,
            disk: LinuxFileSystem(),
            policy: policy
        ).preview(now: 0)
        let lines = report.table.split(separator: "\n")
        #expect(lines.count == segments.count + 1)
        #expect(lines[1].hasSuffix("goes (--keep-bytes)"))
        #expect(lines[1].contains("1970-01-01T00:00:00"))
        #expect(
            lines.last?.hasSuffix("stays although --keep-bytes: it is the newest segment") == true
        )
        #expect(
            report.complaints == [
                "--keep-bytes cannot be met: segment \(segments[segments.count - 1].ordinal) stays: "
                    + "it is the newest segment"
            ]
        )
    }

    @Test func `record takes its limits from flags before the file, and cuts smaller segments`() {
        var plan = RecordPlan()
        var limits = RetentionPolicy()
        limits.bytesMax = 800 << 20
        limits.ageMax = 80_000_000_000
        plan.keep(limits)
        var flags = RetentionPolicy()
        flags.bytesMax = 400 << 20
        plan.keep(flags)
        plan.keep(RetentionPolicy())
        plan.settleSegments()
        #expect(plan.log.retention?.bytesMax == 400 << 20)
        #expect(plan.log.retention?.ageMax == 80_000_000_000)
        #expect(plan.log.rotateBytes == 50 << 20)
        #expect(plan.log.rotateNanoseconds == 10_000_000_000)
    }

    @Test func `what stands in the way is said once`() throws {
        let folder = try TemporaryFolder()
        _ = try makeDeck(folder)
        var policy = RetentionPolicy()
        policy.bytesMax = 0
        let report = try SegmentRetirement(
            path: folder.recording,
            disk: LinuxFileSystem(),
            policy: policy
        ).preview(now: 0)
        let said = Monitor<[String]>([])
        let talk = RetentionTalk { line in said.withLock { $0.append(line) } }
        talk.tell(.success(report))
        talk.tell(.success(report))
        let lines = said.withLock { $0 }
        #expect(lines.filter { $0.hasPrefix("retired ") }.count == 2)
        #expect(lines.filter { $0.contains("cannot be met") }.count == 1)
        #expect(talk.retiredBytes == 2 * report.retiredBytes)
    }
}
