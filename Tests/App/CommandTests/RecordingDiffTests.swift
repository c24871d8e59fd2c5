import Platform
import RecordModel
import SegmentLog
import Testing

@testable import Command

/// One stream to write: its source, and frames as kind, wire byte and payload.
private struct Script {
    var source: String
    var frames: [(RecordKind, UInt8, [UInt8])]

    init(_ source: String, _ frames: [(RecordKind, UInt8, [UInt8])]) {
        self.source = source
        self.frames = frames
    }

    static func updates(_ source: String, _ slots: [UInt8]) -> Script {
        Script(source, slots.map { (.grpcMessageIn, 0, slotUpdate($0)) })
    }

    static func texts(_ source: String, _ texts: [String]) -> Script {
        Script(source, texts.map { (.webSocketFrameIn, 0x81, Array($0.utf8)) })
    }
}

/// A recording of streams whose frames stand one stream after the other, or in turns.
private func record(
    _ scripts: [Script],
    startingAt time: Int64 = 0,
    inTurns: Bool = false
) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try makeRecording(folder.recording) { writer in
        var ids: [StreamID] = []
        for script in scripts {
            var fields = EventFields()
            fields.add(.source, script.source)
            ids.append(try writer.append(event: .streamOpened, fields: fields).sequence)
        }
        var places = scripts.enumerated().flatMap { number, script in
            script.frames.indices.map { (number, $0) }
        }
        if inTurns { places.sort { ($0.1, $0.0) < ($1.1, $1.0) } }
        for (index, (number, place)) in places.enumerated() {
            let (kind, wireByte, payload) = scripts[number].frames[place]
            let envelope = frame(
                kind,
                stream: ids[number].value,
                at: time + Int64(index),
                wireByte: wireByte
            )
            _ = try writer.append(envelope, payload: payload.span.bytes)
        }
    }
    return folder
}

private func compare(
    _ left: TemporaryFolder,
    _ right: TemporaryFolder,
    times: Bool = false,
    limit: Int = 10
) throws -> DiffReport {
    var diff = RecordingDiff(
        try RecordingReader(path: left.recording, disk: LinuxFileSystem()),
        try RecordingReader(path: right.recording, disk: LinuxFileSystem())
    )
    diff.comparesTimes = times
    diff.limit = limit
    return DiffReport(left: "A", right: "B", result: try diff.run())
}

@Suite struct RecordingDiffTests {
    @Test func `other times, sequences and turns of streams are no difference`() throws {
        let scripts = [Script.updates("one", [1, 2, 3]), .texts("two", ["1", "2", "3"])]
        let left = try record(scripts)
        let right = try record(scripts.reversed(), startingAt: 500, inTurns: true)
        let report = try compare(left, right)
        #expect(report.isSame, "\(report.text)")
        #expect(report.result.frames == 6)
        #expect(report.text == "6 frames of 2 streams are the same: no difference\n")
        let exact = try compare(left, right, times: true)
        #expect(exact.result.differences.count == 6)
        #expect(exact.text.contains("in kind, flags or times only"))
        #expect(try compare(left, left, times: true).isSame)
    }

