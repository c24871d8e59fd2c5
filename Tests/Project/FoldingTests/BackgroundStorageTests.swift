import MarketModel
import Platform
import Projection
import RecordModel
import Testing

@testable import Folding

/// A thread of its own stores what it is given, in order, and keeps failures until somebody asks.
@Suite struct BackgroundStorageTests {
    private static func checkpoint(_ position: UInt64) -> Checkpoint {
        Checkpoint(
            position: position,
            hash: nil,
            time: nil,
            resume: Sequence(1),
            chainDigest: .zero,
            tables: [],
            bundles: position
        )
    }

    private static func put(_ storage: BackgroundStorage, _ keys: Range<UInt32>) throws {
        for key in keys {
            let bytes = [UInt8(key >> 16 & 0xff), UInt8(key >> 8 & 0xff), UInt8(key & 0xff)]
            let row = [UInt8(key % 7)]
            try storage.put(
                table: 0,
                key: bytes.span.bytes,
                row: row.span.bytes,
                check: UInt64(key)
            )
        }
    }

    @Test(arguments: [0, 1, 1023, 1024, 1025, 5000] as [UInt32])
    func `rows arrive whole and in order`(count: UInt32) throws {
        let slow = SlowStorage()
        let storage = try BackgroundStorage(slow)
        for round in 1...3 as ClosedRange<UInt64> {
            try storage.begin()
            try BackgroundStorageTests.put(storage, 0..<count)
            try storage.commit(BackgroundStorageTests.checkpoint(round))
            #expect(try storage.finish(waits: true))
            #expect(storage.checkpoint?.position == round)
        }
        let keys = slow.keys
        #expect(keys.count == 3 * Int(count))
        let first = keys.prefix(Int(count))
        #expect(Array(first) == first.sorted { $0.lexicographicallyPrecedes($1) })
    }

    @Test func `who asks for a row gets it as the checkpoint on its way has it`() throws {
        let storage = try BackgroundStorage(SlowStorage())
        try storage.begin()
        try BackgroundStorageTests.put(storage, 0..<3000)
        try storage.commit(BackgroundStorageTests.checkpoint(4))
        #expect(try storage.load(table: 0, key: [0, 0x0b, 0xb7])?.check == 2999)
        #expect(try storage.finish(waits: false))
    }

    @Test(arguments: [1, 1023, 1024, 3000] as [UInt32])
    func `who is done without a commit has handed over every row`(count: UInt32) throws {
        let slow = SlowStorage()
        let storage = try BackgroundStorage(slow)
        try storage.begin()
        try BackgroundStorageTests.put(storage, 0..<count)
        #expect(try storage.finish(waits: true))
        #expect(slow.pendingCount == Int(count))
        #expect(slow.keys.isEmpty)
    }

    @Test(arguments: [1, 2, 900, 3001, 3002])
    func `a failure is told when somebody asks, and nothing is stored behind it`(
        call: Int
    ) throws {
        let slow = SlowStorage()
        slow.failsAt = call
        let storage = try BackgroundStorage(slow)
        try storage.begin()
        try BackgroundStorageTests.put(storage, 0..<3000)
        try storage.commit(BackgroundStorageTests.checkpoint(4))
        #expect(throws: StorageError.self) { try storage.finish(waits: true) }
        #expect(slow.checkpoint == nil)
        #expect(slow.keys.isEmpty)
        try storage.begin()
        try storage.commit(BackgroundStorageTests.checkpoint(5))
        #expect(throws: StorageError.self) { try storage.finish(waits: true) }
        #expect(throws: StorageError.self) { try storage.load(table: 0, key: [0]) }
        #expect(slow.checkpoint == nil)
    }

    @Test func `what is begun and not committed is dropped with the storage`() throws {
        let slow = SlowStorage()
        do {
            let storage = try BackgroundStorage(slow)
            try storage.begin()
            try BackgroundStorageTests.put(storage, 0..<2000)
        }
        #expect(slow.keys.isEmpty)
        #expect(slow.hasRolledBack)
    }
}

/// One table in memory. Used by one thread at a time, as the storage around it has to see to.
private final class SlowStorage: RowStorage {
    private(set) var checkpoint: Checkpoint?
    /// Keys of committed rows, as they came.
    private(set) var keys: [[UInt8]] = []
    private(set) var hasRolledBack = false
    /// The call that fails, counted from 1 over what changes.
    var failsAt: Int?
    private var rows: [[UInt8]: StoredRow] = [:]
    private var pending: [([UInt8], StoredRow)]?
    /// Rows set and not committed.
    var pendingCount: Int { pending?.count ?? 0 }  // nothing was begun
    private var calls = 0

    private func call() throws(StorageError) {
        calls += 1
        if calls == failsAt { throw .failed("call \(calls)") }
    }

    func load(table: Int, key: [UInt8]) throws(StorageError) -> StoredRow? { rows[key] }

    func scan(
        table: Int,
        _ body: (_ key: [UInt8], _ row: [UInt8], _ check: UInt64) throws(StorageError) -> Void
    ) throws(StorageError) {}

    func begin() throws(StorageError) {
        try call()
        pending = []
    }

    func put(table: Int, key: RawSpan, row: RawSpan?, check: UInt64) throws(StorageError) {
        try call()
        guard let row else { return }
        let stored = StoredRow(row: row.withUnsafeBytes { [UInt8]($0) }, check: check)
        pending?.append((key.withUnsafeBytes { [UInt8]($0) }, stored))
    }

    func commit(_ checkpoint: Checkpoint) throws(StorageError) {
        try call()
        for (key, row) in pending ?? [] {  // begun before, or there is nothing
            rows[key] = row
            keys.append(key)
        }
        pending = nil
        self.checkpoint = checkpoint
    }

    func rollBack() {
        hasRolledBack = true
        pending = nil
    }
}
