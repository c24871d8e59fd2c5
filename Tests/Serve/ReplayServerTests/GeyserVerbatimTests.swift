import GRPCTransport
import GeyserDecoding
import RecordModel
import Replay
import ReplayServer
import Testing

struct GeyserVerbatimTests {
    private typealias Sample = GeyserSample

    @Test func `an equal request gets the recorded stream, pings, pongs and end`() throws {
        let maker = try GeyserRecordingMaker()
        let request = Sample.everything("se")
        let stream = try maker.open(request: request)
        let messages = [
            Sample.ping, Sample.slot(5, 0), Sample.pong42, [0xFF, 0xFF, 0xFF], [],
            Sample.entry(5, 1), Sample.slot(5, 0),
        ]
        for message in messages { try maker.receive(stream, message) }
        try maker.close(
            stream,
            code: 14,
            text: "gone",
            trailers: [("x-left", "7"), ("grpc-secret", "x")]
        )
        try maker.finish()
        let serving = try GeyserServing(maker)
        let client = try GeyserClient(serving, requests: [request])
        let (got, status) = client.finished()
        #expect(got == messages)
        #expect(status.code == .unavailable)
        #expect(status.message == "gone")
        #expect(status.trailers == [GRPCMetadataEntry("x-left", "7")])
    }

    @Test func `equality is that of the decoded request`() throws {
        let maker = try GeyserRecordingMaker()
        var request = Sample.everything("s")
        request.commitment = 1
        let stream = try maker.open(request: request)
        try maker.receive(stream, Sample.ping)
        try maker.close(stream)
        try maker.finish()
        let serving = try GeyserServing(maker)
        // The same in another order, and with the filter spelt out twice: the last one counts.
        let other = try SubscribeRequest(
            decoding: [0x30, 1] + Sample.everything("s").encoded() + request.encoded()
        )
        #expect(
            try GeyserClient(serving, requests: [other]).finished().messages == [
                Sample.ping
            ]
        )
    }

    @Test func `reconnections with the same request follow one another`() throws {
        let maker = try GeyserRecordingMaker()
        let request = Sample.everything("e")
        let first = try maker.open(request: request)
        try maker.receive(first, Sample.entry(1, 1))
        // The second connection was opened before the first one ended.
        let second = try maker.open(request: request)
        try maker.receive(second, Sample.entry(1, 3))
        try maker.receive(first, Sample.entry(1, 2))
        try maker.close(first, code: 13, text: "broken")
        let other = try maker.open("backup", request)
        try maker.receive(other, Sample.entry(9, 9))
        try maker.receive(second, Sample.entry(1, 4))
        try maker.close(other)
        try maker.close(second, code: 8, text: "enough")
        try maker.finish()
        let serving = try GeyserServing(maker)
        let (got, status) = try GeyserClient(serving, requests: [request]).finished()
        #expect(got == (1...4).map { Sample.entry(1, $0) })
        #expect(status.code == .resourceExhausted)
        #expect(status.message == "enough")
    }

    @Test func `an end that the recorder asked for is the end of the recording`() throws {
        let maker = try GeyserRecordingMaker()
        let request = Sample.everything("e")
        let stream = try maker.open(request: request)
        try maker.receive(stream, Sample.entry(1, 1))
        try maker.close(stream, code: 1, text: "ended on request", onRequest: true)
        try maker.finish()
        let serving = try GeyserServing(maker)
        let (got, status) = try GeyserClient(serving, requests: [request]).finished()
        #expect(got == [Sample.entry(1, 1)])
        #expect(status.code == .ok)
    }

    // `printf abc | gzip -n` and its three bytes.
    private let gzipped: [UInt8] = [
        0x1F, 0x8B, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0x4B, 0x4C, 0x4A, 0x06, 0x00,
        0xC2, 0x41, 0x24, 0x35, 0x03, 0x00, 0x00, 0x00,
    ]

    @Test func `compressed messages stay so for who reads them`() throws {
        let maker = try GeyserRecordingMaker()
        let request = Sample.everything("e")
        let stream = try maker.open(request: request)
        try maker.append(.grpcMessageIn, gzipped, stream: stream, isCompressed: true)
        try maker.receive(stream, Sample.ping)
        try maker.close(stream)
        try maker.finish()
        let serving = try GeyserServing(maker)
        let able = try GeyserClient(
            serving,
            encodings: [.identity, .gzip],
            requests: [request]
        )
        #expect(able.finished().messages == [gzipped, Sample.ping])
        #expect(able.compressed == [true, false])
        let unable = try GeyserClient(serving, requests: [request])
        #expect(unable.finished().messages == [Array("abc".utf8), Sample.ping])
        #expect(unable.compressed == [false, false])
    }

    @Test func `a stream can be named instead`() throws {
        let maker = try GeyserRecordingMaker()
        let one = try maker.open(request: Sample.everything("e"))
        try maker.receive(one, Sample.entry(1, 1))
        let two = try maker.open(request: Sample.everything("s"))
        try maker.receive(two, Sample.slot(2, 0))
        try maker.close(one)
        try maker.close(two)
        try maker.finish()
        let serving = try GeyserServing(maker, options: { $0.stream = two })
        let client = try GeyserClient(serving, requests: [Sample.everything("e")])
        #expect(client.finished().messages == [Sample.slot(2, 0)])
    }

    @Test func `a long stream comes whole and in order`() throws {
        let maker = try GeyserRecordingMaker()
        let request = Sample.everything("e")
        let stream = try maker.open(request: request)
        let messages = (0..<20_000).map { Sample.entry(7, UInt64($0)) }
        for message in messages { try maker.receive(stream, message) }
        try maker.close(stream)
        try maker.finish()
        let serving = try GeyserServing(maker)
        let clients = try (0..<4).map { _ in
            try GeyserClient(serving, requests: [request])
        }
        for client in clients {
            let (got, status) = client.finished()
            #expect(got == messages)
            #expect(status.code == .ok)
        }
    }
}

extension GeyserRecordingMaker {
    func open(request: SubscribeRequest) throws -> StreamID { try open("main", request) }
}
