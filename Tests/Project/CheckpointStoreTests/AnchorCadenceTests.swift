import MarketModel
import Projection
import RecordModel
import Testing

@testable import CheckpointStore

@Suite struct AnchorCadenceTests {
    private static func checkpoint(_ position: UInt64, _ time: Int64?) -> Checkpoint {
        Checkpoint(
            position: position,
            hash: nil,
            time: time,
            resume: Sequence(1),
            chainDigest: .zero,
            tables: [],
            bundles: 1
        )
    }

    private static func anchor(_ position: UInt64, _ time: Int64?) -> Anchor {
        Anchor(path: "a", position: position, time: time, bytes: 1)
    }

    private static let free = AnchorCadence.Cost(bytes: 0, elapsed: 0, spent: 0, copied: 0)

    // 1,767,614,400 is 2026-01-05T12:00:00Z, a full hour.
    @Test(
        arguments: [
            (101, 1_767_614_399, true), (101, 1_767_614_400, true), (100, 1_767_617_999, false),
            (150, 1_767_610_900, false), (99, 1_767_620_000, false),
        ] as [(UInt64, Int64, Bool)]
    )
    func `the first of each hour of the chain is due`(
        position: UInt64,
        time: Int64,
        isDue: Bool
    ) {
        // At 2026-01-05T11:00:00Z, or for the first two an hour before.
        let before: Int64 = isDue ? 1_767_610_799 : 1_767_610_800
        let answer = AnchorCadence().isDue(
            Self.checkpoint(position, time),
            after: Self.anchor(100, before),
            isLast: false,
            Self.free
        )
        #expect(answer == isDue)
    }

    @Test func `slots stand for hours where blocks have no time`() {
        for (position, isDue) in [(9_099, false), (9_100, true)] as [(UInt64, Bool)] {
            let checkpoint = Self.checkpoint(position, nil)
            let anchor = Self.anchor(100, 1_767_610_800)
            let cadence = AnchorCadence()
            #expect(
                cadence.isDue(checkpoint, after: anchor, isLast: false, Self.free) == isDue
            )
            #expect(cadence.isDue(checkpoint, after: anchor, isLast: true, Self.free))
        }
    }

    @Test func `copies take no more than a twentieth of the time, the very first aside`() {
        let checkpoint = Self.checkpoint(200, 1_767_620_000)
        let anchor = Self.anchor(100, 1_767_610_800)
        // 100 MB at 10 ns a byte are a second; twenty are needed.
        var cost = AnchorCadence.Cost(
            bytes: 100_000_000,
            elapsed: 19_999_999_999,
            spent: 0,
            copied: 0
        )
        let cadence = AnchorCadence()
        #expect(!cadence.isDue(checkpoint, after: anchor, isLast: true, cost))
        #expect(cadence.isDue(checkpoint, after: nil, isLast: true, cost))
        #expect(!cadence.isDue(checkpoint, after: nil, isLast: false, cost))
        cost.elapsed += 1
        #expect(cadence.isDue(checkpoint, after: anchor, isLast: false, cost))
        // A copy of half as many bytes took 250 ms: this one takes 500, and 250 are spent.
        cost.copied = 50_000_000
        cost.spent = 250_000_000
        cost.elapsed = 14_999_999_999
        #expect(!cadence.isDue(checkpoint, after: anchor, isLast: false, cost))
        cost.elapsed += 1
        #expect(cadence.isDue(checkpoint, after: anchor, isLast: false, cost))
        cost = AnchorCadence.Cost(bytes: .max, elapsed: .max - 1, spent: .max, copied: 1)
        #expect(!cadence.isDue(checkpoint, after: anchor, isLast: false, cost))
    }
}
