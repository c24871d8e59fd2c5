import Platform
import RecordModel
import SegmentLog
import Simulation
import Testing

/// A wall clock that somebody sets a day back and forth while its monotonic time goes on.
private final class SteppingClock: Clock {
    private let reads = Monitor<Int64>(0)

    func wallNanoseconds() -> Int64 {
        let number = reads.withLock { count in
            count += 1
            return count
        }
        let day: Int64 = 86_400_000_000_000
        let step = [0, -day, day, 0, -2 * day][Int(number / 7 % 5)]
        return 1_700_000_000_000_000_000 + number * 1_000_000 + step
    }

    func monotonicNanoseconds() -> UInt64 { SystemClock().monotonicNanoseconds() }
}

@Suite struct SteppingClockTests {
    @Test func `neither order nor recovery nor searching depends on a steady wall clock`() throws {
        let disk = SimulatedFileSystem()
        let clock = SteppingClock()
        var times: [Int64] = []
        for run in 0..<3 {
            let writer = try LogWriter(
                path: simulatedPath,
                disk: disk,
                clock: clock,
                schedule: SystemClock(),
                random: SeededRandom(seed: UInt64(run)),
                options: quickOptions(.everyBlock)
            )
            for number in 0..<40 {
                _ = try writer.append(
                    RecordEnvelope(
                        kind: .grpcMessageIn,
                        receivedAt: clock.wallNanoseconds(),
                        monotonic: clock.monotonicNanoseconds()
                    ),
                    payload: noise(300, seed: UInt64(run * 40 + number)).span.bytes
                )
                if number % 5 == 4 { try writer.flush() }
            }
            try writer.close(cause: "test")
        }
        let read = try readAll(simulatedPath, on: disk)
        #expect(read.damage.isEmpty && read.holes.isEmpty)
        #expect(read.records.map(\.envelope.sequence.value) == Array(1...126))
        let payloads = read.records.filter { $0.envelope.kind == .grpcMessageIn }.map(\.payload)
        #expect(payloads == (0..<120).map { noise(300, seed: UInt64($0)) })
        var verifier = RecordingVerifier(try RecordingReader(path: simulatedPath, disk: disk))
        let report = try verifier.run()
        #expect(report.isWhole && report.isEnded)
        times = read.records.map(\.envelope.receivedAt)
        #expect(zip(times, times.dropFirst()).contains { $0 > $1 + 86_000_000_000_000 })

        // A time is found where the running maximum reaches it, so every record is found once.
        let reader = try RecordingReader(path: simulatedPath, disk: disk)
        let seek = RecordingSeek(reader, positions: NoPositions())
        for time in times + [times[0] - 1, (times.max() ?? 0) + 1] {
            var reached = Int64.min
            let expected = times.firstIndex { candidate in
                reached = max(reached, candidate)
                return reached >= time
            }
            let found = try seek.first(atOrAfter: time)
            #expect(found?.value == expected.map { UInt64($0) + 1 }, "\(time)")
        }
    }
}

private struct NoPositions: PositionReader {
    mutating func position(of envelope: RecordEnvelope, payload: RawSpan) -> ChainPosition? { nil }
}
