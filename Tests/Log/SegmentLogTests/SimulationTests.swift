import LogSimulation
import Simulation
import Testing

@Suite struct SimulationTests {
    @Test func `a few hundred random runs keep the promise`() {
        for seed in 1...300 as ClosedRange<UInt64> {
            var run = SimulationRun(seed: seed)
            run.run()
            #expect(run.findings.isEmpty, "seed \(seed)")
        }
    }

    @Test func `a seed repeats a run to the last operation`() {
        for seed in [3, 77, 4711] as [UInt64] {
            var first = SimulationRun(seed: seed)
            var second = SimulationRun(seed: seed)
            first.run()
            second.run()
            #expect(first.operations > 50)
            #expect(first.operations == second.operations)
            #expect(first.digest == second.digest)
        }
    }
}
