import Assembly
import MarketModel
import RecordModel
import Testing

/// Anything may come: nothing traps, memory stays bounded, and actions stay possible.
@Suite struct HostileInputTests {
    private static func number(_ numbers: inout SeededNumbers) -> UInt64 {
        switch numbers.upTo(9) {
        case 0: [0, 1, .max, .max - 1, 1 << 63][numbers.upTo(4)]
        default: 100 + UInt64(numbers.upTo(40))
        }
    }

    private static func header(_ numbers: inout SeededNumbers) -> SlotHeader {
        let slot = number(&numbers)
        let parent = numbers.chance(70) ? slot &- 1 : number(&numbers)
        return SlotHeader(
            slot: Slot(slot),
            hash: Made.bytes("h\(slot)v\(numbers.chance(80) ? 0 : numbers.upTo(3))"),
            parent: Slot(parent),
            parentHash: numbers.chance(80) ? Made.bytes("h\(parent)v0") : nil,
            executedTransactionCount: numbers.chance(50) ? UInt64(numbers.upTo(4)) : .max
        )
    }

    private static func input(_ numbers: inout SeededNumbers) -> AssemblerInput {
        let stream = StreamID(UInt64(numbers.upTo(5)))
        let slot = number(&numbers)
        let name = "\(numbers.chance(50) ? "-" : "")t\(numbers.upTo(20))"
        let index = numbers.chance(5) ? UInt32.max : UInt32(numbers.upTo(5))
        switch numbers.upTo(19) {
        case 0:
            let promise = StreamPromise(
                hasSlots: numbers.chance(70),
                hasBlockMeta: numbers.chance(70),
                groups: SubscriptionGroups(rawValue: UInt32(numbers.upTo(7))),
                fromSlot: numbers.chance(30) ? Slot(number(&numbers)) : nil
            )
            return .streamOpened(stream, promise)
        case 1: return .streamClosed(stream)
        case 2: return .recordsMissing(numbers.chance(50) ? nil : stream)
        case 3, 4, 5, 6: return .transaction(stream, Made.transaction(slot, name, index))
        case 7:
            return .transactionStatus(
                stream,
                TransactionStatusInput(
                    slot: Slot(slot),
                    signature: Made.signature(name),
                    index: index,
                    isBarren: numbers.chance(50)
                )
            )
        case 8:
            let account = Made.account(
                slot,
                "acc",
                writer: numbers.chance(50) ? name : nil,
                version: number(&numbers),
                supply: numbers.chance(80) ? slot : nil
            )
            return .account(stream, account)
        case 9, 10, 11, 12, 13:
            let status = SlotStatus.allCases[numbers.upTo(6)]
            let parent = numbers.chance(50) ? Slot(number(&numbers)) : nil
            return .slotStatus(stream, Slot(slot), status, parent: parent)
        case 14, 15, 16: return .header(stream, header(&numbers))
        case 17:
            let header = header(&numbers)
            let block = WholeBlockInput(
                header: header,
                transactions: [Made.transaction(header.slot.number, name, index)],
                isUnfiltered: numbers.chance(50)
            )
            return .wholeBlock(stream, block)
        default: return gap(&numbers)
        }
    }

    private static func gap(_ numbers: inout SeededNumbers) -> AssemblerInput {
        let id = Sequence(UInt64(numbers.upTo(9)))
        switch numbers.upTo(3) {
        case 0:
            return .gapOpened(
                GapInput(
                    id: id,
                    stream: numbers.chance(50) ? StreamID(UInt64(numbers.upTo(5))) : nil,
                    from: numbers.chance(70) ? number(&numbers) : nil,
                    through: numbers.chance(50) ? number(&numbers) : nil
                )
            )
        case 1: return .gapBounded(gap: id, through: number(&numbers))
        case 2: return .gapFilled(gap: id)
        default: return .gapAbandoned(gap: id, reason: "")
        }
    }

    @Test(arguments: 1...40)
    func `whatever comes, every action is possible`(_ seed: Int) {
        var numbers = SeededNumbers(UInt64(seed) &* 77)
        var configuration = AssemblerConfiguration.solana(
            seed % 2 == 0 ? .confirmed : .processed
        )
        configuration.finalDepth = 1 + numbers.upTo(5)
        configuration.childProves = seed % 5 == 0
        configuration.limits.openSlotsMax = 64
        configuration.limits.slotTransactionsMax = 8
        configuration.limits.streamsMax = 4
        configuration.limits.gapsMax = 4
        configuration.limits.itemsMax = 200
        configuration.limits.lackingRangesMax = 3
        var machine = SlotAssembler(configuration)
        var check = BranchCheck()
        for number in 1...1500 {
            var actions: [ChainAction] = []
            let input = Self.input(&numbers)
            machine.take(input, at: Sequence(UInt64(number)), into: &actions)
            for action in actions where check.take(action) { check.forget() }
            #expect(check.branch.count <= 64)
        }
        #expect(check.faults == [])
        var state: [UInt8] = []
        machine.encodeOpenState(into: &state)
        #expect(state.count < 400_000)
        // Every input had one outcome; where something else counts the same, they agree.
        let tally = machine.tally
        #expect(InputOutcome.allCases.reduce(0) { $0 + tally.outcomes[$1] } == tally.inputs)
        #expect(tally.outcomes[.late] == tally.late)
        #expect(tally.outcomes[.undeclared] == tally.undeclared)
    }

