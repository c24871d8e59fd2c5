import BlockCodec
package import RecordModel

/// A range of slots or blocks, possibly empty.
package struct PositionRange: Equatable, Sendable {
    package var lowest: UInt64 = .max
    package var highest: UInt64 = 0

    package init() {}

    init(lowest: UInt64, highest: UInt64) {
        self.lowest = lowest
        self.highest = highest
    }

    /// Whether it holds no number at all.
    package var isEmpty: Bool { lowest > highest }

    /// Widens the range so that it holds `number`.
    @inline(__always)
    package mutating func insert(_ number: UInt64) {
        if number < lowest { lowest = number }
        if number > highest { highest = number }
    }
}

/// One block in the index of a sealed segment. Layout: Sources/Log/README.md, "Index".
package struct BlockIndexEntry: Equatable, Sendable {
    /// Where the block's header begins in the file.
    package var offset: UInt64
    package var firstSequence: Sequence
    package var recordCount: UInt32
    package var storedBytes: UInt32
    /// The largest wall-clock time of this and all blocks before it in the segment, so that it
    /// never falls and can be searched.
    package var runningLatest: Int64
    /// Solana slots that records of the block speak of.
    package var slots: PositionRange
    /// EVM blocks that records of the block speak of.
    package var blocks: PositionRange

    package init(
        offset: UInt64,
        firstSequence: Sequence,
        recordCount: UInt32,
        storedBytes: UInt32,
        runningLatest: Int64,
        slots: PositionRange,
        blocks: PositionRange
    ) {
        self.offset = offset
        self.firstSequence = firstSequence
        self.recordCount = recordCount
        self.storedBytes = storedBytes
        self.runningLatest = runningLatest
        self.slots = slots
        self.blocks = blocks
    }

    /// The entry without its chain ranges, for comparing what two readers made of one block.
    package var place: BlockIndexEntry {
        var entry = self
        entry.slots = PositionRange()
        entry.blocks = PositionRange()
        return entry
    }

    /// The range of one family.
    package func range(_ family: ChainPosition.Family) -> PositionRange {
        family == .slot ? slots : blocks
    }
}

