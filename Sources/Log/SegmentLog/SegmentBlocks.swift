import Platform
import RecordModel
package import SegmentFormat

/// Passes over the blocks of one segment that count, one by one, and over what is no block.
package final class SegmentBlocks {
    /// What stands at a place.
    package enum Step: Sendable {
        /// A verified block; `raw` gives its contents.
        case block(BlockHeader)
        /// So many bytes that are no valid block.
        case invalid(bytes: UInt64)
        /// Index and trailer, or bytes that do not count because another segment stands in.
        case rest(bytes: UInt64)
        /// Nothing more.
        case end
    }

    /// Bytes of the file.
    package let fileBytes: UInt64

    private let scanner: SegmentScanner
    private let limit: Sequence?
    private let blocksEnd: UInt64
    private var isOver = false

    /// - Throws: `damaged` when the segment cannot be opened, or `system`.
    package init(_ reader: RecordingReader, _ segment: SegmentDescriptor) throws(LogError) {
        let open = try reader.source.open(segment)
        fileBytes = open.fileBytes
        limit = segment.limit
        blocksEnd = open.indexOffset ?? open.fileBytes
        scanner = SegmentScanner(
            file: open.file,
            salt: open.header.salt,
            offset: UInt64(FormatLimits.segmentHeaderBytes),
            limit: open.indexOffset
        )
    }

    /// Moves on.
    ///
    /// - Throws: `system`.
    package func next() throws(LogError) -> Step {
        guard !isOver else { return .end }
        do throws(SystemError) {
            switch try scanner.next() {
            case .end: return finish(at: blocksEnd)
            case .invalid(let offset, _):
                let found = try scanner.resynchronize()
                let end = found ? scanner.offset : blocksEnd
                return .invalid(bytes: end > offset ? end - offset : 0)
            case .block(let header, _, let offset):
                if let limit, header.firstSequence >= limit,
                    header.kind == .data || header.kind == .hole
                {
                    return finish(at: offset)
                }
                return .block(header)
            }
        } catch { throw .system(error) }
    }

    /// The contents of the block that `next` gave, valid until the next call.
    ///
    /// - Throws: `decompression`.
    package func raw() throws(FormatError) -> UnsafeRawBufferPointer { try scanner.restore() }

    private func finish(at offset: UInt64) -> Step {
        isOver = true
        return .rest(bytes: fileBytes > offset ? fileBytes - offset : 0)
    }
}
