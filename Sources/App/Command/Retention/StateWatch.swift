import MarketModel
import Platform
import Projection
import RecordModel
import SegmentLog

/// Retention beside a recorder: what stored state needs is looked at, and base anchors are made, on
/// a thread of its own, because the log must not wait for either. Segments go as far as what is
/// named already stands for them; what is missing is made for the next time.
final class StateWatch: RetainedState {
    private struct State {
        /// What no segment may go beyond; nil while there is no state.
        var limit: Sequence?
        /// Whether somebody has asked since the thread looked.
        var isAsked = false
        /// The last record of a segment that waits for a base anchor.
        var wanted: Sequence?
        var isEnding = false
    }

    private let path: String
    private let retention: StateRetention
    private let state: Monitor<State>
    private let thread: Platform.Thread

    /// - Parameters:
    ///   - path: the recording; it may not be there yet.
    ///   - complain: takes a sentence for a person, on any thread.
    /// - Throws: the thread cannot be made.
    init(_ path: String, complain: @escaping @Sendable (String) -> Void) throws(SystemError) {
        let retention = StateRetention(path, isForced: false, complain: complain)
        let state = Monitor(State())
        self.path = path
        self.retention = retention
        self.state = state
        let limit = StateWatch.limit(path, retention)
        state.update { $0.limit = limit }
        thread = try Platform.Thread(name: "retention") {
            StateWatch.work(path, retention, state, complain)
        }
    }

    deinit {
        state.update { $0.isEnding = true }
        thread.join()
    }

    func oldestCheckpoint() throws(LogError) -> Sequence? {
        state.update { $0.isAsked = true }
        return state.withLock { $0.limit }
    }

    func leaveBaseAnchors(
        through last: Sequence,
        named: [BaseAnchorMention]
    ) throws(LogError) -> [BaseAnchorMention]? { nil }

    func removeBaseAnchors(except named: [BaseAnchorMention]) {}

    /// Takes what a retirement did: what it could not do for want of a base anchor is prepared.
    func take(_ result: Result<RetentionReport, LogError>) {
        guard case .success(let report) = result else { return }
        for shortfall in report.decision.shortfalls {
            guard case .checkpoint = shortfall.obstacle else { continue }
            let segment = report.situation.segments.first { $0.ordinal == shortfall.ordinal }
            if let segment { state.update { $0.wanted = segment.lastSequence } }
        }
    }

    /// Waits until all that was asked for has been looked at.
    func settle() {
        state.wait { !$0.isAsked && $0.wanted == nil ? () : nil }
    }

    // MARK: The thread

    private static func work(
        _ path: String,
        _ retention: StateRetention,
        _ state: Monitor<State>,
        _ complain: @Sendable (String) -> Void
    ) {
        while true {
            let (wanted, isEnding) = state.wait { state -> (Sequence?, Bool)? in
                guard state.isEnding || state.isAsked || state.wanted != nil else { return nil }
                return (state.wanted, state.isEnding)
            }
            if isEnding { return }
            if let wanted {
                do throws(LogError) { try make(path, retention, through: wanted) } catch {
                    complain("\(error)")
                }
            }
            let limit = limit(path, retention)
            state.update {
                $0.limit = limit
                $0.isAsked = false
                if $0.wanted == wanted { $0.wanted = nil }
            }
        }
    }

    /// Makes and names what stands for all up to a record, if state has got that far.
    private static func make(
        _ path: String,
        _ retention: StateRetention,
        through last: Sequence
    ) throws(LogError) {
        let states = try retention.states()
        guard !states.isEmpty, states.allSatisfy({ $0.checkpoint.resume > last }) else { return }
        let disk = LinuxFileSystem()
        let named = try RecordingIdentity.read(RecordingLayout(path), on: disk).baseAnchors
        let anchors = try retention.leaveBaseAnchors(through: last, named: named)
        guard let anchors, anchors != named else { return }
        try SegmentRetirement(path: path, disk: disk, policy: RetentionPolicy()).name(anchors)
        retention.removeBaseAnchors(except: anchors)
    }

    /// What no segment may go beyond: what states read on from, and what base anchors stand for.
    private static func limit(_ path: String, _ retention: StateRetention) -> Sequence? {
        do throws(LogError) {
            let disk = LinuxFileSystem()
            let states = try retention.states()
            let oldest = try retention.oldestCheckpoint()
            let named = try RecordingIdentity.read(RecordingLayout(path), on: disk).baseAnchors
            var limit = oldest
            for chain in Set(states.map(\.chain)) {
                let base = named.first { $0.chain == chain.description }
                // Without one the first segment already waits for it.
                let reach = base?.resume ?? .first
                limit = min(limit ?? reach, reach)
            }
            return limit
        } catch {
            switch error {
            // Nothing is recorded yet, so there is no state of it.
            case .notARecording: return nil
            case .system(let cause) where cause.isNotFound: return nil
            // Nobody knows what is needed: nothing goes.
            default: return .first
            }
        }
    }
}
