import LogSimulation
import SegmentLog
import Testing

/// Every third operation here; `Tools/simulate --sweep` takes them all.
@Suite struct FaultSweepTests {
    private static let policies: [DurabilityPolicy] = [
        .everyBlock, .interval(nanoseconds: 4000), .none,
    ]

    @Test(arguments: policies, FaultSweep.Blow.allCases)
    func `whatever befalls an operation, what is promised is kept`(
        _ policy: DurabilityPolicy,
        _ blow: FaultSweep.Blow
    ) {
        var sweep = FaultSweep(policy, onFull: blow == .noSpaceForEver ? .exit : .wait)
        sweep.run(blow, step: 3, first: 1)
        #expect(sweep.findings.isEmpty)
        // More than opening alone has.
        #expect(sweep.struck > 30)
    }

    @Test(arguments: FaultSweep.Blow.allCases)
    func `a recovery that fails changes nothing for the next one`(_ blow: FaultSweep.Blow) {
        var sweep = FaultSweep(.interval(nanoseconds: 4000))
        sweep.runCompound(blow, step: 41)
        #expect(sweep.findings.isEmpty)
        #expect(sweep.struck > 30)
    }
}
