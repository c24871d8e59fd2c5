import Folding
import JSONText
import Observability

/// The four stages of a fold as a table: counters, reasons, latencies.
struct StageTable {
    private let stages: [StageReport]
    private let arrival: LatencyHistogram

    init(_ fold: StateFold) {
        stages = fold.stages
        arrival = fold.arrival
    }

    /// Lines without an end; the reasons below the counters they explain.
    var text: String {
        let rows = stages.map { stage in
            [
                "\(stage.stage)", stage.stage.unit, "\(stage.taken)", "\(stage.given)",
                "\(total(stage.dropped))", "\(total(stage.errors))",
            ] + Share.allCases.map { cell($0.length(stage.latency)) }
        }
        let header =
            ["stage", "unit", "in", "out", "dropped", "errors"] + Share.allCases.map(\.rawValue)
        let isNumber = header.indices.map { $0 > 1 }
        var lines = [TextGrid(header: header, rows: rows, isNumber: isNumber).text]
        for stage in stages {
            for (word, reasons) in [("dropped", stage.dropped), ("errors", stage.errors)]
            where !reasons.isEmpty {
                let list = reasons.map { "\($0.count) \($0.name)" }.joined(separator: ", ")
                lines.append("\(stage.stage) \(word): \(list)\n")
            }
        }
        if arrival.count > 0 {
            let list = Share.allCases.map { "\($0.rawValue) \(cell($0.length(arrival)))" }
            lines.append(
                "from receiving to folding: \(list.joined(separator: ", ")) "
                    + "(\(arrival.count) records)\n"
            )
        }
        return String(lines.joined().dropLast())
    }

    /// Writes an array of objects, one for each stage.
    func write(into writer: inout JSONWriter) {
        writer.beginArray()
        for stage in stages {
            writer.beginObject()
            writer.key("stage")
            writer.string("\(stage.stage)")
            writer.key("unit")
            writer.string(stage.stage.unit)
            writer.key("in")
            writer.integerString(stage.taken)
            writer.key("out")
            writer.integerString(stage.given)
            for (key, reasons) in [("dropped", stage.dropped), ("errors", stage.errors)] {
                writer.key(key)
                writer.beginObject()
                for reason in reasons {
                    writer.key(reason.name)
                    writer.integerString(reason.count)
                }
                writer.endObject()
            }
            writer.key("latency_ns")
            writer.beginObject()
            for share in Share.allCases {
                writer.key(share.rawValue)
                if let length = share.length(stage.latency) {
                    writer.integerString(length)
                } else {
                    writer.null()
                }
            }
            writer.endObject()
            writer.endObject()
        }
        writer.endArray()
    }

    /// Which lengths are told of a histogram.
    private enum Share: String, CaseIterable {
        case p50, p99, max

        /// Nanoseconds; nil when nothing was measured.
        func length(_ histogram: LatencyHistogram) -> UInt64? {
            switch self {
            case .p50: histogram.bound(perMille: 500)
            case .p99: histogram.bound(perMille: 990)
            case .max: histogram.bound(perMille: 1_000)
            }
        }
    }

    private func cell(_ nanoseconds: UInt64?) -> String {
        nanoseconds.map(TimeSpan.fineText) ?? "-"
    }

    private func total(_ reasons: [StageReport.Reason]) -> UInt64 {
        reasons.reduce(0) { $0 &+ $1.count }
    }
}
