package import RecordModel

/// Records that say something of slots that were final when they came. Who reads the log again can
/// wait for them: the slots are then not declared final before.
package struct LateRecords: Hashable, Sendable {
    /// The lowest slot or block of which they say something.
    package var position: UInt64
    /// The last of them.
    package var through: Sequence

    package init(position: UInt64, through: Sequence) {
        self.position = position
        self.through = through
    }

    /// Whether waiting for these was waiting for the others.
    ///
    /// - Parameter others: what came late.
    /// - Returns: false when waiting longer may still help.
    package func covers(_ others: LateRecords) -> Bool {
        position <= others.position && through >= others.through
    }
}
