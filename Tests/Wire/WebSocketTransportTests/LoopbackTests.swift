import Platform
import Testing
import WebSocketProtocol
import WebSocketTransport

@Suite(.serialized, .timeLimit(.minutes(1))) struct LoopbackTests {
    /// A server that sends back what it gets, frame by frame.
    private func echo(_ options: ServerOptions = ServerOptions()) throws -> Bench {
        try Bench(
            options,
            Acceptor { connection, firstByte, payload in
                if !Opcode.isControl(firstByte & 0x0F) { try? connection.send(firstByte, payload) }
            }
        )
    }

    @Test func `frames of every size pass both ways unchanged`() throws {
        let bench = try echo()
        let client = Recorder()
        let connection = try bench.connect(client)
        #expect(client.connection() === connection)
        let sizes = [0, 1, 125, 126, 1_024, 65_535, 65_536, 1_200_000]
        for (index, size) in sizes.enumerated() {
            let payload = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ index) }
            try connection.sendWaiting(0x82, payload)
            #expect(client.frames(index + 1).last == .received(0x82, payload))
        }
        let keys = client.state.withLock(\.maskKeys)
        #expect(keys.count == sizes.count && Set(keys).count == sizes.count)
        connection.close(code: 1000, reason: "done")
        #expect(
            client.last()
                == .ended(
                    .closedByUs(
                        CloseBody(code: 1000, reason: "done"),
                        answer: CloseBody(code: 1000)
                    )
                )
        )
        #expect(client.end?.closeCode == 1000)
        let server = try #require(bench.acceptor.recorder())
        #expect(server.last() == .ended(.closedByPeer(CloseBody(code: 1000, reason: "done"))))
        #expect(server.end?.unreadBytes == [])
    }

    @Test func `fragments with a ping between them are recorded as they came`() throws {
        let bench = try Bench()
        let client = Recorder()
        _ = try bench.connect(client)
        let server = try #require(bench.acceptor.recorder()?.connection())
        try server.send(0x01, "{\"a\":")
        try server.send(0x89, "now")
        try server.send(0x00, "1}\n")
        try server.send(0x80, "")
        server.close(code: 1001, reason: "restart")
        #expect(client.last() == .ended(.closedByPeer(CloseBody(code: 1001, reason: "restart"))))
        #expect(
            client.events == [
                .opened(compressed: false, subprotocol: nil),
                .received(0x01, Array("{\"a\":".utf8)),
                .received(0x89, Array("now".utf8)),
                .sent(0x8A, Array("now".utf8)),
                .received(0x00, Array("1}\n".utf8)),
                .received(0x80, []),
                .received(0x88, [0x03, 0xE9] + Array("restart".utf8)),
                .sent(0x88, [0x03, 0xE9]),
                .ended(.closedByPeer(CloseBody(code: 1001, reason: "restart"))),
            ]
        )
        let frames = bench.acceptor.recorder()?.frames(2)
        #expect(frames?.first == .received(0x8A, Array("now".utf8)))
    }

    @Test func `a subprotocol and fields of the request reach the server`() throws {
        let bench = try Bench(
            ServerOptions(),
            Acceptor { request in
                guard request.head.target == "/v2/key?x=1",
                    request.head.fields.only("X-Trace") == "7"
                else { return .reject(HTTPRefusal(status: 400)) }
                return .accept(Recorder(), subprotocol: request.subprotocols.last)
            }
        )
        var options = ClientOptions()
        options.subprotocols = ["a", "b"]
        options.fields = [HTTPField("X-Trace", "7")]
        let client = Recorder()
        _ = try bench.connect(client, path: "/v2/key?x=1", options: options)
        _ = client.connection()
        #expect(client.events == [.opened(compressed: false, subprotocol: "b")])
    }

    @Test(arguments: [401, 403, 429, 503, 302])
    func `a refusal arrives with status and body`(status: Int) throws {
        let bench = try Bench(
            ServerOptions(),
            Acceptor { _ in .reject(HTTPRefusal(status: status, body: "no \(status)")) }
        )
        let client = Recorder()
        let connection = try bench.connect(client)
        #expect(client.last() == .rejected(status: status, body: "no \(status)"))
        #expect(throws: SendError.closed) { try connection.send(0x81, "late") }
        #expect(client.events.count == 1)
    }

    @Test func `compression is agreed on only when both want it`() throws {
        for (server, client) in [(true, true), (true, false), (false, true)] {
            var serverOptions = ServerOptions()
            serverOptions.agreesToCompression = server
            var options = ClientOptions()
            options.offersCompression = client
            let bench = try Bench(serverOptions)
            let recorder = Recorder()
            _ = try bench.connect(recorder, options: options)
            let connection = try #require(bench.acceptor.recorder()?.connection())
            // "Hello" deflated, RFC 7692 section 7.2.3.1.
            let deflated: [UInt8] = [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00]
            try connection.send(0xC1, deflated)
            #expect(recorder.frames(1) == [.received(0xC1, deflated)])
            if server && client {
                connection.close()
                #expect(recorder.last() == .ended(.closedByPeer(CloseBody(code: 1000))))
            } else {
                let violation = Violation.reservedBits(firstByte: 0xC1)
                #expect(recorder.last() == .ended(.violation(violation)))
            }
            #expect(
                recorder.events.first
                    == .opened(
                        compressed: server && client,
                        subprotocol: nil
                    )
            )
        }
    }

    @Test func `the stream's end without close frame is seen as such`() throws {
        let bench = try Bench()
        let client = Recorder()
        _ = try bench.connect(client)
        let server = try #require(bench.acceptor.recorder()?.connection())
        try server.send(0x81, "last")
        let partial: [UInt8] = [0x81, 0x05, 0x48]
        server.endStream(partial: partial.span)
        #expect(client.last() == .ended(.streamEnd(isClean: true)))
        #expect(client.frames(1) == [.received(0x81, Array("last".utf8))])
        #expect(client.end?.unreadBytes == partial)
        #expect(client.end?.closeCode == 1006)
        #expect(bench.acceptor.recorder()?.last() == .ended(.aborted))
    }

    @Test func `abort ends both sides at once`() throws {
        let bench = try Bench()
        let client = Recorder()
        let connection = try bench.connect(client)
        let server = try #require(bench.acceptor.recorder())
        _ = client.connection()
        connection.abort()
        #expect(client.last() == .ended(.aborted))
        #expect(server.last() == .ended(.streamEnd(isClean: true)))
        connection.abort()
        connection.close()
        #expect(client.state.withLock(\.lateEvents) == 0)
    }

    @Test func `pause inside a frame holds the next one back`() throws {
        let bench = try Bench()
        let client = Recorder { connection, _, _ in connection.pause() }
        let connection = try bench.connect(client)
        let server = try #require(bench.acceptor.recorder()?.connection())
        // In one piece, so that all five lie in the client's buffer when it pauses.
        let batch: [UInt8] = (0..<5).flatMap { (index: UInt8) -> [UInt8] in [0x81, 0x01, index] }
        try server.send(encodedFrames: batch.span)
        server.close()
        let recorder = try #require(bench.acceptor.recorder())
        for count in 1...5 {
            _ = client.frames(count)
            // The server has this only after the client's loop has gone on past the pause.
            try connection.send(0x81, "mark")
            _ = recorder.frames(count)
            #expect(client.frames(count).count == count)
            connection.resume()
        }
        _ = client.frames(6)
        connection.resume()
        #expect(client.last() == .ended(.closedByPeer(CloseBody(code: 1000))))
    }

    @Test func `a paused client holds the server up and loses nothing`() throws {
        var serverOptions = ServerOptions()
        serverOptions.limits.queuedBytesMax = 64 << 10
        let bench = try Bench(serverOptions)
        let client = Recorder { connection, _, payload in
            if payload == [0] { connection.pause() }
        }
        let connection = try bench.connect(client)
        let server = try #require(bench.acceptor.recorder()?.connection())
        try server.send(0x82, [0])
        #expect(client.frames(1).count == 1)
        // Fill every buffer on the way: the kernel's first, then the queue.
        let payload = [UInt8](repeating: 7, count: 8_000)
        var sent = 0
        var refusals = 0
        while refusals < 2 {
            do {
                // 80 MB are more than all buffers hold: then the pause does not hold anything up.
                try #require(sent < 10_000)
                try server.send(0x82, payload)
                sent += 1
                refusals = 0
            } catch SendError.queueFull {
                // With the client paused the queue never drains; look twice, half a second apart.
                refusals += 1
                let deadline = SystemClock().monotonicNanoseconds() + 500_000_000
                if server.waitForSpace(deadline: deadline) { refusals = 0 }
            }
        }
        #expect(client.frames(1).count == 1)
        connection.resume()
        #expect(client.frames(1 + sent).count == 1 + sent)
        let recorder = try #require(bench.acceptor.recorder())
        #expect(recorder.wait { $0.events.contains(.drained) ? true : nil } == true)
        server.close()
        #expect(client.last() == .ended(.closedByPeer(CloseBody(code: 1000))))
    }

    @Test func `many frames from a producer arrive in order`() throws {
        let bench = try Bench()
        let next = Monitor((next: 0, isOrdered: true))
        let counting = Counting(next)
        let connection = WebSocketClient.connect(
            try WebSocketURL("ws://127.0.0.1:\(bench.server.port)/"),
            loop: bench.clientLoop,
            events: counting
        )
        let server = try #require(bench.acceptor.recorder()?.connection())
        let count = 100_000
        for index in 0..<count {
            try server.sendWaiting(0x82, withUnsafeBytes(of: index) { Array($0) })
        }
        server.close()
        let deadline = SystemClock().monotonicNanoseconds() + 30_000_000_000
        let result = next.wait(deadline: deadline) { $0.next == count ? $0.isOrdered : nil }
        #expect(result == true)
        _ = connection
    }

    @Test func `batches of encoded frames pass whole`() throws {
        let bench = try Bench()
        let client = Recorder()
        _ = try bench.connect(client)
        let server = try #require(bench.acceptor.recorder()?.connection())
        var batch: [UInt8] = []
        for index in 0..<10 {
            FrameHeader(opcode: Opcode.binary, payloadLength: 1).encode(to: &batch)
            batch.append(UInt8(index))
        }
        try server.send(encodedFrames: batch.span)
        #expect(client.frames(10) == (0..<10).map { .received(0x82, [UInt8($0)]) })
    }

    @Test func `sixty-four connections at once`() throws {
        let bench = try echo()
        let clients = (0..<64).map { _ in Recorder() }
        let connections = try clients.map { try bench.connect($0) }
        for (index, client) in clients.enumerated() {
            #expect(client.connection() === connections[index])
            try connections[index].send(0x81, "hello \(index)")
        }
        for (index, client) in clients.enumerated() {
            #expect(client.frames(1) == [.received(0x81, Array("hello \(index)".utf8))])
        }
        #expect(bench.server.connectionCount == 64)
        let stopped = bench.server
        ending("the server") { stopped.stop() }
        for client in clients {
            #expect(client.last() == .ended(.closedByPeer(CloseBody(code: 1001))))
        }
        #expect(bench.server.connectionCount == 0)
    }

    @Test func `too many connections get 503`() throws {
        var options = ServerOptions()
        options.connectionCountMax = 1
        let bench = try Bench(options)
        let first = Recorder()
        _ = try bench.connect(first)
        _ = first.connection()
        let second = Recorder()
        _ = try bench.connect(second)
        #expect(second.last() == .rejected(status: 503, body: "too many connections\n"))
    }

    @Test func `pings keep a quiet connection and find a dead one`() throws {
        let bench = try Bench()
        var options = ClientOptions()
        options.limits.pingMilliseconds = 20
        options.limits.pingTimeoutMilliseconds = 5_000
        let client = Recorder()
        _ = try bench.connect(client, options: options)
        // Each pong answers a ping, and the connection lives on.
        #expect(
            Array(client.frames(3).prefix(3)) == [Event](repeating: .received(0x8A, []), count: 3)
        )
        let (listener, port) = try RawPeer.listen()
        options.limits.pingTimeoutMilliseconds = 30
        let lonely = Recorder()
        _ = WebSocketClient.connect(
            try WebSocketURL("ws://127.0.0.1:\(port)/"),
            options: options,
            loop: bench.clientLoop,
            random: SampleNonce(),
            events: lonely
        )
        let peer = try listener.accept()
        _ = peer.readHead()
        peer.write(RawPeer.acceptance)
        #expect(lonely.last() == .ended(.pingTimeout))
        #expect(lonely.events.contains(.sent(0x89, [])))
    }

    @Test func `an idle connection ends`() throws {
        let bench = try Bench()
        var options = ClientOptions()
        options.limits.idleMilliseconds = 30
        let client = Recorder()
        _ = try bench.connect(client, options: options)
        #expect(client.last() == .ended(.idleTimeout))
    }

    @Test func `stopping the loop ends everything once`() throws {
        let loop = try EventLoop()
        let server = try WebSocketServer(loop: loop, acceptor: Acceptor())
        let clients = (0..<5).map { _ in Recorder() }
        for client in clients {
            _ = WebSocketClient.connect(
                try WebSocketURL("ws://127.0.0.1:\(server.port)/"),
                loop: loop,
                events: client
            )
        }
        for client in clients { _ = client.connection() }
        ending("the loop") {
            loop.stop()
            loop.stop()
            server.stop()
        }
        for client in clients {
            #expect(client.last() == .ended(.stopped))
            #expect(client.state.withLock(\.lateEvents) == 0)
        }
        let late = Recorder()
        _ = WebSocketClient.connect(try WebSocketURL("ws://127.0.0.1:1/"), loop: loop, events: late)
        #expect(late.events == [.connectFailed(.stopped)])
        #expect(throws: SystemError.self) {
            try WebSocketServer(loop: loop, acceptor: Acceptor())
        }
    }
}

/// Checks that numbered frames come in order, without keeping them.
private final class Counting: WebSocketEvents {
    private let state: Monitor<(next: Int, isOrdered: Bool)>
    init(_ state: Monitor<(next: Int, isOrdered: Bool)>) { self.state = state }

    func opened(_ connection: WebSocketConnection, _ opening: Opening) {}
    func ended(_ connection: WebSocketConnection, _ end: ConnectionEnd) {}
    func frameReceived(
        _ connection: WebSocketConnection,
        _ header: FrameHeader,
        _ payload: Span<UInt8>
    ) {
        if header.isControl { return }
        let number = payload.withUnsafeBytes { $0.loadUnaligned(as: Int.self) }
        state.update { state in
            if number != state.next { state.isOrdered = false }
            state.next += 1
        }
    }
}