    @Test func `slots far ahead push nobody out who comes in order`() {
        var configuration = AssemblerConfiguration.solana()
        configuration.limits.openSlotsMax = 64
        var machine = SlotAssembler(configuration)
        var actions: [ChainAction] = []
        machine.take(
            .streamOpened(StreamID(2), StreamPromise(hasSlots: true, hasBlockMeta: true)),
            at: Sequence(1),
            into: &actions
        )
        for number in 0..<200 {
            machine.take(
                .transaction(StreamID(1), Made.transaction(1 << 40 + UInt64(number), "-x", 0)),
                at: Sequence(UInt64(number + 1)),
                into: &actions
            )
        }
        #expect(machine.tally.crowdedOut > 0)
        let block = WholeBlockInput(
            header: SlotHeader(
                slot: 100,
                hash: Made.bytes("A"),
                parent: 99,
                parentHash: nil,
                executedTransactionCount: 1
            ),
            transactions: [Made.transaction(100, "a", 0)],
            isUnfiltered: true
        )
        actions = []
        machine.take(.wholeBlock(StreamID(2), block), at: Sequence(500), into: &actions)
        machine.take(
            .slotStatus(StreamID(2), 100, .confirmed, parent: nil),
            at: Sequence(501),
            into: &actions
        )
        #expect(actions.map(AssemblyScenario.text) == ["apply 100 A on 99 [a@0] counted"])
    }

    @Test func `a slot that was pushed out is not whole when it comes again`() {
        var configuration = AssemblerConfiguration.solana()
        configuration.limits.openSlotsMax = 64
        var machine = SlotAssembler(configuration)
        var actions: [ChainAction] = []
        var sequence: UInt64 = 0
        func take(_ input: AssemblerInput) {
            sequence += 1
            machine.take(input, at: Sequence(sequence), into: &actions)
        }
        let stream = StreamID(2)
        take(.streamOpened(stream, StreamPromise(hasSlots: true, hasBlockMeta: true)))
        for slot in UInt64(1000)..<1080 {
            take(.transaction(StreamID(1), Made.transaction(slot, "-x", 0)))
        }
        #expect(machine.tally.crowdedOut == 16)
        func confirm(_ slot: UInt64, _ status: SlotStatus) {
            let header = SlotHeader(
                slot: Slot(slot),
                hash: Made.bytes("h\(slot)"),
                parent: Slot(slot - 1),
                parentHash: nil,
                executedTransactionCount: 1
            )
            let block = WholeBlockInput(
                header: header,
                transactions: [Made.transaction(slot, "-x", 0)],
                isUnfiltered: true
            )
            take(.wholeBlock(stream, block))
            take(.slotStatus(stream, Slot(slot), status, parent: nil))
        }
        confirm(1063, .finalized)
        actions = []
        confirm(1070, .confirmed)
        confirm(1071, .finalized)
        confirm(1081, .confirmed)
        confirm(1082, .confirmed)
        let words = actions.map(AssemblyScenario.text).filter { $0.hasPrefix("apply") }
        #expect(
            words == [
                "apply 1070 h1070 on 1069 [] unproved", "apply 1071 h1071 on 1070 [] unproved",
                "apply 1081 h1081 on 1080 [] unproved", "apply 1082 h1082 on 1081 [] counted",
            ]
        )
    }

    @Test func `a gap that stays open holds no more than half of the window`() {
        var configuration = AssemblerConfiguration.solana()
        configuration.finalDepth = 4
        configuration.limits.openSlotsMax = 64
        var machine = SlotAssembler(configuration)
        var check = BranchCheck()
        var actions: [ChainAction] = []
        machine.take(
            .gapOpened(GapInput(id: Sequence(1), stream: nil, from: 110)),
            at: Sequence(1),
            into: &actions
        )
        for number in UInt64(100)..<200 {
            let block = WholeBlockInput(
                header: SlotHeader(
                    slot: Slot(number),
                    hash: Made.bytes("h\(number)"),
                    parent: Slot(number - 1),
                    parentHash: Made.bytes("h\(number - 1)"),
                    // One more than there is: what is whole waits for nothing.
                    executedTransactionCount: 2
                ),
                transactions: [Made.transaction(number, "t\(number)", 0)],
                isUnfiltered: false
            )
            machine.take(.wholeBlock(StreamID(2), block), at: Sequence(number), into: &actions)
            for action in actions where check.take(action) { check.forget() }
            actions = []
            #expect(check.branch.count <= 32)
            // Up to the gap as ever, then only what there is no room for.
            if number == 140 { #expect(check.finalThrough == 109) }
        }
        #expect(check.faults == [])
        // The last one waits for a block above it.
        #expect(check.finalThrough == 198 - 32)
        #expect(machine.tally.forcedFinal == 198 - 32 - 109)
    }
}
