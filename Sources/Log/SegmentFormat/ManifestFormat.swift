import BlockCodec
package import RecordModel

/// One statement of the manifest. Layout: Sources/Log/README.md, "Manifest".
package struct ManifestEntry: Equatable, Sendable {
    /// What the entry states.
    package enum Kind: UInt8, Sendable {
        /// The segment's header is durable; blocks may follow.
        case created = 1
        /// The segment is complete, sealed and durable.
        case sealed = 2
        /// All segments up to this ordinal were removed by retention.
        case retiredThrough = 3
        /// The segment is damaged below its durable mark; it stays as it is.
        case quarantined = 4
    }

    /// What is stated, of which segment, by which writer, and where that segment begins.
    package var kind: Kind
    package var ordinal: UInt64
    package var writerEpoch: UInt64
    package var firstSequence: Sequence
    /// Sealed: the last sequence. Quarantined: the last sequence seen. Otherwise none.
    package var lastSequence: Sequence
    /// Sealed: the link of the last block. Otherwise 0.
    package var endLink: UInt64
    /// Sealed: bytes of the file. Otherwise 0.
    package var fileBytes: UInt64
    /// Created: the ordinal that this segment supersedes, or 0.
    package var supersededOrdinal: UInt64
    /// Created: from this sequence on the superseded segment does not count.
    package var supersededFrom: Sequence
    /// Created: the segment's salt, so that its blocks can be read without its header.
    package var salt: UInt64
    /// Created: the link of the segment's header.
    package var headerLink: UInt64

    package init(
        kind: Kind,
        ordinal: UInt64,
        writerEpoch: UInt64,
        firstSequence: Sequence = .none,
        lastSequence: Sequence = .none,
        endLink: UInt64 = 0,
        fileBytes: UInt64 = 0,
        supersededOrdinal: UInt64 = 0,
        supersededFrom: Sequence = .none,
        salt: UInt64 = 0,
        headerLink: UInt64 = 0
    ) {
        self.kind = kind
        self.ordinal = ordinal
        self.writerEpoch = writerEpoch
        self.firstSequence = firstSequence
        self.lastSequence = lastSequence
        self.endLink = endLink
        self.fileBytes = fileBytes
        self.supersededOrdinal = supersededOrdinal
        self.supersededFrom = supersededFrom
        self.salt = salt
        self.headerLink = headerLink
    }

    private static let magic: UInt32 = 0x454D_4454

    /// The entry's bytes.
    package func encoded(salt: UInt64) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: FormatLimits.manifestEntryBytes)
        bytes.withUnsafeMutableBytes { buffer in
            guard let base = buffer.baseAddress else { preconditionFailure("no buffer") }
            base.put(Self.magic, at: 0)
            base.put(kind.rawValue, at: 4)
            base.put(ordinal, at: 8)
            base.put(writerEpoch, at: 16)
            base.put(firstSequence.value, at: 24)
            base.put(lastSequence.value, at: 32)
            base.put(endLink, at: 40)
            base.put(fileBytes, at: 48)
            base.put(supersededOrdinal, at: 56)
            base.put(supersededFrom.value, at: 64)
            base.put(self.salt, at: 72)
            base.put(headerLink, at: 80)
            let covered = UnsafeRawBufferPointer(
                rebasing: UnsafeRawBufferPointer(buffer)[0..<88]
            )
            base.put(BlockCoding.checksum(covered, salt: salt), at: 88)
        }
        return bytes
    }

    /// Reads an entry.
    ///
    /// - Throws: `truncated`, `notOurs`, `checksum` or `invalid`.
    package static func decode(
        _ bytes: UnsafeRawBufferPointer,
        salt: UInt64
    ) throws(FormatError) -> ManifestEntry {
        let structure = "manifest entry"
        guard bytes.count >= FormatLimits.manifestEntryBytes else {
            throw .truncated(
                structure: structure,
                needed: FormatLimits.manifestEntryBytes,
                available: bytes.count
            )
        }
        let base = RawSpan(_unsafeBytes: bytes)
        guard base.u32(0) == magic else { throw .notOurs(structure: structure) }
        let found = base.u64(88)
        let expected = BlockCoding.checksum(
            UnsafeRawBufferPointer(rebasing: bytes[0..<88]),
            salt: salt
        )
        guard found == expected else {
            throw .checksum(structure: structure, expected: expected, found: found)
        }
        guard let kind = Kind(rawValue: base.u8(4)) else {
            throw .invalid(structure: structure, field: "kind", value: UInt64(base.u8(4)))
        }
        // The numbers after these must exist; nobody counts that far.
        guard base.u64(8) > 0, base.u64(8) < .max else {
            throw .invalid(structure: structure, field: "ordinal", value: base.u64(8))
        }
        guard base.u64(16) < .max else {
            throw .invalid(structure: structure, field: "writer epoch", value: base.u64(16))
        }
        guard base.u64(24) < .max, base.u64(32) < .max, base.u64(64) < .max else {
            throw .invalid(structure: structure, field: "sequence", value: .max)
        }
        // Nothing is ever written at sequence 0: a segment that begins there was never made.
        guard kind != .created || base.u64(24) > 0 else {
            throw .invalid(structure: structure, field: "first sequence", value: 0)
        }
        return ManifestEntry(
            kind: kind,
            ordinal: base.u64(8),
            writerEpoch: base.u64(16),
            firstSequence: Sequence(base.u64(24)),
            lastSequence: Sequence(base.u64(32)),
            endLink: base.u64(40),
            fileBytes: base.u64(48),
            supersededOrdinal: base.u64(56),
            supersededFrom: Sequence(base.u64(64)),
            salt: base.u64(72),
            headerLink: base.u64(80)
        )
    }
}

