import Observability
import Platform
import RecordModel
import SegmentLog
import Testing
import WebSocketProtocol
import WebSocketTransport

@testable import Capture
@testable import EthereumSource

/// A node-shaped server: each text frame goes to a script with its connection's number.
private final class ScriptedNode: WebSocketAcceptor {
    typealias Script = @Sendable (WebSocketConnection, Int, [UInt8]) -> Void

    private final class Peer: WebSocketEvents {
        let script: Script
        let number: Int
        let received: Monitor<[[UInt8]]>
        init(_ script: @escaping Script, _ number: Int, _ received: Monitor<[[UInt8]]>) {
            self.script = script
            self.number = number
            self.received = received
        }
        func opened(_ connection: WebSocketConnection, _ opening: Opening) {}
        func ended(_ connection: WebSocketConnection, _ end: ConnectionEnd) {}
        func frameReceived(
            _ connection: WebSocketConnection,
            _ header: FrameHeader,
            _ payload: Span<UInt8>
        ) {
            guard header.opcode == Opcode.text else { return }
            let bytes = payload.withUnsafeBufferPointer { Array($0) }
            received.update { $0.append(bytes) }
            script(connection, number, bytes)
        }
    }

    private let script: Script
    private let refusal: HTTPRefusal?
    private let count = Monitor(0)
    let received = Monitor<[[UInt8]]>([])
    let loop: EventLoop
    private let server = Monitor<WebSocketServer?>(nil)

    init(refusing refusal: HTTPRefusal? = nil, _ script: @escaping Script) throws {
        self.script = script
        self.refusal = refusal
        loop = try EventLoop(name: "node")
        let made = try WebSocketServer(
            address: "127.0.0.1",
            port: 0,
            options: ServerOptions(),
            loop: loop,
            acceptor: self
        )
        server.withLock { $0 = made }
    }

    func decide(_ request: UpgradeRequest, peer: String) -> UpgradeDecision {
        if let refusal { return .reject(refusal) }
        let number = count.withLock { count in
            count += 1
            return count
        }
        return .accept(Peer(script, number, received))
    }

    func url(_ path: String = "/") throws -> WebSocketURL {
        let port = server.withLock { $0?.port ?? 0 }
        return try WebSocketURL("ws://127.0.0.1:\(port)\(path)")
    }

    func close() {
        server.withLock { $0 }?.stop()
        loop.stop()
    }
}

extension WebSocketConnection {
    fileprivate func text(_ text: String, firstByte: UInt8 = 0x81) {
        do { try send(firstByte: firstByte, payload: Array(text.utf8).span) } catch {
            Issue.record(error)
        }
    }
}

private let subscribe = Array(
    #"{"method":"eth_subscribe","params":["newHeads"]}"#.utf8
)
private let answer = #"{"jsonrpc":"2.0","id":1,"result":"0xab"}"#

@Suite struct EthereumCaptureTests {
    private func record(
        _ node: ScriptedNode,
        path: String = "/",
        secrets: [String] = [],
        deck: Deck,
        change: (inout EthereumSubscription.Options) -> Void = { _ in },
        until: @escaping @Sendable (CaptureLog) -> Bool = { _ in false }
    ) throws -> [CaptureLoop.SourceStatus] {
        let loop = try EventLoop(name: "capture-ws")
        defer { loop.stop() }
        var options = EthereumSubscription.Options(
            id: "ws-1",
            url: try node.url(path),
            calls: [try EthereumCall(json: subscribe)]
        )
        options.policy.backoff.first = 20_000_000
        change(&options)
        return try deck.record(
            [EthereumSubscription(options, loop: loop)],
            secrets: secrets,
            until: until
        )
    }

