import Assembly
import Folding
import GeyserDecoding
import MarketModel
import Platform
import Projection
import RecordModel
import SegmentLog
import Synthesis
import Testing

/// One log gives one state, whatever the machine does; different recordings of one chain give one
/// chain state.
@Suite struct DeterminismTests {
    @Test func `threads, memory and the way of reading change nothing`() throws {
        let market = try FoldTestMarket {
            $0.seed = 11
            $0.streams = 2
            $0.forks = 3
            $0.duplicatedPerMille = 30
        }
        let plain = try market.fold()
        #expect(plain.engine.counters.applied > 60)
        for helpers in [1, 2, 5] {
            let other = try market.fold { $0.helpers = helpers }
            #expect(other.positionDigest == plain.positionDigest)
            #expect(other.engine.chainDigest == plain.engine.chainDigest)
        }
        // One by one, as a replay gives them.
        let pushed = try StateFold(
            market.reader,
            FoldOptions(),
            storage: nil,
            clock: StillClock()
        )
        let cursor = try RecordCursor(market.reader)
        reading: while true {
            switch try cursor.next() {
            case .record: try pushed.take(cursor.envelope, cursor.unsafePayload)
            case .end: break reading
            case .hole, .damage: Issue.record("an invented recording is whole")
            }
        }
        #expect(pushed.positionDigest == plain.positionDigest)
    }

    @Test func `another market has another state`() throws {
        let one = try FoldTestMarket { $0.seed = 5 }
        let other = try FoldTestMarket { $0.seed = 6 }
        #expect(try one.fold().engine.chainDigest != other.fold().engine.chainDigest)
    }

    @Test func `more streams, duplicates and disorder leave the chain's state as it is`() throws {
        func made(_ change: (inout SynthesisOptions) -> Void) throws -> FoldTestMarket {
            try FoldTestMarket {
                $0.seed = 21
                $0.slots = 90
                change(&$0)
            }
        }
        func market(_ change: (inout SynthesisOptions) -> Void) throws -> [UInt64: StateDigest] {
            try made(change).finals()
        }
        let plain = try market { _ in }
        #expect(plain.count > 40)
        let others = [
            try market { $0.streams = 3 },
            try market { $0.duplicatedPerMille = 200 },
            try market {
                $0.streams = 2
                $0.duplicatedPerMille = 50
                $0.latePerMille = 40
            },
            try market {
                $0.streams = 2
                $0.missedSlots = 4
            },
            // Its gaps stay open, but the streams that do not break cover them.
            try market {
                $0.streams = 3
                $0.disconnects = 3
            },
        ]
        for (number, other) in others.enumerated() {
            let common = Set(plain.keys).intersection(other.keys).sorted()
            #expect(common.count > 40, "recording \(number)")
            let parted = common.first { plain[$0] != other[$0] }
            #expect(parted == nil, "recording \(number) parts at slot \(parted ?? 0)")
        }
    }

    @Test(arguments: [UInt64(31), 32, 33])
    func `a fork that died leaves no trace`(seed: UInt64) throws {
        let market = try FoldTestMarket {
            $0.seed = seed
            $0.slots = 90
            $0.forks = 6
            $0.deadSlots = 4
            $0.streams = 2
            $0.equivocations = 0
        }
        try expectNoTrace(of: market, slotsMin: 40)
    }

    @Test(.enabled(if: SharedMessages.isPresent, SharedMessages.absent), arguments: [UInt64(3), 4])
    func `a fork of real transactions that died leaves no trace`(seed: UInt64) throws {
        var real = RealBlocks()
        for update in try SharedMessages.updates("real.bin") {
            let isTaken = real.add(update)
            try #require(isTaken)
        }
        let market = try FoldTestMarket(real: real) {
            $0.seed = seed
            $0.forks = 6
            $0.deadSlots = 3
            $0.streams = 2
        }
        try expectNoTrace(of: market, slotsMin: 20)
    }

    /// Holds the state of a recording against the state without the slots that died.
    private func expectNoTrace(of market: FoldTestMarket, slotsMin: Int) throws {
        for commitment in [FoldOptions().commitment, .processed] {
            let whole = FinalDigests()
            _ = try market.fold(observer: whole) { $0.commitment = commitment }
            #expect(whole.digests.count > slotsMin)
            if commitment == .processed { #expect(whole.undone > 0, "no fork was taken back") }
            // The same recording without any message of a slot that is not on the final branch.
            let canonical = Set(whole.applied)
            let without = FinalDigests()
            var options = FoldOptions()
            options.commitment = commitment
            let fold = try StateFold(
                market.reader,
                options,
                storage: nil,
                clock: StillClock(),
                observer: without
            )
            try feed(market.reader, to: fold) { canonical.contains($0) }
            // What came late is unwound for all the same when bundles are folded early.
            if commitment == .confirmed { #expect(without.undone == 0) }
            #expect(without.digests == whole.digests)
        }
    }

    /// Gives a fold all records but those of slots that are left out.
    private func feed(
        _ reader: RecordingReader,
        to fold: StateFold,
        _ isKept: (UInt64) -> Bool
    ) throws {
        let cursor = try RecordCursor(reader)
        while true {
            switch try cursor.next() {
            case .record:
                let slot =
                    cursor.envelope.kind == .grpcMessageIn
                    ? cursor.withPayload { UpdateSummary.slot(of: $0) } : nil
                if let slot, !isKept(slot.number) { continue }
                try fold.take(cursor.envelope, cursor.unsafePayload)
            case .end: return
            case .hole, .damage: Issue.record("an invented recording is whole")
            }
        }
    }
}
