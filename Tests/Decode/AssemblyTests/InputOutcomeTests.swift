import Assembly
import MarketModel
import RecordModel
import Testing

/// What becomes of each input.
@Suite struct InputOutcomeTests {
    @Test func `an input is kept, tells nothing new, comes late or finds no room`() {
        var configuration = AssemblerConfiguration.solana()
        configuration.limits.openSlotsMax = 64
        configuration.limits.slotTransactionsMax = 2
        configuration.limits.streamsMax = 1
        var machine = SlotAssembler(configuration)
        var sequence: UInt64 = 0
        func take(_ input: AssemblerInput) -> InputOutcome? {
            sequence += 1
            let before = machine.tally.outcomes
            var actions: [ChainAction] = []
            machine.take(input, at: Sequence(sequence), into: &actions)
            let after = machine.tally.outcomes
            let changed = InputOutcome.allCases.filter { after[$0] != before[$0] }
            return changed.count == 1 && after[changed[0]] == before[changed[0]] + 1
                ? changed[0] : nil
        }
        let one = StreamID(1)
        func status(_ isBarren: Bool) -> AssemblerInput {
            .transactionStatus(
                one,
                TransactionStatusInput(
                    slot: 100,
                    signature: Made.signature("v"),
                    index: 7,
                    isBarren: isBarren
                )
            )
        }
        let promise = StreamPromise(hasSlots: true, hasBlockMeta: true)
        #expect(take(.streamOpened(one, promise)) == .kept)
        #expect(take(.streamOpened(StreamID(2), promise)) == .undeclared)
        #expect(take(.transaction(one, Made.transaction(100, "a", 0))) == .kept)
        #expect(take(.transaction(one, Made.transaction(100, "a", 0))) == .known)
        #expect(take(status(false)) == .silent)
        #expect(take(status(true)) == .kept)
        #expect(take(.transaction(one, Made.transaction(100, "c", 2))) == .overfull)
        #expect(take(.slotStatus(one, 101, .completed, parent: nil)) == .silent)
        for slot in [UInt64(100), 101] {
            let header = SlotHeader(
                slot: Slot(slot),
                hash: Made.bytes("h\(slot)"),
                parent: Slot(slot - 1),
                parentHash: Made.bytes("h\(slot - 1)"),
                executedTransactionCount: nil
            )
            #expect(take(.header(one, header)) == .kept)
            #expect(take(.slotStatus(one, Slot(slot), .finalized, parent: nil)) == .kept)
        }
        #expect(machine.tally.final == 2)
        #expect(take(.transaction(one, Made.transaction(100, "d", 3))) == .late)
        #expect(take(.slotStatus(one, 100, .confirmed, parent: nil)) == .late)
        for slot in 200..<UInt64(264) {
            #expect(take(.transaction(one, Made.transaction(slot, "-x\(slot)", 0))) == .kept)
        }
        #expect(take(.transaction(one, Made.transaction(999, "-y", 0))) == .crowdedOut)
        #expect(machine.tally.inputs == sequence)
    }
}
