import Capture
import EthereumSource
import GRPCTransport
import GeyserSource
import SegmentLog
import WebSocketProtocol

extension RecordPlan {
    /// What the plan means, a line each, secrets masked.
    var description: String {
        let redactor = Redactor(secrets)
        var lines: [String] = []
        for source in sources {
            switch source {
            case .geyser(let options):
                let token = options.token == nil ? "no token" : "with a token"
                lines.append("\(source.id): Yellowstone at \(options.address.text), \(token)")
                for entry in options.metadata { lines.append("  sends \(entry.key)") }
            case .ethereum(let options):
                lines.append("\(source.id): JSON-RPC at \(options.url.redacted)")
                for field in options.fields { lines.append("  sends \(field.name)") }
                for (index, call) in options.calls.enumerated() {
                    lines.append("  call \(index + 1): \(call.method)")
                }
            }
        }
        let durability =
            switch log.durability {
            case .everyBlock: "every block"
            case .interval(let nanoseconds): "every \(TimeSpan.text(nanoseconds))"
            case .none: "never"
            }
        lines.append("log: made durable \(durability)")
        lines.append(
            "log: a new segment after \(ByteCount.text(log.rotateBytes)) or "
                + "\(TimeSpan.text(log.rotateNanoseconds)); a full disk "
                + (log.onFull == .wait ? "holds the recording up" : "ends the recording")
        )
        if let retention = log.retention {
            lines.append("log: retires what exceeds \(retention.text)")
        }
        lines.append(
            gapHold.map { "gaps: given up \(TimeSpan.text($0)) after their upper end is known" }
                ?? "gaps: held open for ever"
        )
        if let nanosecondsMax { lines.append("ends after \(TimeSpan.text(nanosecondsMax))") }
        if let framesMax { lines.append("ends after \(framesMax) frames") }
        if endsWithStreams { lines.append("ends when every stream has ended") }
        return lines.map { redactor.text($0) + "\n" }.joined()
    }
}