    @Test func `an update's difference is told by its place and its bytes`() throws {
        let left = try record([.updates("one", [1, 2, 3])])
        let right = try record([.updates("one", [1, 7, 3])], startingAt: 9)
        let report = try compare(left, right)
        #expect(report.result.differences.count == 1)
        #expect(report.result.frames == 2)
        let text = report.text
        #expect(text.contains("one grpc stream 1: frame 2 differs\n"))
        #expect(text.contains("  A  sequence 4  1970-01-01T00:00:00.000000001Z  grpc_message_in"))
        #expect(text.contains("  at slot.slot\n    A  \"2\"\n    B  \"7\"\n"))
        #expect(text.contains("  from byte 3\n    A  1a 02 08 [02]\n    B  1a 02 08 [07]\n"))
        #expect(
            report.json.contains(
                #""byte":"3","content":{"path":"slot.slot","a":"\"2\"","b":"\"7\""}"#
            )
        )
    }

    @Test(arguments: [
        (#"{"a":[1,{"b":"x"}]}"#, #"{"a":[1,{"b":"y"}]}"#, "a[1].b", #""x""#, #""y""#),
        (#"{"a":1}"#, #"{"a":1,"b":2}"#, "the members", "(nothing)", #""b": 2"#),
        (#"[1]"#, #"[1,2]"#, "[1]", "(nothing)", "2"),
        (#"{"a":1}"#, #"{"a":"1"}"#, "a", "1", #""1""#),
        (#"{"a":1.0}"#, #"{"a":1}"#, "a", "1.0", "1"),
    ])
    func `a JSON text's difference is told by its place`(
        left: String,
        right: String,
        path: String,
        one: String,
        other: String
    ) throws {
        let text = try compare(
            record([.texts("two", [left])]),
            record([.texts("two", [right])])
        ).text
        #expect(text.contains("  at \(path)\n    A  \(one)\n    B  \(other)\n"), "\(text)")
    }

    @Test func `white space in JSON differs in bytes only`() throws {
        let text = try compare(
            record([.texts("two", ["[1, 2]"])]),
            record([.texts("two", ["[1,2]"])])
        ).text
        #expect(!text.contains("  at "))
        #expect(text.contains("  from byte 3\n    A  5b 31 2c [20] 32 5d\n"))
    }

    @Test func `kind, wire byte and flags count`() throws {
        let payload = Array("x".utf8)
        let base = try record([Script("two", [(.webSocketFrameIn, 0x81, payload)])])
        for changed in [
            (RecordKind.webSocketFrameOut, 0x81 as UInt8), (.webSocketFrameIn, 0x01),
        ] {
            let other = try record([Script("two", [(changed.0, changed.1, payload)])])
            #expect(try compare(base, other).result.differences.count == 1)
        }
    }

    @Test func `a side that ends early and streams of one side are told`() throws {
        let left = try record([.updates("one", [1, 2, 3]), .updates("only", [1])])
        let right = try record([.updates("one", [1]), .updates("more", [1, 2])])
        let report = try compare(left, right)
        #expect(report.result.differences.count == 3)
        let text = report.text
        #expect(text.contains("one grpc stream 1: B ends after frame 1\n  A  sequence 5  "))
        #expect(text.contains("only grpc stream 1: only in A, 1 frames from sequence 7\n"))
        #expect(text.contains("more grpc stream 1: only in B, 2 frames from sequence 5\n"))
        #expect(text.hasSuffix("found 3 differences; 1 frames of 1 stream are the same\n"))
    }

    @Test func `streams of one source are paired in order`() throws {
        let left = try record([.updates("one", [1]), .updates("one", [2])])
        let right = try record([.updates("one", [1]), .updates("one", [3])])
        let text = try compare(left, right).text
        #expect(text.contains("one grpc stream 2: frame 1 differs"))
    }

    @Test func `comparing stops at the limit`() throws {
        let left = try record([.updates("one", [1, 2, 3, 4])])
        let right = try record([.updates("one", [5, 6, 7, 8])])
        let report = try compare(left, right, limit: 2)
        #expect(report.result.differences.count == 2)
        #expect(report.text.contains("stopped after 2 differences"))
    }

    @Test func `the exit code tells what was found`() throws {
        let left = try record([.updates("one", [1, 2])])
        let right = try record([.updates("one", [1, 3])])
        #expect(go(["diff", left.recording, left.recording]) == .ok)
        #expect(go(["diff", left.recording, right.recording, "--format", "json"]) == .divergence)
        #expect(go(["diff", left.recording]) == .usage)
        #expect(go(["diff", left.recording, left.root + "/none"]) == .failed)
    }

    @Test func `payloads that end early are shown`() {
        #expect(ByteDifference([], []) == nil)
        let difference = ByteDifference([1, 2], [1, 2, 3])
        #expect(difference?.offset == 2)
        #expect(difference?.left == "01 02 (ends)")
        #expect(difference?.right == "01 02 [03]")
        let long = ByteDifference([UInt8](repeating: 0, count: 99), [9])
        #expect(long?.left == "[00]" + String(repeating: " 00", count: 15) + " ...")
        #expect(long?.right == "[09]")
    }
}
