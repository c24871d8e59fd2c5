import CheckpointStore
import Folding
import MarketModel
import Platform
import Projection
import Synthesis
import Testing

/// Rows that are stored while folding goes on, ahead of their checkpoint.
@Suite struct RowsAheadTests {
    @Test(arguments: [1, 3], [2, Int.max])
    func `rows stored ahead of their checkpoints make the same state`(
        helpers: Int,
        residentRowsMax: Int
    ) throws {
        let market = try FoldTestMarket {
            $0.seed = 11
            $0.streams = 2
            $0.forks = 3
        }
        let plain = try market.fold()
        let (fold, path) = try stored(market, "ahead") {
            $0.helpers = helpers
            $0.limits.rowsAheadMin = 1
            $0.limits.bundlesPerCheckpoint = 40
            $0.limits.residentRowsMax = residentRowsMax
        }
        #expect(fold.engine.counters.savesAhead > 0)
        #expect(fold.engine.counters.checkpoints > 0)
        #expect(fold.positionDigest == plain.positionDigest)
        #expect(fold.engine.chainDigest == plain.engine.chainDigest)
        let (whole, other) = try stored(market, "whole") { $0.helpers = 0 }
        #expect(whole.engine.counters.savesAhead == 0)
        // Restoring looks at every row and at all digests.
        let (found, expected) = (try restored(path), try restored(other))
        #expect(found != nil)
        #expect(found?.position == expected?.position)
        #expect(found?.chainDigest == expected?.chainDigest)
        #expect(found?.tables == expected?.tables)
    }

    @Test func `whoever follows or has no other thread stores no rows ahead`() throws {
        let market = try FoldTestMarket { $0.seed = 12 }
        let (fold, _) = try stored(market, "alone") {
            $0.helpers = 0
            $0.limits.rowsAheadMin = 1
        }
        #expect(fold.engine.counters.savesAhead == 0)
        #expect(fold.engine.counters.checkpoints > 0)
    }

    @Test func `a state of many rows is not stored ahead`() throws {
        let market = try FoldTestMarket { $0.seed = 12 }
        let (fold, _) = try stored(market, "many") {
            $0.helpers = 1
            $0.limits.rowsAheadMin = 1
            $0.limits.rowsForAheadMax = 0
        }
        #expect(fold.engine.counters.savesAhead == 0)
    }

    private func stored(
        _ market: FoldTestMarket,
        _ name: String,
        _ change: (inout FoldOptions) -> Void
    ) throws -> (fold: StateFold, path: String) {
        let path = market.path + "/\(name).sqlite"
        let fold = try market.fold(
            change,
            storage: { (engine) throws(StorageError) in try file(path, engine, .write) }
        )
        return (fold, path)
    }

    private func restored(_ path: String) throws -> Checkpoint? {
        let engine = ProjectionEngine(.solana) { ProjectorSet.make(nil, in: $0) }
        return try engine.restore(from: try file(path, engine, .read))
    }

    private func file(
        _ path: String,
        _ engine: ProjectionEngine,
        _ purpose: StateFile.Purpose
    ) throws(StorageError) -> StateFile {
        do throws(StateFile.OpenError) {
            return try StateFile(
                path,
                chain: .solana,
                key: engine.key(with: StateFold.keyParts(FoldOptions())),
                schemas: engine.store.schemas,
                for: purpose
            )
        } catch { throw .failed("\(error)") }
    }
}
