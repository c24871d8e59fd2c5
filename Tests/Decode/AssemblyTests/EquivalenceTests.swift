import Assembly
import Foundation
import MarketModel
import RecordModel
import Testing

/// Chains and streams from a seed: whatever the order, the repetitions and the breaks, what is
/// final is the truth. TAPEDECK_ASSEMBLY_SEEDS sets how many are tried.
@Suite struct EquivalenceTests {
    private static let seeds: ClosedRange<Int> = {
        let wanted = ProcessInfo.processInfo.environment["TAPEDECK_ASSEMBLY_SEEDS"]
        return 1...max(1, wanted.flatMap { Int($0) } ?? 12)
    }()

    private struct Run {
        let chain: MadeChain
        let inputs: [AssemblerInput]
        let configuration: AssemblerConfiguration
        let plan: MadeStreams.Plan

        init(
            seed: Int,
            hasVotes: Bool = true,
            commitment: AssemblerConfiguration.Commitment = .confirmed,
            leavesGap: Bool = false,
            abandonsAfter: Int? = nil
        ) {
            var numbers = SeededNumbers(UInt64(seed))
            chain = MadeChain(&numbers, slots: 80, hasVotes: hasVotes)
            var plan = MadeStreams.Plan()
            plan.hasVotes = hasVotes
            plan.streams = 1 + numbers.upTo(2)
            plan.isSplit = plan.streams > 1 && numbers.chance(50)
            plan.isUnfiltered = !plan.isSplit && (numbers.chance(40) || !hasVotes)
            plan.breaks = numbers.chance(60)
            plan.lag = numbers.chance(30) ? 15 : 3
            plan.abandonsAfter = abandonsAfter
            if leavesGap || abandonsAfter != nil {
                plan.streams = leavesGap ? 2 + seed % 2 : 1 + seed % 3
                plan.isSplit = false
                plan.breaks = true
                plan.leavesGap = true
            }
            self.plan = plan
            inputs = MadeStreams(chain, plan, numbers).inputs
            configuration = .solana(commitment)
        }

        /// Where the recording begins only a count can prove anything; without statuses everywhere.
        var provedFrom: UInt64? {
            if plan.isUnfiltered { return chain.first }
            return plan.hasVotes ? chain.main[0].slot + 1 : nil
        }
    }

    private static func check(
        _ run: Run,
        _ machine: inout SlotAssembler,
        _ check: inout BranchCheck,
        from sequence: Int = 1,
        each: (SlotAssembler, Int) -> Void = { _, _ in }
    ) {
        let truth = run.chain.truth
        for number in sequence...run.inputs.count {
            var actions: [ChainAction] = []
            machine.take(run.inputs[number - 1], at: Sequence(UInt64(number)), into: &actions)
            for action in actions where check.take(action) {
                check.settle(truth, proved: run.provedFrom)
                each(machine, number)
            }
        }
    }

    @Test(arguments: seeds)
    func `what is final is the truth, in whatever order it came`(_ seed: Int) {
        let run = Run(seed: seed)
        var machine = SlotAssembler(run.configuration)
        var check = BranchCheck()
        check.allowed = Set(run.chain.main.map { Made.bytes($0.hash) })
        Self.check(run, &machine, &check)
        #expect(check.faults == [])
        #expect(check.staled == [])
        #expect(check.finalThrough == run.chain.main.last?.slot)
    }

    @Test(arguments: seeds)
    func `a gap that stays open holds nothing while another stream covers it`(_ seed: Int) {
        let run = Run(seed: seed, leavesGap: true)
        var machine = SlotAssembler(run.configuration)
        var check = BranchCheck()
        Self.check(run, &machine, &check)
        #expect(check.faults == [])
        #expect(check.staled == [])
        #expect(check.finalThrough == run.chain.main.last?.slot)
        #expect(machine.tally.forcedFinal == 0)
    }

    @Test(arguments: seeds)
    func `processed commitment ends at the same`(_ seed: Int) {
        let run = Run(seed: seed, commitment: .processed)
        var machine = SlotAssembler(run.configuration)
        var check = BranchCheck()
        Self.check(run, &machine, &check)
        #expect(check.faults == [])
        #expect(check.staled == [])
        #expect(check.finalThrough == run.chain.main.last?.slot)
    }

    @Test(arguments: seeds)
    func `without statuses the longest branch is final at depth`(_ seed: Int) {
        let run = Run(seed: seed, hasVotes: false)
        var machine = SlotAssembler(run.configuration)
        var check = BranchCheck()
        Self.check(run, &machine, &check)
        #expect(check.faults == [])
        #expect(check.staled == [])
        let main = run.chain.main
        // A short branch at the very end may stand in for the last block.
        let expected = main[main.count - 1 - run.configuration.finalDepth].slot
        #expect(check.finalThrough.map { $0 >= expected } == true)
    }

    // MARK: Restart

