import RecordModel
import Testing

@testable import Capture

private let second: UInt64 = 1_000_000_000

@Suite struct GapMachineTests {
    private let policy = GapMachine.Policy(hold: 600 * second, reason: "not filled within 10m")

    private func gap(_ id: UInt64) -> GapMachine.Gap {
        var fields = EventFields()
        fields.add(.source, "geyser-1")
        fields.add(.fromSequence, id - 2)
        fields.add(.fromPosition, UInt64(105))
        fields.add(.fromTime, Int64(7))
        fields.add(.cause, "connection_lost")
        fields.add(.evidence, "stream 3: lost")
        return GapMachine.Gap(id: Sequence(id), opened: fields)
    }

    private var bounds: EventFields {
        var fields = EventFields()
        fields.add(.gap, UInt64(9))
        fields.add(.source, "geyser-1")
        fields.add(.toSequence, UInt64(15))
        fields.add(.toPosition, UInt64(110))
        fields.add(.toTime, Int64(12))
        return fields
    }

    private func abandoned(_ actions: [GapMachine.Action]) -> [UInt64] {
        actions.map { action in
            switch action {
            case .abandon(let gap, _): gap.id.value
            }
        }
    }

    @Test func `a gap is given up once it has been bounded for the hold time`() {
        var machine = GapMachine(policy)
        #expect(machine.take(.opened(gap(9)), now: 0).isEmpty)
        #expect(machine.take(.bounded(Sequence(9), bounds, since: 0), now: 50 * second).isEmpty)
        #expect(machine.deadline == 650 * second)
        #expect(machine.take(.tick, now: 650 * second - 1).isEmpty)
        var held = gap(9)
        held.bounds = bounds
        #expect(
            machine.take(.tick, now: 650 * second)
                == [.abandon(held, reason: "not filled within 10m")]
        )
        #expect(machine.openCount == 0)
        #expect(machine.take(.tick, now: 9_000 * second).isEmpty)
    }

    @Test func `a gap whose upper end is not known is never given up`() {
        var machine = GapMachine(policy)
        _ = machine.take(.opened(gap(9)), now: 0)
        #expect(machine.deadline == nil)
        #expect(machine.take(.tick, now: .max).isEmpty)
        #expect(machine.openCount == 1)
    }

    @Test func `without a hold time nothing is given up`() {
        var machine = GapMachine(.never)
        _ = machine.take(.opened(gap(9)), now: 0)
        _ = machine.take(.bounded(Sequence(9), bounds, since: 99 * second), now: 0)
        #expect(machine.deadline == nil)
        #expect(machine.take(.tick, now: .max).isEmpty)
        #expect(machine.openCount == 1)
    }

    @Test(arguments: [
        (since: UInt64(0), due: 700 * second), (since: 590 * second, due: 110 * second),
        (since: 600 * second, due: 100 * second), (since: .max, due: 100 * second),
    ])
    func `what has passed already counts`(since: UInt64, due: UInt64) {
        var machine = GapMachine(policy)
        _ = machine.take(.opened(gap(9)), now: 100 * second)
        _ = machine.take(.bounded(Sequence(9), bounds, since: since), now: 100 * second)
        #expect(machine.deadline == due)
    }

    @Test func `each gap has its own time, and a second bound does not begin it anew`() {
        var machine = GapMachine(policy)
        _ = machine.take(.opened(gap(9)), now: 0)
        _ = machine.take(.opened(gap(30)), now: 0)
        _ = machine.take(.opened(gap(40)), now: 0)
        _ = machine.take(.bounded(Sequence(30), bounds, since: 0), now: 1)
        _ = machine.take(.bounded(Sequence(9), bounds, since: 0), now: 2)
        _ = machine.take(.bounded(Sequence(9), bounds, since: 0), now: 100)
        _ = machine.take(.bounded(Sequence(77), bounds, since: 0), now: 100)
        #expect(abandoned(machine.take(.tick, now: 600 * second + 1)) == [30])
        #expect(abandoned(machine.take(.tick, now: 600 * second + 2)) == [9])
        #expect(machine.openCount == 1)
    }

    @Test func `a time beyond the clock's end never comes`() {
        var machine = GapMachine(.init(hold: .max, reason: "never"))
        _ = machine.take(.opened(gap(9)), now: 5)
        _ = machine.take(.bounded(Sequence(9), bounds, since: 0), now: 5)
        #expect(machine.take(.tick, now: .max).isEmpty)
        #expect(machine.openCount == 1)
    }

    @Test func `the record of the end says what the gap was`() {
        var held = gap(9)
        held.bounds = bounds
        let fields = held.abandoned("not filled within 10m")
        #expect(fields.unsigned(.gap) == 9)
        #expect(fields.text(.source) == "geyser-1")
        #expect(fields.text(.cause) == "connection_lost")
        #expect(fields.text(.text) == "not filled within 10m")
        #expect(fields.unsigned(.fromSequence) == 7)
        #expect(fields.unsigned(.toSequence) == 15)
        #expect(fields.unsigned(.fromPosition) == 105)
        #expect(fields.unsigned(.toPosition) == 110)
        #expect(fields.signed(.fromTime) == 7)
        #expect(fields.signed(.toTime) == 12)
        let unbounded = gap(9).abandoned("no")
        #expect(unbounded.unsigned(.toSequence) == nil)
    }
}
