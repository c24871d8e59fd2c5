/// Slots or blocks of which something is missing.
package struct ChainGap: Hashable, Comparable, Sendable {
    /// Slot or block of its beginning.
    package var first: UInt64
    /// Slot or block of its end, itself missing.
    package var last: UInt64
    /// The subscription group that misses it; empty when it is told for the chain, `all` when
    /// nothing of it is there.
    package var group: String
    /// What became of it.
    package var status: Status
    /// Why it is there or why it was given up, for people.
    package var reason: String

    /// What became of a gap. Raw values are stored and never change.
    package enum Status: UInt8, Hashable, Sendable {
        /// It may still be filled: state waits before it.
        case open = 1
        /// What was missing is there.
        case filled = 2
        /// It was given up: state went on without it.
        case abandoned = 3
    }

    package init(
        first: UInt64,
        last: UInt64,
        group: String,
        status: Status,
        reason: String
    ) {
        self.first = first
        self.last = last
        self.group = group
        self.status = status
        self.reason = reason
    }

    package static func < (left: ChainGap, right: ChainGap) -> Bool {
        (left.first, left.last, left.group) < (right.first, right.last, right.group)
    }
}