/// The 64 bytes at the start of the manifest.
package struct ManifestHeader: Equatable, Sendable {
    static let magic: [UInt8] = [0x54, 0x44, 0x4D, 0x41, 0x4E, 0x0D, 0x0A, 0x1A]

    /// The recording that the manifest belongs to.
    package var recording: RecordingID
    /// Random; seeds every checksum of the manifest.
    package var salt: UInt64

    package init(recording: RecordingID, salt: UInt64) {
        self.recording = recording
        self.salt = salt
    }

    /// The header's bytes.
    package func encoded() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: FormatLimits.manifestHeaderBytes)
        bytes.withUnsafeMutableBytes { buffer in
            guard let base = buffer.baseAddress else { preconditionFailure("no buffer") }
            buffer.copyBytes(from: Self.magic)
            base.put(FormatLimits.versionMajor, at: 8)
            base.put(FormatLimits.versionMinor, at: 10)
            base.put(UInt32(FormatLimits.manifestHeaderBytes), at: 12)
            base.put(recording.low, at: 16)
            base.put(recording.high, at: 24)
            base.put(salt, at: 32)
            let covered = UnsafeRawBufferPointer(
                rebasing: UnsafeRawBufferPointer(buffer)[0..<56]
            )
            base.put(BlockCoding.checksum(covered, salt: salt), at: 56)
        }
        return bytes
    }

    /// Reads a header.
    ///
    /// - Throws: `notOurs`, `truncated`, `newerVersion`, `checksum` or `invalid`.
    package static func decode(
        _ bytes: UnsafeRawBufferPointer
    ) throws(FormatError) -> ManifestHeader {
        let structure = "manifest"
        guard bytes.count >= magic.count, bytes.prefix(magic.count).elementsEqual(magic) else {
            throw .notOurs(structure: structure)
        }
        guard bytes.count >= FormatLimits.manifestHeaderBytes else {
            throw .truncated(
                structure: structure,
                needed: FormatLimits.manifestHeaderBytes,
                available: bytes.count
            )
        }
        let base = RawSpan(_unsafeBytes: bytes)
        guard base.u16(8) <= FormatLimits.versionMajor else {
            throw .newerVersion(
                structure: structure,
                found: base.u16(8),
                known: FormatLimits.versionMajor
            )
        }
        let salt = base.u64(32)
        let found = base.u64(56)
        let expected = BlockCoding.checksum(
            UnsafeRawBufferPointer(rebasing: bytes[0..<56]),
            salt: salt
        )
        guard found == expected else {
            throw .checksum(structure: structure, expected: expected, found: found)
        }
        guard base.u16(8) > 0 else {
            throw .invalid(structure: structure, field: "version", value: 0)
        }
        guard base.u32(12) == UInt32(FormatLimits.manifestHeaderBytes) else {
            throw .invalid(
                structure: structure,
                field: "header bytes",
                value: UInt64(base.u32(12))
            )
        }
        return ManifestHeader(
            recording: RecordingID(high: base.u64(24), low: base.u64(16)),
            salt: salt
        )
    }
}
