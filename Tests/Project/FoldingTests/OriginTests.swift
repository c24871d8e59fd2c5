import Folding
import Platform
import Projection
import RecordModel
import SegmentLog
import Synthesis
import Testing

/// Stored state is held to the log that it is folded with, whoever opens it.
@Suite struct OriginTests {
    /// Knows its checkpoint, and has no rows.
    private final class Storage: RowStorage {
        var checkpoint: Checkpoint?
        /// Whether somebody looked at rows.
        private(set) var isRead = false

        func load(table: Int, key: [UInt8]) throws(StorageError) -> StoredRow? { nil }
        func scan(
            table: Int,
            _ body: ([UInt8], [UInt8], UInt64) throws(StorageError) -> Void
        ) throws(StorageError) { isRead = true }
        func begin() throws(StorageError) {}
        func put(
            table: Int,
            key: RawSpan,
            row: RawSpan?,
            check: UInt64
        ) throws(StorageError) {}
        func commit(_ checkpoint: Checkpoint) throws(StorageError) {
            self.checkpoint = checkpoint
        }
        func rollBack() {}
    }

    private func open(
        _ market: FoldTestMarket,
        _ storage: Storage,
        _ change: (inout FoldOptions) -> Void = { _ in }
    ) throws -> StateFold {
        var options = FoldOptions()
        options.helpers = 0
        change(&options)
        return try StateFold(
            market.reader,
            options,
            storage: { (_) throws(StorageError) in storage },
            clock: StillClock()
        )
    }

    /// Whether a fold was refused because the state is of another log.
    private func isRefused(_ market: FoldTestMarket, _ storage: Storage) throws -> Bool {
        do {
            _ = try open(market, storage)
            return false
        } catch let error as FoldError {
            switch error {
            case .otherLog: return true
            // It has no rows, and is found out when they are looked at.
            case .storage(.damaged): return false
            default: throw error
            }
        }
    }

    @Test(arguments: [0, 1, 3])
    func `a checkpoint says which record was read last`(helpers: Int) throws {
        let market = try FoldTestMarket { $0.seed = 5 }
        let storage = Storage()
        let report = try open(market, storage) {
            $0.helpers = helpers
            $0.through = Sequence(4_000)
        }.run()
        #expect(report.last == Sequence(4_000))
        let place = try #require(storage.checkpoint?.place)
        #expect(place.sequence == Sequence(4_000))
        #expect(place.recording == market.reader.recordingID)
        #expect(place.writerEpoch == 1)
        #expect(place.block <= place.sequence)
        #expect(try market.reader.finding(of: place) == .same)
    }

    @Test func `state of another log, or of none, begins no fold`() throws {
        let market = try FoldTestMarket { $0.seed = 5 }
        let storage = Storage()
        _ = try open(market, storage).run()
        let checkpoint = try #require(storage.checkpoint)
        #expect(try !isRefused(market, storage))
        #expect(storage.isRead)
        let other = try FoldTestMarket { $0.seed = 6 }
        let untouched = Storage()
        untouched.checkpoint = checkpoint
        #expect(try isRefused(other, untouched))
        #expect(!untouched.isRead)
        untouched.checkpoint?.place = nil
        #expect(try isRefused(market, untouched))
        untouched.checkpoint = checkpoint
        untouched.checkpoint?.place?.blockLink ^= 1
        #expect(try isRefused(market, untouched))
        untouched.checkpoint = checkpoint
        #expect(try !isRefused(market, untouched))
    }
}
