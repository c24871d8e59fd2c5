import BlockCodec
import Platform
import RecordModel
import SegmentFormat
import SegmentLog
import Testing

@testable import Command

/// Records of every sort, with what only an envelope tells, in several segments.
private func makeStrange(_ folder: TemporaryFolder) throws {
    try makeRecording(folder.recording, rotateBytes: 2_000) { writer in
        var fields = EventFields()
        fields.add(.source, "ma\"in/ä")
        fields.add(.transport, "websocket")
        _ = try writer.append(event: .sourceDeclared, fields: fields)
        let stream = try writer.append(event: .streamOpened, fields: fields).sequence
        let times: [Int64] = [5, -7, .max, .min, 0]
        for number in 0..<20 {
            var envelope = frame(
                number % 3 == 0 ? .grpcMessageIn : .webSocketFrameOut,
                stream: number == 11 ? 77 : stream.value,
                at: times[number % 5],
                wireByte: UInt8(number * 13 % 256)
            )
            envelope.monotonic = UInt64.max - UInt64(number)
            if number % 4 == 0 {
                envelope.flags = [.masked, .timeSynthetic, .containsSecret]
                envelope.maskKey = 0xDEAD_BEEF
            }
            if number == 7 { envelope.kind = RecordKind(rawValue: 9) }
            if number == 8 { envelope.kind = RecordKind(rawValue: 200) }
            if number == 9 { envelope.kind = .note }
            let payload = (0..<(number * 40)).map { UInt8(truncatingIfNeeded: $0 &* number) }
            _ = try writer.append(envelope, payload: payload.span.bytes)
            if number % 4 == 3 { try writer.flush() }
        }
    }
}

private func export(_ folder: TemporaryFolder, _ words: String...) -> ExitCode {
    go(["export", folder.recording, "--format", "mcap", "-o", folder.root + "/x.mcap"] + words)
}

private func restore(_ folder: TemporaryFolder) -> ExitCode {
    go(["import", folder.root + "/x.mcap", "-o", folder.root + "/back", "--force"])
}

@Suite struct McapRoundTripTests {
    @Test func `every record comes back as it was`() throws {
        let folder = try TemporaryFolder()
        try makeStrange(folder)
        #expect(export(folder) == .ok)
        #expect(restore(folder) == .ok)
        let before = try list(folder.recording)
        let after = try list(folder.root + "/back")
        #expect(before.lines.count > 20)
        #expect(after.lines == before.lines)
        #expect(after.reports.isEmpty)
        #expect(go(["verify", folder.root + "/back"]) == .ok)
        // What the lines do not show: mask keys and unused bits, record by record.
        let ones = try RecordCursor(
            RecordingReader(path: folder.recording, disk: LinuxFileSystem())
        )
        let others = try RecordCursor(
            RecordingReader(path: folder.root + "/back", disk: LinuxFileSystem())
        )
        while case .record = try ones.next() {
            guard case .record = try others.next() else {
                Issue.record("record \(ones.envelope.sequence) is missing")
                return
            }
            #expect(ones.envelope == others.envelope)
            #expect(ones.payloadBytes == others.payloadBytes)
        }
    }

    @Test func `a part comes back with its sequences and what was in force`() throws {
        let folder = try TemporaryFolder()
        try makeStrange(folder)
        #expect(export(folder, "--from", "seq:9", "--to", "seq:15") == .ok)
        #expect(restore(folder) == .ok)
        let after = try list(folder.root + "/back")
        // Sources are known by the context, as they were.
        #expect(after.lines == Array(try list(folder.recording).lines[8..<15]))
        #expect(go(["verify", folder.root + "/back"]) == .ok)
    }

    @Test func `holes and losses stay where they were`() throws {
        let folder = try TemporaryFolder()
        var options = LogOptions()
        options.toolVersion = "test"
        let writer = try SequencedWriter(
            path: folder.recording,
            disk: LinuxFileSystem(),
            clock: ImportClock(startingAt: 0),
            random: SeededRandom(seed: 1),
            options: options,
            start: .init(first: Sequence(100))
        )
        for number in 0..<3 {
            var envelope = frame(at: Int64(number))
            envelope.sequence = writer.next
            try [UInt8(number)].withUnsafeBytes { try writer.append(envelope, payload: $0) }
            try writer.append(Hole(from: writer.next, count: 5, cause: "lost \(number)"))
        }
        try writer.close()
        #expect(export(folder) == .ok)
        #expect(restore(folder) == .ok)
        #expect(try list(folder.root + "/back").lines == list(folder.recording).lines)
        #expect(try list(folder.root + "/back").lines.count == 6)
    }