    /// What a context block would say at a sequence: streams that are open there, and gaps when
    /// their sources are known.
    private static func context(
        _ run: Run,
        before resume: Int,
        tellsGaps: Bool
    ) -> [AssemblerInput] {
        var streams: [(StreamID, StreamPromise)] = []
        var gaps: [GapInput] = []
        for input in run.inputs[..<(resume - 1)] {
            switch input {
            case .streamOpened(let id, var promise):
                promise.fromSlot = nil
                streams.append((id, promise))
            case .streamClosed(let id): streams.removeAll { $0.0 == id }
            case .gapOpened(let gap): if tellsGaps { gaps.append(gap) }
            case .gapFilled(let id), .gapAbandoned(let id, _): gaps.removeAll { $0.id == id }
            default: break
            }
        }
        return streams.map { .streamOpened($0.0, $0.1) } + gaps.map { .gapOpened($0) }
    }

    @Test(arguments: seeds, [[true, false], [false, false], [false, true]])
    func `a restart from any final slot ends at the same`(_ seed: Int, _ kind: [Bool]) {
        let (tellsGaps, leavesGap) = (kind[0], kind[1])
        let run = Run(seed: seed, leavesGap: leavesGap)
        var stops: [(anchor: AssemblerAnchor, resume: Int)] = []
        var whole = SlotAssembler(run.configuration)
        var check = BranchCheck()
        Self.check(run, &whole, &check) { machine, number in
            guard let anchor = machine.anchor else { return }
            stops.append((anchor, machine.resume.map { Int($0.value) } ?? number + 1))
        }
        #expect(!stops.isEmpty)
        var end: [UInt8] = []
        whole.encodeOpenState(into: &end)
        let step = max(1, stops.count / 5)
        for stop in stride(from: 0, to: stops.count, by: step).map({ stops[$0] }) {
            var machine = SlotAssembler(run.configuration, resumingAfter: stop.anchor)
            var check = BranchCheck(resumingAfter: stop.anchor.position)
            for input in Self.context(run, before: stop.resume, tellsGaps: tellsGaps) {
                var actions: [ChainAction] = []
                machine.take(input, at: Sequence(UInt64(stop.resume - 1)), into: &actions)
                #expect(actions.isEmpty)
            }
            Self.check(run, &machine, &check, from: stop.resume)
            #expect(check.faults == [])
            #expect(check.staled == [])
            #expect(check.finalThrough == run.chain.main.last?.slot)
            var state: [UInt8] = []
            machine.encodeOpenState(into: &state)
            #expect(state == end, "restarted after \(stop.anchor.position)")
        }
    }

    @Test(arguments: seeds, [0, 330, 2000])
    func `a restart around a gap that is given up ends at the same`(_ seed: Int, _ wait: Int) {
        let run = Run(seed: seed, abandonsAfter: wait)
        var stops: [(anchor: AssemblerAnchor, resume: Int, sequence: Int)] = []
        var whole = SlotAssembler(run.configuration)
        var said: [(sequence: Int, action: String)] = []
        for (index, input) in run.inputs.enumerated() {
            var actions: [ChainAction] = []
            whole.take(input, at: Sequence(UInt64(index + 1)), into: &actions)
            said += actions.map { (index + 1, AssemblyScenario.text($0)) }
            guard actions.contains(where: \.isFinal), let anchor = whole.anchor else { continue }
            let resume = whole.resume.map { Int($0.value) } ?? index + 2
            stops.append((anchor, resume, index + 1))
        }
        var end: [UInt8] = []
        whole.encodeOpenState(into: &end)
        #expect(!stops.isEmpty)
        for stop in (stops.suffix(1) + stops.dropLast().prefix(4)) {
            var machine = SlotAssembler(run.configuration, resumingAfter: stop.anchor)
            var actions: [ChainAction] = []
            for input in Self.context(run, before: stop.resume, tellsGaps: false) {
                machine.take(input, at: Sequence(UInt64(stop.resume - 1)), into: &actions)
            }
            #expect(actions.isEmpty)
            var again: [String] = []
            for number in stop.resume...max(stop.resume, run.inputs.count) {
                guard number <= run.inputs.count else { break }
                actions = []
                machine.take(run.inputs[number - 1], at: Sequence(UInt64(number)), into: &actions)
                if number > stop.sequence { again += actions.map { AssemblyScenario.text($0) } }
            }
            #expect(again == said.filter { $0.sequence > stop.sequence }.map(\.action))
            var state: [UInt8] = []
            machine.encodeOpenState(into: &state)
            #expect(state == end, "restarted after \(stop.anchor.position)")
        }
    }

    @Test(arguments: [3, 7])
    func `equal input gives equal open state, other input another`(_ seed: Int) {
        let run = Run(seed: seed)
        var left = SlotAssembler(run.configuration)
        var right = SlotAssembler(run.configuration)
        var seen: Set<[UInt8]> = []
        for (number, input) in run.inputs.prefix(400).enumerated() {
            var actions: [ChainAction] = []
            left.take(input, at: Sequence(UInt64(number + 1)), into: &actions)
            var others: [ChainAction] = []
            right.take(input, at: Sequence(UInt64(number + 1)), into: &others)
            #expect(actions == others)
            var state: [UInt8] = []
            left.encodeOpenState(into: &state)
            var other: [UInt8] = []
            right.encodeOpenState(into: &other)
            #expect(state == other)
            seen.insert(state)
        }
        #expect(seen.count > 200)
    }
}

extension ChainAction {
    fileprivate var isFinal: Bool {
        if case .final = self { return true }
        return false
    }
}
