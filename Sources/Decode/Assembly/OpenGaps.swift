import MarketModel
import RecordModel

/// The gaps of a chain that still matter: open ones, and those given up until the final branch has
/// passed them.
struct OpenGaps: Sendable {
    /// One gap.
    struct Gap: Sendable {
        let id: Sequence
        let stream: StreamID?
        let groups: SubscriptionGroups
        /// Known or taken to be, so that every gap has a lower end.
        let from: UInt64
        var through: UInt64?
        var isAbandoned = false

        func covers(_ number: UInt64) -> Bool {
            from <= number && through.map { number <= $0 } ?? true
        }
    }

    /// By rising id.
    private(set) var gaps: [Gap] = []
    /// Of all open gaps together.
    private(set) var groups: SubscriptionGroups = []
    private let limit: Int

    init(limit: Int) {
        precondition(limit >= 1, "\(limit) gaps")
        self.limit = limit
    }

    /// Takes in a gap; one that is known already stays as it is.
    ///
    /// - Parameters:
    ///   - input: the gap.
    ///   - lowest: stands for a lower end that nobody knows.
    /// - Returns: false when there are too many.
    mutating func open(_ input: GapInput, lowest: UInt64) -> Bool {
        if gaps.contains(where: { $0.id == input.id }) { return true }
        guard gaps.count < limit else { return false }
        let gap = Gap(
            id: input.id,
            stream: input.stream,
            groups: input.groups,
            from: input.from ?? lowest,
            through: input.through
        )
        gaps.insert(gap, at: gaps.firstIndex { $0.id > gap.id } ?? gaps.count)
        sumGroups()
        return true
    }

    /// Nothing above `through` is missing.
    mutating func bound(_ id: Sequence, through: UInt64?) {
        guard let place = place(of: id), let through else { return }
        // A gap only shrinks.
        let before = gaps[place].through
        gaps[place].through = before.map { min($0, through) } ?? through
    }

    mutating func fill(_ id: Sequence) {
        guard let place = place(of: id) else { return }
        gaps.remove(at: place)
        sumGroups()
    }

    /// Gives a gap up. Where its upper end is not known, it reaches to the newest slot.
    mutating func abandon(_ id: Sequence, newest: UInt64) {
        guard let place = place(of: id) else { return }
        gaps[place].isAbandoned = true
        if gaps[place].through == nil { gaps[place].through = newest }
        sumGroups()
    }

    /// Forgets what the final branch has passed.
    mutating func pass(_ position: UInt64) {
        gaps.removeAll { gap in
            gap.isAbandoned && (gap.through.map { $0 <= position } ?? false)
        }
    }

    /// The lowest position that an open gap holds back; nil when none is open.
    var lowestOpen: UInt64? { gaps.filter { !$0.isAbandoned }.map(\.from).min() }

    /// Whether something of that slot may still come to fill a gap.
    func mayFill(_ number: UInt64) -> Bool {
        gaps.contains { !$0.isAbandoned && $0.covers(number) }
    }

    /// Whether a gap, filled by nothing yet, lies in what that stream delivered of that slot. A
    /// stream opened after the gap is not in doubt.
    func doubts(_ stream: StreamID, _ number: UInt64) -> Bool {
        gaps.contains { gap in
            gap.covers(number) && gap.stream.map { $0 == stream } ?? (stream < gap.id)
        }
    }

    /// The earliest record that says something of slots above `position` which no context block
    /// repeats.
    func earliest(above position: UInt64) -> Sequence? {
        gaps.filter { $0.isAbandoned && ($0.through.map { $0 > position } ?? true) }.map(\.id)
            .min()
    }

    private func place(of id: Sequence) -> Int? { gaps.firstIndex { $0.id == id } }

    private mutating func sumGroups() {
        groups = gaps.reduce(into: []) { sum, gap in
            if !gap.isAbandoned { sum.formUnion(gap.groups) }
        }
    }
}
