import RecordModel
import SegmentFormat
import Testing

/// The structures that `ExpectedBytes` holds.
enum Sample {
    static let recording = RecordingID(high: 0x0123_4567_89AB_4DEF, low: 0x8123_4567_89AB_CDEF)
    static let salt: UInt64 = 0x55

    static let segmentHeader = SegmentHeader(
        recording: recording,
        ordinal: 3,
        writerEpoch: 7,
        firstSequence: Sequence(1001),
        salt: 0x1122_3344_5566_7788,
        previousLink: 0xAABB_CCDD_EEFF_0011,
        createdAt: 1_700_000_000_123_456_789,
        supersededOrdinal: 2,
        supersededFrom: Sequence(1001)
    )

    static let frame = RecordEnvelope(
        sequence: Sequence(1001),
        kind: .webSocketFrameIn,
        flags: .masked,
        wireByte: 0x81,
        maskKey: 0xDDCC_BBAA,
        stream: Sequence(5),
        receivedAt: -2,
        monotonic: 99
    )
    static let note = RecordEnvelope(
        sequence: Sequence(1002),
        kind: .note,
        receivedAt: 1_700_000_000_000_000_000,
        monotonic: 100
    )

    static func dataHeader(_ raw: [UInt8]) -> BlockHeader {
        BlockHeader(
            kind: .data,
            codec: .raw,
            storedBytes: UInt32(raw.count),
            rawBytes: UInt32(raw.count),
            recordCount: 2,
            number: 2,
            firstSequence: Sequence(1001),
            earliest: -2,
            latest: 1_700_000_000_000_000_000,
            durableMark: Sequence(990),
            previousLink: 0xFEED,
            payloadChecksum: raw.withUnsafeBytes { BlockHeader.payloadChecksum($0, salt: salt) }
        )
    }

    static let markHeader = BlockHeader(
        kind: .mark,
        codec: .raw,
        storedBytes: 0,
        rawBytes: 0,
        recordCount: 0,
        number: 9,
        firstSequence: Sequence(1003),
        earliest: 0,
        latest: 0,
        durableMark: Sequence(1002),
        previousLink: 0xBEEF,
        payloadChecksum: BlockHeader.payloadChecksum(
            UnsafeRawBufferPointer(start: nil, count: 0),
            salt: salt
        )
    )

    static let hole = Hole(from: Sequence(1003), count: 8, cause: "disk full")

    static var seal: SegmentSeal {
        var slots = PositionRange()
        slots.insert(305)
        slots.insert(300)
        return SegmentSeal(
            ordinal: 3,
            lastSequence: Sequence(1002),
            endLink: 0xCAFE,
            recordCount: 2,
            latest: 1_700_000_000_000_000_000,
            entries: [
                BlockIndexEntry(
                    offset: 128,
                    firstSequence: Sequence(1001),
                    recordCount: 0,
                    storedBytes: 10,
                    runningLatest: .min,
                    slots: PositionRange(),
                    blocks: PositionRange()
                ),
                BlockIndexEntry(
                    offset: 218,
                    firstSequence: Sequence(1001),
                    recordCount: 2,
                    storedBytes: 74,
                    runningLatest: 1_700_000_000_000_000_000,
                    slots: slots,
                    blocks: PositionRange()
                ),
            ]
        )
    }

    static let created = ManifestEntry(
        kind: .created,
        ordinal: 4,
        writerEpoch: 7,
        firstSequence: Sequence(1003),
        supersededOrdinal: 3,
        supersededFrom: Sequence(1003),
        salt: 0x77,
        headerLink: 0x88
    )
    static let sealed = ManifestEntry(
        kind: .sealed,
        ordinal: 3,
        writerEpoch: 7,
        firstSequence: Sequence(1001),
        lastSequence: Sequence(1002),
        endLink: 0xCAFE,
        fileBytes: 580
    )

    /// A context of an open gap and an open stream.
    static var context: ContextState {
        var cause = EventFields()
        cause.add(.cause, "lost")
        var context = ContextState()
        context.apply(.gapOpened, 4, fields: cause, receivedAt: 10)
        context.apply(.streamOpened, 5, receivedAt: 12)
        return context
    }
}

extension ContextState {
    mutating func apply(
        _ kind: RecordKind,
        _ sequence: UInt64,
        stream: UInt64 = 0,
        fields: EventFields = EventFields(),
        receivedAt: Int64 = 0
    ) {
        apply(
            RecordEnvelope(
                sequence: Sequence(sequence),
                kind: kind,
                stream: Sequence(stream),
                receivedAt: receivedAt,
                monotonic: UInt64(receivedAt + 1)
            ),
            payload: fields.encoded.span.bytes
        )
    }
}

@Suite struct LayoutTests {
    @Test func `a segment header has the bytes of the format page`() throws {
        let (bytes, link) = Sample.segmentHeader.encoded()
        #expect(bytes == ExpectedBytes.segmentHeader)
        let (header, found) = try bytes.withUnsafeBytes { try SegmentHeader.decode($0) }
        #expect(header == Sample.segmentHeader)
        #expect(found == link)
    }

