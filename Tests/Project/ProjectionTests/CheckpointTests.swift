import MarketModel
import Projection
import RecordModel
import Testing

extension Pair {
    /// Goes on with what another one knows, on an engine restored from storage.
    init(
        restoring storage: MemoryStorage,
        from other: Pair,
        limits: ProjectionEngine.Limits
    )
        throws
    {
        self.init(limits)
        let checkpoint = try engine.restore(from: storage)
        guard let checkpoint else { return }
        let last = other.copies.firstIndex { $0.position == checkpoint.position }
        copies = Array(other.copies[...(try #require(last))])
        settled = copies.count - 1
    }
}

@Suite struct CheckpointTests {
    static func limits(_ residentRowsMax: Int) -> ProjectionEngine.Limits {
        var limits = ProjectionEngine.Limits()
        limits.residentRowsMax = residentRowsMax
        return limits
    }

    @Test(arguments: [1, 2, 16, Int.max], 0..<6)
    func `what stays in memory changes no row and no digest`(
        residentRowsMax: Int,
        seed: UInt64
    ) throws {
        var pair = Pair(CheckpointTests.limits(residentRowsMax))
        let storage = MemoryStorage(tables: 2)
        try pair.engine.restore(from: storage)
        var count = 0
        try pair.walk(seed: seed, steps: 120) { pair in
            count += 1
            if count % 7 == 0 { try pair.engine.checkpoint(resume: Sequence(1)) }
            if count % 5 == 0 { pair.check() }
            let digest = pair.state.chainDigest
            #expect(pair.engine.chainDigest == digest)
        }
        pair.check()
        #expect((storage.hits > 0) == (residentRowsMax < .max))
    }

    @Test(arguments: [1, 16, Int.max])
    func `a checkpoint holds the rows as of the settled bundle, not the newest`(
        residentRowsMax: Int
    ) throws {
        var pair = Pair(CheckpointTests.limits(residentRowsMax))
        let storage = MemoryStorage(tables: 2)
        try pair.engine.restore(from: storage)
        try pair.walk(seed: 5, steps: 200) { pair in
            guard let checkpoint = try pair.engine.checkpoint(resume: Sequence(3)) else { return }
            let state = pair.copies[pair.settled].state
            #expect(checkpoint.chainDigest == state.chainDigest)
            #expect(storage.checkpoint == checkpoint)
            let accounts = storage.tables[0].mapValues(\.row)
            let expected = state.accounts.map {
                (NaiveState.encoded($0.key), NaiveState.encoded($0.value))
            }
            #expect(accounts == Dictionary(uniqueKeysWithValues: expected))
            let recent = storage.tables[1].mapValues(\.row)
            #expect(
                recent
                    == Dictionary(
                        uniqueKeysWithValues: state.recent.map {
                            (NaiveState.encoded($0.key), NaiveState.encoded($0.value))
                        }
                    )
            )
        }
        #expect(pair.engine.counters.checkpoints > 5)
    }

    @Test(arguments: [1, 4, Int.max], 0..<6)
    func `what is folded while a checkpoint is written belongs to the next one`(
        residentRowsMax: Int,
        seed: UInt64
    ) throws {
        let limits = CheckpointTests.limits(residentRowsMax)
        var pair = Pair(limits)
        let storage = MemoryStorage(tables: 2)
        storage.delay = 5
        try pair.engine.restore(from: storage)
        var count = 0
        try pair.walk(seed: seed, steps: 150) { pair in
            count += 1
            if count % 9 == 0, try pair.engine.checkpoint(resume: Sequence(3)) != nil {
                let before = pair.engine.counters.checkpoints
                try pair.engine.finishCheckpoint(waits: false)
                #expect(pair.engine.counters.checkpoints == before)
            }
            try pair.engine.finishCheckpoint(waits: false)
            if count % 5 == 0 { pair.check() }
            #expect(pair.engine.chainDigest == pair.state.chainDigest)
        }
        try pair.engine.finishCheckpoint(waits: true)
        #expect(pair.engine.counters.checkpoints > 3)
        var again = try Pair(restoring: storage.copy(), from: pair, limits: limits)
        again.check()
        try pair.engine.checkpoint(resume: Sequence(3))
        try pair.engine.finishCheckpoint(waits: true)
        again = try Pair(restoring: storage.copy(), from: pair, limits: limits)
        again.check()
        pair.check()
    }

    @Test(arguments: [(1, 0), (1, 3), (4, 3), (.max, 0), (.max, 3)], 0..<6 as Range<UInt64>)
    func `rows given ahead of a checkpoint change nothing but when they are written`(
        memory: (residentRowsMax: Int, delay: Int),
        seed: UInt64
    ) throws {
        let (residentRowsMax, delay) = memory
        let limits = CheckpointTests.limits(residentRowsMax)
        var (pair, plain) = (Pair(limits), Pair(limits))
        let (storage, other) = (MemoryStorage(tables: 2), MemoryStorage(tables: 2))
        storage.delay = delay
        try pair.engine.restore(from: storage)
        try plain.engine.restore(from: other)
        var count = 0
        try plain.walk(seed: seed, steps: 150) { pair in
            count += 1
            if count % 9 == 0 { try pair.engine.checkpoint(resume: Sequence(3)) }
        }
        var isAhead = false
        count = 0
        try pair.walk(seed: seed, steps: 150) { pair in
            count += 1
            // The checkpoint before may still be on its way.
            if count % 2 == 0 { try pair.engine.finishCheckpoint(waits: true) }
            let before = storage.copy()
            if count % 9 == 0 {
                try pair.engine.checkpoint(resume: Sequence(3))
            } else if count % 2 == 0 {
                let puts = storage.puts
                try pair.engine.saveAhead()
                if storage.puts > puts, before.checkpoint != nil { isAhead = true }
                // Whoever opens it now finds the checkpoint before, whole.
                let isUnchanged = storage.checkpoint == before.checkpoint
                #expect(isUnchanged && storage.tables == before.tables)
            }
            if count % 5 == 0 { pair.check() }
            #expect(pair.engine.chainDigest == pair.state.chainDigest)
        }
        #expect(isAhead)
        try pair.engine.checkpoint(resume: Sequence(3))
        try pair.engine.finishCheckpoint(waits: true)
        try plain.engine.checkpoint(resume: Sequence(3))
        #expect(storage.checkpoint == other.checkpoint)
        #expect(storage.tables == other.tables)
        #expect(pair.engine.counters.checkpoints == plain.engine.counters.checkpoints)
        pair.check()
        let again = try Pair(restoring: storage.copy(), from: pair, limits: limits)
        again.check()
    }

    @Test func `rows are given ahead when enough wait and none are on their way`() throws {
        var limits = ProjectionEngine.Limits()
        limits.rowsAheadMin = 3
        limits.dirtyRowsMax = 60
        var pair = Pair(limits)
        let storage = MemoryStorage(tables: 2)
        storage.delay = 2
        try pair.engine.restore(from: storage)
        var (ahead, busy, due) = (0, 0, 0)
        try pair.walk(seed: 11, steps: 200) { pair in
            let engine = pair.engine
            try engine.finishCheckpoint(waits: false)
            if engine.isCheckpointDue {
                due += 1
                try engine.checkpoint(resume: Sequence(3))
                #expect(!engine.isSavingAheadDue)
            } else if engine.isSavingAheadDue {
                ahead += 1
                #expect(engine.dirtyRows >= 3)
                try engine.saveAhead()
                if !engine.isSavingAheadDue, engine.dirtyRows >= 3 { busy += 1 }
            }
        }
        #expect(ahead > 5)
        #expect(busy > 5)
        #expect(due > 5)
        pair.check()
    }

    @Test func `the first checkpoint comes early`() throws {
        var limits = ProjectionEngine.Limits()
        limits.bundlesPerCheckpoint = 6
        limits.bundlesToFirst = 2
        var pair = Pair(limits)
        try pair.engine.restore(from: MemoryStorage(tables: 2))
        var distances: [Int] = []
        var since = 0
        for position in 1...20 as ClosedRange<UInt64> {
            try pair.apply(position, seed: Int64(position))
            try pair.settle(Int(position))
            since += 1
            guard pair.engine.isCheckpointDue else { continue }
            try pair.engine.checkpoint(resume: Sequence(3))
            distances.append(since)
            since = 0
        }
        #expect(distances == [2, 6, 6, 6])
    }

    @Test(arguments: [2, Int.max], 0..<4)
    func `going on from any checkpoint is the same as never having stopped`(
        residentRowsMax: Int,
        seed: UInt64
    ) throws {
        let limits = CheckpointTests.limits(residentRowsMax)
        var pair = Pair(limits)
        let storage = MemoryStorage(tables: 2)
        try pair.engine.restore(from: storage)
        var kept: [MemoryStorage] = []
        try pair.walk(seed: seed, steps: 60) { pair in
            if try pair.engine.checkpoint(resume: Sequence(3)) != nil {
                kept.append(storage.copy())
            }
        }
        #expect(kept.count > 2)
        for storage in kept {
            var again = try Pair(restoring: storage, from: pair, limits: limits)
            again.check()
            // What is stored is ignored when it comes once more.
            for copy in pair.copies[1...again.settled] {
                try again.take(.apply(Bundle(chain: .solana, position: copy.position, time: 0)))
                try again.take(.undo(position: copy.position))
            }
            #expect(again.engine.counters.ignored > 0)
            again.check()
            try again.walk(seed: seed &+ 77, steps: 20) { pair in
                try pair.engine.checkpoint(resume: Sequence(9))
                pair.check()
            }
        }
    }

    @Test func `nothing settled, or nothing new, makes no checkpoint`() throws {
        var pair = Pair()
        let storage = MemoryStorage(tables: 2)
        try pair.engine.restore(from: storage)
        #expect(try pair.engine.checkpoint(resume: Sequence(1)) == nil)
        try pair.apply(4, seed: 8)
        #expect(try pair.engine.checkpoint(resume: Sequence(1)) == nil)
        try pair.settle(1)
        #expect(try pair.engine.checkpoint(resume: Sequence(1))?.position == 4)
        #expect(try pair.engine.checkpoint(resume: Sequence(1)) == nil)
        try pair.take(.final(position: 900))
        #expect(try pair.engine.checkpoint(resume: Sequence(1)) == nil)
    }

    @Test func `while all rows are in memory no key costs a question`() throws {
        var pair = Pair()
        let storage = MemoryStorage(tables: 2)
        try pair.engine.restore(from: storage)
        try pair.walk(seed: 3, steps: 100) { try $0.engine.checkpoint(resume: Sequence(1)) }
        #expect(storage.loads == 0)
        var again = try Pair(restoring: storage, from: pair, limits: .init())
        try again.walk(seed: 4, steps: 20) { _ in }
        again.check()
        #expect(storage.loads == 0)
    }

    @Test func `a failure of storage at any call stops the engine and stores no half`() throws {
        var stops = 0
        for failsAt in 1..<400 {
            var pair = Pair(CheckpointTests.limits(1))
            let storage = MemoryStorage(tables: 2)
            storage.failsAt = failsAt
            do {
                try pair.engine.restore(from: storage)
                var count = 0
                try pair.walk(seed: 21, steps: 60) {
                    count += 1
                    if count % 2 == 0 {
                        try $0.engine.saveAhead()
                    } else {
                        try $0.engine.checkpoint(resume: Sequence(1))
                    }
                }
            } catch is StorageError {
                stops += 1
                #expect(throws: StorageError.failed("call \(failsAt)")) {
                    try pair.take(.final(position: 0))
                }
                let again = try Pair(restoring: storage.copy(), from: pair, limits: .init())
                again.check()
            }
        }
        #expect(stops > 100)
    }

    @Test func `stored rows that do not add up to their digests are damage`() throws {
        var pair = Pair()
        let storage = MemoryStorage(tables: 2)
        try pair.engine.restore(from: storage)
        try pair.walk(seed: 6, steps: 60) { _ in }
        try pair.engine.checkpoint(resume: Sequence(1))
        for table in 0..<2 {
            for (key, stored) in storage.tables[table] {
                let without = storage.copy()
                without.tables[table][key] = nil
                let changed = storage.copy()
                changed.tables[table][key]?.row[0] ^= 1
                let moved = storage.copy()
                moved.tables[table][key] = nil
                moved.tables[table][[0xff] + key.dropFirst()] = stored
                let check = storage.copy()
                check.tables[table][key]?.check ^= 1
                for damaged in [without, changed, moved, check] {
                    #expect {
                        try Pair().engine.restore(from: damaged)
                    } throws: { error in
                        guard case .damaged = error as? StorageError else { return false }
                        return true
                    }
                }
            }
        }
    }

