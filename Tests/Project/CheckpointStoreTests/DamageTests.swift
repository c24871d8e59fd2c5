import Foundation
import MarketModel
import Platform
import Projection
import RecordModel
import Testing

@testable import CheckpointStore

/// Storage that runs something before every step of a checkpoint.
final class WatchedStorage: RowStorage {
    let inner: StateFile
    let before: (String) throws -> Void

    init(_ inner: StateFile, before: @escaping (String) throws -> Void) {
        self.inner = inner
        self.before = before
    }

    var checkpoint: Checkpoint? { inner.checkpoint }

    private func watch(_ what: String) {
        do { try before(what) } catch { Issue.record(error) }
    }

    func load(table: Int, key: [UInt8]) throws(StorageError) -> StoredRow? {
        try inner.load(table: table, key: key)
    }

    func scan(
        table: Int,
        _ body: (_ key: [UInt8], _ row: [UInt8], _ check: UInt64) throws(StorageError) -> Void
    ) throws(StorageError) {
        try inner.scan(table: table, body)
    }

    func begin() throws(StorageError) {
        watch("begin")
        try inner.begin()
    }

    func put(table: Int, key: RawSpan, row: RawSpan?, check: UInt64) throws(StorageError) {
        watch("put")
        try inner.put(table: table, key: key, row: row, check: check)
    }

    func commit(_ checkpoint: Checkpoint) throws(StorageError) {
        watch("commit")
        try inner.commit(checkpoint)
        watch("after")
    }

    func rollBack() { inner.rollBack() }
}

@Suite struct DamageTests {
    /// What an engine finds in the files of a folder.
    enum Finding {
        case refused
        case state(Checkpoint?, Bench)
    }

    static func open(_ path: String, residentRowsMax: Int = .max) throws -> Finding {
        let bench = Bench(residentRowsMax: residentRowsMax)
        do {
            return .state(try bench.engine.restore(from: try bench.file(path)), bench)
        } catch let error as StateFile.OpenError {
            guard case .damaged = error else { throw error }
            return .refused
        } catch let error as StorageError {
            guard case .damaged = error else { throw error }
            return .refused
        }
    }

    /// States after each position.
    static func states(_ last: UInt64) throws -> [UInt64: Bench.Rows] {
        let bench = Bench()
        var states: [UInt64: Bench.Rows] = [0: bench.rows]
        for position in 1...last {
            try bench.apply([position])
            states[position] = bench.rows
        }
        return states
    }

    @Test func `a kill at any step leaves the checkpoint before or the one being made`() throws {
        let workshop = try Workshop()
        let path = workshop.path + "/state.sqlite"
        let bench = Bench()
        let states = try DamageTests.states(120)
        var copies: [(allowed: Set<UInt64>, files: [String: [UInt8]])] = []
        var done: UInt64 = 0
        var next: UInt64 = 0
        let storage = WatchedStorage(try bench.file(path)) { what in
            // Before the commit returns, both are right; afterwards only the new one is.
            copies.append((what == "after" ? [next] : [done], workshop.copy()))
        }
        try bench.engine.restore(from: storage)
        for round in 1...12 as ClosedRange<UInt64> {
            try bench.apply(round * 10 - 9...round * 10)
            next = round * 10 - round % 4
            try bench.settle(next)
            try bench.engine.checkpoint(resume: Sequence(round))
            done = next
        }
        #expect(copies.count > 60)
        let other = try Workshop()
        for (allowed, files) in copies {
            try other.restore(files)
            let found = try DamageTests.open(other.path + "/state.sqlite")
            guard case .state(let checkpoint, let again) = found else {
                Issue.record("refused")
                continue
            }
            // Nothing yet is position 0.
            let position = checkpoint?.position ?? 0
            #expect(allowed.contains(position))
            #expect(again.rows == states[position])
            // Going on from there is the same as never having stopped.
            try again.apply(position + 1..<121)
            #expect(again.engine.chainDigest == bench.engine.chainDigest)
        }
    }

