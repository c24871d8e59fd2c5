package import MarketModel
package import RecordModel

/// Where an assembler ends and another can go on: the last final slot with what must be remembered
/// of those before it. Stored with a checkpoint.
package struct AssemblerAnchor: Hashable, Sendable {
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
    /// What came too late and was left out; nil when nothing did.
    package var late: LateRecords?
    /// What was waited for, so that it was not too late.
    package var awaited: [LateRecords]

    package init(
        position: UInt64,
        hash: Bytes32?,
        through: Sequence,
        hadStatuses: Bool,
        lacking: [ClosedRange<UInt64>] = [],
        late: LateRecords? = nil,
        awaited: [LateRecords] = []
    ) {
        self.position = position
        self.hash = hash
        self.through = through
        self.hadStatuses = hadStatuses
        self.lacking = lacking
        self.late = late
        self.awaited = awaited
    }
}