    @Test(arguments: [true, false])
    func `a damaged recording is exported with its loss`(atEnd: Bool) throws {
        let folder = try TemporaryFolder()
        try makeStrange(folder)
        let reader = try RecordingReader(path: folder.recording, disk: LinuxFileSystem())
        #expect(reader.segments.count > 2)
        let segment = try #require(atEnd ? reader.segments.last : reader.segments.dropFirst().first)
        let name = "deck/segments/" + (segment.path.split(separator: "/").last ?? "")
        var bytes = try folder.read(name)
        bytes[bytes.count / 2] ^= 0xFF
        _ = try folder.write(bytes, as: name)
        #expect(export(folder) == .findings)
        #expect(restore(folder) == .ok)
        let before = try list(folder.recording)
        let after = try list(folder.root + "/back")
        let isRecord = { (line: String) in line.hasPrefix("{\"sequence\"") }
        #expect(after.lines.filter(isRecord) == before.lines.filter(isRecord))
        let range = try RecordingReader(path: folder.root + "/back", disk: LinuxFileSystem())
            .sequenceRange()
        #expect(range?.last == (try reader.sequenceRange()?.last))
        let others = after.lines.filter { !isRecord($0) }
        #expect(
            others.contains { $0.contains("\"cause\":\"damage: ") },
            "\(others) for \(before.lines.filter { !isRecord($0) })"
        )
    }

    @Test func `an existing file stays unless forced, and text formats are those of cat`() throws {
        let folder = try TemporaryFolder()
        try makeStrange(folder)
        #expect(export(folder) == .ok)
        #expect(export(folder) == .failed)
        #expect(export(folder, "--force") == .ok)
        for format in ["ndjson", "csv"] {
            let file = folder.root + "/x." + format
            #expect(go(["export", folder.recording, "--format", format, "-o", file]) == .ok)
            let printed = try list(folder.recording, format == "csv" ? .csv : .ndjson)
            #expect(try folder.read("x." + format) == Array(printed.text.utf8))
        }
        #expect(try folder.names == ["deck", "x.csv", "x.mcap", "x.ndjson"])
    }
}

@Suite struct McapRefusalTests {
    private func small(_ folder: TemporaryFolder) throws -> [UInt8] {
        try makeRecording(folder.recording) { writer in
            _ = try writer.append(frame(at: 1), payload: slotUpdate(1).span.bytes)
        }
        #expect(export(folder) == .ok)
        return try folder.read("x.mcap")
    }

    /// What `import` says of a file; nil when it made a recording.
    private func fault(_ bytes: [UInt8], _ folder: TemporaryFolder) throws -> String? {
        let path = try folder.write(bytes, as: "y.mcap")
        var run = ImportRun(paths: [path], output: folder.root + "/made")
        run.format = .mcap
        run.overwrites = true
        do {
            _ = try run.run()
            return nil
        } catch let error as VerbFailure { return error.message }
    }

    @Test func `a cut at any byte is refused and leaves nothing`() throws {
        let folder = try TemporaryFolder()
        let bytes = try small(folder)
        for count in 0..<bytes.count {
            let said = try fault(Array(bytes.prefix(count)), folder)
            #expect(said != nil, "\(count) of \(bytes.count) bytes")
        }
        #expect(try folder.names == ["deck", "x.mcap", "y.mcap"])
    }

    @Test func `a flipped bit in the data is refused, one in the summary costs nothing`() throws {
        let folder = try TemporaryFolder()
        let bytes = try small(folder)
        // Behind the data stand the records of the summary, which is made of what precedes it.
        let end = try #require(dataEnd(of: bytes))
        for offset in bytes.indices {
            var spoilt = bytes
            spoilt[offset] ^= 1 << UInt8(offset % 8)
            let said = try fault(spoilt, folder)
            let isInEnd = offset >= bytes.count - McapFormat.magic.count
            #expect((said != nil) == (offset < end || isInEnd), "byte \(offset): \(said ?? "")")
        }
    }

    /// Where the data end record of a file ends.
    private func dataEnd(of bytes: [UInt8]) -> Int? {
        var offset = 8
        while offset + 9 <= bytes.count {
            let length = (0..<8).reduce(0) { $0 | Int(bytes[offset + 1 + $1]) << ($1 * 8) }
            let isEnd = bytes[offset] == McapFormat.Opcode.dataEnd.rawValue
            offset += 9 + length
            if isEnd { return offset }
        }
        return nil
    }

    @Test func `lengths beyond the file and beyond reason are refused`() throws {
        let folder = try TemporaryFolder()
        _ = try small(folder)
        for length: UInt64 in [1 << 40, .max, UInt64(Int64.max), 200 << 20] {
            var bytes = McapFormat.magic
            var header: [UInt8] = []
            header.appendMcap(McapFormat.profile)
            header.appendMcap("test")
            bytes.appendMcap(.header, header)
            bytes.append(McapFormat.Opcode.chunk.rawValue)
            bytes.appendLittleEndian(length)
            bytes += [UInt8](repeating: 0, count: 64)
            let said = try fault(bytes, folder)
            #expect(said?.contains("reaches past the end") == true, "\(length)")
        }
        // A text inside of a record that says to be longer than the record.
        var bytes = McapFormat.magic
        bytes.appendMcap(.header, [0xFF, 0xFF, 0xFF, 0x7F, 1])
        #expect(try fault(bytes, folder)?.contains("ends before its fields") == true)
    }

