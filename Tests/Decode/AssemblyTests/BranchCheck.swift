import Assembly
import MarketModel
import RecordModel
import Testing

/// Follows the actions of an assembler as projectors would, and holds them to be possible.
struct BranchCheck {
    /// What is applied, from the lowest.
    private(set) var branch: [Bundle] = []
    private(set) var finalThrough: UInt64?
    private(set) var undone = 0
    private(set) var staled: [UInt64] = []
    /// What went wrong, in words.
    private(set) var faults: [String] = []
    /// Hashes that may be applied; nil for any.
    var allowed: Set<Bytes32>?

    init(resumingAfter position: UInt64? = nil) {
        finalThrough = position
    }

    /// Takes in one action; true when something became final.
    mutating func take(_ action: ChainAction) -> Bool {
        switch action {
        case .apply(let bundle):
            let below = branch.last?.position ?? finalThrough
            if let below, bundle.position <= below {
                faults.append("\(bundle.position) applied on \(below)")
            }
            if let below, bundle.parent != below, bundle.evidence != .unproved {
                faults.append("\(bundle.position) on \(below) is no child and yet proved")
            }
            if let allowed, let hash = bundle.hash, !allowed.contains(hash) {
                faults.append("\(Made.name(hash)) was applied")
            }
            branch.append(bundle)
        case .undo(let position):
            if branch.last?.position != position || !isAbove(position) {
                faults.append("undo \(position), last \(branch.last?.position ?? 0)")
            }
            branch.removeLast()
            undone += 1
        case .final(let position):
            if !branch.contains(where: { $0.position == position }) || !isAbove(position) {
                faults.append("final \(position) is not applied")
            }
            finalThrough = position
            return true
        case .stale(let position): staled.append(position)
        }
        return false
    }

    private func isAbove(_ position: UInt64) -> Bool {
        finalThrough.map { position > $0 } ?? true
    }

    /// Forgets what is final.
    mutating func forget() { branch = branch.filter { isAbove($0.position) } }

    /// Compares what has just become final with the truth, and forgets it.
    ///
    /// - Parameters:
    ///   - truth: by position.
    ///   - proved: from where on everything must be proved; nil for nowhere.
    mutating func settle(_ truth: [UInt64: Bundle], proved: UInt64?) {
        let final = branch.filter { !isAbove($0.position) }
        forget()
        for bundle in final {
            guard var expected = truth[bundle.position] else {
                faults.append("\(bundle.position) is not on the main branch")
                continue
            }
            expected.evidence = bundle.evidence
            if bundle != expected {
                faults.append(
                    "\(AssemblyScenario.text(.apply(bundle))) instead of "
                        + AssemblyScenario.text(.apply(expected))
                )
            }
            if let proved, bundle.position >= proved, bundle.evidence == .unproved {
                faults.append("\(bundle.position) is not proved")
            }
        }
    }
}
