package import MarketModel
package import Projection

/// Who keeps a clock and a list of gaps: each projector its own, since any may run alone.
package protocol MonitorOwner: Sendable {
    /// The shape of its clock.
    static var clockSchema: TableSchema { get }
    /// The shape of its list of gaps.
    static var gapSchema: TableSchema { get }
    /// The shape of its list of drifts.
    static var driftSchema: TableSchema { get }
}

/// The last block whose time was told: where the time of one without is reckoned from. One row, of
/// key 0.
package struct MonitorClock<Owner: MonitorOwner>: TableRow {
    /// Slot or block.
    package var position: UInt64
    /// Seconds since 1970.
    package var time: Int64

    package init(position: UInt64, time: Int64) {
        self.position = position
        self.time = time
    }

    package static var schema: TableSchema { Owner.clockSchema }

    package static func encode(_ key: UInt8, to writer: inout RowWriter) { writer.add(key) }
    package static func decodeKey(_ reader: inout RowReader) throws(RowError) -> UInt8 {
        try reader.unsigned8()
    }
    package func encode(to writer: inout RowWriter) {
        writer.add(position)
        writer.add(time)
    }
    /// Reads the columns beside the key.
    package init(from reader: inout RowReader) throws(RowError) {
        position = try reader.unsigned64()
        time = try reader.signed64()
    }

    /// The table's shape under a name.
    package static func schema(named name: String) -> TableSchema {
        TableSchema(
            name,
            "The newest slot or block whose time was told",
            key: [Column("place", .unsigned8, "always 0: there is one row")],
            columns: [
                Column("position", .unsigned64, "slot or block"),
                Column("time", .signed64, "its time, in seconds since 1970"),
            ]
        )
    }
}

/// Slots or blocks in a row of which it is not proved that nothing is missing. Found by the last of
/// them, so that the next one can go on with it.
package struct MonitorGap<Owner: MonitorOwner>: TableRow {
    /// The first slot or block.
    package var from: UInt64

    package init(from: UInt64) {
        self.from = from
    }

    package static var schema: TableSchema { Owner.gapSchema }

    package static func encode(_ key: UInt64, to writer: inout RowWriter) { writer.add(key) }
    package static func decodeKey(_ reader: inout RowReader) throws(RowError) -> UInt64 {
        try reader.unsigned64()
    }
    package func encode(to writer: inout RowWriter) { writer.add(from) }
    /// Reads the columns beside the key.
    package init(from reader: inout RowReader) throws(RowError) {
        from = try reader.unsigned64()
    }

    /// The table's shape under a name.
    package static func schema(named name: String) -> TableSchema {
        TableSchema(
            name,
            "Ranges whose wholeness is not proved: an entity first seen at or before `through` is "
                + "incomplete since the greater of `from` and its first slot or block",
            key: [Column("through", .unsigned64, "last slot or block of the range")],
            columns: [Column("from", .unsigned64, "first slot or block of the range")],
            isOutsideDigest: true
        )
    }
}

/// Time and gaps of one projector's bundles.
package struct MonitorTimes<Owner: MonitorOwner> {
    private let clock: Table<MonitorClock<Owner>>
    private let gaps: Table<MonitorGap<Owner>>
    private let slotMilliseconds: UInt64

    /// Makes the tables of its owner in a store.
    ///
    /// - Parameters:
    ///   - store: where.
    ///   - slotMilliseconds: how long a slot or block lasts when none tells its time.
    package init(_ store: StateStore, slotMilliseconds: UInt64) {
        clock = store.table(MonitorClock<Owner>.self)
        gaps = store.table(MonitorGap<Owner>.self)
        self.slotMilliseconds = slotMilliseconds
    }

    /// Notes a bundle's time and evidence; first thing of every fold.
    ///
    /// - Parameter bundle: the bundle to fold.
    /// - Returns: its time in seconds since 1970: what the block says, or what its distance from the
    ///   last block that says any amounts to, rounded down; nil when none has said any.
    package func begin(_ bundle: Bundle) -> (seconds: Int64?, isEstimated: Bool) {
        if bundle.evidence == .unproved { noteGap(bundle) }
        if let time = bundle.time {
            clock.put(0, MonitorClock(position: bundle.position, time: time))
            return (time, false)
        }
        guard let anchor = clock[0] else { return (nil, true) }
        let slots = bundle.position.subtractingReportingOverflow(anchor.position)
        guard !slots.overflow else { return (anchor.time, true) }
        let milliseconds = slots.partialValue.multipliedReportingOverflow(by: slotMilliseconds)
        let seconds = Int64(clamping: milliseconds.partialValue / 1_000)
        let (time, overflows) = anchor.time.addingReportingOverflow(seconds)
        return (milliseconds.overflow || overflows ? anchor.time : time, true)
    }

    /// Lengthens the range that ends at the bundle's parent, or begins one.
    private func noteGap(_ bundle: Bundle) {
        let before = bundle.parent ?? bundle.position &- 1
        let open = gaps[before]
        if open != nil { gaps.remove(before) }
        gaps.put(bundle.position, MonitorGap(from: open?.from ?? bundle.position))
    }

    /// Since when something may be missing from an entity.
    ///
    /// - Parameters:
    ///   - first: the slot or block in which the entity was first seen.
    ///   - ranges: all gaps, in any order.
    /// - Returns: the first slot or block from then on whose wholeness is not proved; nil when all are
    ///   proved.
    package static func incompleteSince(
        first: UInt64,
        ranges: [(from: UInt64, through: UInt64)]
    ) -> UInt64? {
        ranges.filter { $0.through >= first }.map { max($0.from, first) }.min()
    }
}
