import Assembly
import MarketModel
import RecordModel
import Testing

/// Facts from outside over branches, breaks and restarts, held against the rule in plain words.
@Suite struct OutsideFactTests {
    /// What came, with a fact in the same record before some of it.
    private struct Run {
        let inputs: [AssemblerInput]
        let configuration: AssemblerConfiguration
        private var told: Set<Int> = []

        init(seed: Int, _ commitment: AssemblerConfiguration.Commitment) {
            var numbers = SeededNumbers(UInt64(seed))
            let chain = MadeChain(&numbers, slots: 80, hasVotes: true)
            var plan = MadeStreams.Plan()
            plan.streams = 1 + seed % 2
            plan.breaks = seed % 3 == 0
            plan.lag = seed % 4 == 0 ? 15 : 3
            inputs = MadeStreams(chain, plan, numbers).inputs
            configuration = .solana(commitment)
            for number in inputs.indices where numbers.chance(4) { told.insert(number + 1) }
        }

        func fact(at number: Int) -> OutsideFact? {
            guard told.contains(number) else { return nil }
            return OutsideFact(
                namespace: "price",
                key: "SOL/USD",
                value: .text("\(number)"),
                sequence: UInt64(number)
            )
        }

        var facts: [OutsideFact] { inputs.indices.compactMap { fact(at: $0 + 1) } }

        func give(_ number: Int, to machine: inout SlotAssembler) -> [ChainAction] {
            var actions: [ChainAction] = []
            let sequence = Sequence(UInt64(number))
            if let fact = fact(at: number) {
                machine.take(.fact(fact), at: sequence, into: &actions)
                #expect(actions.isEmpty, "a fact moves nothing")
            }
            machine.take(inputs[number - 1], at: sequence, into: &actions)
            return actions
        }
    }

    /// Which bundle of the applied branch carries each fact, and the highest one ever applied.
    private struct Carriers {
        var bundles: [Bundle] = []
        var highest: UInt64?
        var undone = 0

        mutating func take(_ actions: [ChainAction]) {
            for action in actions {
                switch action {
                case .apply(let bundle):
                    bundles.append(bundle)
                    highest = max(highest ?? 0, bundle.position)
                case .undo:
                    bundles.removeLast()
                    undone += 1
                case .final, .stale: break
                }
            }
        }
    }

    @Test(arguments: 1...12)
    func `the first bundle behind all that was applied carries a fact`(_ seed: Int) {
        let run = Run(seed: seed, seed % 2 == 0 ? .processed : .confirmed)
        var machine = SlotAssembler(run.configuration)
        var carriers = Carriers()
        var bounds: [UInt64: UInt64] = [:]
        for number in 1...run.inputs.count {
            if let fact = run.fact(at: number) {
                bounds[fact.sequence] = carriers.highest.map { $0 + 1 } ?? 0
            }
            carriers.take(run.give(number, to: &machine))
        }
        #expect(run.facts.count > 10)
        for fact in run.facts {
            let bound = bounds[fact.sequence] ?? 0
            let expected = carriers.bundles.first { $0.position >= bound }?.position
            let found = carriers.bundles.filter { $0.facts.contains(fact) }.map(\.position)
            #expect(found == [expected].compactMap(\.self), "\(fact.sequence)")
        }
        for bundle in carriers.bundles {
            let sequences = bundle.facts.map(\.sequence)
            #expect(sequences == sequences.sorted())
        }
    }

    @Test func `branches that are taken back carry facts again`() {
        let undone = (1...12).map { seed in
            let run = Run(seed: seed, .processed)
            var machine = SlotAssembler(run.configuration)
            var again = 0
            for number in 1...run.inputs.count {
                var taken: Set<OutsideFact> = []
                for action in run.give(number, to: &machine) {
                    guard case .apply(let bundle) = action else { continue }
                    again += bundle.facts.filter { $0.sequence < UInt64(number) }.count
                    for fact in bundle.facts { #expect(taken.insert(fact).inserted) }
                }
            }
            return again
        }
        #expect(undone.contains { $0 > 0 })
    }

    @Test(arguments: 1...12)
    func `a restart changes no fact's bundle`(_ seed: Int) {
        let run = Run(seed: seed, seed % 2 == 0 ? .processed : .confirmed)
        var whole = SlotAssembler(run.configuration)
        var carriers = Carriers()
        var stops: [(anchor: AssemblerAnchor, resume: Int)] = []
        for number in 1...run.inputs.count {
            let actions = run.give(number, to: &whole)
            carriers.take(actions)
            let isFinal = actions.contains {
                if case .final = $0 { return true }
                return false
            }
            guard isFinal, let anchor = whole.anchor else { continue }
            stops.append((anchor, whole.resume.map { Int($0.value) } ?? number + 1))
        }
        var end: [UInt8] = []
        whole.encodeOpenState(into: &end)
        #expect(!stops.isEmpty)
        for stop in stops {
            var machine = SlotAssembler(run.configuration, resumingAfter: stop.anchor)
            for input in context(run, before: stop.resume) {
                var actions: [ChainAction] = []
                machine.take(input, at: Sequence(UInt64(stop.resume - 1)), into: &actions)
            }
            var again = Carriers()
            for number in stride(from: stop.resume, through: run.inputs.count, by: 1) {
                again.take(run.give(number, to: &machine))
            }
            let position = stop.anchor.position
            let expected = carriers.bundles.filter { $0.position > position }
            let found = again.bundles.filter { $0.position > position }
            #expect(found.map(\.facts) == expected.map(\.facts), "restarted after \(position)")
            var state: [UInt8] = []
            machine.encodeOpenState(into: &state)
            #expect(state == end, "restarted after \(position)")
        }
    }

    private func context(_ run: Run, before resume: Int) -> [AssemblerInput] {
        var streams: [(StreamID, StreamPromise)] = []
        for input in run.inputs[..<(resume - 1)] {
            switch input {
            case .streamOpened(let id, var promise):
                promise.fromSlot = nil
                streams.append((id, promise))
            case .streamClosed(let id): streams.removeAll { $0.0 == id }
            default: break
            }
        }
        return streams.map { .streamOpened($0.0, $0.1) }
    }

    @Test func `more than there is room for is counted and left out`() {
        var configuration = AssemblerConfiguration.solana()
        configuration.limits.factBytesMax = 400
        var machine = SlotAssembler(configuration)
        var actions: [ChainAction] = []
        for number in 1...3 as ClosedRange<UInt64> {
            let fact = OutsideFact(
                namespace: "n",
                key: "k",
                value: .bytes([UInt8](repeating: 0, count: 60)),
                sequence: number
            )
            machine.take(.fact(fact), at: Sequence(number), into: &actions)
        }
        #expect(machine.tally.outcomes[.kept] == 2)
        #expect(machine.tally.outcomes[.overfull] == 1)
        #expect(actions.isEmpty)
    }
}