    @Test func `a row that turns bad while it is outside of memory is never used`() throws {
        var pair = Pair(CheckpointTests.limits(1))
        let storage = MemoryStorage(tables: 2)
        try pair.engine.restore(from: storage)
        try pair.walk(seed: 6, steps: 60) { _ in }
        try pair.engine.checkpoint(resume: Sequence(1))
        for key in storage.tables[0].keys { storage.tables[0][key]?.row[3] ^= 4 }
        #expect(throws: StorageError.damaged("toy_account: a row")) {
            for seed in 0..<100 as Range<Int64> {
                try pair.apply(10_000 + UInt64(seed), seed: seed)
            }
        }
    }

    @Test func `the key changes with everything that decides what state comes of a log`() {
        let engine = Pair().engine
        let key = engine.key(with: [StateKey.Part("assembler", "1")])
        #expect(key == Pair().engine.key(with: [StateKey.Part("assembler", "1")]))
        #expect(key.digest != engine.key(with: [StateKey.Part("assembler", "2")]).digest)
        let names = [
            "chain", "engine", "assembler", "projector toy", "configuration toy", "tables",
        ]
        #expect(key.parts.map(\.name) == names)
        #expect(key.parts[3].value == "3")
        #expect(key.parts[4].value == "window=40")
    }
}
