import BlockCodec
package import RecordModel

/// What a block is for.
package enum BlockKind: UInt8, Sendable {
    /// Records.
    case data = 1
    /// Copies of the events that are in force where a segment begins; takes no sequences.
    case context = 2
    /// Nothing but a newer durable mark; takes no sequences.
    case mark = 3
    /// A statement that a range of sequences is missing, and why.
    case hole = 4
}

/// How the bytes of a block are stored.
package enum StoredCodec: UInt8, Sendable {
    /// As they are.
    case raw = 1
    /// One LZ4 block.
    case lz4 = 2
}

/// The 80 bytes before the stored bytes of a block. Layout: Sources/Log/README.md, "Block".
package struct BlockHeader: Equatable, Sendable {
    /// "TBLK".
    package static let magic: UInt32 = 0x4B4C_4254

    /// What the block holds, how, and its sizes before and after compression.
    package var kind: BlockKind
    package var codec: StoredCodec
    package var storedBytes: UInt32
    package var rawBytes: UInt32
    package var recordCount: UInt32
    /// The block's number in its segment, from 1.
    package var number: UInt32
    /// Sequence of the first record; for a context or mark the sequence that comes next.
    package var firstSequence: Sequence
    /// Smallest wall-clock time of its records; 0 without records.
    package var earliest: Int64
    /// Largest wall-clock time of its records; 0 without records.
    package var latest: Int64
    /// What was durable when the block was written: everything up to this sequence.
    package var durableMark: Sequence
    /// The link of the block before, or of the segment header.
    package var previousLink: UInt64
    /// Salted checksum of the stored bytes.
    package var payloadChecksum: UInt64

    package init(
        kind: BlockKind,
        codec: StoredCodec,
        storedBytes: UInt32,
        rawBytes: UInt32,
        recordCount: UInt32,
        number: UInt32,
        firstSequence: Sequence,
        earliest: Int64,
        latest: Int64,
        durableMark: Sequence,
        previousLink: UInt64,
        payloadChecksum: UInt64
    ) {
        self.kind = kind
        self.codec = codec
        self.storedBytes = storedBytes
        self.rawBytes = rawBytes
        self.recordCount = recordCount
        self.number = number
        self.firstSequence = firstSequence
        self.earliest = earliest
        self.latest = latest
        self.durableMark = durableMark
        self.previousLink = previousLink
        self.payloadChecksum = payloadChecksum
    }

    /// The last sequence of its records; the one before `firstSequence` when it has none.
    package var lastSequence: Sequence {
        Sequence(firstSequence.value &+ sequenceCount &- 1)
    }

    /// Sequences that the block takes by records.
    package var sequenceCount: UInt64 { kind == .data ? UInt64(recordCount) : 0 }

    /// Writes the header; the result is the block's link.
    ///
    /// - Parameters:
    ///   - target: at least 80 bytes.
    ///   - salt: the segment's salt.
    /// - Returns: the header checksum, which is the link that the next block carries.
    @discardableResult
    package func encode(into target: UnsafeMutableRawBufferPointer, salt: UInt64) -> UInt64 {
        guard let base = target.baseAddress, target.count >= FormatLimits.blockHeaderBytes else {
            preconditionFailure("no room for a block header")
        }
        base.put(Self.magic, at: 0)
        base.put(kind.rawValue, at: 4)
        base.put(codec.rawValue, at: 5)
        base.put(UInt16(FormatLimits.blockHeaderBytes), at: 6)
        base.put(storedBytes, at: 8)
        base.put(rawBytes, at: 12)
        base.put(recordCount, at: 16)
        base.put(number, at: 20)
        base.put(firstSequence.value, at: 24)
        base.put(earliest, at: 32)
        base.put(latest, at: 40)
        base.put(durableMark.value, at: 48)
        base.put(previousLink, at: 56)
        base.put(payloadChecksum, at: 64)
        let link = BlockCoding.checksum(
            UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(target)[0..<72]),
            salt: salt
        )
        base.put(link, at: 72)
        return link
    }

    /// Reads a header and checks everything that can be checked without the stored bytes.
    ///
    /// - Parameters:
    ///   - bytes: the bytes from the header's start on.
    ///   - salt: the segment's salt.
    /// - Returns: the header and its link.
    /// - Throws: `notOurs`, `truncated`, `checksum` or `invalid`.
    package static func decode(
        _ bytes: UnsafeRawBufferPointer,
        salt: UInt64
    ) throws(FormatError) -> (header: BlockHeader, link: UInt64) {
        let structure = "block header"
        guard bytes.count >= FormatLimits.blockHeaderBytes else {
            throw .truncated(
                structure: structure,
                needed: FormatLimits.blockHeaderBytes,
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
        guard expected == found else {
            throw .checksum(structure: structure, expected: expected, found: found)
        }
        guard base.u16(6) == UInt16(FormatLimits.blockHeaderBytes) else {
            throw .invalid(structure: structure, field: "header bytes", value: UInt64(base.u16(6)))
        }
        guard let kind = BlockKind(rawValue: base.u8(4)) else {
            throw .invalid(structure: structure, field: "kind", value: UInt64(base.u8(4)))
        }
        guard let codec = StoredCodec(rawValue: base.u8(5)) else {
            throw .invalid(structure: structure, field: "codec", value: UInt64(base.u8(5)))
        }
        let header = BlockHeader(
            kind: kind,
            codec: codec,
            storedBytes: base.u32(8),
            rawBytes: base.u32(12),
            recordCount: base.u32(16),
            number: base.u32(20),
            firstSequence: Sequence(base.u64(24)),
            earliest: base.i64(32),
            latest: base.i64(40),
            durableMark: Sequence(base.u64(48)),
            previousLink: base.u64(56),
            payloadChecksum: base.u64(64)
        )
        try header.checkRanges()
        return (header, found)
    }

    private func checkRanges() throws(FormatError) {
        #if PLANTED_MISTAKES
        if PlantedMistake.isActive(.believesLengths) { return }
        #endif
        let structure = "block header"
        guard rawBytes <= UInt32(FormatLimits.oversizedRawBytesMax) else {
            throw .invalid(structure: structure, field: "raw bytes", value: UInt64(rawBytes))
        }
        // LZ4 is used only where it saves something, so stored never exceeds raw.
        guard storedBytes <= rawBytes, codec == .lz4 || storedBytes == rawBytes else {
            throw .invalid(structure: structure, field: "stored bytes", value: UInt64(storedBytes))
        }
        let recordBytes = UInt64(recordCount) * UInt64(FormatLimits.recordHeaderBytes)
        guard recordBytes <= UInt64(rawBytes),
            (kind == .data) == (recordCount > 0)
                || kind == .context
        else {
            throw .invalid(structure: structure, field: "record count", value: UInt64(recordCount))
        }
        guard number > 0 else { throw .invalid(structure: structure, field: "number", value: 0) }
        let (_, overflow) = firstSequence.value.addingReportingOverflow(UInt64(recordCount))
        guard firstSequence > .none, !overflow else {
            throw .invalid(
                structure: structure,
                field: "first sequence",
                value: firstSequence.value
            )
        }
        guard kind != .mark || rawBytes == 0 else {
            throw .invalid(structure: structure, field: "raw bytes", value: UInt64(rawBytes))
        }
        // The sequence after it must exist; nobody counts that far.
        guard durableMark.value < .max else {
            throw .invalid(structure: structure, field: "durable mark", value: .max)
        }
    }
}

extension BlockHeader {
    /// The checksum that the header of these stored bytes carries.
    @inline(__always)
    package static func payloadChecksum(
        _ stored: UnsafeRawBufferPointer,
        salt: UInt64
    ) -> UInt64 {
        BlockCoding.checksum(stored, salt: salt)
    }
}
