import Inflation
import RecordModel
import Testing
import WebSocketProtocol
import WebSocketTransport

@testable import ReplayServer

/// What a client gets that makes the recorder's calls in the recorder's order.
struct EthereumVerbatimTests {
    private let heads = #"["newHeads"]"#
    private let logs = #"["logs",{"address":"0x0000000000000000000000000000000000000007"}]"#

    /// Frames of a connection with everything that can happen on one.
    private func eventful(_ maker: EthereumRecordingMaker) throws -> [WireFrame] {
        let long = notification("0xaa", header(2, hash: 2, parent: 1, padding: 600))
        let bytes = Array(long.utf8)
        let stream = try maker.open()
        try maker.call(stream, 1, "eth_subscribe", heads, answer: "\"0xaa\"")
        try maker.call(stream, 2, "eth_subscribe", logs, answer: "\"0xbb\"")
        let frames = [
            WireFrame.text(notification("0xaa", header(1, hash: 1, parent: 0))),
            WireFrame(0x89, ""),
            WireFrame.text(notification("0xbb", log(block: 1, hash: 1, index: 0))),
            // Cut as nodes do, with a ping in the middle and an empty last frame.
            WireFrame(0x01, Array(bytes[..<1024])),
            WireFrame(0x89, "mid"),
            WireFrame(0x00, Array(bytes[1024...])),
            WireFrame(0x80, ""),
            WireFrame(0x82, [0, 255, 1]),
            WireFrame.text("no json at all"),
            WireFrame.text(notification("0xcc", "\"of nobody\"")),
        ]
        for frame in frames { try maker.received(stream, frame) }
        try maker.close(stream)
        try maker.finish()
        return [
            .text(#"{"jsonrpc":"2.0","id":1,"result":"0xaa"}"# + "\n"),
            .text(#"{"jsonrpc":"2.0","id":2,"result":"0xbb"}"# + "\n"),
        ] + frames
    }

    @Test func `the recorder's calls bring the recorded frames byte for byte`() throws {
        let maker = try EthereumRecordingMaker()
        let expected = try eventful(maker)
        let stage = try EthereumStage(maker)
        let client = try EthereumClient(stage.server)
        try client.send(jsonCall(1, "eth_subscribe", heads))
        try client.send(jsonCall(2, "eth_subscribe", logs))
        #expect(try client.allFrames() == expected)
        // The recorded connection ended without a close frame, and so does this one.
        #expect(client.end?.closeCode == CloseCode.abnormal)
    }

    @Test func `whoever comes in the middle of a message begins with the next one`() throws {
        let maker = try EthereumRecordingMaker()
        let expected = try eventful(maker)
        // The first frame of the long message.
        let stage = try EthereumStage(maker, head: maker.last.value - 8)
        let client = try EthereumClient(stage.server)
        _ = try client.ask(1, "eth_subscribe", heads)
        _ = try client.ask(2, "eth_subscribe", logs)
        stage.playOn()
        let frames = try client.allFrames()
        #expect(Array(frames.dropFirst(2)) == [expected[6]] + expected[9...])
    }

    @Test func `an imported connection, whose end nobody knows, is closed in order`() throws {
        let maker = try EthereumRecordingMaker()
        let stream = try maker.open()
        try maker.call(stream, 1, "eth_subscribe", heads, answer: "\"0xaa\"")
        try maker.close(stream, code: 1000)
        try maker.finish()
        let stage = try EthereumStage(maker)
        let client = try EthereumClient(stage.server)
        try client.send(jsonCall(1, "eth_subscribe", heads))
        _ = try client.allFrames()
        #expect(client.end?.closeCode == CloseCode.normal)
    }

    @Test func `an equal call in other words is the recorded one`() throws {
        let maker = try EthereumRecordingMaker()
        let expected = try eventful(maker)
        let stage = try EthereumStage(maker)
        let client = try EthereumClient(stage.server)
        try client.send(#"{"id":1,"params":["newHeads"],"method":"eth_subscribe","jsonrpc":"2.0"}"#)
        let other =
            #"["logs",{"topics":[],"address":["0x0000000000000000000000000000000000000007"]}]"#
        try client.send(jsonCall(2, "eth_subscribe", other))
        #expect(try client.allFrames() == expected)
    }

    @Test func `other ids of calls change nothing but the answers`() throws {
        let maker = try EthereumRecordingMaker()
        let expected = try eventful(maker)
        let stage = try EthereumStage(maker)
        let client = try EthereumClient(stage.server)
        try client.send(jsonCall(71, "eth_subscribe", heads))
        try client.send(
            #"{"jsonrpc":"2.0","id":"x\"y","method":"eth_subscribe","params":\#(logs)}"#
        )
        let frames = try client.allFrames()
        #expect(frames[0] == .text(#"{"jsonrpc":"2.0","id":71,"result":"0xaa"}"# + "\n"))
        #expect(frames[1] == .text(#"{"jsonrpc":"2.0","id":"x\"y","result":"0xbb"}"# + "\n"))
        #expect(Array(frames.dropFirst(2)) == Array(expected.dropFirst(2)))
    }

    @Test func `a client without the second call gets its own messages unchanged`() throws {
        let maker = try EthereumRecordingMaker()
        let expected = try eventful(maker)
        let stage = try EthereumStage(maker) {
            $0.settlingMilliseconds = 20
            $0.callGraceMilliseconds = 50
        }
        let client = try EthereumClient(stage.server)
        try client.send(jsonCall(1, "eth_subscribe", heads))
        // Nothing of the other subscription, no pings, nothing that is for nobody.
        let own = [expected[0], expected[2], expected[5], expected[7], expected[8]]
        #expect(try client.allFrames() == own)
        #expect(client.end?.closeCode == CloseCode.abnormal)
    }

    @Test func `the node's close frame is passed on`() throws {
        let maker = try EthereumRecordingMaker()
        let stream = try maker.open()
        try maker.call(stream, 1, "eth_subscribe", heads, answer: "\"0xaa\"")
        try maker.received(stream, WireFrame(0x88, [0x03, 0xF4] + Array("later".utf8)))
        try maker.close(stream, code: 1012)
        try maker.finish()
        let stage = try EthereumStage(maker)
        let client = try EthereumClient(stage.server)
        try client.send(jsonCall(1, "eth_subscribe", heads))
        guard case .closedByPeer(let body) = client.end?.cause else {
            Issue.record("not closed by the server")
            return
        }
        #expect(body.code == 1012)
        #expect(body.reason == Array("later".utf8))
    }

    @Test func `a stream that broke inside a frame breaks there again`() throws {
        let maker = try EthereumRecordingMaker()
        let stream = try maker.open()
        try maker.call(stream, 1, "eth_subscribe", heads, answer: "\"0xaa\"")
        try maker.received(stream, WireFrame(0x01, "{\"jsonrpc\""))
        let partial: [UInt8] = [0x80, 0x7D, 0x41, 0x42]
        try maker.partial(stream, partial)
        try maker.close(stream)
        try maker.finish()
        let stage = try EthereumStage(maker)
        let client = try EthereumClient(stage.server)
        try client.send(jsonCall(1, "eth_subscribe", heads))
        #expect(try client.allFrames().last == WireFrame(0x01, "{\"jsonrpc\""))
        #expect(client.end?.unreadBytes == partial)
    }

    @Test func `a stream that the recorder ended is closed in order`() throws {
        let maker = try EthereumRecordingMaker()
        let stream = try maker.open()
        try maker.call(stream, 1, "eth_subscribe", heads, answer: "\"0xaa\"")
        try maker.close(stream, code: 1000, onRequest: true)
        try maker.finish()
        let stage = try EthereumStage(maker)
        let client = try EthereumClient(stage.server)
        try client.send(jsonCall(1, "eth_subscribe", heads))
        #expect(client.end?.closeCode == CloseCode.normal)
    }

    @Test func `answers stand where they stood between notifications`() throws {
        let maker = try EthereumRecordingMaker()
        let stream = try maker.open()
        try maker.call(stream, 1, "eth_subscribe", heads, answer: "\"0xaa\"")
        let first = WireFrame.text(notification("0xaa", header(1, hash: 1, parent: 0)))
        try maker.received(stream, first)
        try maker.call(stream, 2, "eth_blockNumber", "[]", answer: "\"0x1\"")
        try maker.call(stream, 3, "eth_subscribe", logs, answer: "\"0xbb\"")
        let second = WireFrame.text(notification("0xbb", log(block: 1, hash: 1, index: 0)))
        try maker.received(stream, second)
        try maker.finish()
        let stage = try EthereumStage(maker)
        let client = try EthereumClient(stage.server)
        for call in [("eth_subscribe", heads), ("eth_blockNumber", "[]"), ("eth_subscribe", logs)]
            .enumerated()
        {
            try client.send(jsonCall(call.offset + 1, call.element.0, call.element.1))
        }
        let answers = ["\"0xaa\"", "\"0x1\"", "\"0xbb\""].enumerated().map {
            WireFrame.text(
                #"{"jsonrpc":"2.0","id":\#($0.offset + 1),"result":\#($0.element)}"# + "\n"
            )
        }
        #expect(try client.allFrames() == [answers[0], first, answers[1], answers[2], second])
    }

    @Test func `after a reconnect the next recorded connection is served`() throws {
        let maker = try EthereumRecordingMaker()
        let one = try maker.open()
        try maker.call(one, 1, "eth_subscribe", heads, answer: "\"0xaa\"")
        try maker.received(one, .text(notification("0xaa", header(1, hash: 1, parent: 0))))
        try maker.close(one)
        let edge = maker.last
        let two = try maker.open()
        try maker.call(two, 1, "eth_subscribe", heads, answer: "\"0xdd\"")
        try maker.received(two, .text(notification("0xdd", header(2, hash: 2, parent: 1))))
        try maker.finish()
        let stage = try EthereumStage(maker, head: edge.value)
        let client = try EthereumClient(stage.server)
        try client.send(jsonCall(1, "eth_subscribe", heads))
        #expect(try client.messages(1)[0].contains("0xdd"))
        stage.playOn()
        #expect(try client.messages(2)[1] == notification("0xdd", header(2, hash: 2, parent: 1)))
    }

    /// Two connections of a source, the second one while the client of the first is served.
    private func reconnected(_ maker: EthereumRecordingMaker) throws {
        let one = try maker.open()
        try maker.call(one, 1, "eth_subscribe", heads, answer: "\"0xaa\"")
        try maker.received(one, .text(notification("0xaa", header(1, hash: 1, parent: 0))))
        try maker.received(one, WireFrame(0x01, "cut off"))
        try maker.close(one)
        let two = try maker.open()
        try maker.call(two, 1, "eth_subscribe", heads, answer: "\"0xdddd\"")
        try maker.received(two, WireFrame(0x89, "alive"))
        try maker.received(two, .text(notification("0xdddd", header(2, hash: 2, parent: 1))))
        try maker.received(two, WireFrame(0x88, [0x03, 0xE9]))
        try maker.close(two, code: 1001)
        try maker.finish()
    }

    @Test func `recorded connections of a source are joined under the first ids`() throws {
        let maker = try EthereumRecordingMaker()
        try reconnected(maker)
        let stage = try EthereumStage(maker)
        let client = try EthereumClient(stage.server)
        try client.send(jsonCall(1, "eth_subscribe", heads))
        #expect(
            try client.allFrames().dropFirst() == [
                .text(notification("0xaa", header(1, hash: 1, parent: 0))),
                WireFrame(0x89, "alive"),
                .text(notification("0xaa", header(2, hash: 2, parent: 1))),
            ]
        )
        #expect(client.end?.closeCode == 1001)
    }

    @Test func `a client is cut off where the recorder was, if asked for`() throws {
        let maker = try EthereumRecordingMaker()
        try reconnected(maker)
        let stage = try EthereumStage(maker) { $0.joinsConnections = false }
        let client = try EthereumClient(stage.server)
        try client.send(jsonCall(1, "eth_subscribe", heads))
        #expect(
            try client.allFrames().dropFirst() == [
                .text(notification("0xaa", header(1, hash: 1, parent: 0))),
                WireFrame(0x01, "cut off"),
            ]
        )
        #expect(client.end?.closeCode == CloseCode.abnormal)
    }

    @Test func `compressed messages pass to clients that can inflate, and inflated to others`()
        throws
    {
        let maker = try EthereumRecordingMaker()
        let agreed =
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
        let stream = try maker.open(extensions: agreed)
        try maker.call(stream, 1, "eth_subscribe", heads, answer: "\"0xaa\"")
        let deflater = Deflater(.messageDeflate)
        let text = notification("0xaa", header(1, hash: 1, parent: 0, padding: 600))
        var bytes: [UInt8] = []
        deflater.deflate(Array(text.utf8).span, into: &bytes)
        let frames = [
            WireFrame(0x41, Array(bytes[..<20])), WireFrame(0x89, "mid"),
            WireFrame(0x80, Array(bytes[20...])),
        ]
        for frame in frames { try maker.received(stream, frame) }
        // Compression was agreed, but this one was not worth it.
        let plain = WireFrame.text(notification("0xaa", header(2, hash: 2, parent: 1)))
        try maker.received(stream, plain)
        try maker.finish()
        let stage = try EthereumStage(maker)
        let able = try EthereumClient(stage.server, compression: true)
        try able.send(jsonCall(1, "eth_subscribe", heads))
        #expect(Array(try able.allFrames().dropFirst()) == frames + [plain])
        let other = try EthereumClient(stage.server)
        try other.send(jsonCall(1, "eth_subscribe", heads))
        let got = try other.allFrames().dropFirst()
        #expect(
            EthereumClient.messages(Array(got)) == EthereumClient.messages([.text(text), plain])
        )
        #expect(got.contains(WireFrame(0x89, "mid")))
        // Under another id it is inflated for everyone.
        let third = try EthereumClient(stage.server, compression: true)
        let calls = [1, 2].map { jsonCall($0, "eth_subscribe", heads) }
        try third.send("[" + calls.joined(separator: ",") + "]")
        let messages = EthereumClient.messages(try third.allFrames())
        #expect(messages.filter { $0.contains("0xabab") }.count == 1)
    }