    @Test func `frames, fragments and control frames are recorded as they are`() throws {
        let node = try ScriptedNode { connection, _, _ in
            connection.text(answer)
            connection.text("frag", firstByte: 0x01)
            connection.text("ping", firstByte: 0x89)
            connection.text("ment", firstByte: 0x00)
            connection.text("", firstByte: 0x80)
            connection.close(code: 1000, reason: "bye")
        }
        defer { node.close() }
        let deck = try Deck()
        _ = try record(node, deck: deck) { $0.policy.endsWithStream = true }
        let records = try deck.records()
        let frames = records.of(.webSocketFrameIn)
        #expect(frames.map(\.envelope.wireByte) == [0x81, 0x01, 0x89, 0x00, 0x80, 0x88])
        #expect(
            frames.dropLast().map { String(decoding: $0.payload, as: UTF8.self) }
                == [answer, "frag", "ping", "ment", ""]
        )
        let out = records.of(.webSocketFrameOut)
        #expect(out.map(\.envelope.wireByte) == [0x81, 0x8A, 0x88])
        #expect(out.allSatisfy { $0.envelope.flags.contains(.masked) })
        let call = #"{"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["newHeads"]}"#
        #expect(out.first?.payload == Array(call.utf8))
        #expect(node.received.withLock { $0 } == [Array(call.utf8)])
        #expect(records.of(.gapOpened).isEmpty)
        let closed = try #require(records.of(.streamClosed).first?.fields)
        #expect(closed.unsigned(.closeCode) == 1000)
        #expect(closed.text(.closeReason) == "bye")
        let accepted = try #require(records.of(.streamAccepted).first?.fields)
        #expect(accepted.unsigned(.httpStatus) == 101)
        #expect(
            records.of(.subscriptionDecided).first?.fields.allBytes(.request)
                == [Array(call.utf8)]
        )
        // Once more with its answer, for when both frames are gone.
        let taken = records.of(.subscriptionDecided).dropFirst()
        #expect(taken.map { $0.fields.bytes(.request) } == [Array(call.utf8)])
        #expect(taken.map { $0.fields.bytes(.answer) } == [Array(answer.utf8)])
        let answered = try #require(frames.first?.envelope.sequence)
        #expect(taken.allSatisfy { $0.envelope.sequence > answered })
    }

    @Test func `an answer with a secret is copied into no event`() throws {
        let node = try ScriptedNode { connection, _, _ in
            connection.text(#"{"jsonrpc":"2.0","id":1,"result":"0xs3cr3t-of-mine"}"#)
            connection.close(code: 1000)
        }
        defer { node.close() }
        let deck = try Deck()
        _ = try record(node, secrets: ["s3cr3t-of-mine"], deck: deck) {
            $0.policy.endsWithStream = true
        }
        let records = try deck.records()
        #expect(records.of(.subscriptionDecided).count == 1)
        #expect(records.of(.webSocketFrameIn).first?.envelope.flags == .containsSecret)
    }

    @Test(arguments: [(1001, false), (1011, true), (0, true)])
    func `an end opens a gap unless it is an orderly one`(code: Int, opens: Bool) throws {
        let node = try ScriptedNode { connection, number, _ in
            connection.text(answer)
            if number > 1 {
                connection.text("again")
            } else if code == 0 {
                connection.endStream()
            } else {
                connection.close(code: UInt16(code))
            }
        }
        defer { node.close() }
        let deck = try Deck()
        _ = try record(node, deck: deck, until: { $0.frames.value >= 3 })
        let records = try deck.records()
        #expect(records.of(.streamOpened).count >= 2)
        #expect(records.of(.gapOpened).count == (opens ? 1 : 0))
        #expect(records.of(.gapBounded).count == (opens ? 1 : 0))
        // The subscription is sent again on the new connection.
        #expect(node.received.withLock { $0 }.count >= 2)
    }

    @Test func `a call that will always be refused ends the source`() throws {
        let node = try ScriptedNode { connection, _, _ in
            connection.text(
                #"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no such key-0123456789"}}"#
            )
        }
        defer { node.close() }
        let deck = try Deck()
        let statuses = try record(node, secrets: ["key-0123456789"], deck: deck)
        guard case .ended(.failed(let text))? = statuses.first?.state else {
            Issue.record("not given up")
            return
        }
        #expect(text == "call 1 (eth_subscribe) was refused: no such *** (-32601)")
        let records = try deck.records()
        #expect(records.of(.webSocketFrameIn).count >= 1)
        #expect(records.of(.gapOpened).isEmpty)
    }

    @Test func `a frame that breaks the protocol is kept, closed with 1002 and not believed`()
        throws
    {
        let node = try ScriptedNode { connection, _, _ in
            // Believed, it would end the source for ever.
            connection.text(
                #"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no"}}"#,
                firstByte: 0xA1
            )
        }
        defer { node.close() }
        let deck = try Deck()
        let statuses = try record(node, deck: deck, until: { $0.frames.value >= 3 })
        if case .ended(.failed(let text))? = statuses.first?.state {
            Issue.record("given up: \(text)")
        }
        let records = try deck.records()
        #expect(records.of(.webSocketFrameIn).first?.envelope.wireByte == 0xA1)
        let close = try #require(
            records.of(.webSocketFrameOut).first { $0.envelope.wireByte == 0x88 }
        )
        #expect(close.payload.starts(with: [0x03, 0xEA]))
        #expect(records.of(.streamClosed).first?.fields.text(.cause) == "protocol_violation")
    }

    @Test func `an upgrade that is refused is a connect error with its status`() throws {
        let key = "abcdef0123456789abcdef"
        let refusal = HTTPRefusal(status: 401, body: "bad \(key)")
        let node = try ScriptedNode(refusing: refusal) { _, _, _ in }
        defer { node.close() }
        let deck = try Deck()
        let statuses = try record(
            node,
            path: "/v2/\(key)?apikey=\(key)",
            secrets: [key],
            deck: deck
        )
        #expect(statuses.first?.wasAccepted == false)
        let records = try deck.records()
        let error = try #require(records.of(.connectError).first?.fields)
        #expect(error.unsigned(.httpStatus) == 401)
        #expect(error.text(.cause) == "http_401")
        for record in records {
            #expect(!String(decoding: record.payload, as: UTF8.self).contains(key))
        }
        #expect(!deck.notices.withLock { $0 }.contains { $0.text.contains(key) })
        #expect(records.of(.streamOpened).first?.fields.text(.method) == "/v2/***?apikey=***")
    }

    @Test func `what had arrived of a frame is kept when the stream breaks`() throws {
        let node = try ScriptedNode { connection, _, _ in
            connection.text(answer)
            // A text frame of ten bytes of which three arrive.
            connection.endStream(partial: [0x81, 10, 0x61, 0x62, 0x63].span)
        }
        defer { node.close() }
        let deck = try Deck()
        _ = try record(node, deck: deck) { $0.policy.endsWithStream = true }
        let records = try deck.records()
        #expect(records.of(.partialFrameIn).map(\.payload) == [[0x81, 10, 0x61, 0x62, 0x63]])
        #expect(records.of(.gapOpened).count == 1)
    }

    @Test(arguments: [
        "", "[]", "{}", #"{"method":1}"#, #"{"method":"a","params":3}"#,
        #"{"method":"a","id":1}"#, #"{"method":"a","method":"b"}"#, #"{"method":"a","x":1}"#,
        #"{"method":"a"} x"#,
    ])
    func `a text that is no call is refused`(text: String) {
        #expect(throws: EthereumCall.ParseError.self) {
            try EthereumCall(json: Array(text.utf8))
        }
    }

    @Test func `a call keeps its parameters as they were written`() throws {
        let call = try EthereumCall(
            json: Array(#" {"params": [ {"b":1, "a":"\u0041"} ], "method":"eth_\"x"} "#.utf8)
        )
        #expect(
            String(decoding: call.message(id: 3), as: UTF8.self)
                == #"{"jsonrpc":"2.0","id":3,"method":"eth_\"x","params":[ {"b":1, "a":"\u0041"} ]}"#
        )
    }
}
