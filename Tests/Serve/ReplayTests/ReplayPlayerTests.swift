import Foundation
import Platform
import RecordModel
import Replay
import SegmentLog
import Testing

/// A folder with a recording of frames 10 ms apart, removed with its owner.
private final class Recording {
    let root: String
    let reader: RecordingReader

    init(frames: Int, rotateBytes: UInt64 = 256 << 20) throws {
        root = FileManager.default.temporaryDirectory.path + "/tapedeck-test-\(UUID().uuidString)"
        var options = LogOptions()
        options.rotateBytes = rotateBytes
        options.durability = .none
        let writer = try LogWriter(
            path: root,
            disk: LinuxFileSystem(),
            clock: SystemClock(),
            random: SeededRandom(seed: 1),
            options: options
        )
        let base = SystemClock().monotonicNanoseconds()
        for number in 0..<frames {
            let envelope = RecordEnvelope(
                kind: .grpcMessageIn,
                receivedAt: 0,
                monotonic: base + UInt64(number) * 10_000_000
            )
            let payload = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 100)
            _ = try writer.append(envelope, payload: payload.span.bytes)
        }
        try writer.close(cause: "test")
        reader = try RecordingReader(path: root, disk: LinuxFileSystem())
    }

    deinit {
        do { try FileManager.default.removeItem(atPath: root) } catch {
            // A leftover in the folder for temporary files.
        }
    }
}

/// A stage for one consumer over a range.
private func stage(
    _ first: UInt64,
    _ last: UInt64,
    rate: ReplayRate = .unlimited,
    isPaused: Bool = false
) -> ReplayStage {
    var options = ReplayStageOptions(first: Sequence(first), last: Sequence(last))
    options.rate = rate
    options.startsPaused = isPaused
    return ReplayStage(clock: SystemClock(), options: options)
}

/// Everything that a player delivers, with the end it came to.
private func play(_ player: ReplayPlayer) throws -> ([UInt64], String) {
    var sequences: [UInt64] = []
    while true {
        switch try player.next() {
        case .record: sequences.append(player.cursor.envelope.sequence.value)
        case .hole, .damage: Issue.record("neither hole nor damage was written")
        case .end: return (sequences, "end")
        case .stopped: return (sequences, "stopped")
        }
    }
}

@Suite(.timeLimit(.minutes(1))) struct ReplayPlayerTests {
    @Test(arguments: ["max", "1000000", "500"])
    func `what is delivered does not depend on the rate`(rate: String) throws {
        let recording = try Recording(frames: 100)
        let stage = stage(5, 90, rate: try #require(ReplayRate(rate)))
        stage.start()
        let (sequences, end) = try play(ReplayPlayer(recording.reader, on: stage))
        #expect(sequences == Array(5...90))
        #expect(end == "end")
        #expect(stage.status.isAtEnd)
    }

    @Test func `a range may end behind the recording`() throws {
        let recording = try Recording(frames: 3)
        let stage = stage(2, .max - 1)
        stage.start()
        #expect(try play(ReplayPlayer(recording.reader, on: stage)) == ([2, 3, 4, 5], "end"))
    }

    @Test func `a paced record is never early`() throws {
        let recording = try Recording(frames: 20)
        let stage = stage(2, 21, rate: try #require(ReplayRate("10")))
        let player = try ReplayPlayer(recording.reader, on: stage)
        let clock = SystemClock()
        let began = clock.monotonicNanoseconds()
        stage.start()
        var dues: [UInt64] = []
        while case .record(let due) = try player.next() {
            let now = clock.monotonicNanoseconds()
            let at = try #require(due)
            #expect(now >= at)
            dues.append(at)
        }
        // 10 ms apart at ten times the speed.
        for (a, b) in zip(dues, dues.dropFirst()) { #expect(b - a == 1_000_000) }
        #expect(dues.count == 20)
        #expect(dues[19] >= began + 19_000_000)
    }

    @Test func `a waiting player is stepped, resumed, moved and stopped from another thread`()
        throws
    {
        let recording = try Recording(frames: 50)
        let stage = stage(2, 52, isPaused: true)
        let seen = Monitor<[UInt64]>([])
        let path = recording.root
        let thread = try Thread(name: "consumer") {
            do {
                let reader = try RecordingReader(path: path, disk: LinuxFileSystem())
                let player = try ReplayPlayer(reader, on: stage)
                while case .record = try player.next() {
                    let sequence = player.cursor.envelope.sequence.value
                    seen.update { $0.append(sequence) }
                }
                seen.update { $0.append(0) }
            } catch { Issue.record("\(error)") }
        }
        stage.start()
        #expect(stage.step(2))
        seen.wait { $0 == [2, 3] ? () : nil }
        #expect(stage.status.position == Sequence(3))
        // At a rate a step waits until its records are played.
        stage.setRate(.recorded)
        #expect(stage.step(1))
        #expect(stage.status.position == Sequence(4))
        seen.wait { $0 == [2, 3, 4] ? () : nil }
        stage.seek(to: Sequence(40))
        #expect(stage.step(1))
        seen.wait { $0 == [2, 3, 4, 40] ? () : nil }
        // At a millionth of the speed the next record is hours away; a change still wakes.
        stage.setRate(.millionths(1))
        stage.resume()
        stage.setRate(.unlimited)
        seen.wait { $0.last == 0 ? () : nil }
        thread.join()
        #expect(seen.withLock { $0 } == [2, 3, 4] + Array(40...52) + [0])
    }

    @Test func `a stop wakes a player that waits for a far record`() throws {
        let recording = try Recording(frames: 3)
        let stage = stage(2, 4, rate: .millionths(1))
        stage.start()
        let first = Monitor(false)
        let path = recording.root
        let result = Monitor("")
        let thread = try Thread(name: "consumer") {
            do {
                let reader = try RecordingReader(path: path, disk: LinuxFileSystem())
                let player = try ReplayPlayer(reader, on: stage)
                _ = try player.next()
                first.update { $0 = true }
                if case .stopped = try player.next() { result.update { $0 = "stopped" } }
            } catch { Issue.record("\(error)") }
        }
        first.wait { $0 ? () : nil }
        stage.stop()
        thread.join()
        #expect(result.withLock { $0 } == "stopped")
    }

    @Test func `a rate after full speed counts from where the play then is`() throws {
        // 10 ms apart: a timeline that went on from the start would make the rest 0.5 s late.
        let recording = try Recording(frames: 60)
        let stage = stage(2, 61, rate: .millionths(10_000_000))
        stage.start()
        let player = try ReplayPlayer(recording.reader, on: stage)
        for _ in 0..<50 { _ = try player.next() }
        stage.setRate(.unlimited)
        stage.setRate(.millionths(1_000_000))
        let changed = SystemClock().monotonicNanoseconds()
        guard case .record(let due) = try player.next() else {
            Issue.record("no record")
            return
        }
        #expect(player.cursor.envelope.sequence == Sequence(52))
        #expect(try #require(due) <= changed)
    }
}
