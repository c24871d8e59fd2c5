import Folding
import MarketModel
import Projection
import RecordModel

/// The events that name an entity, and the rows that are about it with the records that made them.
final class EntityTrace: WhyAnswer {
    private struct Line {
        let slot: UInt64
        let place: EventPlace
        let sequence: Sequence
        let id: TransactionID
        let said: String
    }

    /// What happened to a row in one slot.
    private struct Visit {
        let slot: UInt64
        /// Nil when the row was there before.
        let madeBy: Sequence?
        let foldedAt: Sequence
    }

    /// A row: its table's name and its key.
    private struct RowName: Hashable {
        let table: String
        let key: [UInt8]
    }

    private let entity: WhyEntity
    private let rows: OwnRows
    private let records: BundleRecords
    private var lines: [Line] = []
    private var isFolded: Set<UInt64> = []
    private var known: Set<String> = []
    /// By slot, so that one that is undone can be forgotten.
    private var visits: [RowName: [Visit]] = [:]
    private var hasRows = false

    init(_ entity: WhyEntity, _ records: BundleRecords) {
        self.entity = entity
        self.records = records
        rows = entity.rows
    }

    var isEmpty: Bool { lines.isEmpty && !hasRows }
    var lack: String { "no event of this recording names" }

    func removeAll() {
        lines = []
        isFolded = []
        known = []
        visits = [:]
    }

    func decoded(_ facts: TransactionFacts, slot: UInt64, at sequence: Sequence) {
        records.decoded(facts, slot: slot, at: sequence)
        for placed in facts.events where entity.isNamed(by: placed.event, of: facts) {
            let key = "\(slot)/\(facts.id)/\(placed.place)"
            guard known.insert(key).inserted else { continue }
            lines.append(
                Line(
                    slot: slot,
                    place: placed.place,
                    sequence: sequence,
                    id: facts.id,
                    said: placed.event.sentence
                )
            )
        }
    }

    func folded(
        _ action: ChainAction,
        _ engine: ProjectionEngine,
        at sequence: Sequence
    ) throws(StorageError) {
        switch action {
        case .apply(let bundle):
            isFolded.insert(bundle.position)
            // What a checkpoint held is not folded again.
            guard engine.head?.position == bundle.position else { return }
            try visit(bundle, engine, at: sequence)
        case .undo(let position):
            isFolded.remove(position)
            for row in visits.keys where visits[row]?.last?.slot == position {
                visits[row]?.removeLast()
            }
        case .final, .stale: break
        }
    }

    private func visit(
        _ bundle: Bundle,
        _ engine: ProjectionEngine,
        at sequence: Sequence
    ) throws(StorageError) {
        var made: Set<RowName> = []
        for (number, change) in engine.newestChanges(where: { rows.contain($1, of: $0) }) {
            let row = RowName(table: engine.store.schemas[number].name, key: change.key)
            if change.old == nil { made.insert(row) }
            visits[row, default: []].append(
                Visit(slot: bundle.position, madeBy: nil, foldedAt: sequence)
            )
        }
        guard !made.isEmpty else { return }
        let changes = try BundleTrace.changes(of: bundle, at: sequence, in: engine) {
            made.contains(RowName(table: $0.name, key: $1.key))
        }
        for change in changes {
            let row = RowName(table: change.schema.name, key: change.key)
            guard made.remove(row) != nil else { continue }
            visits[row]?.removeLast()
            visits[row]?.append(
                Visit(
                    slot: bundle.position,
                    madeBy: records.record(
                        of: change.cause,
                        slot: bundle.position,
                        foldedAt: sequence
                    ),
                    foldedAt: sequence
                )
            )
        }
    }

    // MARK: Output

    func text(last: Int, _ engine: ProjectionEngine) throws -> String {
        let sorted = lines.sorted { ($0.slot, $0.place) < ($1.slot, $1.place) }
        var text = TextGrid(
            header: ["record", "slot", "place", "counts", "what", "transaction"],
            rows: sorted.suffix(last).map { line in
                [
                    "\(line.sequence)", "\(line.slot)", "\(line.place)",
                    isFolded.contains(line.slot) ? "yes" : "no", line.said, "\(line.id)",
                ]
            },
            isNumber: [true, true, true, false, false, false]
        ).text
        for schema in engine.store.schemas { text += try self.text(of: schema, engine, last) }
        return text
    }

    private func text(
        of schema: TableSchema,
        _ engine: ProjectionEngine,
        _ last: Int
    ) throws -> String {
        guard case .address = entity else { return "" }
        let table = try TablePrint(schema, engine)
        // Every schema of the store has a table.
        let listed = try engine.store.rows(of: schema.name) ?? []
        var text = ""
        let own = listed.indices.filter { rows.contain(listed[$0], of: schema) }
        for place in own.suffix(schema.name == OwnRows.detections ? last : own.count) {
            hasRows = true
            text += "\n\(schema.name)\n" + origin(schema, listed[place].key)
            let cells = zip(table.columns, table.rows[place]).compactMap { column, value in
                value == .none ? nil : ["  " + column.name, table.shown(value, in: column)]
            }
            text +=
                TextGrid(header: ["  column", "value"], rows: cells, isNumber: [false, false])
                .text
        }
        return text
    }

    /// Which record made a row, and which slot changed it last; nothing for one that was there
    /// before the log begins.
    private func origin(_ schema: TableSchema, _ key: [UInt8]) -> String {
        guard let visits = visits[RowName(table: schema.name, key: key)], let last = visits.last
        else { return "" }
        var parts: [String] = []
        if let made = visits.last(where: { $0.madeBy != nil }), let record = made.madeBy {
            parts.append("made by record \(record) of slot \(made.slot)")
            if made.slot == last.slot { return "  \(parts[0])\n" }
        }
        parts.append("changed last in slot \(last.slot), folded at record \(last.foldedAt)")
        return "  \(parts.joined(separator: "; "))\n"
    }
}
