import Foundation
import Platform
import RecordModel
import SegmentFormat
import SegmentLog

/// A folder that is removed with its owner.
final class TemporaryFolder {
    let root: String
    var path: String { root + "/recording" }

    init() throws {
        let name = "tapedeck-test-\(UUID().uuidString)"
        root = FileManager.default.temporaryDirectory.path + "/" + name
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }
}

func openWriter(_ path: String, _ options: LogOptions = LogOptions()) throws -> LogWriter {
    try LogWriter(
        path: path,
        disk: LinuxFileSystem(),
        clock: SystemClock(),
        random: SystemRandom(),
        options: options
    )
}

/// A payload whose size and bytes depend on its number; some compress, some do not.
func samplePayload(_ number: Int) -> [UInt8] {
    number % 3 == 0
        ? noise(number % 700, seed: UInt64(number))
        : (0..<(number * 13 % 900)).map { UInt8(truncatingIfNeeded: $0 / 7 + number) }
}

func noise(_ count: Int, seed: UInt64) -> [UInt8] {
    var random = SeededRandom(seed: seed)
    return (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
}

struct ReadResult {
    var records: [(envelope: RecordEnvelope, payload: [UInt8])] = []
    var holes: [Hole] = []
    var damage: [DamageReport] = []
    var tornBytes: UInt64 = 0
}

func readAll(_ path: String, from: Sequence = .none) throws -> ReadResult {
    let reader = try RecordingReader(path: path, disk: LinuxFileSystem())
    let cursor = try RecordCursor(reader, from: from)
    var result = ReadResult()
    while true {
        switch try cursor.next() {
        case .record: result.records.append((cursor.envelope, cursor.payloadBytes))
        case .hole(let hole): result.holes.append(hole)
        case .damage(let damage): result.damage.append(damage)
        case .end:
            result.tornBytes = cursor.tornBytes
            return result
        }
    }
}
