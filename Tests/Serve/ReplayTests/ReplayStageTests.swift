import Platform
import RecordModel
import Replay
import SegmentLog
import Testing

// Record 1 of every recording is its run's start, and the last one its end.
struct ReplayStageTests {
    private func options(
        _ last: UInt64,
        first: UInt64 = 1,
        rate: ReplayRate = .unlimited
    ) -> ReplayStageOptions {
        var options = ReplayStageOptions(first: Sequence(first), last: Sequence(last))
        options.rate = rate
        return options
    }

    @Test func `without a rate everybody reads all`() throws {
        let recording = try StageRecording(times: Array(repeating: 1, count: 1_000))
        let stage = try recording.stage(options(900, first: 3))
        defer { stage.stop() }
        for _ in 0..<2 {
            let (records, end) = try read(recording.listener(stage))
            #expect(records == Array(3...900))
            #expect(end == .ended)
        }
    }

    @Test func `at a rate all is released in the end, and no sooner than due`() throws {
        let recording = try StageRecording(times: [0, 1_000_000, 2_000_000, 30_000_000])
        let stage = try recording.stage(options(5, first: 2, rate: .recorded))
        defer { stage.stop() }
        let start = SystemClock().monotonicNanoseconds()
        let (records, end) = try read(recording.listener(stage))
        #expect(records == [2, 3, 4, 5])
        #expect(end == .ended)
        #expect(SystemClock().monotonicNanoseconds() - start >= 30_000_000)
        #expect(stage.status.isAtEnd)
    }

    @Test func `who comes late begins at the head`() throws {
        // At the recorded rate the last two are an hour away, however slow the machine.
        let hour: UInt64 = 3_600_000_000_000
        let recording = try StageRecording(times: [0, 0, 0, hour, hour + 100_000_000])
        let stage = try recording.stage(options(6, first: 2, rate: .recorded))
        defer { stage.stop() }
        let early = try recording.listener(stage)
        while try early.next() != .record { early.wait() }
        while stage.status.position < Sequence(4) {
            if try early.next() == .caughtUp { early.wait() }
        }
        let late = try recording.listener(stage)
        stage.setRate(.millionths(1_000_000_000_000))
        #expect(try read(late).records == [5, 6])
    }

    @Test func `the clock waits for its subscriptions`() throws {
        let recording = try StageRecording(times: [0, 0])
        var options = options(3)
        options.waitsFor = 2
        let stage = try recording.stage(options)
        defer { stage.stop() }
        let one = try recording.listener(stage)
        #expect(try one.next() == .caughtUp)
        #expect(!stage.status.isStarted)
        let two = try recording.listener(stage)
        #expect(try one.next() == .record)
        #expect(try two.next() == .record)
    }

    @Test(arguments: [ReplayRate.unlimited, .millionths(1_000_000_000_000)])
    func `a pause holds, steps count, and resume goes on`(rate: ReplayRate) throws {
        let recording = try StageRecording(times: [0, 0, 0, 0, 0, 0])
        var options = options(7, rate: rate)
        options.startsPaused = true
        let stage = try recording.stage(options)
        defer { stage.stop() }
        let cursor = try recording.listener(stage)
        #expect(try read(cursor, waits: 0) == ([], .caughtUp))
        #expect(stage.step(2))
        #expect(try read(cursor, waits: 0) == ([1, 2], .caughtUp))
        #expect(stage.step(1))
        #expect(try read(cursor, waits: 0) == ([3], .caughtUp))
        stage.resume()
        #expect(try read(cursor).records == [4, 5, 6, 7])
        #expect(!stage.step(1))
    }

    @Test(arguments: [ReplayRate.unlimited, .millionths(1_000_000_000_000)])
    func `a seek moves every listener`(rate: ReplayRate) throws {
        let recording = try StageRecording(times: [0, 0, 0, 0, 0, 0])
        var options = options(7, rate: rate)
        options.startsPaused = true
        let stage = try recording.stage(options)
        defer { stage.stop() }
        let cursor = try recording.listener(stage)
        stage.seek(to: Sequence(6))
        #expect(try read(cursor, waits: 0) == ([], .moved(to: Sequence(6))))
        stage.resume()
        #expect(try read(cursor) == ([6, 7], .ended))
        stage.seek(to: .none)
        #expect(try read(cursor) == ([], .moved(to: Sequence(1))))
        #expect(try read(cursor) == ([1, 2, 3, 4, 5, 6, 7], .ended))
    }

    @Test func `a loop begins again for who comes after the end`() throws {
        let recording = try StageRecording(times: [0, 0])
        var options = options(3, rate: .millionths(1_000_000_000_000))
        options.loops = true
        let stage = try recording.stage(options)
        defer { stage.stop() }
        let slow = try recording.listener(stage)
        #expect(try read(recording.listener(stage)) == ([1, 2, 3], .ended))
        #expect(try read(recording.listener(stage)) == ([1, 2, 3], .ended))
        // The new lap takes nothing from who is still in the old one.
        #expect(try read(slow) == ([1, 2, 3], .ended))
    }

    @Test func `stopping and interrupting wake who waits`() throws {
        let recording = try StageRecording(times: [0])
        var options = options(2)
        options.startsPaused = true
        let stage = try recording.stage(options)
        let cursor = try recording.listener(stage)
        cursor.wait(isInterrupted: { true })
        cursor.wait(deadline: 1)
        let thread = try Thread(name: "stop") { stage.stop() }
        cursor.wait()
        thread.join()
        #expect(try cursor.next() == .stopped)
    }

    @Test func `an own way back waits for the head again`() throws {
        let recording = try StageRecording(times: [0, 0, 0])
        let stage = try recording.stage(options(4, rate: .millionths(1_000_000_000_000)))
        defer { stage.stop() }
        let cursor = try recording.listener(stage)
        #expect(try read(cursor).records == [1, 2, 3, 4])
        try cursor.rewind(to: Sequence(2))
        #expect(try read(cursor) == ([2, 3, 4], .ended))
    }
}

private func == (
    left: (records: [UInt64], end: ReplayListener.Step),
    right: ([UInt64], ReplayListener.Step)
) -> Bool { left.records == right.0 && left.end == right.1 }
