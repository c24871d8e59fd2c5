import BlockCodec
package import RecordModel

/// The 128 bytes at the start of every segment. Layout: Sources/Log/README.md, "Segment header".
package struct SegmentHeader: Equatable, Sendable {
    /// "TDSEGv" and two bytes that show a text-mode transfer.
    static let magic: [UInt8] = [0x54, 0x44, 0x53, 0x45, 0x47, 0x0D, 0x0A, 0x1A]

    /// The recording that the segment belongs to (16 bytes).
    package var recording: RecordingID
    /// The segment's number, from 1; numbers rise, and one may be left out.
    package var ordinal: UInt64
    /// The run that wrote it; rises with every opening for write.
    package var writerEpoch: UInt64
    /// The first sequence that the segment may hold.
    package var firstSequence: Sequence
    /// Random; seeds every checksum of the segment.
    package var salt: UInt64
    /// The end link of the segment before, or 0 in the first one and after a supersession.
    package var previousLink: UInt64
    /// Wall-clock nanoseconds at creation.
    package var createdAt: Int64
    /// The ordinal of the segment that this one supersedes, or 0.
    package var supersededOrdinal: UInt64
    /// From this sequence on the superseded segment does not count; 0 without supersession.
    package var supersededFrom: Sequence

    package init(
        recording: RecordingID,
        ordinal: UInt64,
        writerEpoch: UInt64,
        firstSequence: Sequence,
        salt: UInt64,
        previousLink: UInt64,
        createdAt: Int64,
        supersededOrdinal: UInt64 = 0,
        supersededFrom: Sequence = .none
    ) {
        self.recording = recording
        self.ordinal = ordinal
        self.writerEpoch = writerEpoch
        self.firstSequence = firstSequence
        self.salt = salt
        self.previousLink = previousLink
        self.createdAt = createdAt
        self.supersededOrdinal = supersededOrdinal
        self.supersededFrom = supersededFrom
    }

    /// The header's bytes, and the link that the first block continues.
    package func encoded() -> (bytes: [UInt8], link: UInt64) {
        var bytes = [UInt8](repeating: 0, count: FormatLimits.segmentHeaderBytes)
        let link = bytes.withUnsafeMutableBytes { buffer -> UInt64 in
            guard let base = buffer.baseAddress else { preconditionFailure("no buffer") }
            buffer.copyBytes(from: Self.magic)
            base.put(FormatLimits.versionMajor, at: 8)
            base.put(FormatLimits.versionMinor, at: 10)
            base.put(UInt32(FormatLimits.segmentHeaderBytes), at: 12)
            base.put(recording.low, at: 16)
            base.put(recording.high, at: 24)
            base.put(ordinal, at: 32)
            base.put(writerEpoch, at: 40)
            base.put(firstSequence.value, at: 48)
            base.put(salt, at: 56)
            base.put(previousLink, at: 64)
            base.put(createdAt, at: 72)
            base.put(supersededOrdinal, at: 80)
            base.put(supersededFrom.value, at: 88)
            let checksum = BlockCoding.checksum(
                UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[0..<120]),
                salt: salt
            )
            base.put(checksum, at: 120)
            return checksum
        }
        return (bytes, link)
    }

    /// Reads a header.
    ///
    /// - Parameter bytes: the first bytes of a segment.
    /// - Returns: the header and the link that the first block continues.
    /// - Throws: `notOurs`, then `newerVersion`, then `truncated`, `checksum` or `invalid`.
    package static func decode(
        _ bytes: UnsafeRawBufferPointer
    ) throws(FormatError) -> (header: SegmentHeader, link: UInt64) {
        let structure = "segment header"
        guard bytes.count >= magic.count else {
            throw .truncated(
                structure: structure,
                needed: FormatLimits.segmentHeaderBytes,
                available: bytes.count
            )
        }
        guard bytes.prefix(magic.count).elementsEqual(magic) else {
            throw .notOurs(structure: structure)
        }
        guard bytes.count >= FormatLimits.segmentHeaderBytes else {
            throw .truncated(
                structure: structure,
                needed: FormatLimits.segmentHeaderBytes,
                available: bytes.count
            )
        }
        let base = RawSpan(_unsafeBytes: bytes)
        let found = base.u64(120)
        let salt = base.u64(56)
        let expected = BlockCoding.checksum(
            UnsafeRawBufferPointer(rebasing: bytes[0..<120]),
            salt: salt
        )
        let major = base.u16(8)
        // A newer major version may have moved the checksum, so the version speaks first.
        guard major <= FormatLimits.versionMajor else {
            throw .newerVersion(
                structure: structure,
                found: major,
                known: FormatLimits.versionMajor
            )
        }
        guard expected == found else {
            throw .checksum(structure: structure, expected: expected, found: found)
        }
        guard major > 0 else {
            throw .invalid(structure: structure, field: "version", value: UInt64(major))
        }
        guard base.u32(12) == UInt32(FormatLimits.segmentHeaderBytes) else {
            throw .invalid(
                structure: structure,
                field: "header bytes",
                value: UInt64(base.u32(12))
            )
        }
        let header = SegmentHeader(
            recording: RecordingID(high: base.u64(24), low: base.u64(16)),
            ordinal: base.u64(32),
            writerEpoch: base.u64(40),
            firstSequence: Sequence(base.u64(48)),
            salt: salt,
            previousLink: base.u64(64),
            createdAt: base.i64(72),
            supersededOrdinal: base.u64(80),
            supersededFrom: Sequence(base.u64(88))
        )
        try header.checkRanges()
        return (header, found)
    }

    /// The numbers after these must exist; nobody counts that far.
    private func checkRanges() throws(FormatError) {
        let structure = "segment header"
        guard ordinal > 0, ordinal < .max else {
            throw .invalid(structure: structure, field: "ordinal", value: ordinal)
        }
        guard writerEpoch > 0, writerEpoch < .max else {
            throw .invalid(structure: structure, field: "writer epoch", value: writerEpoch)
        }
        guard firstSequence > .none, firstSequence.value < .max, supersededFrom.value < .max else {
            throw .invalid(
                structure: structure,
                field: "first sequence",
                value: firstSequence.value
            )
        }
    }
}
