import Foundation
import Platform
import RecordModel
import Replay
import SegmentLog

/// A recording in a folder of its own, removed at the end.
final class StageRecording {
    let path: String

    /// Writes as many notes as there are times; the run-started record before them is record 1.
    init(times: [UInt64]) throws {
        path = FileManager.default.temporaryDirectory.path + "/replay-\(UUID().uuidString)"
        let log = try LogWriter(
            path: path,
            disk: LinuxFileSystem(),
            clock: TestClock(),
            random: SeededRandom(seed: 1),
            options: LogOptions()
        )
        for time in times {
            let envelope = RecordEnvelope(
                kind: .note,
                receivedAt: Int64(time),
                monotonic: time
            )
            _ = try log.append(envelope, payload: [UInt8]().span.bytes)
        }
        try log.close(cause: "test")
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func stage(_ options: ReplayStageOptions) throws -> ReplayStage {
        try ReplayStage(
            path: path,
            disk: LinuxFileSystem(),
            clock: SystemClock(),
            options: options
        )
    }

    func listener(_ stage: ReplayStage) throws -> ReplayListener {
        try ReplayListener(stage, path: path, disk: LinuxFileSystem())
    }
}

/// A clock that stands still.
private struct TestClock: Clock {
    func wallNanoseconds() -> Int64 { 0 }
    func monotonicNanoseconds() -> UInt64 { 0 }
}

/// Reads until something else than a record comes; waits once for each `caughtUp` allowed.
func read(
    _ listener: ReplayListener,
    waits: Int = 1_000_000
) throws -> (records: [UInt64], end: ReplayListener.Step) {
    var records: [UInt64] = []
    var left = waits
    while true {
        switch try listener.next() {
        case .record: records.append(listener.records.envelope.sequence.value)
        case .caughtUp where left > 0:
            left -= 1
            listener.wait()
        case let step: return (records, step)
        }
    }
}
