import BlockCodec
package import RecordModel

/// A finished block in memory: 80 bytes of room for the header, then the stored bytes.
///
/// Compressing needs no knowledge of the block's neighbours, so several threads may do it;
/// `BlockHeader.encode` follows when the block's turn to be written has come.
package struct StoredBlock {
    package let codec: StoredCodec
    package let storedBytes: Int

    /// Compresses a raw block behind the room for its header, or copies it when that is no larger.
    ///
    /// - Parameters:
    ///   - raw: the raw block.
    ///   - target: room for the header and for LZ4's bound of `raw.count`.
    ///   - acceleration: as for `BlockCoding.compress`; a reader need not know it.
    package init(
        compressing raw: UnsafeRawBufferPointer,
        into target: UnsafeMutableRawBufferPointer,
        acceleration: Int32 = 1
    ) {
        let room = UnsafeMutableRawBufferPointer(
            rebasing: target[FormatLimits.blockHeaderBytes...]
        )
        if let count = BlockCoding.compress(raw, into: room, acceleration: acceleration),
            count < raw.count
        {
            codec = .lz4
            storedBytes = count
        } else {
            precondition(room.count >= raw.count, "no room for a raw block")
            if raw.count > 0 { room.copyMemory(from: raw) }
            codec = .raw
            storedBytes = raw.count
        }
    }

    /// Bytes of room that a block of `rawBytes` needs, header included.
    package static func room(for rawBytes: Int) -> Int {
        FormatLimits.blockHeaderBytes + BlockCoding.compressBound(rawBytes)
    }
}

/// Turns the stored bytes of a block back into the raw block.
package enum BlockDecoding {
    /// Verifies the stored bytes against the header.
    ///
    /// - Throws: `checksum` when they are not what was written.
    @inline(__always)
    package static func verify(
        _ stored: UnsafeRawBufferPointer,
        header: BlockHeader,
        salt: UInt64
    ) throws(FormatError) {
        let found = BlockCoding.checksum(stored, salt: salt)
        guard found == header.payloadChecksum else {
            throw .checksum(
                structure: "block",
                expected: header.payloadChecksum,
                found: found
            )
        }
    }

    /// Fills `target` with the raw block.
    ///
    /// - Parameters:
    ///   - stored: verified stored bytes, `header.storedBytes` of them.
    ///   - header: the block's header.
    ///   - target: exactly `header.rawBytes` bytes.
    /// - Throws: `decompression` when the bytes do not give that size.
    @inline(__always)
    package static func restore(
        _ stored: UnsafeRawBufferPointer,
        header: BlockHeader,
        into target: UnsafeMutableRawBufferPointer
    ) throws(FormatError) {
        switch header.codec {
        case .raw:
            guard stored.count == target.count else {
                throw .decompression(rawBytes: target.count)
            }
            if stored.count > 0 { target.copyMemory(from: stored) }
        case .lz4:
            guard BlockCoding.decompress(stored, into: target) else {
                throw .decompression(rawBytes: target.count)
            }
        }
    }
}

/// A statement that a range of sequences is missing: the content of a hole block.
package struct Hole: Hashable, Sendable {
    /// The first sequence that is missing.
    package var from: Sequence
    /// How many are missing; at least 1.
    package var count: UInt64
    /// Why, in a word or a sentence.
    package var cause: String

    package init(from: Sequence, count: UInt64, cause: String) {
        self.from = from
        self.count = count
        self.cause = cause
    }

    /// The last sequence that is missing.
    package var last: Sequence { Sequence(from.value &+ count &- 1) }

    /// The raw bytes of the hole's block.
    package func encoded() -> [UInt8] {
        var fields = EventFields()
        fields.add(.fromSequence, from.value)
        fields.add(.toSequence, last.value)
        fields.add(.cause, cause)
        return fields.encoded
    }

    /// Reads the raw bytes of a hole's block.
    ///
    /// - Throws: `invalid` when the range is missing, empty or not the header's.
    package init(decoding raw: RawSpan, header: BlockHeader) throws(FormatError) {
        let fields: EventFields
        do { fields = try EventFields(decoding: raw) } catch {
            throw .invalid(structure: "hole", field: "fields", value: UInt64(raw.byteCount))
        }
        guard let from = fields.unsigned(.fromSequence), from == header.firstSequence.value else {
            throw .invalid(structure: "hole", field: "from", value: header.firstSequence.value)
        }
        guard let last = fields.unsigned(.toSequence), last >= from, last < UInt64.max else {
            throw .invalid(structure: "hole", field: "to", value: from)
        }
        self.from = Sequence(from)
        count = last - from + 1
        guard let cause = fields.text(.cause) else {
            throw .invalid(structure: "hole", field: "cause", value: 0)
        }
        self.cause = cause
    }
}
