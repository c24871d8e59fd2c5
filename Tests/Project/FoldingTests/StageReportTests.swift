import Folding
import Observability
import Platform
import Projection
import RecordModel
import SegmentLog
import Synchronization
import Synthesis
import Testing

/// Counters of the stages: nothing goes in that does not come out, dropped or failed; and what is
/// measured reaches nothing.
@Suite struct StageReportTests {
    /// A clock that goes on by a step whenever somebody looks.
    private final class StepClock: Clock {
        private let step: UInt64
        private let now = Atomic<UInt64>(0)

        init(step: UInt64) { self.step = step }

        func wallNanoseconds() -> Int64 { Int64(bitPattern: monotonicNanoseconds()) }
        func monotonicNanoseconds() -> UInt64 {
            now.wrappingAdd(step, ordering: .relaxed).newValue
        }
    }

    private func market() throws -> FoldTestMarket {
        try FoldTestMarket {
            $0.seed = 41
            $0.streams = 2
            $0.forks = 3
            $0.duplicatedPerMille = 50
            $0.latePerMille = 20
            $0.ethereumBlocks = 12
            $0.disconnects = 1
        }
    }

    private func fold(
        _ market: FoldTestMarket,
        _ clock: any Clock,
        _ change: (inout FoldOptions) -> Void = { _ in }
    ) throws -> (fold: StateFold, report: StateFold.Report) {
        var options = FoldOptions()
        options.helpers = 0
        change(&options)
        let fold = try StateFold(market.reader, options, storage: nil, clock: clock)
        return (fold, try fold.run())
    }

    private func sum(_ reasons: [StageReport.Reason]) -> UInt64 {
        reasons.reduce(0) { $0 + $1.count }
    }

    private func expectBalance(_ stages: [StageReport]) {
        for stage in stages {
            let sum = stage.given + sum(stage.dropped) + sum(stage.errors)
            #expect(stage.taken == sum, "\(stage.stage)")
        }
    }

    /// Kinds of all records, read by the log's own reader.
    private func census(_ market: FoldTestMarket) throws -> [RecordKind: UInt64] {
        var census: [RecordKind: UInt64] = [:]
        let cursor = try RecordCursor(market.reader)
        while true {
            switch try cursor.next() {
            case .record: census[cursor.envelope.kind, default: 0] += 1
            case .end: return census
            case .hole, .damage: Issue.record("an invented recording is whole")
            }
        }
    }

