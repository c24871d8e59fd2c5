package import RecordModel
import SegmentFormat

/// The blocks that a cursor delivers from. A block is entered before what is missing in front of it
/// is told, so the last record that was read may lie in the one before.
struct ReadBlocks {
    /// The place of the last record or hole in each.
    private var current: LogPlace?
    private var before: LogPlace?

    /// Goes on in another block.
    mutating func enter(_ last: LogPlace) {
        before = current
        current = last
    }

    /// The place of the newest record or hole that is not above a sequence.
    func place(of sequence: Sequence) -> LogPlace? {
        guard var place = current.flatMap({ $0.block <= sequence ? $0 : nil }) ?? before else {
            return nil
        }
        place.sequence = min(place.sequence, sequence)
        return place
    }
}

extension RecordCursor {
    /// The place of what was delivered last: of the newest record or hole that is not above a
    /// sequence.
    ///
    /// - Parameter sequence: the last one that was told of; records that are missing may end there.
    /// - Returns: nil before the first record or hole.
    package func place(of sequence: Sequence) -> LogPlace? { blocks.place(of: sequence) }

    /// Takes note that records of a block come next.
    func enter(_ header: BlockHeader, through last: Sequence) {
        guard let open, let link else { return }
        blocks.enter(
            LogPlace(
                recording: reader.recordingID,
                writerEpoch: open.header.writerEpoch,
                sequence: last,
                segment: open.header.ordinal,
                segmentLink: open.link,
                block: header.firstSequence,
                blockLink: link
            )
        )
    }
}
