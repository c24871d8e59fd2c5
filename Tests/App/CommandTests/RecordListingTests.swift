import Foundation
import JSONText
import Platform
import RecordModel
import SegmentFormat
import SegmentLog
import Testing

@testable import Command

/// Sequences 2 to 7 of a small recording with one of everything; 1 and 8 are the run's own.
private func makeSample(_ path: String) throws {
    try makeRecording(path) { writer in
        var opened = EventFields()
        opened.add(.source, "main")
        _ = try writer.append(
            frame(.streamOpened, at: 1_000),
            payload: opened.encoded.span.bytes
        )
        _ = try writer.append(
            frame(stream: 2, at: 2_000, wireByte: 1),
            payload: [UInt8]([1, 2, 3]).span.bytes
        )
        var masked = frame(.webSocketFrameOut, stream: 2, at: 3_000, wireByte: 0x81)
        masked.flags = [.masked, .timeSynthetic, .containsSecret]
        masked.maskKey = 0x0403_02A1
        _ = try writer.append(masked, payload: Array("hi\u{1B}[2J".utf8).span.bytes)
        let fields = try #require(Base64.decode(Array(eventPayload.utf8)))
        _ = try writer.append(frame(.streamAccepted, stream: 2), payload: fields.span.bytes)
        var strange = frame(RecordKind(rawValue: 99), stream: 77, wireByte: 9)
        strange.flags = RecordFlags(rawValue: 1 << 5)
        _ = try writer.append(strange, payload: [UInt8]().span.bytes)
        // Not a list of fields: the length runs past the end.
        _ = try writer.append(frame(.note), payload: [UInt8]([1, 0, 4, 9, 0, 0, 0]).span.bytes)
    }
}

/// Fields made by hand: 1 text "main"; 7 unsigned 200; 5 pair a="x\n"; 5 pair b=0xFF;
/// 13 text "one"; 13 text "two"; 30 true; 18 signed -5; 28 bytes 0001; 900 bytes "z";
/// 12 of the unknown type 9, "q"; 32 text 0xC3.
private let eventPayload =
    "AQAEBAAAAG1haW4HAAEIAAAAyAAAAAAAAAAFAAYFAAAAAQBheAoFAAYEAAAAAQBi/w0ABAMAAABvbmUNAAQDAAAAdHdv"
    + "HgADAQAAAAESAAIIAAAA+/////////8cAAUCAAAAAAGEAwUBAAAAegwACQEAAABxIAAEAQAAAMM="

@Suite struct RecordListingTests {
    @Test func `ndjson is what the format page says`() throws {
        let folder = try TemporaryFolder()
        try makeSample(folder.recording)
        let printed = try list(folder.recording, from: "seq:2", to: "seq:7")
        #expect(printed.code == .ok)
        let expected = [
            #"{"sequence":"2","kind":"stream_opened","stream":"0","source":"main","#
                + #""received_ns":"1000","monotonic_ns":"1000","flags":{},"#
                + #""payload":"AQAEBAAAAG1haW4=","detail":{"source":"main"}}"#,
            #"{"sequence":"3","kind":"grpc_message_in","stream":"2","source":"main","#
                + #""received_ns":"2000","monotonic_ns":"2000","flags":{"compressed":true},"#
                + #""payload":"AQID"}"#,
            #"{"sequence":"4","kind":"websocket_frame_out","stream":"2","source":"main","#
                + #""received_ns":"3000","monotonic_ns":"3000","flags":{"fin":true,"rsv":0,"#
                + #""opcode":1,"masked":true,"mask_key":"a1020304","time_synthetic":true,"#
                + #""contains_secret":true},"payload":"aGkbWzJK"}"#,
            #"{"sequence":"5","kind":"stream_accepted","stream":"2","source":"main","#
                + #""received_ns":"0","monotonic_ns":"0","flags":{},"payload":""# + eventPayload
                + #"","detail":{"source":"main","http_status":"200","response_metadata":["#
                + #"{"name":"a","value":"x\n"},{"name":"b","value":{"base64":"/w=="}}],"#
                + #""evidence":["one","two"],"on_request":true,"from_time_ns":"-5","#
                + #""request":"AAE=","field_900":{"type":5,"base64":"eg=="},"#
                + #""cause":{"type":9,"base64":"cQ=="},"text":{"base64":"ww=="}}}"#,
            #"{"sequence":"6","kind":"kind_99","stream":"77","source":"","received_ns":"0","#
                + #""monotonic_ns":"0","flags":{"wire_byte":9,"other_bits":32},"payload":""}"#,
            #"{"sequence":"7","kind":"note","stream":"0","source":"","received_ns":"0","#
                + #""monotonic_ns":"0","flags":{},"payload":"AQAECQAAAA=="}"#,
        ]
        #expect(printed.lines == expected)
    }