    @Test func `a log cut or damaged anywhere leaves a whole checkpoint or is refused`() throws {
        let workshop = try Workshop()
        let path = workshop.path + "/state.sqlite"
        let bench = Bench()
        let states = try DamageTests.states(60)
        try bench.engine.restore(from: try bench.file(path, pageSize: 512))
        try bench.apply(1...20)
        try bench.settle(20)
        try bench.engine.checkpoint(resume: Sequence(1))
        // Somebody who reads keeps the log from being emptied; the first part of it is moved.
        let reader = try SQLiteConnection(path, .readOnly)
        try reader.run("BEGIN")
        #expect(try reader.text("SELECT value FROM _state WHERE name = 'position'") == "20")
        for last in [40, 50, 60] as [UInt64] {
            try bench.apply((bench.engine.head?.position ?? 0) + 1...last)
            try bench.settle(last)
            try bench.engine.checkpoint(resume: Sequence(1))
            guard last == 50 else { continue }
            try reader.run("COMMIT; BEGIN")
            #expect(try reader.text("SELECT value FROM _state WHERE name = 'position'") == "50")
        }
        let files = workshop.copy()
        let log = try #require(files["state.sqlite-wal"])
        #expect(log.count > 4_000)
        let other = try Workshop()
        var refused = 0
        var found: [UInt64: Int] = [:]
        func look(_ damaged: [UInt8]) throws {
            var files = files
            files["state.sqlite-wal"] = damaged
            try other.restore(files)
            switch try DamageTests.open(other.path + "/state.sqlite") {
            case .refused: refused += 1
            case .state(let checkpoint, let again):
                let position = try #require(checkpoint).position
                found[position, default: 0] += 1
                #expect(again.rows == states[position])
            }
        }
        for place in stride(from: 0, to: log.count, by: 199) {
            try look(Array(log[..<place]))
            var flipped = log
            flipped[place] ^= 1 << UInt8(place % 8)
            try look(flipped)
        }
        // The first two checkpoints of the log stand in the database as well. A log that ends
        // within the second one shows the first over it: mostly neither state, and refused.
        #expect(Set(found.keys).isSubset(of: [40, 50]))
        #expect(refused > 0)
        try look(log)
        #expect(found[60] == 1)
    }

    /// `TAPEDECK_DAMAGE_STEP=1` looks at every byte, which takes minutes.
    static let step = Environment.value("TAPEDECK_DAMAGE_STEP").flatMap { Int($0) } ?? 29

    @Test func `a flip of any byte is refused or changes no row`() throws {
        let workshop = try Workshop()
        let path = workshop.path + "/state.sqlite"
        let bench = Bench()
        let states = try DamageTests.states(60)
        let whole = try Bench.uninterrupted(70)
        do {
            try bench.engine.restore(from: try bench.file(path, pageSize: 512))
            for last in [20, 40, 50, 60] as [UInt64] {
                try bench.apply((bench.engine.head?.position ?? 0) + 1...last)
                try bench.settle(last)
                try bench.engine.checkpoint(resume: Sequence(1))
            }
        }
        let files = workshop.copy()
        let database = try #require(files["state.sqlite"])
        #expect(files["state.sqlite-wal"]?.count ?? 0 == 0)
        let other = try Workshop()
        let place = other.path + "/state.sqlite"
        var refused = 0
        var harmless = 0
        for offset in stride(from: 0, to: database.count, by: DamageTests.step) {
            var flipped = database
            flipped[offset] ^= 1 << UInt8(offset % 8)
            try other.restore(["state.sqlite": flipped])
            do {
                // The least that may stay in memory: most rows are looked up one by one.
                guard
                    case .state(let checkpoint, let again) = try DamageTests.open(
                        place,
                        residentRowsMax: 1
                    )
                else {
                    refused += 1
                    continue
                }
                harmless += 1
                #expect(checkpoint?.position == 60, "byte \(offset)")
                #expect(again.rows == states[60], "byte \(offset)")
                // Going on gives the right state, or stops.
                do {
                    try again.apply(61...70)
                    #expect(again.engine.chainDigest == whole.engine.chainDigest)
                    try again.settle(70)
                    try again.engine.checkpoint(resume: Sequence(2))
                } catch is StorageError {
                    continue
                }
            }
            // What was stored then is right, or refused.
            guard case .state(let checkpoint, let again) = try DamageTests.open(place) else {
                continue
            }
            #expect(checkpoint?.position == 70, "byte \(offset)")
            #expect(again.rows == whole.rows, "byte \(offset)")
        }
        #expect(refused > harmless / 4)
        #expect(harmless > 0)
    }

    @Test func `rows that are there but would not be found are refused`() throws {
        let workshop = try Workshop()
        let path = workshop.path + "/state.sqlite"
        let whole = try Bench.uninterrupted(60)
        do {
            let bench = Bench()
            try bench.engine.restore(from: try bench.file(path, pageSize: 512))
            try bench.apply(1...60)
            try bench.settle(60)
            try bench.engine.checkpoint(resume: Sequence(1))
        }
        let database = try #require(workshop.bytes("state.sqlite"))
        let other = try Workshop()
        var refused = 0
        for page in 1..<database.count / 512 {
            // A leaf of a table without row numbers: its cells in order of their keys, each named
            // by two bytes from offset 8 on. Two change places.
            let start = page * 512
            guard database[start] == 0x0a, database[start + 3] == 0, database[start + 4] > 1 else {
                continue
            }
            var swapped = database
            swapped.swapAt(start + 8, start + 10)
            swapped.swapAt(start + 9, start + 11)
            try other.restore(["state.sqlite": swapped])
            let found = try DamageTests.open(other.path + "/state.sqlite", residentRowsMax: 1)
            switch found {
            case .refused: refused += 1
            case .state(_, let bench): #expect(bench.rows == whole.rows, "page \(page)")
            }
        }
        #expect(refused > 2)
    }
}
