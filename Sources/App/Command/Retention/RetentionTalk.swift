import Platform
import SegmentLog

/// What a running `record` says of the segments that its log retires, and of those that it cannot.
final class RetentionTalk: Sendable {
    private struct State {
        var retiredBytes: UInt64 = 0
        /// What was said last of what stands in the way; not said again while it is the same.
        var complaint: String?
    }

    private let say: @Sendable (String) -> Void
    private let state = Monitor(State())

    /// - Parameter say: takes one line; may be called on any thread.
    init(say: @escaping @Sendable (String) -> Void) { self.say = say }

    /// Bytes of the segments that were retired so far.
    var retiredBytes: UInt64 { state.withLock { $0.retiredBytes } }

    /// Takes what a retirement did.
    func tell(_ result: Result<RetentionReport, LogError>) {
        var lines: [String] = []
        let complaint: String?
        switch result {
        case .success(let report):
            if let text = report.summary { lines.append(text) }
            state.withLock { $0.retiredBytes &+= report.retiredBytes }
            complaint = report.complaints.isEmpty ? nil : report.complaints.joined(separator: "; ")
        case .failure(.system(let error)) where error.call == "flock":
            // A pin is just being set; the next segment comes.
            return
        case .failure(let error): complaint = "nothing is retired: \(error)"
        }
        let isNew = state.withLock { state in
            defer { state.complaint = complaint }
            return state.complaint != complaint
        }
        if let complaint, isNew { lines.append(complaint) }
        for line in lines { say(line) }
    }
}