/// The index and trailer that end a sealed segment.
package struct SegmentSeal: Equatable, Sendable {
    /// "TEND".
    static let magic: UInt32 = 0x444E_4554

    /// The segment's number in the recording.
    package var ordinal: UInt64
    /// The last sequence of the segment, holes included; one before its first when it has none.
    package var lastSequence: Sequence
    /// The link of the last block.
    package var endLink: UInt64
    /// Records in the segment.
    package var recordCount: UInt64
    /// The largest wall-clock time of its records.
    package var latest: Int64
    package var entries: [BlockIndexEntry]

    package init(
        ordinal: UInt64,
        lastSequence: Sequence,
        endLink: UInt64,
        recordCount: UInt64,
        latest: Int64,
        entries: [BlockIndexEntry]
    ) {
        self.ordinal = ordinal
        self.lastSequence = lastSequence
        self.endLink = endLink
        self.recordCount = recordCount
        self.latest = latest
        self.entries = entries
    }

    /// The bytes of index and trailer, to be written at `offset`, the end of the last block.
    package func encoded(at offset: UInt64, salt: UInt64) -> [UInt8] {
        let indexBytes = entries.count * FormatLimits.indexEntryBytes
        var bytes = [UInt8](repeating: 0, count: indexBytes + FormatLimits.trailerBytes)
        bytes.withUnsafeMutableBytes { buffer in
            guard let base = buffer.baseAddress else { preconditionFailure("no buffer") }
            for (number, entry) in entries.enumerated() {
                let place = base + number * FormatLimits.indexEntryBytes
                place.put(entry.offset, at: 0)
                place.put(entry.firstSequence.value, at: 8)
                place.put(entry.recordCount, at: 16)
                place.put(entry.storedBytes, at: 20)
                place.put(entry.runningLatest, at: 24)
                place.put(entry.slots.lowest, at: 32)
                place.put(entry.slots.highest, at: 40)
                place.put(entry.blocks.lowest, at: 48)
                place.put(entry.blocks.highest, at: 56)
            }
            let index = UnsafeRawBufferPointer(
                rebasing: UnsafeRawBufferPointer(buffer)[0..<indexBytes]
            )
            let trailer = base + indexBytes
            trailer.put(Self.magic, at: 0)
            trailer.put(UInt32(FormatLimits.trailerBytes), at: 4)
            trailer.put(offset, at: 8)
            trailer.put(UInt32(entries.count), at: 16)
            trailer.put(UInt32(indexBytes), at: 20)
            trailer.put(lastSequence.value, at: 24)
            trailer.put(endLink, at: 32)
            trailer.put(latest, at: 40)
            trailer.put(recordCount, at: 48)
            trailer.put(ordinal, at: 56)
            trailer.put(BlockCoding.checksum(index, salt: salt), at: 64)
            let covered = UnsafeRawBufferPointer(start: trailer, count: 72)
            trailer.put(BlockCoding.checksum(covered, salt: salt), at: 72)
        }
        return bytes
    }

    /// What a trailer says before its index has been read.
    package struct Trailer: Equatable, Sendable {
        package let indexOffset: UInt64
        package let entryCount: Int
        package let indexBytes: Int
        package let lastSequence: Sequence
        package let endLink: UInt64
        package let latest: Int64
        package let recordCount: UInt64
        package let ordinal: UInt64
        let indexChecksum: UInt64
    }

    /// Reads a trailer.
    ///
    /// - Parameters:
    ///   - bytes: the last 80 bytes of the file.
    ///   - fileBytes: the size of the file.
    ///   - salt: the segment's salt.
    /// - Returns: what the trailer says.
    /// - Throws: `notOurs` for an unsealed segment; `checksum` or `invalid` for a damaged trailer.
    package static func decodeTrailer(
        _ bytes: UnsafeRawBufferPointer,
        fileBytes: UInt64,
        salt: UInt64
    ) throws(FormatError) -> Trailer {
        let structure = "segment trailer"
        guard bytes.count == FormatLimits.trailerBytes else {
            throw .truncated(
                structure: structure,
                needed: FormatLimits.trailerBytes,
                available: bytes.count
            )
        }
        let base = RawSpan(_unsafeBytes: bytes)
        guard base.u32(0) == magic else { throw .notOurs(structure: structure) }
        let found = base.u64(72)
        let expected = BlockCoding.checksum(
            UnsafeRawBufferPointer(rebasing: bytes[0..<72]),
            salt: salt
        )
        guard found == expected else {
            throw .checksum(structure: structure, expected: expected, found: found)
        }
        guard base.u32(4) == UInt32(FormatLimits.trailerBytes) else {
            throw .invalid(structure: structure, field: "bytes", value: UInt64(base.u32(4)))
        }
        let count = base.u32(16)
        let indexBytes = UInt64(count) * UInt64(FormatLimits.indexEntryBytes)
        guard count <= UInt32(FormatLimits.blocksPerSegmentMax), indexBytes == UInt64(base.u32(20))
        else { throw .invalid(structure: structure, field: "entry count", value: UInt64(count)) }
        let (end, overflow) = base.u64(8).addingReportingOverflow(
            indexBytes + UInt64(FormatLimits.trailerBytes)
        )
        guard !overflow, end == fileBytes,
            base.u64(8) >= UInt64(FormatLimits.segmentHeaderBytes)
        else { throw .invalid(structure: structure, field: "index offset", value: base.u64(8)) }
        guard base.u64(24) < .max else {
            throw .invalid(structure: structure, field: "last sequence", value: base.u64(24))
        }
        return Trailer(
            indexOffset: base.u64(8),
            entryCount: Int(count),
            indexBytes: Int(indexBytes),
            lastSequence: Sequence(base.u64(24)),
            endLink: base.u64(32),
            latest: base.i64(40),
            recordCount: base.u64(48),
            ordinal: base.u64(56),
            indexChecksum: base.u64(64)
        )
    }

    /// Reads the index that a trailer tells of.
    ///
    /// - Throws: `checksum` or `invalid` when the index is damaged.
    package static func decode(
        index bytes: UnsafeRawBufferPointer,
        trailer: Trailer,
        salt: UInt64
    ) throws(FormatError) -> SegmentSeal {
        let structure = "segment index"
        guard bytes.count == trailer.indexBytes else {
            throw .truncated(
                structure: structure,
                needed: trailer.indexBytes,
                available: bytes.count
            )
        }
        let found = BlockCoding.checksum(bytes, salt: salt)
        guard found == trailer.indexChecksum else {
            throw .checksum(structure: structure, expected: trailer.indexChecksum, found: found)
        }
        let whole = RawSpan(_unsafeBytes: bytes)
        var entries: [BlockIndexEntry] = []
        entries.reserveCapacity(trailer.entryCount)
        var next = UInt64(FormatLimits.segmentHeaderBytes)
        var sequence = Sequence.none
        for number in 0..<trailer.entryCount {
            let start = number * FormatLimits.indexEntryBytes
            let base = whole.extracting(start..<start + FormatLimits.indexEntryBytes)
            let offset = base.u64(0)
            guard offset == next else {
                throw .invalid(structure: structure, field: "offset", value: offset)
            }
            next += UInt64(FormatLimits.blockHeaderBytes) + UInt64(base.u32(20))
            let first = Sequence(base.u64(8))
            let (_, overflow) = first.value.addingReportingOverflow(UInt64(base.u32(16)))
            guard first >= sequence, !overflow else {
                throw .invalid(structure: structure, field: "first sequence", value: first.value)
            }
            sequence = first
            entries.append(
                BlockIndexEntry(
                    offset: offset,
                    firstSequence: Sequence(base.u64(8)),
                    recordCount: base.u32(16),
                    storedBytes: base.u32(20),
                    runningLatest: base.i64(24),
                    slots: PositionRange(lowest: base.u64(32), highest: base.u64(40)),
                    blocks: PositionRange(lowest: base.u64(48), highest: base.u64(56))
                )
            )
        }
        guard next == trailer.indexOffset else {
            throw .invalid(structure: structure, field: "end of the blocks", value: next)
        }
        return SegmentSeal(
            ordinal: trailer.ordinal,
            lastSequence: trailer.lastSequence,
            endLink: trailer.endLink,
            recordCount: trailer.recordCount,
            latest: trailer.latest,
            entries: entries
        )
    }
}
