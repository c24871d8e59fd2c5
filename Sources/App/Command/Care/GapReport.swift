import JSONText
import LogCare
import RecordModel
import SegmentFormat
import SegmentLog

/// The gaps of a recording as text, JSON and CSV.
struct GapReport {
    let path: String
    let history: GapHistory
    let isOpenOnly: Bool

    private var gaps: [GapHistory.Gap] {
        isOpenOnly ? history.gaps.filter(\.isUnsettled) : history.gaps
    }

    // MARK: Text

    /// One line a gap, hole or damage, and a sum.
    var text: String {
        var lines = gaps.map(line)
        for hole in history.holes {
            lines.append("hole       sequences \(hole.from) to \(hole.last): \(hole.cause)")
        }
        for damage in history.damage { lines.append("damage     \(damage)") }
        let counts = [GapHistory.State.open, .bounded, .filled, .abandoned].map { state in
            "\(history.gaps.count { $0.state == state }) \(state.rawValue)"
        }
        lines.append(
            "\(path): gaps: \(counts.joined(separator: ", ")); \(history.holes.count) holes, "
                + "\(history.damage.count) damaged places"
        )
        return lines.joined(separator: "\n") + "\n"
    }

    private func line(_ gap: GapHistory.Gap) -> String {
        var parts = [
            gap.state.rawValue + String(repeating: " ", count: 9 - gap.state.rawValue.count),
            "gap \(gap.id)",
        ]
        if let source = gap.source { parts.append("source \(source)") }
        parts.append(gap.cause ?? "no cause told")
        if let range = range("sequence", gap.from, gap.to) { parts.append(range) }
        if let range = range("slot or block", gap.fromPosition, gap.toPosition) {
            parts.append(range)
        }
        let start = RFC3339.textInSeconds(gap.fromTime ?? gap.openedAt)
        if let end = gap.toTime {
            let span = gap.duration.map { " (\(TimeSpan.text($0)))" } ?? ""  // time went back
            parts.append("\(start) to \(RFC3339.textInSeconds(end))\(span)")
        } else {
            parts.append("since \(start)")
        }
        if let reason = gap.reason { parts.append("given up: \(reason)") }
        parts += gap.evidence
        return parts.joined(separator: "  ")
    }

    private func range(_ name: String, _ from: UInt64?, _ to: UInt64?) -> String? {
        switch (from, to) {
        case (nil, nil): nil
        case (let from?, nil): "after \(name) \(from)"
        case (nil, let to?): "before \(name) \(to)"
        case (let from?, let to?): "between \(name) \(from) and \(to)"
        }
    }

    // MARK: JSON

    /// One object a line.
    var ndjson: String {
        var writer = JSONWriter()
        for gap in gaps {
            append(gap, to: &writer)
            writer.endLine()
        }
        for hole in history.holes {
            RecordJSON.append(hole, to: &writer)
            writer.endLine()
        }
        for damage in history.damage {
            VerifyReport.append(damage, to: &writer)
            writer.endLine()
        }
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    /// One object.
    var json: String {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("recording")
        writer.string(path)
        writer.key("gaps")
        writer.beginArray()
        for gap in gaps { append(gap, to: &writer) }
        writer.endArray()
        writer.key("holes")
        writer.beginArray()
        for hole in history.holes { RecordJSON.append(hole, to: &writer) }
        writer.endArray()
        writer.key("damage")
        writer.beginArray()
        for damage in history.damage { VerifyReport.append(damage, to: &writer) }
        writer.endArray()
        writer.endObject()
        writer.endLine()
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    private func append(_ gap: GapHistory.Gap, to writer: inout JSONWriter) {
        writer.beginObject()
        for (name, value) in Self.texts(gap) {
            writer.key(name)
            if let value { writer.string(value) } else { writer.null() }
        }
        writer.key("evidence")
        writer.beginArray()
        for text in gap.evidence { writer.string(text) }
        writer.endArray()
        writer.endObject()
    }

    /// Every value but the evidence; integers in decimal.
    private static func texts(_ gap: GapHistory.Gap) -> [(String, String?)] {
        [
            ("kind", "gap"), ("gap", "\(gap.id)"), ("state", gap.state.rawValue),
            ("source", gap.source), ("group", gap.group), ("cause", gap.cause),
            ("from_sequence", gap.from.map { "\($0)" }), ("to_sequence", gap.to.map { "\($0)" }),
            ("from_position", gap.fromPosition.map { "\($0)" }),
            ("to_position", gap.toPosition.map { "\($0)" }),
            ("from_time_ns", gap.fromTime.map { "\($0)" }),
            ("to_time_ns", gap.toTime.map { "\($0)" }),
            ("duration_ns", gap.duration.map { "\($0)" }), ("opened_ns", "\(gap.openedAt)"),
            ("settled_ns", gap.settledAt.map { "\($0)" }), ("reason", gap.reason),
        ]
    }

    // MARK: CSV

    /// A row a gap, hole or damage, below their names. Of holes and damage `from_sequence` and
    /// `to_sequence` are the first and last one missing, and `evidence` is the place.
    var csv: String {
        let empty = GapHistory.Gap(id: .none, openedAt: 0)
        let names = Self.texts(empty).map(\.0) + ["evidence"]
        var rows = [names]
        for gap in gaps {
            // What is not known is an empty column.
            let values = Self.texts(gap).map { $0.1 ?? "" }
            rows.append(values + [gap.evidence.joined(separator: "; ")])
        }
        for hole in history.holes {
            rows.append(
                row(
                    names,
                    [
                        "kind": "hole", "cause": hole.cause, "from_sequence": "\(hole.from)",
                        "to_sequence": "\(hole.last)",
                    ]
                )
            )
        }
        for damage in history.damage {
            var values = [
                "kind": "damage", "cause": "\(damage.error)",
                "evidence": "\(damage.path) at byte \(damage.offset)",
            ]
            if damage.isLoss { values["from_sequence"] = "\(damage.missingFrom)" }
            if damage.isLoss, damage.missingThrough >= damage.missingFrom {
                values["to_sequence"] = "\(damage.missingThrough)"
            }
            rows.append(row(names, values))
        }
        return rows.map { $0.map(quotedCSV).joined(separator: ",") + "\n" }.joined()
    }

    private func row(_ names: [String], _ values: [String: String]) -> [String] {
        names.map { values[$0] ?? "" }  // a column that it has not
    }
}

/// A value of a row as RFC 4180 says: in quotes when it must be.
func quotedCSV(_ text: String) -> String {
    // Scalars, not characters: a comma with an accent is one character and still a comma.
    let scalars = text.unicodeScalars
    guard scalars.contains(where: { $0 == "," || $0 == "\"" || $0 == "\n" || $0 == "\r" }) else {
        return text
    }
    var quoted = "\"".unicodeScalars
    for scalar in scalars {
        if scalar == "\"" { quoted.append(scalar) }
        quoted.append(scalar)
    }
    quoted.append("\"")
    return String(quoted)
}
