package import RecordModel
package import SegmentFormat

/// What opening a recording for writing found and did.
package struct RecoveryReport: Sendable {
    /// A torn tail that was cut off and kept aside.
    package struct Cut: Sendable, Equatable {
        package let ordinal: UInt64
        /// Where the valid blocks end.
        package let offset: UInt64
        /// How much was cut.
        package let bytes: UInt64
        /// The file that keeps it.
        package let keptAside: String
    }

    /// Whether the recording was created by this opening.
    package var isNew = false
    /// The last sequence that counts.
    package var lastSequenceKept = Sequence.none
    /// Whether the run before ended in good order; true for a new recording.
    package var previousRunEnded = true
    package var cuts: [Cut] = []
    /// Damage that was found and left as it is, one sentence each.
    package var damage: [String] = []
    /// Files of retired segments that an interrupted retirement had left, and that were removed.
    package var leftoversRemoved = 0
    /// What was in force at the end: open streams, sources, open gaps.
    package var context = ContextState()
    /// Wall-clock nanoseconds of the latest record, or nil without records.
    package var latest: Int64?
}

/// Where a writer goes on.
struct WriterStart {
    var recording: RecordingID
    var writerEpoch: UInt64
    var manifest: ManifestWriter
    var nextOrdinal: UInt64
    var previousLink: UInt64
    var lastSequence: Sequence
    var context: ContextState
}