    @Test func `text says what a record says and steers no terminal`() throws {
        let folder = try TemporaryFolder()
        try makeSample(folder.recording)
        let printed = try list(folder.recording, .text, from: "seq:3", to: "seq:5")
        #expect(
            printed.lines[0]
                == "1970-01-01T00:00:00.000002000Z  3  grpc_message_in  stream 2 (main)  3 B  "
                + "compressed"
        )
        #expect(
            printed.lines[1]
                == "1970-01-01T00:00:00.000003000Z  4  websocket_frame_out  stream 2 (main)  6 B"
                + "  [time made up]  [contains a secret]  holds a secret, not shown"
        )
        var frame = RecordEnvelope(kind: .webSocketFrameOut, receivedAt: 0, monotonic: 0)
        frame.wireByte = 0x81
        let text = RecordPreview.text(frame, payload: Array("hi\u{1b}[2J".utf8), fields: nil)
        #expect(text == "text hi\\u{1b}[2J")
        #expect(printed.lines[2].contains("http_status=200"))
        #expect(printed.lines[2].contains("response_metadata=a:x\\n"))
    }

    @Test func `a Solana update is shown by kind and slot`() {
        let text = RecordPreview.text(frame(), payload: slotUpdate(77), fields: nil)
        #expect(text == "slot slot 77 processed")
        let broken = RecordPreview.text(frame(), payload: [0xFF], fields: nil)
        #expect(broken.hasSuffix("0xff"))
    }

    @Test func `csv quotes what holds commas and quotes`() throws {
        let folder = try TemporaryFolder()
        try makeSample(folder.recording)
        let printed = try list(folder.recording, .csv, from: "seq:2", to: "seq:3")
        #expect(
            printed.lines == [
                "sequence,kind,stream,source,received_ns,monotonic_ns,flags,payload,detail",
                #"2,stream_opened,0,main,1000,1000,{},AQAEBAAAAG1haW4=,"{""source"":""main""}""#,
                #"3,grpc_message_in,2,main,2000,2000,"{""compressed"":true}",AQID,"#,
            ]
        )
    }

    @Test func `a source is known when reading begins in the middle`() throws {
        let folder = try TemporaryFolder()
        try makeSample(folder.recording)
        let lines = try list(folder.recording, from: "seq:4", to: "seq:4").lines
        #expect(lines.count == 1 && lines[0].contains(#""source":"main""#))
    }

    @Test func `damage is told, stepped over and counted as a finding`() throws {
        let folder = try TemporaryFolder()
        try makeRecording(folder.recording, rotateBytes: 150_000) { writer in
            var random = SeededRandom(seed: 5)
            for _ in 0..<60 {
                let payload = (0..<10_000).map { _ in UInt8(truncatingIfNeeded: random.next()) }
                _ = try writer.append(frame(), payload: payload.span.bytes)
            }
        }
        let reader = try RecordingReader(path: folder.recording, disk: LinuxFileSystem())
        let segment = reader.segments[1]
        var bytes = Array(try Data(contentsOf: URL(filePath: segment.path)))
        bytes[bytes.count / 2] ^= 1
        try Data(bytes).write(to: URL(filePath: segment.path))
        let printed = try list(folder.recording)
        #expect(printed.code == .findings)
        #expect(printed.reports.count == 1 && printed.reports[0].hasPrefix("damage: "))
        let damage = printed.lines.filter { $0.hasPrefix(#"{"kind":"damage","from":""#) }
        #expect(damage.count == 1)
        let root = try JSONDocument.parse(Array(try #require(damage.first).utf8))
        let from = try #require(root.member("from")?.string.flatMap { UInt64($0) })
        let through = try #require(root.member("through")?.string.flatMap { UInt64($0) })
        let sequences = printed.lines.compactMap { line -> UInt64? in
            guard line.hasPrefix(#"{"sequence":""#) else { return nil }
            return UInt64(line.dropFirst(13).prefix { $0 != "\"" })
        }
        #expect(sequences == (1...62).filter { !(from...through).contains($0) })
        // The damage lies behind the end of this range and is none of its business.
        let before = try list(folder.recording, to: "seq:\(from - 1)")
        #expect(before.code == .ok && before.lines.count == Int(from - 1))
    }

    @Test func `only durable records are printed when asked`() throws {
        let folder = try TemporaryFolder()
        var options = LogOptions()
        options.durability = .none
        let writer = try LogWriter(
            path: folder.recording,
            disk: LinuxFileSystem(),
            clock: SystemClock(),
            random: SeededRandom(seed: 1),
            options: options
        )
        _ = try writer.append(frame(), payload: [UInt8]([1]).span.bytes)
        try writer.flush()
        #expect(try list(folder.recording).lines.count == 2)
        #expect(try list(folder.recording, isDurableOnly: true).lines.isEmpty)
        try writer.close(cause: "test")
        #expect(try list(folder.recording, isDurableOnly: true).lines.count == 3)
    }

    @Test func `a follower prints what comes later, until it is told to stop`() throws {
        let folder = try TemporaryFolder()
        let writer = try LogWriter(
            path: folder.recording,
            disk: LinuxFileSystem(),
            clock: SystemClock(),
            random: SeededRandom(seed: 1),
            options: LogOptions()
        )
        try writer.flush()
        var text = ""
        var pauses = 0
        var failure: (any Error)?
        let listing = RecordListing(
            reader: try RecordingReader(path: folder.recording, disk: LinuxFileSystem()),
            range: ResolvedRange(first: .first, last: nil),
            format: .ndjson,
            follows: true,
            isDurableOnly: true,
            write: { text += String(decoding: $0, as: UTF8.self) },
            report: { _ in },
            // A mark is in the file only with the block after it, so the last record may wait.
            isAsked: { pauses == 100 || text.split(separator: "\n").count == 20 },
            pause: { _ in
                pauses += 1
                do {
                    _ = try writer.append(frame(), payload: [UInt8]([9]).span.bytes)
                    try writer.flush()
                } catch { failure = error }
            }
        )
        #expect(try listing.run() == .ok)
        #expect(failure == nil)
        #expect(text.split(separator: "\n").count >= 20)
        try writer.close(cause: "test")
    }
}

@Suite struct RangeResolutionTests {
    let folder: TemporaryFolder
    let reader: RecordingReader

    /// Records 2 to 11 speak of slots 10, 10, 12, 11, 12, 14, 14, 15, 15, 16, a second apart.
    init() throws {
        folder = try TemporaryFolder()
        try makeRecording(folder.recording) { writer in
            for (number, slot) in [10, 10, 12, 11, 12, 14, 14, 15, 15, 16].enumerated() {
                _ = try writer.append(
                    frame(at: Int64(number + 1) * 1_000_000_000),
                    payload: slotUpdate(UInt8(slot)).span.bytes
                )
            }
        }
        reader = try RecordingReader(path: folder.recording, disk: LinuxFileSystem())
    }

    private func resolve(_ text: String) throws -> ResolvedRange {
        try RecordRange(text, as: .whole).resolved(in: reader)
    }

    @Test(arguments: [
        ("seq:..", 1, 12), ("seq:3..5", 3, 5), ("seq:0..1", 1, 1), ("seq:5..+3", 5, 7),
        ("seq:..+4", 1, 4), ("seq:10..999", 10, 12), ("seq:..+18446744073709551615", 1, 12),
        ("slot:11..14", 4, 8), ("slot:12..12", 4, 6), ("slot:13..", 7, 12), ("slot:11..+2", 4, 6),
        ("slot:..+2", 1, 5), ("slot:..99", 1, 11), ("slot:13", 7, 6),
        ("time:1970-01-01T00:00:03Z..1970-01-01T00:00:05Z", 4, 6),
        ("time:1970-01-01T00:00:02.5Z..+2s", 4, 5), ("time:..+3s", 1, 3),
        ("time:1970-01-01T00:00:10Z..2100-01-01T00:00:00Z", 11, 12),
    ])
    func `a range becomes two sequences`(text: String, first: UInt64, last: UInt64) throws {
        if first > last {
            #expect(throws: VerbFailure.self) { try resolve(text) }
            return
        }
        let resolved = try resolve(text)
        #expect(resolved.first == Sequence(first) && resolved.last == Sequence(last))
    }

    @Test(arguments: [
        "seq:13..", "slot:17..", "slot:..9", "block:1..", "time:1970-01-01T00:00:11Z..",
        "block:..+1", "time:..1969-12-31T23:59:59Z",
    ])
    func `what the recording does not hold has its own exit code`(text: String) throws {
        do {
            _ = try resolve(text)
            Issue.record("\(text) was found")
        } catch let error as VerbFailure {
            #expect(error.code == .rangeNotAvailable, "\(error.message)")
        }
    }

    @Test func `a follower waits for what is not there yet`() throws {
        let range = try RecordRange("seq:100..+5", as: .whole)
        let resolved = try range.resolved(in: reader, follows: true)
        #expect(resolved == ResolvedRange(first: Sequence(100), last: Sequence(104)))
    }
}

@Suite struct SeekablePositionsTests {

    @Test func `a message in fragments has the position of its last fragment`() {
        let message =
            #"{"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":"0x1","#
            + #""result":{"parentHash":"0xaa","number":"0x10"}}}"#
        let bytes = Array(message.utf8)
        var positions = RecordedPositions()
        let block = ChainPosition(family: .block, number: 16)
        let whole = frame(.webSocketFrameIn, stream: 5, wireByte: 0x81)
        #expect(positions.position(of: whole, payload: bytes.span.bytes) == block)
        let first = frame(.webSocketFrameIn, stream: 5, wireByte: 0x01)
        let last = frame(.webSocketFrameIn, stream: 5, wireByte: 0x80)
        let other = frame(.webSocketFrameIn, stream: 6, wireByte: 0x80)
        let left = Array(bytes[..<60])
        let right = Array(bytes[60...])
        #expect(positions.position(of: first, payload: left.span.bytes) == nil)
        #expect(positions.position(of: other, payload: right.span.bytes) == nil)
        #expect(positions.position(of: last, payload: right.span.bytes) == block)
        #expect(positions.position(of: last, payload: right.span.bytes) == nil)
    }
}