    @Test func `files of other programs and compressed chunks are refused by name`() throws {
        let folder = try TemporaryFolder()
        _ = try small(folder)
        var foreign = try McapFileBytes(profile: "ros2")
        try foreign.writer.end()
        let said = try fault(foreign.bytes, folder)
        #expect(
            said?.contains("was not exported by tapedeck (its profile is 'ros2' by 'test')") == true
        )
        #expect(try fault(Array("no mcap at all".utf8), folder)?.contains("no MCAP file") == true)
        var newer = try McapFileBytes(profile: McapFormat.profile)
        try newer.writer.add(metadata: McapFormat.metadataName, [("version", "2")])
        try newer.writer.end()
        #expect(try fault(newer.bytes, folder)?.contains("a newer version of tapedeck") == true)
    }

    /// A file with one chunk of which everything but its content is right.
    private func file(_ compression: String, _ stored: [UInt8], size: UInt64) -> [UInt8] {
        var bytes = McapFormat.magic
        var header: [UInt8] = []
        header.appendMcap(McapFormat.profile)
        header.appendMcap("test")
        bytes.appendMcap(.header, header)
        var metadata: [UInt8] = []
        metadata.appendMcap(McapFormat.metadataName)
        metadata.appendMcap([("version", "1"), ("first_sequence", "5")])
        bytes.appendMcap(.metadata, metadata)
        var chunk = [UInt8](repeating: 0, count: 16)
        chunk.appendLittleEndian(size)
        chunk.appendLittleEndian(0 as UInt32)
        chunk.appendMcap(compression)
        chunk.appendLittleEndian(UInt64(stored.count))
        bytes.appendMcap(.chunk, chunk + stored)
        return bytes
    }

    @Test func `a bomb is refused before it is opened, and other compressions by name`() throws {
        let folder = try TemporaryFolder()
        _ = try small(folder)
        let bomb = LZ4Frame.compress([UInt8](repeating: 0, count: 64 << 20).span)
        #expect(bomb.count < 300 << 10)
        let cases: [(String, [UInt8], UInt64, String)] = [
            ("lz4", bomb, 1 << 40, "exceeds the limit"),
            ("lz4", bomb, .max, "exceeds the limit"),
            // What it promises is all that it may give.
            ("lz4", bomb, 1_000, "does not decompress to 1000 bytes"),
            ("lz4", bomb, UInt64(bomb.count) * 256 + 256, "does not decompress"),
            ("lz4", Array(bomb.dropLast()), 64 << 20, "does not decompress"),
            ("lz4", bomb + [0], 64 << 20, "does not decompress"),
            ("lz4", [], 0, "does not decompress to 0 bytes"),
            ("lz4", bomb, 64 << 20, "checksum does not match"),
            ("", [1, 2], 3, "another size"),
            ("zstd", [1, 2], 3, "compressed by 'zstd', which is not read here; export it again"),
            ("\u{1B}[2J", [1, 2], 3, "which is not read here"),
        ]
        for (compression, stored, size, what) in cases {
            let said = try fault(file(compression, stored, size: size), folder)
            #expect(said?.contains(what) == true, "\(compression) \(size): \(said ?? "nothing")")
            #expect(said?.contains("\u{1B}") == false)
        }
    }

    @Test func `what the envelopes claim is held against the messages`() throws {
        let folder = try TemporaryFolder()
        _ = try small(folder)
        // Too few, a sequence below the first, a frame among the events, a kind of 0.
        let claims: [(sequence: UInt64, kind: UInt8, channel: UInt16, count: Int, what: String)] = [
            (5, 1, 4, 0, "envelopes are not those"), (5, 1, 4, 2, "envelopes are not those"),
            (4, 1, 4, 1, "out of order"), (.max, 1, 4, 1, "out of order"),
            (5, 1, 1, 1, "wrong channel"), (5, 40, 4, 1, "wrong channel"),
            (5, 40, 1, 1, "is not JSON"),
        ]
        for claim in claims {
            var file = try McapFileBytes(profile: McapFormat.profile)
            try file.writer.add(
                metadata: McapFormat.metadataName,
                [("version", "1"), ("first_sequence", "5")]
            )
            file.writer.add(message: [1, 2], channel: claim.channel, sequence: 0, time: 0)
            var envelopes: [UInt8] = []
            for _ in 0..<claim.count {
                envelopes.appendLittleEndian(claim.sequence)
                envelopes += [UInt8](repeating: 0, count: 28) + [claim.kind, 0, 0, 0]
            }
            file.writer.add(message: envelopes, channel: 2, sequence: 0, time: 0)
            try file.writer.end()
            let said = try fault(file.bytes, folder)
            #expect(said?.contains(claim.what) == true, "\(claim): \(said ?? "nothing")")
        }
    }
}

/// An MCAP file in memory.
private struct McapFileBytes {
    private final class Sink {
        var bytes: [UInt8] = []
    }

    private let sink: Sink
    var writer: McapWriter
    var bytes: [UInt8] { sink.bytes }

    init(profile: String) throws {
        let sink = Sink()
        self.sink = sink
        writer = try McapWriter(profile: profile, library: "test") { sink.bytes += $0 }
    }
}
