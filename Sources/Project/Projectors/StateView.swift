import MarketModel
package import Projection

/// What can be asked of a state without being kept in it: rows that are made of those of tables when
/// somebody wants to see them. Nothing that is folded depends on it.
package struct StateView: Sendable {
    /// Its shape, as that of a table.
    package let schema: TableSchema
    /// The tables it is made of.
    let tables: [String]
    let make: @Sendable (StateStore, StateMoment) throws(StorageError) -> [ListedRow]

    /// All views, by name.
    package static let all: [StateView] = [
        PoolFigures.view, PositionFigures.view, TokenFigures.view, TradeWindows.pools,
        TradeWindows.tokens, TradeWindows.venues,
    ].sorted { $0.schema.name.utf8.lexicographicallyPrecedes($1.schema.name.utf8) }

    /// Whether a state has what the view is made of.
    package func isMade(of store: StateStore) -> Bool {
        tables.allSatisfy { name in store.schemas.contains { $0.name == name } }
    }

    /// Its rows, by rising key.
    ///
    /// - Parameter engine: a state that has the tables.
    /// - Returns: none before the first bundle.
    /// - Throws: the failure of storage.
    package func rows(of engine: ProjectionEngine) throws(StorageError) -> [ListedRow] {
        guard let head = engine.head else { return [] }
        let moment = try StateMoment(head, engine.store)
        return try make(engine.store, moment)
            .sorted { $0.key.lexicographicallyPrecedes($1.key) }
    }
}

/// When a question is asked: after the last bundle.
package struct StateMoment: Hashable, Sendable {
    /// Slot or block.
    package var position: UInt64
    /// Seconds since 1970: the block's, or what its distance from the last one that has any amounts to;
    /// nil when none has.
    package var seconds: Int64?

    init(_ head: ProjectionEngine.AppliedBundle, _ store: StateStore) throws(StorageError) {
        position = head.position
        seconds = head.time
        guard seconds == nil else { return }
        let milliseconds = MonitorParameters(store.chain).slotMilliseconds
        let clocks =
            try store.all(MonitorClock<TradingTimes>.self).map { ($0.row.position, $0.row.time) }
            + store.all(MonitorClock<LiquidityOwner>.self).map { ($0.row.position, $0.row.time) }
        guard let (last, time) = clocks.max(by: { $0.0 < $1.0 }), last <= position else { return }
        let passed = (position - last).multipliedReportingOverflow(by: milliseconds)
        let sum = time.addingReportingOverflow(Int64(clamping: passed.partialValue / 1_000))
        seconds = passed.overflow || sum.overflow ? time : sum.partialValue
    }

    /// Seconds since a time; nil when one of them is not known, or the time lies ahead.
    func seconds(since time: Int64?) -> UInt64? {
        guard let seconds, let time, time <= seconds else { return nil }
        let distance = seconds.subtractingReportingOverflow(time)
        return distance.overflow ? nil : UInt64(distance.partialValue)
    }
}

extension StateStore {
    /// All rows of a table by rising key; none when the state has no such table.
    ///
    /// - Throws: the failure of storage.
    func all<Row: TableRow>(
        _ type: Row.Type
    ) throws(StorageError) -> [(key: Row.Key, row: Row)] {
        var rows: [(key: Row.Key, row: Row)] = []
        // A projector that was left out has no tables.
        for listed in try self.rows(of: Row.schema.name) ?? [] {
            do throws(RowError) {
                var key = RowReader(listed.key)
                var row = RowReader(listed.row)
                rows.append((try Row.decodeKey(&key), try Row(from: &row)))
            } catch { throw .damaged("\(Row.schema.name): \(error)") }
        }
        return rows
    }
}

extension ListedRow {
    /// A row that is written column by column.
    init(_ key: (inout RowWriter) -> Void, _ row: (inout RowWriter) -> Void) {
        var keyWriter = RowWriter()
        key(&keyWriter)
        var rowWriter = RowWriter()
        row(&rowWriter)
        self.init(key: keyWriter.bytes, row: rowWriter.bytes)
    }
}
