package import MarketModel
package import RecordModel

/// Where an assembler ends and another can go on: the last final slot with what must be remembered
/// of those before it. Stored with a checkpoint.
package struct AssemblerAnchor: Hashable, Sendable {
    /// A gap that was told before the records that are read again.
    package struct Gap: Hashable, Sendable {
        /// The sequence of its gap-opened record.
        package var id: Sequence
        /// The stream that it is about; nil for all of the chain.
        package var stream: StreamID?
        package var groups: SubscriptionGroups
        /// The first slot or block that may be incomplete.
        package var from: UInt64
        /// The last one; nil while the upper end is not known.
        package var through: UInt64?
        package var isAbandoned: Bool

        package init(
            id: Sequence,
            stream: StreamID?,
            groups: SubscriptionGroups,
            from: UInt64,
            through: UInt64?,
            isAbandoned: Bool
        ) {
            self.id = id
            self.stream = stream
            self.groups = groups
            self.from = from
            self.through = through
            self.isAbandoned = isAbandoned
        }
    }

    /// The lower end that was taken for a gap whose record is read again and does not tell it: then
    /// nothing of what was open is there any more to take it from.
    package struct LowerEnd: Hashable, Sendable {
        /// The sequence of the gap-opened record.
        package var id: Sequence
        package var from: UInt64

        package init(id: Sequence, from: UInt64) {
            self.id = id
            self.from = from
        }
    }

    /// Slot or block; everything at or below it is settled.
    package var position: UInt64
    /// Nil when no header of it was seen.
    package var hash: Bytes32?
    /// The last record that was taken. What comes again up to there has been minded.
    package var through: Sequence
    /// Whether slots had statuses; decides how slots are judged that have none.
    package var hadStatuses: Bool
    /// Ranges of final slots that are known to lack something, rising: data for them is news.
    package var lacking: [ClosedRange<UInt64>]
    /// By rising id.
    package var gaps: [Gap]
    /// Of gaps that are told again, by rising id.
    package var lowerEnds: [LowerEnd]
    /// What came too late and was left out; nil when nothing did.
    package var late: LateRecords?
    /// What was waited for, so that it was not too late.
    package var awaited: [LateRecords]
    /// Facts from outside that were told by then and are not settled, in the order of their records.
    package var facts: [OpenFact]
    /// The first slot that one told next takes effect at.
    package var factPosition: UInt64

    package init(
        position: UInt64,
        hash: Bytes32?,
        through: Sequence,
        hadStatuses: Bool,
        lacking: [ClosedRange<UInt64>] = [],
        gaps: [Gap] = [],
        lowerEnds: [LowerEnd] = [],
        late: LateRecords? = nil,
        awaited: [LateRecords] = [],
        facts: [OpenFact] = [],
        factPosition: UInt64 = 0
    ) {
        self.position = position
        self.hash = hash
        self.through = through
        self.hadStatuses = hadStatuses
        self.lacking = lacking
        self.gaps = gaps
        self.lowerEnds = lowerEnds
        self.late = late
        self.awaited = awaited
        self.facts = facts
        self.factPosition = factPosition
    }
}
