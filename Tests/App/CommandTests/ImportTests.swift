import Foundation
import JSONText
import Platform
import RecordModel
import SegmentLog
import Testing

@testable import Command

/// SubscribeUpdates of slots 7, 8 and 9, made by hand: created at 100.000000005 s, never, 101 s.
private let updates: [[UInt8]] = [
    [26, 2, 8, 7, 90, 4, 8, 100, 16, 5], [26, 2, 8, 8], [26, 2, 8, 9, 90, 2, 8, 101],
]

private func prefixed(_ messages: [[UInt8]], isBigEndian: Bool = false) -> [UInt8] {
    messages.flatMap { message in
        let length = (0..<4).map { UInt8(truncatingIfNeeded: message.count >> ($0 * 8)) }
        return (isBigEndian ? length.reversed() : length) + message
    }
}

private struct Imported {
    var kind: String
    var source: String
    var time: Int64
    var isSynthetic: Bool
    var opcode: UInt64?
    var payload: [UInt8]
}

/// Everything in a recording by way of its ndjson.
private func records(_ path: String) throws -> [Imported] {
    try list(path).lines.map { line in
        let root = try JSONDocument.parse(Array(line.utf8))
        return Imported(
            kind: try #require(root.member("kind")?.string),
            source: try #require(root.member("source")?.string),
            time: try #require(root.member("received_ns")?.string.flatMap { Int64($0) }),
            isSynthetic: root.member("flags")?.member("time_synthetic")?.boolean == true,
            opcode: root.member("flags")?.member("opcode")?.uint64,
            payload: try #require(
                root.member("payload")?.stringBytes.flatMap { Base64.decode($0) }
            )
        )
    }
}

private func frames(_ path: String) throws -> [Imported] {
    try records(path).filter { $0.kind.hasSuffix("_in") || $0.kind.hasSuffix("_out") }
}

private func message(_ body: () throws -> Void) -> String {
    do {
        try body()
        return "no failure"
    } catch let error as VerbFailure {
        return error.message
    } catch { return "\(error)" }
}

