// What becomes of gaps that nobody fills: each is held for a while once its upper end is known, then
// given up. A value without I/O: what happened and the time go in, actions come out.

package import RecordModel

/// The open gaps of a recording and the rules by which they end.
package struct GapMachine: Sendable {
    /// How long a gap is held.
    package struct Policy: Sendable, Equatable {
        /// Nanoseconds from the moment its upper end is known; nil holds it for ever.
        package var hold: UInt64?
        /// Why it is given up then, for the record.
        package var reason: String

        package init(hold: UInt64?, reason: String) {
            self.hold = hold
            self.reason = reason
        }

        /// Gaps stay open until somebody else ends them.
        package static let never = Policy(hold: nil, reason: "")
    }

    /// An open gap.
    package struct Gap: Sendable, Equatable {
        /// The sequence of its gap-opened record.
        package let id: RecordModel.Sequence
        /// What that record says.
        package let opened: EventFields
        /// What the record of its upper end says; nil without one.
        package var bounds: EventFields?

        package init(id: RecordModel.Sequence, opened: EventFields, bounds: EventFields? = nil) {
            self.id = id
            self.opened = opened
            self.bounds = bounds
        }

        /// The source that it is of.
        package var source: String? { opened.text(.source) }

        /// The fields of a gap-abandoned record: the gap as a whole, for whoever reads no record
        /// of it but this one.
        ///
        /// - Parameter reason: why it is given up, in a few words.
        /// - Returns: the fields.
        package func abandoned(_ reason: String) -> EventFields {
            var fields = EventFields()
            fields.add(.gap, id.value)
            if let source { fields.add(.source, source) }
            if let cause = opened.text(.cause) { fields.add(.cause, cause) }
            if let group = opened.text(.group) { fields.add(.group, group) }
            for end in [FieldID.fromSequence, .fromPosition, .toSequence, .toPosition] {
                if let value = unsigned(end) { fields.add(end, value) }
            }
            for end in [FieldID.fromTime, .toTime] {
                if let value = bounds?.signed(end) ?? opened.signed(end) { fields.add(end, value) }
            }
            fields.add(.text, reason)
            return fields
        }

        private func unsigned(_ id: FieldID) -> UInt64? {
            bounds?.unsigned(id) ?? opened.unsigned(id)
        }
    }

    /// What happens to gaps.
    package enum Event: Sendable, Equatable {
        /// A gap is open.
        case opened(Gap)
        /// The upper end of a gap is known, and has been for so many nanoseconds.
        case bounded(RecordModel.Sequence, EventFields, since: UInt64)
        /// Time has passed.
        case tick
    }

    /// What the driver must do, in this order.
    package enum Action: Sendable, Equatable {
        /// Record that a gap is given up, and why.
        case abandon(Gap, reason: String)
    }

    private struct Held: Sendable {
        var gap: Gap
        /// When it is given up; nil while its upper end is not known.
        var due: UInt64?
    }

    private let policy: Policy
    /// In the order in which they came.
    private var held: [Held] = []

    package init(_ policy: Policy) { self.policy = policy }

    /// Gaps that are open.
    package var openCount: Int { held.count }

    /// When `tick` is due, in nanoseconds of the monotonic clock; nil for never.
    package var deadline: UInt64? { held.compactMap(\.due).min() }

    /// Takes one event.
    ///
    /// - Parameters:
    ///   - event: what happened.
    ///   - now: nanoseconds of the monotonic clock.
    /// - Returns: what to do now.
    package mutating func take(_ event: Event, now: UInt64) -> [Action] {
        switch event {
        case .opened(let gap):
            if !held.contains(where: { $0.gap.id == gap.id }) { held.append(Held(gap: gap)) }
            return []
        case .bounded(let id, let bounds, let since):
            guard let place = held.firstIndex(where: { $0.gap.id == id }) else { return [] }
            held[place].gap.bounds = bounds
            guard let hold = policy.hold, held[place].due == nil else { return [] }
            let due = now.addingReportingOverflow(hold - min(hold, since))
            // Beyond the end of the clock is never.
            held[place].due = due.overflow ? nil : due.partialValue
            return []
        case .tick:
            let over = held.filter { $0.due.map { $0 <= now } ?? false }
            held.removeAll { $0.due.map { $0 <= now } ?? false }
            return over.map { .abandon($0.gap, reason: policy.reason) }
        }
    }
}
