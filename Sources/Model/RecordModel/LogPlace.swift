/// A place in one log: the cursor of whoever has read so far, and what tells its log from another.
///
/// Recording, writer epoch and sequence name a record, as far as a log that was copied is written
/// once only. The links hold also when two copies were gone on with: each is a digest of all that
/// the chain of segments and blocks says up to there.
package struct LogPlace: Hashable, Sendable {
    /// The recording.
    package var recording: RecordingID
    /// The run that wrote the record.
    package var writerEpoch: UInt64
    /// The last record read.
    package var sequence: Sequence
    /// Ordinal of the segment that holds it.
    package var segment: UInt64
    /// The link of that segment's header.
    package var segmentLink: UInt64
    /// The first sequence of the block that holds it.
    package var block: Sequence
    /// The link of that block.
    package var blockLink: UInt64

    package init(
        recording: RecordingID,
        writerEpoch: UInt64,
        sequence: Sequence,
        segment: UInt64,
        segmentLink: UInt64,
        block: Sequence,
        blockLink: UInt64
    ) {
        self.recording = recording
        self.writerEpoch = writerEpoch
        self.sequence = sequence
        self.segment = segment
        self.segmentLink = segmentLink
        self.block = block
        self.blockLink = blockLink
    }
}
