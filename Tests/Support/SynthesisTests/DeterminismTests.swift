import Testing

@testable import Synthesis

struct DeterminismTests {
    @Test func `one seed gives the same steps twice`() {
        #expect(
            SynthesisRun.steps(SynthesisRun.options) == SynthesisRun.steps(SynthesisRun.options)
        )
    }

    @Test func `another seed gives other bytes`() {
        var other = SynthesisRun.options
        other.seed = 2
        let first = SynthesisRun.messages(SynthesisRun.steps(SynthesisRun.options), stream: 1)
        let second = SynthesisRun.messages(SynthesisRun.steps(other), stream: 1)
        #expect(Set(first).intersection(second).count < 20)
    }

    @Test func `both clocks go forward and agree`() throws {
        let steps = SynthesisRun.steps(SynthesisRun.options)
        let first = try #require(steps.first)
        for (earlier, later) in zip(steps, steps.dropFirst()) {
            #expect(earlier.wallNanoseconds <= later.wallNanoseconds)
            #expect(
                later.wallNanoseconds - first.wallNanoseconds
                    == Int64(later.monotonicNanoseconds - first.monotonicNanoseconds)
            )
        }
        #expect(first.wallNanoseconds == 1_767_614_400_000_000_000)
    }

    @Test func `each stream opens, is accepted and closes once`() {
        let steps = SynthesisRun.steps(SynthesisRun.options)
        for stream in UInt32(1)...3 {
            let own = steps.filter { $0.stream == stream }
            let opened = own.indices.filter {
                if case .opened = own[$0].event { true } else { false }
            }
            let accepted = own.count { if case .accepted = $0.event { true } else { false } }
            let closed = own.indices.filter {
                if case .closed = own[$0].event { true } else { false }
            }
            #expect(opened == [0])
            #expect(accepted == 1)
            #expect(closed == [own.count - 1])
        }
    }

    @Test func `a side without blocks has no stream`() {
        var options = SynthesisRun.options
        options.slots = 0
        let ethereum = SynthesisRun.steps(options)
        #expect(Set(ethereum.map(\.stream)) == [1])
        #expect(!SynthesisRun.frames(ethereum, .incoming).isEmpty)
        options.ethereumBlocks = 0
        #expect(SynthesisRun.steps(options).isEmpty)
    }

    @Test func `what the sink throws ends the run`() {
        struct Full: Error {}
        var taken = 0
        #expect(throws: Full.self) {
            try MarketSynthesis(SynthesisRun.options).run { _ throws(Full) in
                taken += 1
                if taken == 100 { throw Full() }
            }
        }
        #expect(taken == 100)
    }

    @Test(arguments: [3, 4, 5, 6, 7, 8] as [UInt64])
    func `long and busy markets run to their end`(seed: UInt64) {
        var options = SynthesisOptions()
        options.seed = seed
        options.slots = 150
        options.ethereumBlocks = 60
        options.tokens = 60
        options.tradesPerSlot = 12
        options.swapsPerBlock = 10
        options.failedPerMille = 200
        options.votesPerSlot = 1
        var last: SynthesizedStep?
        MarketSynthesis(options).run { last = $0 }
        guard case .closed = last?.event else {
            Issue.record("the last step is \(String(describing: last))")
            return
        }
    }
}
