import RecordModel

/// A place in a log as a state file says it.
extension LogPlace {
    /// The row that is there when the others are.
    static let firstName = "recording"

    /// Name, value, and meaning for people.
    var rows: [(String, String, String)] {
        [
            (LogPlace.firstName, recording.description, "Whose records were read."),
            ("read_through", String(sequence.value), "Sequence of the last record read."),
            ("writer_epoch", String(writerEpoch), "The run that wrote it."),
            ("segment", String(segment), "Ordinal of the segment that held it."),
            ("segment_link", String(segmentLink), "Link of that segment's header."),
            ("block", String(block.value), "First sequence of the block that held it."),
            ("block_link", String(blockLink), "Link of that block."),
        ]
    }

    /// From the values of such rows by name; nil when they are something else.
    init?(rows values: [String: String]) {
        func number(_ name: String) -> UInt64? { values[name].flatMap { UInt64($0) } }
        guard let recording = values[LogPlace.firstName].flatMap({ RecordingID($0) }),
            let sequence = number("read_through"), let epoch = number("writer_epoch"),
            let segment = number("segment"), let segmentLink = number("segment_link"),
            let block = number("block"), let blockLink = number("block_link")
        else { return nil }
        self.init(
            recording: recording,
            writerEpoch: epoch,
            sequence: Sequence(sequence),
            segment: segment,
            segmentLink: segmentLink,
            block: Sequence(block),
            blockLink: blockLink
        )
    }
}
