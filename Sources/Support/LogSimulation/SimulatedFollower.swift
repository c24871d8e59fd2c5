import Platform
import RecordModel
import SegmentLog
import Simulation

/// A reader beside the writer, in another process: what it has read stays a prefix of the history.
final class SimulatedFollower {
    private let disk: SimulatedFileSystem
    private var cursor: RecordCursor?
    private(set) var last: UInt64 = 0
    private var isEnded = false

    init(_ disk: SimulatedFileSystem) { self.disk = disk.observer }

    /// Reads everything that is there.
    ///
    /// - Returns: breaches of the promise.
    func poll(_ history: LogHistory, mayRetire: Bool) -> [String] {
        if isEnded { return [] }
        do {
            if cursor == nil {
                guard try disk.kind(of: SimulatedRecorder.path + "/recording.json") != nil else {
                    return []
                }
                cursor = try RecordCursor(
                    try RecordingReader(path: SimulatedRecorder.path, disk: disk),
                    from: .first,
                    follows: true
                )
            }
            guard let cursor else { return [] }
            var findings: [String] = []
            while findings.count < 10, let item = try RecordingImage.next(cursor) {
                if let found = take(item, history, mayRetire: mayRetire) {
                    findings.append("follower: \(found)")
                }
            }
            return findings
        } catch LogError.rangeNotAvailable where mayRetire {
            // What it wanted next was retired; it ends with that.
            isEnded = true
            return []
        } catch { return ["follower: \(error)"] }
    }

    private func take(
        _ item: RecordingImage.Item,
        _ history: LogHistory,
        mayRetire: Bool
    ) -> String? {
        switch item {
        case .damage(let text, _, _): return text
        case .hole(let range, let cause):
            let isWithdrawn = cause == "disk full" && range.lowerBound > history.acknowledged
            // What was read before it was durable may be withdrawn when the disk is full.
            let isInOrder = range.lowerBound == last + 1 || isWithdrawn && range.lowerBound <= last
            defer { last = max(last, range.upperBound) }
            return isInOrder ? nil : "a hole at \(range) behind \(last)"
        case .record(let envelope, let payload):
            let sequence = envelope.sequence.value
            defer { last = sequence }
            if last == 0, mayRetire { return history.compare(envelope, payload) }
            if sequence != last + 1 { return "\(sequence) behind \(last)" }
            return history.compare(envelope, payload)
        }
    }
}
