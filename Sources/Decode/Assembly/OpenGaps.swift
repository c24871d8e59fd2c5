import MarketModel
import RecordModel

/// The gaps of a chain that still matter: open ones, and those given up until the final branch has
/// passed them.
struct OpenGaps: Sendable {
    /// One gap.
    struct Gap: Sendable {
        let id: Sequence
        /// The lowest sequence that says whose gap it is.
        let since: Sequence
        let stream: StreamID?
        let groups: SubscriptionGroups
        /// Known or taken to be, so that every gap has a lower end.
        let from: UInt64
        fileprivate(set) var through: UInt64?
        fileprivate var abandonedAt: Sequence?
        /// Where `through` was told last, and what it was before.
        fileprivate var bounded: (at: Sequence, before: UInt64?)?

        var isAbandoned: Bool { abandonedAt != nil }

        func covers(_ number: UInt64) -> Bool {
            from <= number && through.map { number <= $0 } ?? true
        }

        /// As it was before the record at a sequence.
        fileprivate func before(_ sequence: Sequence) -> Gap {
            var gap = self
            if let at = abandonedAt, at >= sequence { gap.abandonedAt = nil }
            if let bounded, bounded.at >= sequence {
                gap.through = bounded.before
                gap.bounded = nil
            }
            return gap
        }
    }

    /// By rising id.
    private(set) var gaps: [Gap] = []
    /// Filled ones, until nobody reads their records again.
    private var filled: [(gap: Gap, at: Sequence)] = []
    /// What was taken for the lower ends of gaps that are told again; by rising id.
    private var known: [AssemblerAnchor.LowerEnd] = []
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
            since: min(input.since, input.id),
            stream: input.stream,
            groups: input.groups,
            from: input.from ?? known.first { $0.id == input.id }?.from ?? lowest,
            through: input.through
        )
        insert(gap)
        return true
    }

    /// Takes over what a checkpoint keeps.
    mutating func restore(_ kept: [AssemblerAnchor.Gap], lowerEnds: [AssemblerAnchor.LowerEnd]) {
        known = lowerEnds
        for gap in kept.prefix(limit) where place(of: gap.id) == nil {
            insert(
                Gap(
                    id: gap.id,
                    // Reading does not go back there any more.
                    since: .none,
                    stream: gap.stream,
                    groups: gap.groups,
                    from: gap.from,
                    through: gap.through,
                    abandonedAt: gap.isAbandoned ? Sequence.none : nil
                )
            )
        }
    }

    private mutating func insert(_ gap: Gap) {
        gaps.insert(gap, at: gaps.firstIndex { $0.id > gap.id } ?? gaps.count)
    }

    /// Nothing above `through` is missing.
    mutating func bound(_ id: Sequence, through: UInt64?, at sequence: Sequence) {
        guard let place = place(of: id), let through else { return }
        // A gap only shrinks.
        let before = gaps[place].through
        if let before, before <= through { return }
        gaps[place].through = through
        gaps[place].bounded = (sequence, before)
    }

    mutating func fill(_ id: Sequence, at sequence: Sequence) {
        guard let place = place(of: id) else { return }
        let gap = gaps.remove(at: place)
        if filled.count < limit { filled.append((gap, sequence)) }
    }

    /// Gives an open gap up. Where its upper end is not known, it reaches to the newest slot.
    ///
    /// - Returns: the slots that it covers; nil when no such gap is open.
    mutating func abandon(
        _ id: Sequence,
        newest: UInt64,
        at sequence: Sequence
    ) -> ClosedRange<UInt64>? {
        guard let place = place(of: id), !gaps[place].isAbandoned else { return nil }
        gaps[place].abandonedAt = sequence
        if gaps[place].through == nil { bound(id, through: newest, at: sequence) }
        let from = gaps[place].from
        return from...max(from, gaps[place].through ?? newest)
    }

    /// Forgets what was filled, and what was given up and the final branch has passed, once both
    /// lie before `resume`.
    mutating func pass(_ position: UInt64, resume: Sequence) {
        filled.removeAll { $0.at < resume }
        gaps.removeAll { gap in
            guard let at = gap.abandonedAt, at < resume else { return false }
            return gap.through.map { $0 <= position } ?? false
        }
    }

    /// What must be asked for in a slot: what streams should have delivered that broke before it.
    func groups(at number: UInt64) -> SubscriptionGroups {
        gaps.reduce(into: []) { sum, gap in
            if !gap.isAbandoned, gap.covers(number) { sum.formUnion(gap.groups) }
        }
    }

    /// The lowest position that an open gap covers; nil when none is open.
    var lowestOpen: UInt64? { gaps.filter { !$0.isAbandoned }.map(\.from).min() }

    /// Whether something of some slot from `first` through `last` may still come to fill a gap.
    func mayFill(_ first: UInt64, through last: UInt64) -> Bool {
        gaps.contains { gap in
            !gap.isAbandoned && gap.from <= last && gap.through.map { first <= $0 } ?? true
        }
    }

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

    /// Whether `pass` has anything to look at.
    var isEmpty: Bool { gaps.isEmpty && filled.isEmpty }

    /// What whoever reads on from `resume` cannot learn there: gaps that were told below, as they
    /// were then.
    func kept(resume: Sequence) -> [AssemblerAnchor.Gap] {
        let again = filled.filter { $0.at >= resume }.map(\.gap)
        let told = (gaps + again).filter { $0.since < resume }.map { $0.before(resume) }
        return told.sorted { $0.id < $1.id }.map { gap in
            AssemblerAnchor.Gap(
                id: gap.id,
                stream: gap.stream,
                groups: gap.groups,
                from: gap.from,
                through: gap.through,
                isAbandoned: gap.isAbandoned
            )
        }
    }

    /// The lower ends of gaps that whoever reads on from `resume` meets again.
    func lowerEnds(resume: Sequence) -> [AssemblerAnchor.LowerEnd] {
        let met = (gaps + filled.map(\.gap)).filter { $0.since >= resume }
            .map { AssemblerAnchor.LowerEnd(id: $0.id, from: $0.from) }
        let rest = known.filter { end in
            end.id >= resume && !met.contains { $0.id == end.id }
        }
        return (met + rest).sorted { $0.id < $1.id }
    }

    private func place(of id: Sequence) -> Int? { gaps.firstIndex { $0.id == id } }
}
