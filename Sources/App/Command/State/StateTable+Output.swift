import Folding
import JSONText
import MarketModel
import Projection
import Projectors

/// A table's rows for output, in the order of their keys.
struct TablePrint {
    let schema: TableSchema
    let chain: Chain
    /// Key columns first.
    let rows: [[ColumnValue]]

    /// Reads a table of an engine, or makes a view.
    ///
    /// - Throws: `VerbFailure` when the rows cannot be read.
    init(_ schema: TableSchema, _ engine: ProjectionEngine) throws {
        self.schema = schema
        chain = engine.store.chain
        do {
            let view = StateView.all.first { $0.schema == schema }
            // Every schema that is no view's has a table.
            let listed = try view?.rows(of: engine) ?? engine.store.rows(of: schema.name) ?? []
            rows = try listed.map { try schema.values($0) }
        } catch {
            throw VerbFailure(code: .failed, message: "table \(schema.name): \(error)")
        }
    }

    var columns: [Column] { schema.key + schema.columns }

    /// The place of a column.
    func place(_ name: String) -> Int? { columns.firstIndex { $0.name == name } }

    /// Aligned columns, numbers to the right.
    var text: String {
        guard !rows.isEmpty else { return "\(schema.name): no rows\n" }
        let cells = rows.map { row in zip(columns, row).map { shown($1, in: $0) } }
        return "\(schema.name): \(schema.meaning)\n"
            + TextGrid(
                header: columns.map(\.name),
                rows: cells,
                isNumber: columns.map(\.type.isNumber)
            ).text
    }

    /// A value for people: codes in words, texts of strangers harmless, `-` for what is absent.
    func shown(_ value: ColumnValue, in column: Column) -> String {
        guard let text = value.text(on: chain) else { return "-" }
        return CodeName.text(text, in: column.name) ?? PlainText.shown(text, 200)
    }

    /// One line a row, behind a header.
    var csv: String {
        let header = columns.map(\.name).joined(separator: ",") + "\n"
        return header
            + rows.map { row in
                // An absent value is an empty field.
                row.map { quotedCSV($0.text(on: chain) ?? "") }.joined(separator: ",") + "\n"
            }.joined()
    }

    /// Appends an array of objects.
    func append(to writer: inout JSONWriter) {
        writer.beginArray()
        for row in rows {
            writer.beginObject()
            for (column, value) in zip(columns, row) {
                writer.key(column.name)
                value.append(to: &writer, on: chain)
            }
            writer.endObject()
        }
        writer.endArray()
    }
}

extension ColumnValue {
    /// 64-bit and larger integers are strings, as everywhere in our JSON.
    func append(to writer: inout JSONWriter, on chain: Chain) {
        switch self {
        case .none: writer.null()
        case .boolean(let value): writer.boolean(value)
        case .number, .address, .signature, .text, .bytes:
            writer.string(text(on: chain) ?? "")  // only `none` has no text
        }
    }
}

extension ColumnType {
    /// Whether it is printed to the right.
    var isNumber: Bool {
        switch self {
        case .unsigned8, .unsigned16, .unsigned32, .unsigned64, .unsigned128, .signed32, .signed64,
            .signed128:
            true
        case .boolean, .address, .signature, .text, .bytes: false
        }
    }
}
