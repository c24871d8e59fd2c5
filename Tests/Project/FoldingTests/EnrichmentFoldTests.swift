import Assembly
import Folding
import MarketModel
import Platform
import Projection
import Projectors
import RecordModel
import SegmentLog
import Synthesis
import Testing

/// Facts from outside, from records of a log to rows.
@Suite struct EnrichmentFoldTests {
    /// A market's recording copied by a log writer, with facts between its records.
    private final class Copy {
        let path: String
        let reader: RecordingReader
        /// Sequences of the facts, with what they say.
        private(set) var facts: [(sequence: UInt64, name: String, value: String)] = []
        private(set) var records: UInt64 = 0

        /// - Parameters:
        ///   - market: what is copied.
        ///   - step: records from one fact to the next; none for 0.
        /// - Throws: what the log says.
        init(_ market: FoldTestMarket, everyRecords step: UInt64) throws {
            var random = SystemRandom()
            path = "/tmp/tapedeck-facts-\(random.next())"
            let log = try LogWriter(
                path: path,
                disk: LinuxFileSystem(),
                clock: StillClock(),
                random: SystemRandom(),
                options: LogOptions()
            )
            var streams: [StreamID: StreamID] = [:]
            let cursor = try RecordCursor(market.reader)
            reading: while true {
                switch try cursor.next() {
                case .record:
                    var envelope = cursor.envelope
                    // The copy has a run of its own, which would end all streams again.
                    if envelope.kind == .runStarted { continue }
                    let old = StreamID(envelope.sequence.value)
                    envelope.stream = streams[envelope.stream] ?? envelope.stream
                    let new = try log.append(envelope, payload: cursor.unsafePayload).sequence
                    if envelope.kind == .streamOpened { streams[old] = StreamID(new.value) }
                    records = new.value
                    guard step > 0, new.value % step == 0 else { continue }
                    facts.append(try Self.tell(log, number: facts.count))
                case .end: break reading
                case .hole, .damage: Issue.record("an invented recording is whole")
                }
            }
            try log.close(cause: "test")
            reader = try RecordingReader(path: path, disk: LinuxFileSystem())
        }

        private static func tell(
            _ log: LogWriter,
            number: Int
        ) throws -> (sequence: UInt64, name: String, value: String) {
            let name = number % 3 == 0 ? "SOL/USD" : "document \(number)"
            var fields = EventFields()
            fields.add(.chain, "solana")
            fields.add(.namespace, "price")
            fields.add(.key, name)
            fields.add(.value, "\(number).25")
            fields.add(.asOfPosition, UInt64(number))
            let sequence = try log.append(event: .enrichment, fields: fields).sequence.value
            return (sequence, name, "\(number).25")
        }

        deinit {
            // A folder that stays costs nobody anything but its bytes.
            _ = try? removeTree(path)
        }

        func fold(
            observer: (any FoldObserver)? = nil,
            _ change: (inout FoldOptions) -> Void = { _ in },
            storage: ((ProjectionEngine) throws(StorageError) -> any RowStorage)? = nil
        ) throws -> StateFold {
            var options = FoldOptions()
            options.helpers = 0
            options.limits.bundlesPerCheckpoint = 5
            change(&options)
            let fold = try StateFold(
                reader,
                options,
                storage: storage,
                clock: StillClock(),
                observer: observer
            )
            _ = try fold.run()
            return fold
        }
    }

    /// The rule in plain words: what was applied, and the highest of it when each record was read.
    private final class Watch: FoldObserver {
        private(set) var standing: [UInt64] = []
        private(set) var undone = 0
        /// Highest position ever applied, by the record that caused it; rising.
        private(set) var heights: [(sequence: UInt64, highest: UInt64)] = []

        func folded(_ action: ChainAction, _ engine: ProjectionEngine, at sequence: Sequence) {
            switch action {
            case .apply(let bundle):
                standing.append(bundle.position)
                let highest = max(heights.last?.highest ?? 0, bundle.position)
                heights.append((sequence.value, highest))
            case .undo:
                standing.removeLast()
                undone += 1
            case .final, .stale: break
            }
        }

        func effective(of sequence: UInt64) -> UInt64? {
            let last = heights.last { $0.sequence < sequence }
            return standing.first { $0 >= last.map { $0.highest + 1 } ?? 0 }
        }
    }

