import RecordModel
import SegmentLog
import Testing

/// Five segments of 100 bytes and 10 records, 100 ns apart; the newest is open.
private func fiveSegments() -> RetentionSituation {
    var segments: [RetentionSegment] = []
    for number in 1...5 {
        let isNewest = number == 5
        segments.append(
            RetentionSegment(
                ordinal: UInt64(number),
                firstSequence: Sequence(UInt64(number) * 10 - 9),
                lastSequence: isNewest ? .none : Sequence(UInt64(number) * 10),
                state: isNewest ? .open : .closed,
                bytes: 100,
                latest: isNewest ? nil : Int64(number) * 100
            )
        )
    }
    var situation = RetentionSituation(segments: segments)
    situation.now = 1_000
    situation.freeBytes = 50
    return situation
}

@Suite struct RetentionPolicyTests {
    private func policy(
        bytes: UInt64? = nil,
        age: UInt64? = nil,
        free: UInt64? = nil,
        force: Bool = false
    ) -> RetentionPolicy {
        var policy = RetentionPolicy()
        policy.bytesMax = bytes
        policy.ageMax = age
        policy.freeBytesMin = free
        policy.isForced = force
        return policy
    }

    @Test(
        arguments: [
            (500, 0), (499, 1), (400, 1), (399, 2), (200, 3), (199, 4), (100, 4),
        ] as [(UInt64, Int)]
    )
    func `as few segments go as the bytes ask for`(bytesMax: UInt64, retired: Int) {
        let decision = policy(bytes: bytesMax).decide(fiveSegments())
        #expect(decision.retired == retired)
        #expect(decision.shortfalls.isEmpty)
    }

    @Test func `room for the newest segment to grow is counted in`() {
        var situation = fiveSegments()
        situation.growth = 150
        #expect(policy(bytes: 500).decide(situation).retired == 2)
        #expect(policy(free: 50).decide(situation).retired == 2)
    }

    @Test(
        arguments: [
            (901, 0), (900, 0), (899, 1), (800, 1), (700, 2), (599, 4), (1, 4),
        ] as [(UInt64, Int)]
    )
    func `segments go whose latest record is too old`(age: UInt64, retired: Int) {
        #expect(policy(age: age).decide(fiveSegments()).retired == retired)
    }

    @Test func `a segment of unknown time is young, and so is what stands behind it`() {
        var situation = fiveSegments()
        situation.segments[1].latest = nil
        #expect(policy(age: 1).decide(situation).retired == 1)
    }

    @Test(arguments: [(50, 0), (51, 1), (150, 1), (151, 2), (450, 4)] as [(UInt64, Int)])
    func `segments go until enough of the disk is free`(free: UInt64, retired: Int) {
        let decision = policy(free: free).decide(fiveSegments())
        #expect(decision.retired == retired)
        #expect(decision.shortfalls.isEmpty)
    }

    @Test func `the limit that asks for most decides, and each says what it asks for`() {
        let decision = policy(bytes: 400, age: 700).decide(fiveSegments())
        #expect(
            decision.verdicts == [.retire([.bytes, .age]), .retire([.age]), .fits, .fits, .fits]
        )
    }

    @Test func `without a limit everything stays`() {
        let decision = RetentionPolicy().decide(fiveSegments())
        #expect(decision.retired == 0)
        #expect(decision.verdicts.allSatisfy { $0 == .fits })
        #expect(!RetentionPolicy().hasLimit)
    }

    @Test func `the newest segment never goes, forced or not`() {
        for isForced in [false, true] {
            var situation = fiveSegments()
            let open = policy(bytes: 0, force: isForced).decide(situation)
            #expect(open.retired == 4)
            #expect(open.verdicts[4] == .blocked([.bytes], by: .open))
            #expect(open.shortfalls == [.init(limit: .bytes, obstacle: .open, ordinal: 5)])
            situation.segments[4].state = .closed
            let sealed = policy(bytes: 0, force: isForced).decide(situation)
            #expect(sealed.retired == 4)
            #expect(sealed.shortfalls == [.init(limit: .bytes, obstacle: .newest, ordinal: 5)])
        }
    }

    @Test(arguments: [(10, 0), (11, 1), (20, 1), (21, 2), (99, 4)] as [(UInt64, Int)])
    func `nothing at or above a pin goes unless forced`(sequence: UInt64, retired: Int) {
        let pin = RetentionPin(name: "backup", sequence: Sequence(sequence), createdAt: 0)
        var situation = fiveSegments()
        situation.pins = [RetentionPin(name: "b", sequence: Sequence(500), createdAt: 0), pin]
        let decision = policy(bytes: 100).decide(situation)
        #expect(decision.retired == retired)
        if retired < 4 {
            #expect(decision.verdicts[retired] == .blocked([.bytes], by: .pin(pin)))
            #expect(
                decision.verdicts[3] == (retired == 3 ? decision.verdicts[3] : .behind([.bytes]))
            )
            #expect(decision.shortfalls.map(\.obstacle) == [.pin(pin)])
        }
        #expect(policy(bytes: 100, force: true).decide(situation).retired == 4)
    }

    @Test func `nothing that the oldest checkpoint needs goes unless forced`() {
        var situation = fiveSegments()
        situation.oldestCheckpoint = Sequence(25)
        let decision = policy(bytes: 100).decide(situation)
        #expect(decision.retired == 2)
        #expect(decision.verdicts[2] == .blocked([.bytes], by: .checkpoint(Sequence(25))))
        #expect(policy(bytes: 100, force: true).decide(situation).retired == 4)
    }

    @Test func `a quarantined segment holds everything behind it unless forced`() {
        var situation = fiveSegments()
        situation.segments[1].state = .quarantined
        let decision = policy(bytes: 100).decide(situation)
        #expect(decision.retired == 1)
        #expect(decision.verdicts[1] == .blocked([.bytes], by: .quarantined))
        #expect(policy(bytes: 100, force: true).decide(situation).retired == 4)
    }

    @Test func `a segment that may still grow is never passed over`() {
        var situation = fiveSegments()
        situation.segments[1].state = .open
        #expect(policy(bytes: 0, force: true).decide(situation).retired == 1)
    }

    @Test func `a disk that others fill is said to be too full`() {
        let decision = policy(free: 10_000).decide(fiveSegments())
        #expect(decision.retired == 4)
        #expect(decision.shortfalls.map(\.limit) == [.freeSpace])
    }

    @Test func `absurd sizes and times do not trap`() {
        var situation = fiveSegments()
        for index in situation.segments.indices { situation.segments[index].bytes = .max }
        situation.growth = .max
        situation.now = .min
        let everything = policy(bytes: 0, age: .max, free: .max, force: true)
        #expect(everything.decide(situation).retired == 4)
        #expect(everything.decide(RetentionSituation(segments: [])).retired == 0)
    }
}