    @Test func `what goes into a stage comes out, is dropped or fails`() throws {
        let market = try market()
        let (fold, report) = try fold(market, StillClock())
        let stages = fold.stages
        #expect(stages.map(\.stage) == Stage.allCases)
        expectBalance(stages)
        for stage in stages { #expect(stage.given > 0, "\(stage.stage)") }

        let census = try census(market)
        #expect(stages[0].taken == census.values.reduce(0, +))
        #expect(stages[1].taken == census[.grpcMessageIn])
        // The frames of the other chain.
        let others = census.filter {
            $0.key.isDataFrame && $0.key != .grpcMessageIn && $0.key != .grpcMessageOut
        }
        let foreign = stages[0].dropped.first { $0.name == "other_stream" }?.count
        #expect(foreign == others.values.reduce(0, +))
        #expect(sum(stages[0].errors) == 0)
        #expect(sum(stages[1].errors) == 0)
        #expect(sum(stages[2].errors) == 0)

        let counters = fold.engine.counters
        #expect(stages[3].taken >= counters.applied + counters.undone)
        #expect(stages[3].given == stages[3].taken)
        // Two streams bring the same, and some of it twice.
        #expect(stages[2].dropped.contains { $0.name == "known" && $0.count > 100 })
        #expect(report.ending == .end)
    }

    @Test func `an end that was asked for shows as dropped actions`() throws {
        let market = try market()
        let applied = FinalDigests()
        let whole = try market.fold(observer: applied)
        let end = applied.applied[applied.applied.count / 2]
        let part = try fold(market, StillClock()) { $0.position = end }.fold
        expectBalance(part.stages)
        // Undone and applied again, some count more than once.
        let behind = applied.applied.count { $0 > end }
        let dropped = part.stages[3].dropped.first { $0.name == "behind_end" }?.count
        #expect(behind > 5)
        #expect(dropped.map { $0 >= behind } == true)
        #expect(part.stages[3].taken == whole.stages[3].taken)
    }

    @Test func `records given one by one count as those that are read`() throws {
        let market = try market()
        let read = try fold(market, StillClock()).fold.stages
        let pushed = try StateFold(
            market.reader,
            FoldOptions(),
            storage: nil,
            clock: StillClock()
        )
        let cursor = try RecordCursor(market.reader)
        while case .record = try cursor.next() {
            try pushed.take(cursor.envelope, cursor.unsafePayload)
        }
        for (one, other) in zip(read, pushed.stages) {
            #expect(one.taken == other.taken)
            #expect(one.given == other.given)
            #expect(one.dropped == other.dropped)
            #expect(one.errors == other.errors)
            #expect(one.latency.count == other.latency.count)
        }
    }

    @Test func `everything that passed a stage has a latency`() throws {
        let (fold, _) = try fold(try market(), StepClock(step: 1_000))
        for stage in fold.stages {
            // Statements in force before the first record are no records of this reading.
            #expect(stage.latency.count == stage.taken, "\(stage.stage)")
            #expect(stage.latency.longest >= 1_000, "\(stage.stage)")
        }
        // Only what comes while one follows was waited for.
        #expect(fold.arrival.count == 0)
    }

    @Test func `while following, live records are timed from where they were received`() throws {
        /// Asks for the end once so many records are folded.
        final class Stopper: FoldObserver {
            private let count: UInt64
            private(set) var isAsked = false

            init(after count: UInt64) { self.count = count }

            func read(storedBytes: UInt64, records: UInt64) { isAsked = records >= count }
        }
        /// Says one time when the fold is made, and another one ever after.
        final class TwoTimes: Clock {
            private let made: Int64
            private let now: Int64
            private let looks = Atomic<UInt64>(0)

            init(made: Int64, now: Int64) {
                self.made = made
                self.now = now
            }

            func wallNanoseconds() -> Int64 {
                looks.wrappingAdd(1, ordering: .relaxed).oldValue == 0 ? made : now
            }
            func monotonicNanoseconds() -> UInt64 { 0 }
        }
        let market = try market()
        let records = try census(market).values.reduce(0, +)
        var received: [Int64] = []
        let cursor = try RecordCursor(market.reader)
        while case .record = try cursor.next() {
            let envelope = cursor.envelope
            if envelope.kind == .grpcMessageIn { received.append(envelope.receivedAt) }
        }
        let (first, last) = (try #require(received.min()), try #require(received.max()))
        // The earlier half was there before the fold.
        let middle = first + (last - first) / 2
        for (made, live) in [(first, received), (middle, received.filter { $0 >= middle })] {
            var options = FoldOptions()
            options.helpers = 0
            options.follows = true
            let fold = try StateFold(
                market.reader,
                options,
                storage: nil,
                clock: TwoTimes(made: made, now: last + 5),
                observer: Stopper(after: records)
            )
            #expect(try fold.run().ending == .stopped)
            let oldest = try #require(live.min())
            #expect(fold.arrival.longest == UInt64(last + 5 - oldest))
            // What says something at once is timed too; there is little of it.
            #expect(fold.arrival.count >= UInt64(live.count))
            #expect(fold.arrival.count < UInt64(live.count) + 20)
        }
    }

    @Test func `what a clock says reaches no state`() throws {
        let market = try market()
        let still = try fold(market, StillClock()).fold
        for clock: any Clock in [StepClock(step: 7), StepClock(step: .max / 3), SystemClock()] {
            for helpers in [0, 2] {
                let other = try fold(market, clock) { $0.helpers = helpers }.fold
                #expect(other.engine.chainDigest == still.engine.chainDigest)
                #expect(other.positionDigest == still.positionDigest)
                for (one, other) in zip(still.stages, other.stages) {
                    #expect(one.taken == other.taken)
                    #expect(one.given == other.given)
                    #expect(one.dropped == other.dropped)
                }
            }
        }
    }
}
