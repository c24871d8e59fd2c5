package import Assembly
package import Projection
package import RecordModel

/// How a recording is folded. Only `commitment`, `projectors`, `skipsDamage` and the ends can change
/// a result; everything else must not, and tests hold that.
package struct FoldOptions: Sendable {
    /// Names of the projectors, in any order; nil for all.
    package var projectors: Set<String>?
    package var commitment: AssemblerConfiguration.Commitment = .confirmed
    /// Threads that parse beside the one that folds.
    package var helpers = 1
    /// Records that are read, parsed and folded at a time, at most; a batch has limits of its own.
    package var batchRecordsMax = UInt64.max
    /// When checkpoints are due and how many rows stay in memory.
    package var limits = ProjectionEngine.Limits()
    /// Whether to go on behind damage.
    package var skipsDamage = false
    /// Whether more records may come: the end of the log is then waited at.
    package var follows = false
    /// The last record that is read; nil for the newest.
    package var through: Sequence?
    /// The last slot that is folded; nil for all. The log is read to its end all the same, because
    /// what belongs to the slot may come late.
    package var position: UInt64?
    /// Seconds since 1970: the last slot folded is the newest whose block is not later. Nil for all.
    package var time: Int64?
    /// Records that are waited for before slots become final, because an assembler that has read
    /// the log saw them come too late.
    package var awaited: [LateRecords] = []

    package init() {}
}
