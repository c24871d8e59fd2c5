import JSONText
import LogCare
import Platform
import SegmentLog

/// `tapedeck du`
let duVerb = Verb(
    name: "du",
    summary: "tell where the bytes of a recording went",
    details: [
        "Bytes of the segment files by source, stream, kind or segment. A block is compressed as "
            + "a whole: its stored bytes are shared out among its records by their raw bytes. (log) "
            + "is what no record takes: headers, contexts, indexes. (none) has no source or "
            + "stream, (damaged) cannot be read. The sum is exactly the size of the files.",
        "raw are the bytes of records with their headers, ratio is raw by stored.",
    ],
    operands: [SharedFlags.recording],
    flags: [
        Flag(
            name: "by",
            value: ("WHAT", .choice(ByteUsage.Grouping.allCases.map(\.rawValue))),
            fallback: "source",
            help: "What to count by"
        ),
        SharedFlags.format(["text", "json", "ndjson", "csv"]),
    ],
    examples: [
        .init(purpose: "which subscription costs most", line: "tapedeck du deck"),
        .init(purpose: "by kind, for a program", line: "tapedeck du deck --by kind --format json"),
    ],
    run: { arguments in
        let console = Console()
        let path = arguments.operands[0]
        let grouping = arguments.text("by").flatMap(ByteUsage.Grouping.init) ?? .source  // default
        let reader = try RecordingReader(path: path, disk: LinuxFileSystem())
        let watch = try ReadingProgress("du", reader, console)
        let usage: ByteUsage
        do throws(CareError) {
            usage = try ByteUsage(reader, by: grouping) { watch.update($0) }
        } catch { throw error.failure }
        watch.finish()
        let report = UsageReport(path: path, usage: usage, grouping: grouping)
        let text =
            switch arguments.text("format") {
            case "json": report.json
            case "ndjson": report.ndjson
            case "csv": report.csv
            default: report.text
            }
        try console.write(text)
        return .ok
    }
)

/// Where the bytes went, as text, JSON and CSV.
private struct UsageReport {
    let path: String
    let usage: ByteUsage
    let grouping: ByteUsage.Grouping

    var text: String {
        let total = usage.total
        var rows = [["stored", "share", "raw", "ratio", "frames", "events", grouping.rawValue]]
        for row in usage.rows + [total] {
            rows.append([
                ByteCount.text(row.storedBytes), share(row, of: total) + " %",
                ByteCount.text(row.rawBytes), ratio(row) ?? "-", "\(row.frames)", "\(row.events)",
                row.name,
            ])
        }
        let widths = (0..<7).map { column in rows.map { $0[column].count }.max() ?? 0 }  // has rows
        return rows.map { row in
            (0..<6).map { column in
                String(repeating: " ", count: widths[column] - row[column].count) + row[column]
            }.joined(separator: "  ") + "  " + row[6] + "\n"
        }.joined()
    }

    /// With one decimal, cut.
    private func share(_ row: ByteUsage.Row, of total: ByteUsage.Row) -> String {
        let thousandths = scaled(row.storedBytes, 1_000, by: total.storedBytes) ?? 0  // no bytes
        return "\(thousandths / 10).\(thousandths % 10)"
    }

    /// Raw by stored with two decimals, cut; nil without stored or raw bytes.
    private func ratio(_ row: ByteUsage.Row) -> String? {
        guard row.rawBytes > 0,
            let hundredths = scaled(row.rawBytes, 100, by: row.storedBytes)
        else { return nil }
        let rest = hundredths % 100
        return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
    }

    private func scaled(_ value: UInt64, _ factor: UInt64, by divisor: UInt64) -> UInt64? {
        let product = value.multipliedFullWidth(by: factor)
        guard divisor > product.high else { return nil }
        return divisor.dividingFullWidth(product).quotient
    }

    private static func numbers(_ row: ByteUsage.Row) -> [(String, UInt64)] {
        [
            ("stored_bytes", row.storedBytes), ("raw_bytes", row.rawBytes),
            ("payload_bytes", row.payloadBytes), ("frames", row.frames), ("events", row.events),
        ]
    }

    private func append(_ row: ByteUsage.Row, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key(grouping.rawValue)
        writer.string(row.name)
        for (name, value) in Self.numbers(row) {
            writer.key(name)
            writer.integerString(value)
        }
        writer.key("ratio")
        if let ratio = ratio(row) { writer.string(ratio) } else { writer.null() }
        writer.endObject()
    }

    var ndjson: String {
        var writer = JSONWriter()
        for row in usage.rows {
            append(row, to: &writer)
            writer.endLine()
        }
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    var json: String {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("recording")
        writer.string(path)
        writer.key("by")
        writer.string(grouping.rawValue)
        writer.key("rows")
        writer.beginArray()
        for row in usage.rows { append(row, to: &writer) }
        writer.endArray()
        writer.key("total")
        append(usage.total, to: &writer)
        writer.endObject()
        writer.endLine()
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    var csv: String {
        let empty = ByteUsage.Row(name: "")
        let names = [grouping.rawValue] + Self.numbers(empty).map(\.0) + ["ratio"]
        let rows = usage.rows.map { row in
            [row.name] + Self.numbers(row).map { "\($0.1)" } + [ratio(row) ?? ""]  // no bytes
        }
        return ([names] + rows).map { $0.map(quotedCSV).joined(separator: ",") + "\n" }.joined()
    }
}
