import Foundation
import Platform
import RecordModel
import SegmentFormat
import SegmentLog

@testable import Command

/// A folder that is removed with its owner.
final class TemporaryFolder {
    let root: String
    var recording: String { root + "/deck" }

    init() throws {
        let name = "tapedeck-test-\(UUID().uuidString)"
        root = FileManager.default.temporaryDirectory.path + "/" + name
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    }

    deinit {
        do { try FileManager.default.removeItem(atPath: root) } catch {
            // A leftover in the folder for temporary files.
        }
    }

    func write(_ bytes: [UInt8], as name: String) throws -> String {
        let path = root + "/" + name
        try Data(bytes).write(to: URL(filePath: path))
        return path
    }

    func read(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(filePath: root + "/" + name)))
    }

    func copy(_ path: String, _ target: String) throws {
        try FileManager.default.copyItem(atPath: path, toPath: target)
    }

    var names: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: root).sorted() }
    }
}

/// Makes a recording whose wall clock stands at 1970 unless the envelope says otherwise.
func makeRecording(
    _ path: String,
    rotateBytes: UInt64 = 256 << 20,
    _ body: (LogWriter) throws -> Void
) throws {
    var options = LogOptions()
    options.rotateBytes = rotateBytes
    options.durability = .none
    options.positionReader = RecordedPositions()
    let writer = try LogWriter(
        path: path,
        disk: LinuxFileSystem(),
        clock: ImportClock(startingAt: 0),
        random: SeededRandom(seed: 1),
        options: options
    )
    try body(writer)
    try writer.close(cause: "test")
}

/// What `cat` prints of a recording, and what it reports.
struct Printed {
    var text = ""
    var reports: [String] = []
    var code = ExitCode.ok

    var lines: [String] { text.split(separator: "\n").map(String.init) }
}

func list(
    _ path: String,
    _ format: RecordPrinter.Format = .ndjson,
    from: String? = nil,
    to: String? = nil,
    isDurableOnly: Bool = false
) throws -> Printed {
    var range = RecordRange()
    if let from { range = try range.joined(with: RecordRange(from, as: .from)) }
    if let to { range = try range.joined(with: RecordRange(to, as: .to)) }
    let reader = try RecordingReader(path: path, disk: LinuxFileSystem())
    var printed = Printed()
    let listing = RecordListing(
        reader: reader,
        range: try range.resolved(in: reader),
        format: format,
        isDurableOnly: isDurableOnly,
        write: { printed.text += String(decoding: $0, as: UTF8.self) },
        report: { printed.reports.append($0) }
    )
    printed.code = try listing.run()
    return printed
}

/// A frame with times, for recordings where nothing else matters.
func frame(
    _ kind: RecordKind = .grpcMessageIn,
    stream: UInt64 = 0,
    at time: Int64 = 0,
    wireByte: UInt8 = 0
) -> RecordEnvelope {
    RecordEnvelope(
        kind: kind,
        wireByte: wireByte,
        stream: Sequence(stream),
        receivedAt: time,
        monotonic: UInt64(bitPattern: time)
    )
}

/// The bytes of a SubscribeUpdate with nothing but a slot status.
func slotUpdate(_ slot: UInt8) -> [UInt8] { [0x1A, 2, 8, slot] }
