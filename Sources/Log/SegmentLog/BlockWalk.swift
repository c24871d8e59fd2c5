import Platform
package import RecordModel
package import SegmentFormat

/// The index of a segment: from its seal, or made by reading only the block headers when the
/// segment is not sealed.
package struct BlockWalk {
    /// One entry for every block, in file order. Without a seal the chain ranges are unknown.
    package let entries: [BlockIndexEntry]
    /// Whether `entries` carry slots and blocks.
    package let hasPositions: Bool
    /// The last sequence that the blocks account for.
    package let last: Sequence
    /// Whether the blocks tell everything: nothing else follows them, and no hole ends them, of
    /// which only its content tells how far it reaches.
    package let isWhole: Bool

    /// Reads the seal, or else every block header, of a segment.
    ///
    /// - Throws: what opening and reading the segment throws.
    package init(reader: RecordingReader, segment: SegmentDescriptor) throws(LogError) {
        let open = try reader.open(segment)
        if let seal = open.seal {
            entries = Self.counted(seal.entries, limit: segment.limit)
            // A run that knew no way to find positions leaves every range empty.
            hasPositions = seal.entries.contains { !$0.slots.isEmpty || !$0.blocks.isEmpty }
            last = segment.lastSequence ?? seal.lastSequence
            isWhole = true
            return
        }
        var entries: [BlockIndexEntry] = []
        var last = segment.firstSequence.previous
        var offset = UInt64(FormatLimits.segmentHeaderBytes)
        var latest = Int64.min
        var isHole = false
        do throws(SystemError) {
            while offset < open.fileBytes {
                let head = try open.file.read(FormatLimits.blockHeaderBytes, at: offset)
                let header: BlockHeader
                do {
                    (header, _) = try head.span.bytes.withUnsafeBytes {
                        bytes throws(FormatError) in
                        try BlockHeader.decode(bytes, salt: open.header.salt)
                    }
                } catch {
                    // The reader of the blocks says what it is; an index ends here.
                    break
                }
                // What a hole takes is told by the block behind it.
                last = max(last, header.firstSequence.previous)
                let end =
                    offset + UInt64(FormatLimits.blockHeaderBytes) + UInt64(header.storedBytes)
                guard end <= open.fileBytes else { break }
                if header.kind == .data { latest = max(latest, header.latest) }
                entries.append(
                    BlockIndexEntry(
                        offset: offset,
                        firstSequence: header.firstSequence,
                        recordCount: header.recordCount,
                        storedBytes: header.storedBytes,
                        runningLatest: latest,
                        slots: PositionRange(),
                        blocks: PositionRange()
                    )
                )
                if header.kind == .data { last = max(last, header.lastSequence) }
                isHole = header.kind == .hole
                offset = end
            }
        } catch { throw .system(error) }
        self.entries = Self.counted(entries, limit: segment.limit)
        hasPositions = false
        isWhole = offset == open.fileBytes && !isHole
        self.last = segment.limit.map { min(last, $0.previous) } ?? last
    }

    /// Without the blocks for which another segment stands in.
    private static func counted(
        _ entries: [BlockIndexEntry],
        limit: Sequence?
    ) -> [BlockIndexEntry] {
        guard let limit else { return entries }
        return entries.filter { $0.firstSequence < limit }
    }
}

extension Array {
    /// How many elements stand before the first that satisfies `isBehind`, in an array where all
    /// that do stand at the end.
    func partition(_ isBehind: (Element) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if isBehind(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