    @Test func `records have the bytes of the format page`() throws {
        var raw = [UInt8](repeating: 0xEE, count: ExpectedBytes.record.count)
        raw.withUnsafeMutableBytes { target in
            guard let base = target.baseAddress else { return }
            let payload: [UInt8] = [0x68, 0x69]
            payload.withUnsafeBytes { RecordCodec.encode(Sample.frame, payload: $0, into: base) }
            RecordCodec.encode(
                Sample.note,
                payload: UnsafeRawBufferPointer(start: nil, count: 0),
                into: base + 38
            )
        }
        #expect(raw == ExpectedBytes.record)
        try raw.withUnsafeBytes { bytes in
            var offset = 0
            let first = try RecordCodec.decode(bytes, at: &offset, sequence: Sequence(1001))
            #expect(first.envelope == Sample.frame)
            #expect(first.payload == 36..<38)
            let second = try RecordCodec.decode(bytes, at: &offset, sequence: Sequence(1002))
            #expect(second.envelope == Sample.note)
            #expect(second.payload.isEmpty)
            #expect(offset == bytes.count)
        }
    }

    @Test func `blocks have the bytes of the format page`() throws {
        let raw = ExpectedBytes.record
        var data = [UInt8](repeating: 0, count: 80) + raw
        let header = Sample.dataHeader(raw)
        data.withUnsafeMutableBytes { _ = header.encode(into: $0, salt: Sample.salt) }
        #expect(data == ExpectedBytes.dataBlock)
        var mark = [UInt8](repeating: 0, count: 80)
        mark.withUnsafeMutableBytes { _ = Sample.markHeader.encode(into: $0, salt: Sample.salt) }
        #expect(mark == ExpectedBytes.markBlock)
        let found = try data.withUnsafeBytes { try BlockHeader.decode($0, salt: Sample.salt) }
        #expect(found.header == header)
        #expect(found.header.lastSequence == Sequence(1002))
        let foundMark = try mark.withUnsafeBytes { try BlockHeader.decode($0, salt: Sample.salt) }
        #expect(foundMark.header == Sample.markHeader)
        #expect(foundMark.header.lastSequence == Sequence(1002))
    }

    @Test func `a hole has the bytes of the format page`() throws {
        #expect(Sample.hole.encoded() == ExpectedBytes.hole)
        var header = Sample.markHeader
        header.kind = .hole
        let bytes = ExpectedBytes.hole
        let read = try Hole(decoding: bytes.span.bytes, header: header)
        #expect(read == Sample.hole)
        header.firstSequence = Sequence(1004)
        var isRefused = false
        do {
            _ = try Hole(decoding: bytes.span.bytes, header: header)
        } catch { isRefused = true }
        #expect(isRefused)
    }

    @Test func `a context has the bytes of the format page`() throws {
        #expect(Sample.context.encoded() == ExpectedBytes.context)
        #expect(Sample.context.byteCount == ExpectedBytes.context.count)
        let read = try ExpectedBytes.context.withUnsafeBytes { try ContextState(decoding: $0) }
        #expect(read == Sample.context)
    }

    @Test func `index and trailer have the bytes of the format page`() throws {
        let bytes = Sample.seal.encoded(at: 372, salt: Sample.salt)
        #expect(bytes == ExpectedBytes.seal)
        let trailer = try Array(bytes.suffix(80)).withUnsafeBytes {
            try SegmentSeal.decodeTrailer($0, fileBytes: 580, salt: Sample.salt)
        }
        #expect(trailer.indexOffset == 372)
        let seal = try Array(bytes.dropLast(80)).withUnsafeBytes {
            try SegmentSeal.decode(index: $0, trailer: trailer, salt: Sample.salt)
        }
        #expect(seal == Sample.seal)
    }

    @Test func `the manifest has the bytes of the format page`() throws {
        let header = ManifestHeader(recording: Sample.recording, salt: Sample.salt)
        #expect(header.encoded() == ExpectedBytes.manifestHeader)
        #expect(Sample.created.encoded(salt: Sample.salt) == ExpectedBytes.created)
        #expect(Sample.sealed.encoded(salt: Sample.salt) == ExpectedBytes.sealed)
        let read = try ExpectedBytes.manifestHeader.withUnsafeBytes {
            try ManifestHeader.decode($0)
        }
        #expect(read == header)
        for (entry, bytes) in [
            (Sample.created, ExpectedBytes.created), (Sample.sealed, ExpectedBytes.sealed),
        ] {
            let found = try bytes.withUnsafeBytes {
                try ManifestEntry.decode($0, salt: Sample.salt)
            }
            #expect(found == entry)
        }
    }

    @Test func `a recording is named by a UUID of version 4`() {
        let text = "01234567-89ab-4def-8123-456789abcdef"
        #expect(Sample.recording.description == text)
        #expect(RecordingID(text) == Sample.recording)
        for wrong in [
            "", text.uppercased(), text + "0", String(text.dropLast()),
            "0123456789ab-4def-8123-456789abcdef-", "0123456-789ab-4def-8123-456789abcdef",
            "g1234567-89ab-4def-8123-456789abcdef", "é1234567-89ab-4def-8123-456789abcde",
        ] {
            #expect(RecordingID(wrong) == nil, "\(wrong)")
        }
        let random = RecordingID(randomHigh: .max, randomLow: .max)
        #expect(random.description == "ffffffff-ffff-4fff-bfff-ffffffffffff")
        #expect(RecordingID("\(RecordingID(high: 0, low: 1))") == RecordingID(high: 0, low: 1))
    }

    @Test func `the limits fit each other`() {
        #expect(FormatLimits.blockRawBytesMax < 65_547)
        #expect(FormatLimits.oversizedRawBytesMax <= Int(UInt32.max))
        #expect(FormatLimits.contextBytesMax <= FormatLimits.oversizedRawBytesMax)
        #expect(FormatLimits.storedBytesMax >= FormatLimits.oversizedRawBytesMax)
        #expect(FormatLimits.blocksPerSegmentMax * FormatLimits.indexEntryBytes <= 256 << 20)
        #expect(FormatLimits.blocksPerSegmentMax <= Int(UInt32.max))
    }
}
