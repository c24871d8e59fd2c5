package import Platform
import RecordModel
package import SegmentFormat

/// Reads the blocks of one segment file in order, verified, with bounded memory.
///
/// At the end of the file it answers `end` and may be asked again later, when a writer has added
/// more. After `invalid` the caller chooses: stop, or `resynchronize` to the next valid block.
package final class SegmentScanner {
    /// What stands at the scanner's place.
    package enum Step {
        /// A block whose header and stored bytes are verified.
        case block(BlockHeader, link: UInt64, offset: UInt64)
        /// Bytes that are not a valid block.
        case invalid(offset: UInt64, error: FormatError)
        /// Nothing more, for now.
        case end
    }

    /// Bytes read ahead: little after a seek, which may want one block only, then more and more.
    private static let chunkBytesMin = 64 << 10
    private static let chunkBytesMax = 1 << 20
    private var chunkBytes = SegmentScanner.chunkBytesMin

    private let file: any File
    private let salt: UInt64
    /// Where blocks end: the index of a sealed segment, otherwise the end of the file.
    private let limit: UInt64?
    /// File offset of the next block header.
    package private(set) var offset: UInt64

    private var buffer: UnsafeMutableRawBufferPointer
    /// File offset of the buffer's first byte.
    private var bufferOffset: UInt64
    private var bufferCount = 0
    private var raw: UnsafeMutableRawBufferPointer
    private var current: BlockHeader?
    private var storedStart = 0

    /// - Parameters:
    ///   - file: the segment, open for reading.
    ///   - salt: the segment's salt.
    ///   - offset: the offset of a block header.
    ///   - limit: where the blocks end, or nil for the end of the file.
    package init(file: any File, salt: UInt64, offset: UInt64, limit: UInt64?) {
        self.file = file
        self.salt = salt
        self.offset = offset
        self.limit = limit
        bufferOffset = offset
        buffer = .allocate(byteCount: Self.chunkBytesMax, alignment: 64)
        raw = .allocate(byteCount: FormatLimits.blockRawBytesMax, alignment: 64)
    }

    deinit {
        buffer.deallocate()
        raw.deallocate()
    }

    /// Moves to another block; the offset must be that of a block header.
    package func seek(to offset: UInt64) {
        self.offset = offset
        current = nil
        chunkBytes = Self.chunkBytesMin
        if offset < bufferOffset || offset > bufferOffset + UInt64(bufferCount) {
            bufferOffset = offset
            bufferCount = 0
        }
    }

    /// Moves to a block and forgets what was read of the file: a writer may have finished it since.
    package func reload(at offset: UInt64) {
        self.offset = offset
        current = nil
        bufferOffset = offset
        bufferCount = 0
    }

    /// Verifies and passes the next block.
    ///
    /// - Throws: `SystemError` when the file cannot be read.
    package func next() throws(SystemError) -> Step {
        current = nil
        let room = try fill(FormatLimits.blockHeaderBytes)
        if room == 0 { return .end }
        let header: BlockHeader
        let link: UInt64
        do {
            (header, link) = try BlockHeader.decode(bytes(at: offset, count: room), salt: salt)
        } catch {
            return .invalid(offset: offset, error: error)
        }
        let needed = FormatLimits.blockHeaderBytes + Int(header.storedBytes)
        let available = try fill(needed)
        guard available >= needed else {
            return .invalid(
                offset: offset,
                error: .truncated(structure: "block", needed: needed, available: available)
            )
        }
        let stored = bytes(
            at: offset + UInt64(FormatLimits.blockHeaderBytes),
            count: Int(header.storedBytes)
        )
        do { try BlockDecoding.verify(stored, header: header, salt: salt) } catch {
            return .invalid(offset: offset, error: error)
        }
        let start = offset
        storedStart = Int(start - bufferOffset) + FormatLimits.blockHeaderBytes
        current = header
        offset = start + UInt64(needed)
        return .block(header, link: link, offset: start)
    }

    /// The raw bytes of the block that `next` has just given, valid until the next call.
    ///
    /// - Throws: `decompression` when verified bytes do not decompress: damage before checksumming.
    package func restore() throws(FormatError) -> UnsafeRawBufferPointer {
        guard let header = current else { preconditionFailure("no block to restore") }
        let count = Int(header.rawBytes)
        let stored = UnsafeRawBufferPointer(
            rebasing: UnsafeRawBufferPointer(buffer)[
                storedStart..<(storedStart + Int(header.storedBytes))
            ]
        )
        if header.codec == .raw { return stored }
        if raw.count < count {
            raw.deallocate()
            raw = .allocate(byteCount: count, alignment: 64)
        }
        let target = UnsafeMutableRawBufferPointer(rebasing: raw[0..<count])
        try BlockDecoding.restore(stored, header: header, into: target)
        return UnsafeRawBufferPointer(target)
    }

    /// The stored bytes of the block that `next` has just given, header included.
    package func storedBlock() -> UnsafeRawBufferPointer {
        guard let header = current else { preconditionFailure("no block") }
        let start = storedStart - FormatLimits.blockHeaderBytes
        return UnsafeRawBufferPointer(
            rebasing: UnsafeRawBufferPointer(buffer)[
                start..<(storedStart + Int(header.storedBytes))
            ]
        )
    }

    /// Looks for the next valid block behind the scanner's place and stands before it.
    ///
    /// - Returns: whether there is one; if not, the scanner stands at the end of the file.
    /// - Throws: `SystemError` when the file cannot be read.
    package func resynchronize() throws(SystemError) -> Bool {
        var place = offset + 1
        while true {
            offset = place
            let room = try fill(FormatLimits.blockHeaderBytes)
            guard room >= FormatLimits.blockHeaderBytes else {
                offset = place + UInt64(room)
                return false
            }
            let start = Int(place - bufferOffset)
            guard let found = magicOffset(from: start) else {
                place = bufferOffset + UInt64(bufferCount - 3)
                continue
            }
            offset = bufferOffset + UInt64(found)
            let candidate = offset
            if case .block = try next() {
                seek(to: candidate)
                return true
            }
            place = candidate + 1
        }
    }

    private func magicOffset(from start: Int) -> Int? {
        var index = start
        let end = bufferCount - 4
        while index <= end {
            if UInt32(littleEndian: buffer.loadUnaligned(fromByteOffset: index, as: UInt32.self))
                == BlockHeader.magic
            {
                return index
            }
            index += 1
        }
        return nil
    }

    private func bytes(at offset: UInt64, count: Int) -> UnsafeRawBufferPointer {
        let start = Int(offset - bufferOffset)
        return UnsafeRawBufferPointer(
            rebasing: UnsafeRawBufferPointer(buffer)[start..<(start + count)]
        )
    }

    /// Makes at least `needed` bytes from `offset` on stand in the buffer, if the file has them.
    ///
    /// - Returns: how many do, at least `needed` unless the blocks end before.
    private func fill(_ needed: Int) throws(SystemError) -> Int {
        var available = bufferCount - Int(offset - bufferOffset)
        if let limit {
            available = min(available, Int(clamping: limit > offset ? limit - offset : 0))
        }
        if available >= needed { return available }
        let keepFrom = Int(offset - bufferOffset)
        let kept = max(0, bufferCount - keepFrom)
        if needed > buffer.count {
            let larger = UnsafeMutableRawBufferPointer.allocate(
                byteCount: needed + Self.chunkBytesMax,
                alignment: 64
            )
            if kept > 0 {
                larger.copyMemory(
                    from: UnsafeRawBufferPointer(rebasing: buffer[keepFrom..<bufferCount])
                )
            }
            buffer.deallocate()
            buffer = larger
        } else if kept > 0, keepFrom > 0 {
            buffer.copyMemory(
                from: UnsafeRawBufferPointer(rebasing: buffer[keepFrom..<bufferCount])
            )
        }
        bufferOffset = offset
        bufferCount = kept
        var wanted = min(buffer.count - kept, max(needed - kept, chunkBytes))
        chunkBytes = min(2 * chunkBytes, Self.chunkBytesMax)
        if let limit {
            let left = limit > offset + UInt64(kept) ? limit - offset - UInt64(kept) : 0
            wanted = min(wanted, Int(clamping: left))
        }
        if wanted > 0 {
            let target = UnsafeMutableRawBufferPointer(
                rebasing: buffer[kept..<(kept + wanted)]
            )
            bufferCount += try file.read(into: target, at: bufferOffset + UInt64(kept))
        }
        return bufferCount
    }

    /// Whether a block behind the scanner's place says that a record was durable. The scanner
    /// stays where it is.
    ///
    /// - Throws: `SystemError` when the file cannot be read.
    func findsMark(atOrAbove expected: Sequence) throws(SystemError) -> Bool {
        let place = offset
        defer { seek(to: place) }
        while true {
            if case .block(let header, _, _) = try next() {
                if header.durableMark >= expected { return true }
            } else if try !resynchronize() {
                return false
            }
        }
    }
}