@Suite struct ImportTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func run(_ path: String, _ format: ImportFormat? = nil) throws {
        _ = try ImportRun(paths: [path], output: folder.recording, format: format).run()
    }

    @Test(arguments: [false, true])
    func `length-prefixed updates come in byte for byte`(isBigEndian: Bool) throws {
        let path = try folder.write(prefixed(updates, isBigEndian: isBigEndian), as: "feed.x.bin")
        try run(path)
        let frames = try frames(folder.recording)
        #expect(frames.map(\.payload) == updates)
        #expect(frames.map(\.time) == [100_000_000_005, 100_001_000_005, 101_000_000_000])
        #expect(frames.map(\.isSynthetic) == [false, true, false])
        let all = try records(folder.recording)
        #expect(
            all.map(\.kind) == [
                "run_started", "source_declared", "stream_opened", "stream_accepted",
                "grpc_message_in", "grpc_message_in", "grpc_message_in", "stream_closed",
                "run_ended",
            ]
        )
        #expect(Set(all[1...7].map(\.source)) == ["feed"])
        #expect(all.first?.time == 100_000_000_005)
        #expect(all.last?.time == 101_000_000_000)
        let reader = try RecordingReader(path: folder.recording, disk: LinuxFileSystem())
        #expect(reader.identity.origin == "feed.x.bin")
    }

    @Test func `updates without times begin at 1970, a millisecond apart, and say so`() throws {
        let path = try folder.write(prefixed([updates[1], updates[1]]), as: "feed.bin")
        try run(path)
        let frames = try frames(folder.recording)
        #expect(frames.map(\.time) == [0, 1_000_000])
        #expect(frames.map(\.isSynthetic) == [true, true])
    }

    @Test func `a capture of connections becomes streams in order of time`() throws {
        let text = """
            {"conn":"a","seq":0,"t":1000,"dir":"out","opcode":"text","payload":"{\\"m\\":\\"eth_x\\"}"}
            {"conn":"a","seq":1,"t":1002.5,"dir":"in","opcode":"ping","payload":""}

            {"conn":"b","seq":0,"t":1001,"dir":"in","opcode":"text","payload":"\\u00e9\\n"}
            """
        try run(try folder.write(Array(text.utf8), as: "c.jsonl"))
        let frames = try frames(folder.recording)
        #expect(
            frames.map(\.kind)
                == ["websocket_frame_out", "websocket_frame_in", "websocket_frame_in"]
        )
        #expect(frames.map(\.source) == ["a", "b", "a"])
        #expect(frames.map(\.time) == [1_000_000_000, 1_001_000_000, 1_002_500_000])
        #expect(frames.map(\.opcode) == [1, 1, 9])
        #expect(frames.map(\.payload) == [Array(#"{"m":"eth_x"}"#.utf8), [0xC3, 0xA9, 10], []])
        let lines = try list(folder.recording).lines
        #expect(lines.filter { $0.contains(#""chain":"evm""#) }.count == 4)
    }

    @Test func `a gzip capture with wall times keeps every digit`() throws {
        // {"t_wall": 1.5, "raw": "a"} and {"t_wall": 2.000000001, "raw": "é"}
        let bytes = try #require(
            Base64.decode(
                Array(
                    ("H4sIAAAAAAAC/6tWKokvT8zJUbJSMNQz1VFQKkosB7KVEpVquaoRckZ6BlBgiFATU2pgkGoJ"
                        + "VAgAbak+SEUAAAA=").utf8
                )
            )
        )
        try run(try folder.write(bytes, as: "w.jsonl.gz"))
        let frames = try frames(folder.recording)
        #expect(frames.map(\.time) == [1_500_000_000, 2_000_000_001])
        #expect(frames.map(\.payload) == [[0x61], [0xC3, 0xA9]])
        #expect(frames.map(\.source) == ["w", "w"])
    }

    @Test(arguments: [
        ("1783089923.1110196", 9, 1_783_089_923_111_019_600), ("0.1", 9, 100_000_000),
        ("5", 6, 5_000_000), ("-1.5", 9, -1_500_000_000), ("1.0000000019", 9, 1_000_000_001),
        ("9223372036.854775807", 9, Int64.max),
    ])
    func `times are read by their digits`(text: String, digits: Int, nanoseconds: Int64) {
        #expect(DecimalTime.nanoseconds(text, digitsAfterPoint: digits) == nanoseconds)
    }

    @Test(arguments: ["", "1e5", "1.", ".5", "--1", "9223372036.854775808", "+1", "1.2.3", "٥"])
    func `what is no time is refused`(text: String) {
        #expect(DecimalTime.nanoseconds(text, digitsAfterPoint: 9) == nil)
    }

    @Test(
        arguments: [
            ([0, 0, 0], nil, "ends inside a length"),
            ([9, 0, 0, 0, 1], ImportFormat.solanaLittleEndian, "ends inside a message of 9 bytes"),
            ([1, 0, 0, 5, 1], .solanaLittleEndian, "exceeds the limit"),
            ([1, 0, 0, 0, 0xFF], .solanaLittleEndian, "message 1 is not protobuf"),
            ([0, 0, 0, 0], nil, "solana-le and solana-be; say which with --format"),
            ([], nil, "the file is empty"),
            (Array(#"{"t_wall":"x","raw":"a"}"#.utf8), nil, "t_wall is no time"),
            (
                Array("{\"t_wall\":1,\"raw\":\"a\"}\n{oops".utf8), nil,
                "byte 23: line 2 is not JSON (malformed)"
            ),
            (
                Array(#"{"conn":"a","t":1,"dir":"in","opcode":"binary","payload":"a"}"#.utf8), nil,
                "opcode is none of"
            ),
            ([0x1F, 0x8B, 8, 0], nil, "is no whole gzip file"),
        ] as [([UInt8], ImportFormat?, String)]
    )
    func `a bad file is named with its offset and leaves nothing`(
        bytes: [UInt8],
        format: ImportFormat?,
        expected: String
    ) throws {
        let path = try folder.write(bytes, as: "bad")
        let said = message { try run(path, format) }
        #expect(said.contains(expected), "\(said)")
        #expect(said.contains("bad"))
        #expect(try folder.names == ["bad"])
    }

    @Test func `an error in the second file leaves nothing of the first`() throws {
        let good = try folder.write(prefixed(updates), as: "good.bin")
        let torn = try folder.write(Array(prefixed(updates).dropLast()), as: "torn.bin")
        let run = ImportRun(paths: [good, torn], output: folder.recording)
        #expect(message { _ = try run.run() }.contains("torn.bin"))
        #expect(try folder.names == ["good.bin", "torn.bin"])
    }

    @Test func `an interrupt leaves nothing`() throws {
        let many = [[UInt8]](repeating: updates[0], count: 2_000)
        let path = try folder.write(prefixed(many), as: "many.bin")
        var run = ImportRun(paths: [path], output: folder.recording)
        run.isAsked = { true }
        #expect(message { _ = try run.run() }.contains("interrupted"))
        #expect(try folder.names == ["many.bin"])
    }

    @Test func `only a recording is overwritten, and only when asked`() throws {
        let path = try folder.write(prefixed(updates), as: "feed.bin")
        try run(path)
        #expect(message { try run(path) }.contains("--force"))
        let short = try folder.write(prefixed([updates[2]]), as: "short.bin")
        var again = ImportRun(paths: [short], output: folder.recording)
        again.overwrites = true
        _ = try again.run()
        #expect(try frames(folder.recording).map(\.payload) == [updates[2]])
        #expect(try folder.names == ["deck", "feed.bin", "short.bin"])
        let plain = folder.root + "/plain"
        try FileManager.default.createDirectory(atPath: plain, withIntermediateDirectories: true)
        var wrong = ImportRun(paths: [short], output: plain)
        wrong.overwrites = true
        #expect(message { _ = try wrong.run() }.contains("not a recording"))
    }
}

/// Real captures, when they are at hand.
private enum SharedCaptures {
    static let folder: String = {
        let variable = ProcessInfo.processInfo.environment["TAPEDECK_SHARED"]
        let root = URL(filePath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().path
        return (variable ?? root + "/../shared") + "/data"
    }()
    static let isThere = FileManager.default.fileExists(atPath: folder + "/evm/real.jsonl")
}

@Suite(.enabled(if: SharedCaptures.isThere, "the shared captures are not here"))
struct SharedCaptureImportTests {
    @Test func `real updates come in byte for byte`() throws {
        let temporary = try TemporaryFolder()
        let path = SharedCaptures.folder + "/solana/real.bin"
        _ = try ImportRun(paths: [path], output: temporary.recording).run()
        let bytes = Array(try Data(contentsOf: URL(filePath: path)))
        let joined = try frames(temporary.recording).reduce(into: [UInt8]()) { all, frame in
            all += prefixed([frame.payload])
        }
        let isSame = joined == bytes
        #expect(isSame)
    }

    @Test func `a real WebSocket session comes in message for message`() throws {
        let temporary = try TemporaryFolder()
        let path = SharedCaptures.folder + "/solana/ws/solana_logsSubscribe_pumpfun.jsonl"
        _ = try ImportRun(paths: [path], output: temporary.recording).run()
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        let expected = try lines.map { line -> [UInt8] in
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8))
            let raw = try #require((object as? [String: Any])?["raw"] as? String)
            return Array(raw.utf8)
        }
        let isSame = try frames(temporary.recording).map(\.payload) == expected
        #expect(isSame)
    }
}
