import Folding
import Platform
import Projection
import RecordModel
import SegmentLog
import Synthesis
import Testing

/// What reading meets shows the same way whether a thread of its own reads ahead or not.
@Suite struct ReadAheadTests {
    /// Remembers what is told, and asks for the end after some records.
    private final class Watcher: FoldObserver {
        private let end: UInt64
        private(set) var skipped: [String] = []
        private(set) var isAsked = false

        init(endAfter end: UInt64 = .max) { self.end = end }

        func skipped(_ damage: String) { skipped.append(damage) }
        func read(storedBytes: UInt64, records: UInt64) { isAsked = records >= end }
    }

    private func run(
        _ market: FoldTestMarket,
        _ observer: Watcher,
        _ change: (inout FoldOptions) -> Void
    ) throws -> (fold: StateFold, report: StateFold.Report) {
        var options = FoldOptions()
        change(&options)
        let fold = try StateFold(
            RecordingReader(path: market.path, disk: LinuxFileSystem()),
            options,
            storage: nil,
            clock: SystemClock(),
            observer: observer
        )
        return (fold, try fold.run())
    }

    /// Spoils the middle of the largest segment.
    private func spoil(_ market: FoldTestMarket) throws {
        let disk = LinuxFileSystem()
        let folder = market.path + "/segments"
        let files = try disk.list(folder).map { try disk.open(folder + "/" + $0, .readWrite) }
        let sizes = try files.map { try $0.size() }
        let place = try #require(sizes.indices.max { sizes[$0] < sizes[$1] })
        try files[place].write([UInt8](repeating: 0xa5, count: 64), at: sizes[place] / 2)
    }

    @Test(arguments: [false, true])
    func `damage ends reading, or is skipped, at the same record`(skips: Bool) throws {
        let market = try FoldTestMarket { $0.seed = 31 }
        try spoil(market)
        let plainWatcher = Watcher()
        let (plain, report) = try run(market, plainWatcher) {
            $0.helpers = 0
            $0.skipsDamage = skips
        }
        #expect(report.damage > 0)
        #expect(plainWatcher.skipped.isEmpty != skips)
        for helpers in [1, 3] {
            let watcher = Watcher()
            let (other, ahead) = try run(market, watcher) {
                $0.helpers = helpers
                $0.skipsDamage = skips
            }
            #expect(ahead.ending == report.ending)
            #expect((ahead.ending == .end) == skips)
            #expect(ahead.damage == report.damage)
            #expect(ahead.records == report.records)
            #expect(ahead.last == report.last)
            #expect(watcher.skipped == plainWatcher.skipped)
            #expect(other.positionDigest == plain.positionDigest)
        }
    }

    @Test func `whoever is asked to end does so with more read ahead`() throws {
        let market = try FoldTestMarket { $0.seed = 32 }
        let (_, whole) = try run(market, Watcher()) { $0.helpers = 1 }
        let (_, part) = try run(market, Watcher(endAfter: 0)) { $0.helpers = 1 }
        #expect(part.ending == .stopped)
        #expect(part.records < whole.records)
        #expect(part.records > 0)
    }

    @Test func `a last record that is asked for is the last that is read`() throws {
        let market = try FoldTestMarket { $0.seed = 33 }
        for helpers in [0, 1] {
            let (_, report) = try run(market, Watcher()) {
                $0.helpers = helpers
                $0.through = Sequence(1500)
            }
            #expect(report.last == Sequence(1500))
        }
    }
}
