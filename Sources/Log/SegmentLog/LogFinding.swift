import Platform
package import RecordModel
import SegmentFormat

/// Whether the records up to a place, which somebody read once, are those that a log has.
package enum LogFinding: Hashable, Sendable {
    /// They are, as far as they are still there.
    case same
    /// The log is another recording.
    case otherRecording(RecordingID)
    /// Of what that writer wrote, only records up to this one were kept.
    case keptThrough(Sequence)
    /// Other records stand there: the log parted from the one that was read.
    case otherRecords
}

extension RecordingReader {
    /// Looks whether the log that a place is of is this one. The writer's records count as kept
    /// where the segment that held them, or one of the same run that superseded it, has them still
    /// or had them when it was retired; a block that can be read must be the very one.
    ///
    /// It looks at the recording as it is now, whatever this reader knows of it, and reads one
    /// block's header, and the index of its segment.
    ///
    /// - Parameter place: where somebody had read to.
    /// - Returns: what becomes of that.
    /// - Throws: `system`, or what opening the recording throws.
    package func finding(of place: LogPlace) throws(LogError) -> LogFinding {
        let now = try RecordingReader(path: layout.path, disk: disk)
        guard now.recordingID == place.recording else { return .otherRecording(now.recordingID) }
        return try now.findingHere(of: place)
    }

    private func findingHere(of place: LogPlace) throws(LogError) -> LogFinding {
        let all = try retiredSegments() + segments
        guard let own = all.first(where: { $0.ordinal == place.segment }) else {
            return .otherRecords
        }
        guard try headerLink(of: own) == place.segmentLink else { return .otherRecords }
        if let isSame = try hasBlock(of: place, in: own) { return isSame ? .same : .otherRecords }
        // The block is gone or cannot be read.
        var segment = own
        while true {
            let last = try lastKept(in: segment)
            if last >= place.sequence { return .same }
            // A segment whose file failed is superseded by the same run, which writes again what
            // had not become durable.
            let next = all.first { next in
                next.created?.supersededOrdinal == segment.ordinal
                    && next.created?.writerEpoch == place.writerEpoch
            }
            guard let next else { return .keptThrough(last) }
            segment = next
        }
    }

    /// What the manifest still says of segments that are gone.
    private func retiredSegments() throws(LogError) -> [SegmentDescriptor] {
        guard retiredThrough > 0 else { return [] }
        let manifest: Manifest
        do { manifest = try Manifest.read(layout, on: disk) } catch {
            guard case .damaged = error else { throw error }
            return []
        }
        return manifest.retired.map { SegmentDescriptor($0, layout: layout) }
    }

    /// The link of a segment's header; nil when neither the manifest nor the file tells it.
    private func headerLink(of segment: SegmentDescriptor) throws(LogError) -> UInt64? {
        if let created = segment.created { return created.headerLink }
        do { return try open(segment).link } catch {
            guard error.segmentDamage != nil else { throw error }
            return nil
        }
    }

    /// Whether a segment has the very block of a place; nil when that cannot be seen.
    private func hasBlock(
        of place: LogPlace,
        in segment: SegmentDescriptor
    ) throws(LogError) -> Bool? {
        let open: OpenSegment
        let entries: [BlockIndexEntry]
        do {
            open = try self.open(segment)
            entries = try walk(segment).entries
        } catch {
            if case .rangeNotAvailable = error { return nil }
            guard error.segmentDamage != nil else { throw error }
            return nil
        }
        if let limit = segment.limit, place.block >= limit { return nil }
        let start = entries.partition { $0.firstSequence >= place.block }
        // A mark has the sequence of what comes next.
        for entry in entries[start...].prefix(while: { $0.firstSequence == place.block }) {
            let head: [UInt8]
            do throws(SystemError) {
                head = try open.file.read(FormatLimits.blockHeaderBytes, at: entry.offset)
            } catch { throw .system(error) }
            do throws(FormatError) {
                let (header, link) = try head.span.bytes.withUnsafeBytes {
                    bytes throws(FormatError) in
                    try BlockHeader.decode(bytes, salt: open.header.salt)
                }
                if header.kind == .data || header.kind == .hole { return link == place.blockLink }
            } catch {
                // Whoever reads the block tells of its damage.
                return nil
            }
        }
        // Where the blocks are known, none begins there; behind them nobody can see. A mark at the
        // end tells only what would have come.
        return entries.last.map { $0.firstSequence > place.block } == true ? false : nil
    }

    /// The last sequence that counts in a segment.
    private func lastKept(in segment: SegmentDescriptor) throws(LogError) -> Sequence {
        if let last = segment.lastSequence { return last }
        do {
            let walk = try walk(segment)
            if walk.isWhole { return walk.last }
            // A torn tail, or damage: what a reader delivers of it counts.
            let last = try lastDelivered(after: walk.last)
            guard let next = self.segment(above: segment.ordinal) else { return last }
            return min(last, next.firstSequence.previous)
        } catch {
            guard error.segmentDamage != nil else { throw error }
            return segment.firstSequence.previous
        }
    }
}
