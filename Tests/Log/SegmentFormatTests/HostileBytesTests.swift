import Platform
import RecordModel
import SegmentFormat
import Testing

@Suite struct HostileBytesTests {
    /// A structure, and whether its reader refuses some bytes.
    private struct Reader: Sendable {
        let name: String
        let bytes: [UInt8]
        let read: @Sendable ([UInt8]) -> Bool
    }

    private static let readers = [
        Reader(name: "segment header", bytes: ExpectedBytes.segmentHeader) {
            refuses($0) { _ = try SegmentHeader.decode($0) }
        },
        Reader(name: "manifest header", bytes: ExpectedBytes.manifestHeader) {
            refuses($0) { _ = try ManifestHeader.decode($0) }
        },
        Reader(name: "manifest entry", bytes: ExpectedBytes.created) {
            refuses($0) { _ = try ManifestEntry.decode($0, salt: 0x55) }
        },
        Reader(name: "mark", bytes: ExpectedBytes.markBlock) { refuses($0, readBlock) },
        Reader(name: "block", bytes: ExpectedBytes.dataBlock) { refuses($0, readBlock) },
        Reader(name: "seal", bytes: ExpectedBytes.seal) { refuses($0, readSeal) },
    ]

    private static func refuses(
        _ bytes: [UInt8],
        _ read: (UnsafeRawBufferPointer) throws -> Void
    ) -> Bool {
        do {
            try bytes.withUnsafeBytes(read)
            return false
        } catch { return true }
    }

    private static func readBlock(_ bytes: UnsafeRawBufferPointer) throws {
        let (header, _) = try BlockHeader.decode(bytes, salt: 0x55)
        let stored = UnsafeRawBufferPointer(rebasing: bytes[80...])
        guard stored.count == Int(header.storedBytes) else {
            throw FormatError.notOurs(structure: "")
        }
        try BlockDecoding.verify(stored, header: header, salt: 0x55)
    }

    private static func readSeal(_ bytes: UnsafeRawBufferPointer) throws {
        guard bytes.count >= 80 else { throw FormatError.notOurs(structure: "") }
        let trailer = try SegmentSeal.decodeTrailer(
            UnsafeRawBufferPointer(rebasing: bytes.suffix(80)),
            fileBytes: 372 + UInt64(bytes.count),
            salt: 0x55
        )
        _ = try SegmentSeal.decode(
            index: UnsafeRawBufferPointer(rebasing: bytes.dropLast(80)),
            trailer: trailer,
            salt: 0x55
        )
    }

    @Test func `a change of any byte of any checked structure is refused`() {
        for reader in Self.readers {
            #expect(!reader.read(reader.bytes), "\(reader.name)")
            for index in reader.bytes.indices {
                for bit in 0..<8 {
                    var changed = reader.bytes
                    changed[index] ^= 1 << UInt8(bit)
                    #expect(reader.read(changed), "\(reader.name), byte \(index), bit \(bit)")
                }
            }
        }
    }

    @Test func `every cut is refused`() {
        for reader in Self.readers {
            for count in 0..<reader.bytes.count {
                #expect(reader.read(Array(reader.bytes.prefix(count))), "\(reader.name) \(count)")
            }
        }
    }

    @Test func `random bytes are refused and never trap`() {
        var random = SeededRandom(seed: 11)
        for _ in 0..<20_000 {
            let count = Int(random.next(below: 200))
            var noise = (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            for reader in Self.readers {
                // With the right magic number more of the reader is reached.
                for index in 0..<min(8, count) { noise[index] = reader.bytes[index] }
                #expect(reader.read(noise), "\(reader.name)")
            }
            for index in 0..<min(3, count) { noise[index] = UInt8(random.next(below: 4)) }
            noise.withUnsafeBytes { bytes in
                var offset = 0
                do {
                    while offset < bytes.count {
                        let (_, range) = try RecordCodec.decode(
                            bytes,
                            at: &offset,
                            sequence: .first
                        )
                        #expect(range.upperBound <= bytes.count)
                    }
                } catch { _ = error }
                do { _ = try ContextState(decoding: bytes) } catch { _ = error }
            }
            do {
                _ = try Hole(decoding: noise.span.bytes, header: Sample.markHeader)
            } catch { _ = error }
        }
    }

    @Test func `a record that runs past its block is refused`() throws {
        for length: UInt32 in [3, 40, 0x7FFF_FFFF, 0xFFFF_FFFF] {
            var raw = Array(ExpectedBytes.record.prefix(38))
            withUnsafeBytes(of: length.littleEndian) { raw.replaceSubrange(0..<4, with: $0) }
            #expect(throws: FormatError.self) {
                try raw.withUnsafeBytes { bytes in
                    var offset = 0
                    _ = try RecordCodec.decode(bytes, at: &offset, sequence: .first)
                }
            }
        }
    }

