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

/// Everything that a player delivers, with the end it came to.
private func play(_ player: ReplayPlayer, atMost limit: Int = .max) throws -> ([UInt64], String) {
    var sequences: [UInt64] = []
    while sequences.count < limit {
        switch try player.next() {
        case .record: sequences.append(player.cursor.envelope.sequence.value)
        case .hole, .damage: Issue.record("neither hole nor damage was written")
        case .again: sequences.append(0)
        case .end: return (sequences, "end")
        case .stopped: return (sequences, "stopped")
        }
    }
    return (sequences, "limit")
}

@Suite struct ReplayPlayerTests {
    @Test(arguments: ["max", "1000000", "500"])
    func `what is delivered does not depend on the rate`(rate: String) throws {
        let recording = try Recording(frames: 100)
        let head = ReplayHead(from: Sequence(5), rate: try #require(ReplayRate(rate)))
        head.start()
        let player = try ReplayPlayer(
            recording.reader,
            head: head,
            from: Sequence(5),
            through: Sequence(90)
        )
        let (sequences, end) = try play(player)
        #expect(sequences == Array(5...90))
        #expect(end == "end")
    }

    @Test func `a paced record is never early`() throws {
        let recording = try Recording(frames: 20)
        let head = ReplayHead(from: Sequence(2), rate: try #require(ReplayRate("10")))
        let player = try ReplayPlayer(recording.reader, head: head, from: Sequence(2))
        let clock = SystemClock()
        let began = clock.monotonicNanoseconds()
        head.start()
        var dues: [UInt64] = []
        while case .record(let due) = try player.next() {
            let now = clock.monotonicNanoseconds()
            let at = try #require(due)
            #expect(now >= at)
            dues.append(at)
            if dues.count == 20 { break }
        }
        // 10 ms apart at ten times the speed.
        for (a, b) in zip(dues, dues.dropFirst()) { #expect(b - a == 1_000_000) }
        #expect(dues[19] >= began + 19_000_000)
    }

    @Test func `a loop begins again until it is stopped`() throws {
        let recording = try Recording(frames: 3)
        let head = ReplayHead(from: Sequence(2), rate: .unlimited)
        head.start()
        let player = try ReplayPlayer(
            recording.reader,
            head: head,
            from: Sequence(2),
            through: Sequence(4),
            loops: true
        )
        #expect(try play(player, atMost: 8).0 == [2, 3, 4, 0, 2, 3, 4, 0])
        head.stop()
        #expect(try play(player).1 == "stopped")
    }

    @Test func `a waiting player is stepped, resumed, moved and stopped from another thread`()
        throws
    {
        let recording = try Recording(frames: 50)
        let head = ReplayHead(from: Sequence(2), rate: .unlimited, isPaused: true)
        let seen = Monitor<[UInt64]>([])
        let path = recording.root
        let thread = try Thread(name: "consumer") {
            do {
                let reader = try RecordingReader(path: path, disk: LinuxFileSystem())
                let player = try ReplayPlayer(reader, head: head, from: Sequence(2))
                while case .record = try player.next() {
                    let sequence = player.cursor.envelope.sequence.value
                    seen.update { $0.append(sequence) }
                }
                seen.update { $0.append(0) }
            } catch { Issue.record("\(error)") }
        }
        head.start()
        head.step(2)
        seen.wait { $0 == [2, 3] ? () : nil }
        #expect(head.status.frontier == Sequence(3))
        head.step(1)
        seen.wait { $0 == [2, 3, 4] ? () : nil }
        head.seek(to: Sequence(40))
        head.step(1)
        seen.wait { $0 == [2, 3, 4, 40] ? () : nil }
        // At a millionth of the speed the next record is hours away; a change still wakes.
        head.setRate(.millionths(1))
        head.resume()
        head.setRate(.unlimited)
        seen.wait { $0.last == 0 ? () : nil }
        thread.join()
        #expect(seen.withLock { $0 } == [2, 3, 4] + Array(40...52) + [0])
    }

    @Test func `a stop wakes a player that waits for a far record`() throws {
        let recording = try Recording(frames: 3)
        let head = ReplayHead(from: Sequence(2), rate: .millionths(1))
        head.start()
        let first = Monitor(false)
        let path = recording.root
        let result = Monitor("")
        let thread = try Thread(name: "consumer") {
            do {
                let reader = try RecordingReader(path: path, disk: LinuxFileSystem())
                let player = try ReplayPlayer(reader, head: head, from: Sequence(2))
                _ = try player.next()
                first.update { $0 = true }
                if case .stopped = try player.next() { result.update { $0 = "stopped" } }
            } catch { Issue.record("\(error)") }
        }
        first.wait { $0 ? () : nil }
        head.stop()
        thread.join()
        #expect(result.withLock { $0 } == "stopped")
    }

    @Test func `who joins later agrees on every offset`() throws {
        let recording = try Recording(frames: 5_000)
        let head = ReplayHead(from: .first, rate: .unlimited)
        head.start()
        let player = try ReplayPlayer(recording.reader, head: head, from: .first)
        #expect(try play(player, atMost: 4_000).0.last == 4_000)
        // The whole timeline, by hand: every record from the first.
        var whole = ReplayTimeline()
        var expected: [UInt64: UInt64] = [:]
        let cursor = try RecordCursor(recording.reader)
        while case .record = try cursor.next() {
            expected[cursor.envelope.sequence.value] = whole.feed(cursor.envelope)
        }
        for wanted in [nil, Sequence(3_000), Sequence(1)] as [Sequence?] {
            let entry = head.entry(at: wanted)
            let first = wanted ?? Sequence(4_001)
            #expect(entry.deliverFrom == first)
            #expect(first.value - entry.from.value <= 2_048)
            var timeline = entry.timeline
            let cursor = try RecordCursor(recording.reader, from: entry.from)
            repeat {
                guard case .record = try cursor.next() else {
                    Issue.record("no record")
                    return
                }
                timeline.feed(cursor.envelope)
            } while cursor.envelope.sequence < first
            #expect(timeline.offset == expected[first.value])
        }
    }

    @Test func `asking without waiting tells when a record is not due`() throws {
        let head = ReplayHead(from: Sequence(1), rate: .recorded)
        var timeline = ReplayTimeline(keepsIdle: true)
        let entry = head.entry()
        timeline.feed(RecordEnvelope(kind: .note, receivedAt: 0, monotonic: 0))
        #expect(head.poll(for: Sequence(1), timeline, generation: entry.generation) == nil)
        head.start()
        let turn = head.poll(for: Sequence(1), timeline, generation: entry.generation)
        guard case .due(.some) = turn else {
            Issue.record("\(String(describing: turn))")
            return
        }
        timeline.feed(
            RecordEnvelope(kind: .note, receivedAt: 0, monotonic: 3_600_000_000_000)
        )
        #expect(head.poll(for: Sequence(2), timeline, generation: entry.generation) == nil)
        head.seek(to: Sequence(9))
        #expect(head.poll(for: Sequence(2), timeline, generation: entry.generation) == .sought)
    }
}