    @Test func `a query that only the recorder made is passed over, but not the ping inside`()
        throws
    {
        let maker = try EthereumRecordingMaker()
        let stream = try maker.open()
        try maker.call(stream, 1, "eth_subscribe", heads, answer: "\"0xaa\"")
        let first = WireFrame.text(notification("0xaa", header(1, hash: 1, parent: 0)))
        try maker.received(stream, first)
        try maker.sent(stream, .text(jsonCall(2, "eth_blockNumber", "[]")))
        try maker.received(
            stream,
            WireFrame(0x01, #"{"jsonrpc":"2.0","id":2,"#),
            WireFrame(0x89, "inside"),
            WireFrame(0x80, "\"result\":\"0x1\"}\n")
        )
        let second = WireFrame.text(notification("0xaa", header(2, hash: 2, parent: 1)))
        try maker.received(stream, second)
        try maker.finish()
        let stage = try EthereumStage(maker) {
            $0.settlingMilliseconds = 20
            $0.callGraceMilliseconds = 50
        }
        let client = try EthereumClient(stage.server)
        try client.send(jsonCall(1, "eth_subscribe", heads))
        let expected = [first, WireFrame(0x89, "inside"), second]
        #expect(Array(try client.allFrames().dropFirst()) == expected)
    }
}