    @Test func `headers with valid checksums and impossible values are refused`() {
        let good = Sample.dataHeader(ExpectedBytes.record)
        #expect(!isRefused(good))
        var header = good
        header.rawBytes = UInt32(FormatLimits.oversizedRawBytesMax) + 1
        header.storedBytes = header.rawBytes
        #expect(isRefused(header))
        header = good
        header.storedBytes += 1
        #expect(isRefused(header))
        header = good
        header.recordCount = 0
        #expect(isRefused(header))
        header = good
        header.recordCount = .max
        #expect(isRefused(header))
        header = good
        header.number = 0
        #expect(isRefused(header))
        header = good
        header.firstSequence = .none
        #expect(isRefused(header))
        header.firstSequence = Sequence(.max - 1)
        #expect(isRefused(header))
        header = Sample.markHeader
        header.recordCount = 1
        #expect(isRefused(header))
        for change: (inout ManifestEntry) -> Void in [
            { $0.ordinal = .max }, { $0.ordinal = 0 }, { $0.writerEpoch = .max },
            { $0.lastSequence = Sequence(.max) }, { $0.supersededFrom = Sequence(.max) },
        ] {
            var entry = Sample.created
            change(&entry)
            let bytes = entry.encoded(salt: 1)
            #expect(Self.refuses(bytes) { _ = try ManifestEntry.decode($0, salt: 1) })
        }
        for change: (inout SegmentHeader) -> Void in [
            { $0.ordinal = .max }, { $0.ordinal = 0 }, { $0.writerEpoch = 0 },
            { $0.firstSequence = .none }, { $0.firstSequence = Sequence(.max) },
        ] {
            var segment = Sample.segmentHeader
            change(&segment)
            #expect(Self.refuses(segment.encoded().bytes) { _ = try SegmentHeader.decode($0) })
        }
    }

    private func isRefused(_ header: BlockHeader) -> Bool {
        var bytes = [UInt8](repeating: 0, count: 80)
        bytes.withUnsafeMutableBytes { _ = header.encode(into: $0, salt: 3) }
        return Self.refuses(bytes) { _ = try BlockHeader.decode($0, salt: 3) }
    }

    @Test func `an index with a valid checksum and impossible entries is refused`() {
        for change: (inout SegmentSeal) -> Void in [
            { $0.entries[1].offset += 1 }, { $0.entries[0].storedBytes = .max },
            { $0.entries[1].firstSequence = Sequence(1000) },
            { $0.entries[1].firstSequence = Sequence(.max) },
            { $0.entries[1].storedBytes -= 1 }, { $0.lastSequence = Sequence(.max) },
            { $0.entries.removeLast() },
        ] {
            var seal = Sample.seal
            change(&seal)
            let bytes = seal.encoded(at: 372, salt: Sample.salt)
            #expect(Self.refuses(bytes, Self.readSeal))
        }
    }

    @Test func `stored bytes that do not decompress to the promised size are refused`() {
        let raw = [UInt8](repeating: 7, count: 5000)
        var target = [UInt8](repeating: 0, count: StoredBlock.room(for: raw.count))
        let stored = raw.withUnsafeBytes { raw in
            target.withUnsafeMutableBytes { StoredBlock(compressing: raw, into: $0) }
        }
        #expect(stored.codec == .lz4)
        var header = Sample.dataHeader(ExpectedBytes.record)
        header.codec = .lz4
        header.storedBytes = UInt32(stored.storedBytes)
        let bytes = Array(target[80..<(80 + stored.storedBytes)])
        for size in [4999, 5000, 5001] {
            header.rawBytes = UInt32(size)
            var out = [UInt8](repeating: 0, count: size)
            let isRefused = Self.refuses(bytes) { stored in
                try out.withUnsafeMutableBytes {
                    try BlockDecoding.restore(stored, header: header, into: $0)
                }
            }
            #expect(isRefused == (size != 5000), "\(size)")
            if size == 5000 { #expect(out == raw) }
        }
    }
}
