import Foundation
import Platform
import RecordModel
import SegmentLog
import Testing

@testable import Capture

/// A recording in a folder of its own, with a capture loop over it.
final class Deck {
    let root: String
    var path: String { root + "/recording" }
    let notices = Monitor<[CaptureNotice]>([])

    init() throws {
        root = FileManager.default.temporaryDirectory.path + "/tapedeck-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    /// Records until `isDone` or until all sources have ended, and closes.
    ///
    /// - Returns: the statuses at the end.
    @discardableResult
    func record(
        _ sources: [any FrameSource],
        secrets: [String] = [],
        framesMax: UInt64? = nil,
        options: LogOptions = LogOptions(),
        gapPolicy: GapMachine.Policy = .never,
        until isDone: @escaping @Sendable (CaptureLog) -> Bool = { _ in false }
    ) throws -> [CaptureLoop.SourceStatus] {
        let clock = SystemClock()
        let log = try LogWriter(
            path: path,
            disk: LinuxFileSystem(),
            clock: clock,
            random: SystemRandom(),
            options: options
        )
        let capture = CaptureLog(
            log: log,
            redactor: Redactor(secrets),
            clock: clock,
            framesMax: framesMax,
            observer: { [notices] notice in notices.update { $0.append(notice) } }
        )
        let loop = CaptureLoop(
            sources: sources,
            capture: capture,
            positions: nil,
            gapPolicy: gapPolicy
        )
        try loop.start(seed: 1)
        let limit = clock.monotonicNanoseconds() + 30_000_000_000
        var isOver = false
        while !isOver, clock.monotonicNanoseconds() < limit {
            isOver = loop.waitEnded(deadline: clock.monotonicNanoseconds() + 2_000_000)
            if isDone(capture) || capture.stop != nil { break }
        }
        loop.stop()
        #expect(loop.waitEnded(deadline: clock.monotonicNanoseconds() + 15_000_000_000))
        loop.join()
        try log.close(cause: "test")
        return loop.statuses
    }

    /// Records on a log that is left as a crash leaves it: the streams stay open in it.
    func crash(_ body: (LogWriter) throws -> Void) throws {
        let log = try LogWriter(
            path: path,
            disk: LinuxFileSystem(),
            clock: SystemClock(),
            random: SystemRandom(),
            options: LogOptions()
        )
        try body(log)
        try log.flush()
        // A copy of the files is what a power cut would have left.
        let copy = root + "/copy"
        try FileManager.default.copyItem(atPath: path, toPath: copy)
        try log.close(cause: "test")
        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.moveItem(atPath: copy, toPath: path)
    }

    /// All records.
    func records() throws -> [Kept] {
        let cursor = try RecordCursor(
            RecordingReader(path: path, disk: LinuxFileSystem()),
            from: .none
        )
        var result: [Kept] = []
        while true {
            switch try cursor.next() {
            case .record:
                result.append(Kept(envelope: cursor.envelope, payload: cursor.payloadBytes))
            case .end: return result
            default: Issue.record("a hole or damage")
            }
        }
    }

    /// Whether any file below the folder holds the bytes.
    func holds(_ text: String) throws -> Bool {
        let needle = Data(text.utf8)
        let files = FileManager.default.enumerator(atPath: root)
        while let name = files?.nextObject() as? String {
            let bytes = FileManager.default.contents(atPath: root + "/" + name)
            if let bytes, bytes.range(of: needle) != nil { return true }
        }
        return false
    }
}

/// One record, read back.
struct Kept {
    let envelope: RecordEnvelope
    let payload: [UInt8]

    var fields: EventFields {
        do { return try EventFields(decoding: payload.span.bytes) } catch {
            Issue.record(error)
            return EventFields()
        }
    }
}

extension [Kept] {
    func of(_ kind: RecordKind) -> [Kept] { filter { $0.envelope.kind == kind } }
    var kinds: [RecordKind] { map(\.envelope.kind) }
}