    private func rows(_ fold: StateFold) throws -> [(sequence: UInt64, row: EnrichmentRow)] {
        let listed = try #require(try fold.engine.store.rows(of: EnrichmentRow.schema.name))
        return try listed.map { listed in
            var key = RowReader(listed.key)
            var row = RowReader(listed.row)
            return (try EnrichmentRow.decodeKey(&key), try EnrichmentRow(from: &row))
        }
    }

    private func market(_ seed: UInt64) throws -> FoldTestMarket {
        try FoldTestMarket {
            $0.seed = seed
            $0.streams = 2
            $0.forks = 5
            $0.deadSlots = 3
            $0.equivocations = 0
        }
    }

    @Test(arguments: [UInt64(41), 42])
    func `facts count from the first slot folded behind their record`(seed: UInt64) throws {
        let market = try market(seed)
        let copy = try Copy(market, everyRecords: 7)
        let plain = try Copy(market, everyRecords: 0)
        for commitment in [FoldOptions().commitment, .processed] {
            let watch = Watch()
            let fold = try copy.fold(observer: watch, { $0.commitment = commitment })
            let rows = try rows(fold)
            let expected = copy.facts.compactMap { fact in
                watch.effective(of: fact.sequence).map { (fact, $0) }
            }
            #expect(expected.count > 20)
            #expect(rows.map(\.sequence) == expected.map(\.0.sequence))
            #expect(rows.map(\.row.effective) == expected.map(\.1))
            #expect(rows.map(\.row.fact.key) == expected.map(\.0.name))
            #expect(rows.map(\.row.fact.value) == expected.map { .text($0.0.value) })
            if commitment == .processed { #expect(watch.undone > 0) }
            // What the chain did is the same, what is known is not.
            let other = try plain.fold({ $0.commitment = commitment })
            #expect(fold.engine.chainDigest == other.engine.chainDigest)
            #expect(fold.positionDigest != other.positionDigest)
            let stage = fold.stages[2]
            #expect(stage.taken - other.stages[2].taken == UInt64(copy.facts.count))
            #expect(stage.errors.isEmpty)
        }
    }

    @Test(arguments: [UInt64(43), 44])
    func `a restart anywhere leaves the same facts`(seed: UInt64) throws {
        let copy = try Copy(try market(seed), everyRecords: 5)
        let whole = try copy.fold()
        let expected = try rows(whole)
        #expect(expected.count > 20)
        for part in 1...6 {
            let rowsKept = MemoryRows()
            let through = Sequence(copy.records * UInt64(part) / 7)
            _ = try copy.fold(
                { $0.through = through },
                storage: { (_) throws(StorageError) in rowsKept }
            )
            let fold = try copy.fold(storage: { (_) throws(StorageError) in rowsKept })
            #expect(part == 1 || rowsKept.hadCheckpoint)
            let rows = try rows(fold)
            #expect(rows.map(\.sequence) == expected.map(\.sequence), "stopped at \(through)")
            #expect(rows.map(\.row) == expected.map(\.row), "stopped at \(through)")
            #expect(fold.engine.chainDigest == whole.engine.chainDigest)
            #expect(fold.positionDigest == whole.positionDigest)
        }
    }
}

/// Keeps rows in memory, as the checkpoint that was given last has them.
private final class MemoryRows: RowStorage {
    private(set) var checkpoint: Checkpoint? {
        didSet { hadCheckpoint = oldValue != nil }
    }
    /// Whether there was one when the last one came.
    private(set) var hadCheckpoint = false
    private var tables: [Int: [[UInt8]: StoredRow]] = [:]
    private var before: [Int: [[UInt8]: StoredRow]] = [:]

    func load(table: Int, key: [UInt8]) throws(StorageError) -> StoredRow? { tables[table]?[key] }

    func scan(
        table: Int,
        _ body: ([UInt8], [UInt8], UInt64) throws(StorageError) -> Void
    ) throws(StorageError) {
        let rows = tables[table] ?? [:]
        for key in rows.keys.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            guard let row = rows[key] else { continue }
            try body(key, row.row, row.check)
        }
    }

    func begin() throws(StorageError) { before = tables }

    func put(table: Int, key: RawSpan, row: RawSpan?, check: UInt64) throws(StorageError) {
        let key = key.withUnsafeBytes { [UInt8]($0) }
        guard let row else {
            tables[table]?[key] = nil
            return
        }
        let bytes = row.withUnsafeBytes { [UInt8]($0) }
        tables[table, default: [:]][key] = StoredRow(row: bytes, check: check)
    }

    func commit(_ checkpoint: Checkpoint) throws(StorageError) { self.checkpoint = checkpoint }

    func rollBack() { tables = before }
}
