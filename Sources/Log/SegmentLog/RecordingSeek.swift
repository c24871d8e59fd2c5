import Platform
package import RecordModel
import SegmentFormat

/// Finds sequences by time, slot and block through the indexes of the segments.
///
/// A sealed segment costs its index and one or two blocks; one that is not sealed has no chain
/// ranges yet and is read.
package struct RecordingSeek {
    private let reader: RecordingReader
    private let positions: any PositionReader

    /// - Parameters:
    ///   - reader: the recording.
    ///   - positions: a fresh reader of slots and blocks; copied for every search.
    package init(_ reader: RecordingReader, positions: any PositionReader) {
        self.reader = reader
        self.positions = positions
    }

    /// The first record at which the running maximum of wall time reaches `time`.
    ///
    /// - Parameter time: wall-clock nanoseconds since 1970.
    /// - Returns: its sequence, or nil when every record is older.
    /// - Throws: `damaged` or `system`.
    package func first(atOrAfter time: Int64) throws(LogError) -> Sequence? {
        var reached = Int64.min
        for segment in reader.segments {
            guard let walk = try walk(segment) else { continue }
            guard let last = walk.entries.last else { continue }
            guard max(reached, last.runningLatest) >= time else {
                reached = max(reached, last.runningLatest)
                continue
            }
            var low = 0
            var high = walk.entries.count - 1
            while low < high {
                let middle = (low + high) / 2
                if max(reached, walk.entries[middle].runningLatest) >= time {
                    high = middle
                } else {
                    low = middle + 1
                }
            }
            if low > 0 { reached = max(reached, walk.entries[low - 1].runningLatest) }
            let found = try search(walk.entries[low...low]) { envelope, _ in
                reached = max(reached, envelope.receivedAt)
                return reached >= time ? .found : .next
            }
            if let found { return found }
        }
        return nil
    }

    /// The first record that speaks of a slot or block at or above a number.
    ///
    /// - Parameter lowest: the slot or block.
    /// - Returns: its sequence, or nil when there is none.
    /// - Throws: `damaged` or `system`.
    package func first(atOrAbove lowest: ChainPosition) throws(LogError) -> Sequence? {
        for segment in reader.segments {
            guard let walk = try walk(segment) else { continue }
            var positions = positions
            let candidates =
                walk.hasPositions
                ? walk.entries.firstIndex {
                    let range = $0.range(lowest.family)
                    return !range.isEmpty && range.highest >= lowest.number
                }.map { max($0 - 1, 0)...$0 }
                : walk.entries.isEmpty ? nil : 0...(walk.entries.count - 1)
            guard let candidates else { continue }
            // One block more in front: a message in fragments may begin there.
            let found = try search(walk.entries[candidates]) { envelope, payload in
                guard let position = positions.position(of: envelope, payload: payload),
                    position.family == lowest.family, position.number >= lowest.number
                else { return .next }
                return .found
            }
            if let found { return found }
        }
        return nil
    }

    /// The last record that speaks of a slot or block at or below a number.
    ///
    /// - Parameter highest: the slot or block.
    /// - Returns: its sequence, or nil when there is none.
    /// - Throws: `damaged` or `system`.
    package func last(atOrBelow highest: ChainPosition) throws(LogError) -> Sequence? {
        for segment in reader.segments.reversed() {
            guard let walk = try walk(segment) else { continue }
            var end = walk.entries.count
            while end > 0 {
                let index: Int?
                let start: Int
                if walk.hasPositions {
                    index = walk.entries[..<end].lastIndex {
                        let range = $0.range(highest.family)
                        return !range.isEmpty && range.lowest <= highest.number
                    }
                    start = max((index ?? 0) - 1, 0)  // without an index nothing is searched
                } else {
                    index = end - 1
                    start = 0
                }
                guard let index else { break }
                var positions = positions
                var last: Sequence?
                _ = try search(walk.entries[start...index]) { envelope, payload in
                    if let position = positions.position(of: envelope, payload: payload),
                        position.family == highest.family, position.number <= highest.number
                    {
                        last = envelope.sequence
                    }
                    return .next
                }
                if let last { return last }
                end = walk.hasPositions ? index : 0
            }
        }
        return nil
    }

    /// The index of a segment; nil when it was retired meanwhile.
    private func walk(_ segment: SegmentDescriptor) throws(LogError) -> BlockWalk? {
        do { return try reader.walk(segment) } catch {
            if case .rangeNotAvailable = error { return nil }
            throw error
        }
    }

    private enum Answer { case found, next }

    /// Reads the records of some neighbouring blocks until one is found.
    private func search(
        _ entries: ArraySlice<BlockIndexEntry>,
        _ body: (RecordEnvelope, RawSpan) -> Answer
    ) throws(LogError) -> Sequence? {
        guard let first = entries.first, let last = entries.last else { return nil }
        let end = Sequence(last.firstSequence.value &+ UInt64(last.recordCount))
        let cursor = try RecordCursor(reader, from: first.firstSequence)
        while true {
            switch try cursor.next() {
            case .end: return nil
            case .hole, .damage: continue
            case .record:
                let envelope = cursor.envelope
                guard envelope.sequence < end else { return nil }
                if cursor.withPayload({ body(envelope, $0) }) == .found {
                    return envelope.sequence
                }
            }
        }
    }
}
