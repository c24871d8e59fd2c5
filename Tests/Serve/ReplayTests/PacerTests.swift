import RecordModel
import Replay
import Testing

private let second: UInt64 = 1_000_000_000

private func started(_ rate: String, at now: UInt64 = 0) throws -> Pacer {
    var pacer = Pacer(rate: try #require(ReplayRate(rate)))
    pacer.start(now: now)
    return pacer
}

@Suite struct PacerTests {
    @Test func `nothing is due before the start`() {
        var pacer = Pacer(rate: .recorded)
        #expect(pacer.decide(Sequence(1), at: 0, now: 5 * second) == .hold)
        pacer.start(now: 7 * second)
        #expect(pacer.decide(Sequence(1), at: 0, now: 7 * second) == .due(at: 7 * second))
        // Starting again does not set the clock back.
        pacer.start(now: 9 * second)
        let next = pacer.decide(Sequence(2), at: 3 * second, now: 9 * second)
        #expect(next == .wait(until: 10 * second))
    }

    @Test(
        arguments: [
            ("1", 3_000_000_000, 3_000_000_000), ("10", 3_000_000_000, 300_000_000),
            ("0.5", 3_000_000_000, 6_000_000_000), ("3", 1, 1), ("3", 10, 4),
            ("0.000001", 5, 5_000_000), ("1000000", 5_000_000, 5),
        ] as [(String, UInt64, UInt64)]
    )
    func `an offset is due after its share of time, never early`(
        rate: String,
        offset: UInt64,
        due: UInt64
    ) throws {
        var pacer = try started(rate, at: 100)
        let early = pacer.decide(Sequence(1), at: offset, now: 100 + due - 1)
        #expect(early == .wait(until: 100 + due))
        #expect(pacer.decide(Sequence(1), at: offset, now: 100 + due) == .due(at: 100 + due))
    }

    @Test func `the greatest values overflow nowhere`() throws {
        var slow = try started("0.000001")
        #expect(slow.decide(Sequence(1), at: .max, now: 5) == .wait(until: .max))
        var fast = try started("1000000")
        #expect(fast.decide(Sequence(1), at: .max, now: .max) == .due(at: 18_446_744_073_710))
        #expect(fast.offset(at: .max) == .max)
        fast.setRate(.recorded, now: .max)
        fast.pause(now: .max)
        fast.step(.max)
        #expect(fast.decide(Sequence(.max), at: .max, now: .max) == .due(at: nil))
    }

    @Test func `at full speed nothing is waited for`() throws {
        var pacer = try started("max")
        #expect(pacer.decide(Sequence(1), at: 3_600 * second, now: 0) == .due(at: nil))
        // From full speed the place goes on at the record reached.
        pacer.setRate(.recorded, now: 10)
        let next = pacer.decide(Sequence(2), at: 3_601 * second, now: 10)
        #expect(next == .wait(until: 10 + second))
    }

    @Test func `a pause stretches what is still to come`() throws {
        var pacer = try started("2")
        #expect(pacer.decide(Sequence(1), at: 0, now: 0) == .due(at: 0))
        pacer.pause(now: second)
        #expect(pacer.offset(at: 50 * second) == 2 * second)
        #expect(pacer.decide(Sequence(2), at: second, now: 50 * second) == .hold)
        // What was delivered to one consumer is due for a slower one.
        #expect(pacer.decide(Sequence(1), at: 0, now: 50 * second) == .due(at: nil))
        pacer.resume(now: 100 * second)
        let next = pacer.decide(Sequence(3), at: 4 * second, now: 100 * second)
        #expect(next == .wait(until: 101 * second))
    }

    @Test func `a step frees so many records and moves the place there`() throws {
        var pacer = Pacer(rate: .recorded, isPaused: true)
        pacer.start(now: 0)
        #expect(pacer.decide(Sequence(1), at: 0, now: 1) == .hold)
        pacer.step(2)
        #expect(pacer.decide(Sequence(1), at: 0, now: 1) == .due(at: nil))
        #expect(pacer.decide(Sequence(2), at: 5 * second, now: 1) == .due(at: nil))
        #expect(pacer.decide(Sequence(3), at: 6 * second, now: 1) == .hold)
        pacer.resume(now: 10)
        let next = pacer.decide(Sequence(3), at: 6 * second, now: 10)
        #expect(next == .wait(until: 10 + second))
    }

    @Test func `another rate holds from the moment of the change`() throws {
        var pacer = try started("1")
        pacer.setRate(try #require(ReplayRate("4")), now: 2 * second)
        let next = pacer.decide(Sequence(1), at: 10 * second, now: 2 * second)
        #expect(next == .wait(until: 4 * second))
    }

    @Test func `a jump begins a new timeline`() throws {
        var pacer = try started("1")
        _ = pacer.decide(Sequence(50), at: 2 * second, now: 2 * second)
        pacer.seek(to: Sequence(10), now: 5 * second)
        #expect(pacer.frontier == Sequence(9))
        let next = pacer.decide(Sequence(11), at: second, now: 5 * second)
        #expect(next == .wait(until: 6 * second))
    }
}

@Suite struct ReplayRateTests {
    @Test(
        arguments: [
            ("1", 1_000_000), ("0.5", 500_000), ("10", 10_000_000), ("2.25", 2_250_000),
            ("0.000001", 1), ("1000000", 1_000_000_000_000),
        ] as [(String, UInt64)]
    )
    func `a rate is an exact fraction`(text: String, millionths: UInt64) {
        #expect(ReplayRate(text) == .millionths(millionths))
    }

    @Test(arguments: ["", "0", "0.0", "-1", "1x", "1.", ".5", "1.0000000", "1000000.1", "MAX", "٥"])
    func `what is no rate is refused`(text: String) {
        #expect(ReplayRate(text) == nil)
    }

    @Test func `max is no number`() { #expect(ReplayRate("max") == .unlimited) }
}

@Suite struct ReplayTimelineTests {
    private func record(
        _ monotonic: UInt64,
        wall: Int64 = 0,
        _ kind: RecordKind = .grpcMessageIn
    ) -> RecordEnvelope {
        RecordEnvelope(kind: kind, receivedAt: wall, monotonic: monotonic)
    }

    private func offsets(_ records: [RecordEnvelope], keepsIdle: Bool = false) -> [UInt64] {
        var timeline = ReplayTimeline(keepsIdle: keepsIdle)
        return records.map { timeline.feed($0) }
    }

    @Test func `inside a run the monotonic clock counts, long waits as one second`() {
        let records = [
            record(50), record(60), record(60), record(5 * second), record(5 * second + 7),
        ]
        #expect(offsets(records) == [0, 10, 10, 10 + second, 17 + second])
        #expect(
            offsets(records, keepsIdle: true) == [0, 10, 10, 5 * second - 50, 5 * second - 43]
        )
    }

    @Test func `records out of order do not stretch the timeline`() {
        let records = [100, 90, 110, 95, 120].map { record($0) }
        #expect(offsets(records) == [0, 0, 10, 10, 20])
    }

    @Test func `from run to run the wall clock counts`() {
        let records = [
            record(900, wall: 1_000), record(950, wall: 1_050),
            record(10, wall: 1_250, .runStarted),
            record(30, wall: 1_270),
        ]
        #expect(offsets(records) == [0, 50, 250, 270])
    }

    @Test func `a wall clock that steps back takes no time`() {
        let records = [
            record(5, wall: .max), record(1, wall: .min, .runStarted), record(3, wall: .max),
            record(1, wall: .max, .runStarted),
        ]
        #expect(offsets(records, keepsIdle: true) == [0, 0, 2, 2])
    }

    @Test func `the greatest steps do not overflow`() {
        let records = [
            record(0, wall: .min), record(.max, wall: .min), record(0, wall: .max, .runStarted),
        ]
        #expect(offsets(records, keepsIdle: true) == [0, .max, .max])
    }
}

@Suite struct JitterHistogramTests {
    @Test func `shares are right within a sixteenth`() {
        var histogram = JitterHistogram()
        for value in UInt64(1)...1000 {
            histogram.add(due: 1_000_000, delivered: 1_000_000 + value)
        }
        histogram.add(due: 5, delivered: 4)
        #expect(histogram.count == 1001)
        #expect(histogram.max == 1000)
        let median = histogram.percentile(perThousand: 500)
        #expect((500...532).contains(median))
        #expect((990...1000).contains(histogram.percentile(perThousand: 990)))
        #expect(histogram.percentile(perThousand: 0) == 0)
        #expect(histogram.percentile(perThousand: 1000) == 1000)
    }

    @Test(arguments: [0, 1, 15, 16, 17, 31, 32, 1 << 40, UInt64.max] as [UInt64])
    func `every lateness has a bucket`(late: UInt64) {
        var histogram = JitterHistogram()
        histogram.add(due: 0, delivered: late)
        #expect(histogram.percentile(perThousand: 500) == late)
    }
}
