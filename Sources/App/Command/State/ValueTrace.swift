import Folding
import MarketModel
import Projection
import RecordModel

/// The records that changed one value of an entity, with the value before and after each.
final class ValueTrace: WhyAnswer {
    private struct Line {
        let slot: UInt64
        let sequence: Sequence
        let cause: BundleTrace.Cause
        let row: String
        let old: String
        let new: String
    }

    private let rows: OwnRows
    private let records: BundleRecords
    private let entity: WhyEntity
    private let field: String
    /// The place of the column among all of a table, by the table's name.
    private let places: [String: Int]
    /// In the order of the chain.
    private var lines: [Line] = []

    /// - Parameters:
    ///   - entity: whose value it is.
    ///   - field: `COLUMN` or `TABLE.COLUMN`.
    ///   - records: those of the same fold.
    ///   - schemas: all tables.
    /// - Throws: `VerbFailure` when no row of the entity can have such a value.
    init(
        _ entity: WhyEntity,
        _ field: String,
        _ records: BundleRecords,
        _ schemas: [TableSchema]
    ) throws {
        self.entity = entity
        self.field = field
        self.records = records
        rows = entity.rows
        guard case .address = entity else {
            throw VerbFailure(
                code: .usage,
                message: "--field needs an address: a transaction has no rows"
            )
        }
        let words = field.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let (table, column) = words.count == 2 ? (words[0], words[1]) : (nil, words[0])
        var places: [String: Int] = [:]
        for schema in schemas where table.map({ schema.name == $0 }) ?? true {
            guard
                schema.name == OwnRows.detections
                    || schema.key.contains(where: { $0.type == .address })
            else { continue }
            if let place = schema.columns.firstIndex(where: { $0.name == column }) {
                places[schema.name] = schema.key.count + place
            }
        }
        guard !places.isEmpty else {
            throw VerbFailure(
                code: .usage,
                message: "--field \(field): no table that an address finds rows of has such a "
                    + "column; 'state --table list' names them"
            )
        }
        self.places = places
    }

    var isEmpty: Bool { lines.isEmpty }
    var lack: String { "no record of this recording changed '\(field)' of" }

    func removeAll() { lines = [] }

    func folded(
        _ action: ChainAction,
        _ engine: ProjectionEngine,
        at sequence: Sequence
    ) throws(StorageError) {
        switch action {
        case .apply(let bundle):
            // What a checkpoint held is not folded again.
            guard engine.head?.position == bundle.position else { return }
            let changes = try BundleTrace.changes(of: bundle, at: sequence, in: engine) {
                places[$0.name] != nil && rows.contain($1, of: $0)
            }
            for change in changes { add(change, bundle, engine.store.chain, sequence) }
        case .undo(let position):
            while lines.last?.slot == position { lines.removeLast() }
        case .final, .stale: break
        }
    }

    private func add(
        _ change: BundleTrace.Change,
        _ bundle: Bundle,
        _ chain: Chain,
        _ sequence: Sequence
    ) {
        // Only tables that have the column are followed.
        guard let place = places[change.schema.name] else { return }
        let (old, new) = (
            value(change.old, place, change.schema, chain),
            value(change.new, place, change.schema, chain)
        )
        guard old != new else { return }
        lines.append(
            Line(
                slot: bundle.position,
                sequence: records.record(
                    of: change.cause,
                    slot: bundle.position,
                    foldedAt: sequence
                ),
                cause: change.cause,
                row: name(of: change, chain),
                old: old,
                new: new
            )
        )
    }

    private func value(
        _ row: ListedRow?,
        _ place: Int,
        _ schema: TableSchema,
        _ chain: Chain
    ) -> String {
        guard let row else { return "-" }
        let column = schema.columns[place - schema.key.count]
        return shown(row, place, column, schema, chain)
    }

    private func shown(
        _ row: ListedRow,
        _ place: Int,
        _ column: Column,
        _ schema: TableSchema,
        _ chain: Chain
    ) -> String {
        let values: [ColumnValue]
        do throws(RowError) { values = try schema.values(row) } catch {
            preconditionFailure("a row of \(schema.name) that was just written: \(error)")
        }
        guard let text = values[place].text(on: chain) else { return "-" }
        return CodeName.text(text, in: column.name) ?? PlainText.shown(text, 80)
    }

    /// The table, and what of its key is not the entity.
    private func name(of change: BundleTrace.Change, _ chain: Chain) -> String {
        guard case .address(let address) = entity, let row = change.new ?? change.old else {
            return change.schema.name
        }
        let own = address.text(on: chain)
        let others = change.schema.key.enumerated()
            .map { shown(row, $0, $1, change.schema, chain) }
            .filter { $0 != own }
        return ([change.schema.name] + others).joined(separator: " ")
    }

    // MARK: Output

    func text(last: Int, _ engine: ProjectionEngine) -> String {
        let shown = lines.suffix(last)
        guard !shown.isEmpty else { return "" }
        return TextGrid(
            header: ["record", "slot", "row", "before", "after", "by", "transaction"],
            rows: shown.map { line in
                [
                    "\(line.sequence)", "\(line.slot)", line.row, line.old, line.new,
                    sentence(line.cause, engine.store.chain), identity(line.cause),
                ]
            },
            isNumber: [true, true, false, true, true, false, false]
        ).text
    }

    private func sentence(_ cause: BundleTrace.Cause, _ chain: Chain) -> String {
        switch cause {
        case .slot: return "slot"
        case .account(let account): return "account \(account.account.text(on: chain))"
        case .transaction(let facts):
            let own = facts.events.filter { entity.isNamed(by: $0.event, of: facts) }
            // What it does not name may still move it: a pool that prices what it is traded for.
            let told = own.isEmpty ? facts.events : own
            guard let first = told.first else { return "transaction" }
            let more = told.count > 1 ? ", and \(told.count - 1) more" : ""
            return first.event.sentence + more
        }
    }

    private func identity(_ cause: BundleTrace.Cause) -> String {
        guard case .transaction(let facts) = cause else { return "-" }
        return "\(facts.id)"
    }
}
