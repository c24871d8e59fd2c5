import Foundation
import JSONText
import RecordModel
import Testing
import WebSocketProtocol

@testable import ReplayServer

/// A real Polygon connection, served again.
struct EthereumRealStreamTests {
    /// The captured frames of one connection: whether it came in, and the payload.
    private func captured(_ connection: String) throws -> [(isIn: Bool, payload: [UInt8])]? {
        let folder =
            ProcessInfo.processInfo.environment["TAPEDECK_SHARED"]
            ?? URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../../../shared").path
        let path = folder + "/data/evm/real.jsonl"
        guard let text = FileManager.default.contents(atPath: path) else {
            print("skipped: there is no \(path)")
            return nil
        }
        let document = JSONDocument()
        var frames: [(isIn: Bool, payload: [UInt8])] = []
        for line in text.split(separator: UInt8(ascii: "\n")) {
            let value = try document.parse(Array(line))
            guard value.member("conn")?.string == connection else { continue }
            let payload = try #require(value.member("payload")?.stringBytes)
            frames.append((value.member("dir")?.string == "in", payload))
        }
        return frames
    }

    @Test func `a real connection comes back byte for byte, cut as nodes cut it`() throws {
        guard let frames = try captured("poly-w1") else { return }
        let maker = try EthereumRecordingMaker()
        let stream = try maker.open()
        var expected: [WireFrame] = []
        var calls: [[UInt8]] = []
        for frame in frames {
            guard frame.isIn else {
                try maker.sent(stream, WireFrame(0x81, frame.payload))
                calls.append(frame.payload)
                continue
            }
            for piece in cut(frame.payload) {
                try maker.received(stream, piece)
                expected.append(piece)
            }
        }
        try maker.close(stream)
        try maker.finish()
        #expect(expected.count > 100)
        let stage = try EthereumStage(maker)
        let client = try EthereumClient(stage.server)
        for call in calls { try client.send(String(decoding: call, as: UTF8.self)) }
        let got = try client.allFrames()
        #expect(got.count == expected.count)
        #expect(got == expected)
    }

    @Test func `a filter on a real connection selects what a search of its text does`() throws {
        guard let frames = try captured("poly-w1") else { return }
        let maker = try EthereumRecordingMaker()
        let stream = try maker.open()
        for frame in frames {
            if frame.isIn {
                for piece in cut(frame.payload) { try maker.received(stream, piece) }
            } else {
                try maker.sent(stream, WireFrame(0x81, frame.payload))
            }
        }
        try maker.finish()
        // The busiest emitter among those recorded.
        let texts = frames.filter(\.isIn).map { String(decoding: $0.payload, as: UTF8.self) }
        var counts: [String: Int] = [:]
        for text in texts {
            guard let found = text.range(of: #""address":"0x"#) else { continue }
            counts[String(text[found.upperBound...].prefix(40)), default: 0] += 1
        }
        let busiest = try #require(counts.max { ($0.value, $0.key) < ($1.value, $1.key) })
        let request = String(
            decoding: try #require(
                frames.first {
                    !$0.isIn && String(decoding: $0.payload, as: UTF8.self).contains("\"logs\"")
                }
            ).payload,
            as: UTF8.self
        )
        let topics = try #require(request.range(of: #""topics":"#))
        let tail = request[topics.lowerBound...]
        let stage = try EthereumStage(maker) { $0.settlingMilliseconds = 20 }
        let client = try EthereumClient(stage.server)
        let asked = request[..<topics.lowerBound] + "\"address\":\"0x\(busiest.key)\"," + tail
        try client.send(String(asked))
        let messages = EthereumClient.messages(try client.allFrames()).dropFirst()
        #expect(messages.count == busiest.value)
        #expect(messages.allSatisfy { $0.contains("\"address\":\"0x\(busiest.key)\"") })
    }

    /// Frames as gorilla's writer with a buffer of 1024 bytes makes them.
    private func cut(_ payload: [UInt8]) -> [WireFrame] {
        if payload.count <= 1_024 { return [WireFrame(0x81, payload)] }
        if payload.count > 2_076 { return [WireFrame(0x01, payload), WireFrame(0x80, "")] }
        let rest = Array(payload[1_024...])
        if rest.count <= 1_024 {
            return [WireFrame(0x01, Array(payload[..<1_024])), WireFrame(0x80, rest)]
        }
        return [
            WireFrame(0x01, Array(payload[..<1_024])), WireFrame(0x00, Array(rest[..<1_024])),
            WireFrame(0x80, Array(rest[1_024...])),
        ]
    }
}
