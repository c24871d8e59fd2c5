import Platform
import Testing
import WebSocketProtocol
import WebSocketTransport

/// The words "the sample nonce" first, so that the RFC's sample answer fits; then masks of 1.
struct SampleNonce: RandomSource {
    private var count = 0
    mutating func next() -> UInt64 {
        count += 1
        switch count {
        case 1: return 0x7468_6520_7361_6D70
        case 2: return 0x6C65_206E_6F6E_6365
        default: return 0x0101_0101
        }
    }
}

extension RawPeer {
    /// The answer of RFC 6455 section 1.3.
    static let acceptance = """
        HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n
        """
}

/// A client of ours that meets a server made of raw bytes.
@Suite(.serialized, .timeLimit(.minutes(1))) struct HostileServerTests {
    /// Gives the client an answer, then bytes, and tells how it ended; `after` acts on the socket.
    private func meet(
        answer: String = RawPeer.acceptance,
        _ bytes: [UInt8] = [],
        options: ClientOptions = ClientOptions(),
        after: (RawPeer) -> Void = { $0.endWriting() }
    ) throws -> (recorder: Recorder, written: [UInt8]) {
        let loop = try EventLoop()
        defer { ending("the loop") { loop.stop() } }
        let (listener, port) = try RawPeer.listen()
        let recorder = Recorder()
        _ = WebSocketClient.connect(
            try WebSocketURL("ws://127.0.0.1:\(port)/"),
            options: options,
            loop: loop,
            random: SampleNonce(),
            events: recorder
        )
        let peer = try listener.accept()
        #expect(peer.readHead().hasPrefix("GET / HTTP/1.1\r\n"))
        peer.write(Array(answer.utf8) + bytes)
        after(peer)
        let last = recorder.last()
        #expect(last != nil)
        return (recorder, peer.readAll())
    }

    @Test func `frames in the same bytes as the answer are not lost`() throws {
        let (recorder, _) = try meet([0x81, 0x02, 0x68, 0x69, 0x82, 0x00])
        #expect(
            Array(recorder.events.dropFirst()) == [
                .received(0x81, Array("hi".utf8)), .received(0x82, []),
                .ended(.streamEnd(isClean: true)),
            ]
        )
    }

    @Test(
        arguments: [
            ([0x83, 0x00], .reservedOpcode(3), 0xEA),
            ([0xC1, 0x00], .reservedBits(firstByte: 0xC1), 0xEA),
            ([0xA9, 0x00], .reservedBits(firstByte: 0xA9), 0xEA),
            ([0x80, 0x00], .unexpectedContinuation, 0xEA),
            ([0x09, 0x00], .fragmentedControl(opcode: 9), 0xEA),
            ([0x81, 0x81, 1, 2, 3, 4, 5], .maskForbidden, 0xEA),
            ([0x81, 0x01, 0xFF], .malformedText, 0xEF),
            ([0x88, 0x01, 0x03], .malformedClose, 0xEA),
            ([0x88, 0x02, 0x03, 0xED], .invalidCloseCode(1005), 0xEA),
        ] as [([UInt8], Violation, UInt8)]
    )
    func `a violation is recorded first, then answered with its code`(
        bytes: [UInt8],
        violation: Violation,
        code: UInt8
    ) throws {
        let (recorder, written) = try meet(bytes + [0x81, 0x00])
        #expect(recorder.last() == .ended(.violation(violation)))
        let frames = recorder.events.filter { if case .received = $0 { true } else { false } }
        #expect(frames.count == 1)
        #expect(recorder.state.withLock(\.accepted) == [])
        #expect(recorder.end?.unreadBytes == [0x81, 0x00])
        // A masked close frame with the key 01010101: 0x03 becomes 0x02.
        #expect(written.starts(with: [0x88]) && written.count > 8)
        #expect(Array(written[2..<8]) == [1, 1, 1, 1, 0x02, code ^ 1])
    }

    @Test(
        arguments: [
            ([0x81, 126, 0, 5], .nonMinimalLength),
            ([0x81, 127, 0x80, 0, 0, 0, 0, 0, 0, 0], .lengthTopBit),
            ([0x82, 126, 0x10, 0x01], .overLimit(length: 4_097, limit: 4_096)),
        ] as [([UInt8], FrameError)]
    )
    func `broken lengths end the connection with their bytes kept`(
        bytes: [UInt8],
        error: FrameError
    ) throws {
        var options = ClientOptions()
        options.limits.framePayloadBytesMax = 4_096
        let (recorder, _) = try meet(bytes, options: options)
        #expect(recorder.last() == .ended(.violation(.frame(error))))
        #expect(recorder.end?.unreadBytes == bytes)
    }

    @Test func `an unfinished frame is kept when the stream ends or breaks`() throws {
        let partial: [UInt8] = [0x82, 0x05, 1, 2]
        let (ended, _) = try meet(partial)
        #expect(ended.last() == .ended(.streamEnd(isClean: true)))
        #expect(ended.end?.unreadBytes == partial)
        let (reset, _) = try meet([0x81, 0x00]) { peer in
            // The reset must come behind the frame's delivery, or it may overtake it.
            peer.write([])
            peer.endWriting()
            _ = peer.readSome()
            peer.reset()
        }
        #expect(reset.frameCount == 1)
    }

    @Test(
        arguments: [
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes!",
                .rejected(status: 200, body: "yes")
            ),
            ("HTTP/1.1 429 Slow\r\n\r\nno length", .rejected(status: 429, body: "no length")),
            ("HTTP/1.1 302 Found\r\nLocation: ws://x/\r\n\r\n", .rejected(status: 302, body: "")),
            ("SSH-2.0-OpenSSH\r\n\r\n", .connectFailed(.malformedAnswer(.malformed))),
            ("HTTP/1.1 101", .connectFailed(.closedEarly(.upgrade))),
            (
                "HTTP/1.1 101 X\r\nUpgrade: websocket\r\n\r\n",
                .connectFailed(.handshake(.notAccepted(field: "Connection")))
            ),
        ] as [(String, Event)]
    )
    func `other answers open nothing`(answer: String, event: Event) throws {
        let (recorder, _) = try meet(answer: answer)
        #expect(recorder.events == [event])
    }

    @Test func `a head without end and a body without end are cut off`() throws {
        let flood = String(repeating: "A: b\r\n", count: 4_000)
        let (recorder, _) = try meet(answer: "HTTP/1.1 101 X\r\n" + flood)
        #expect(recorder.events == [.connectFailed(.malformedAnswer(.tooLarge))])
        let body = String(repeating: "x", count: 100_000)
        let (refused, _) = try meet(answer: "HTTP/1.1 503 X\r\n\r\n" + body)
        let kept = String(repeating: "x", count: 4_096)
        #expect(refused.events == [.rejected(status: 503, body: kept)])
    }

    @Test func `a server that says nothing is given up`() throws {
        var options = ClientOptions()
        options.handshakeMilliseconds = 30
        let (recorder, _) = try meet(answer: "", options: options, after: { _ in })
        #expect(recorder.events == [.connectFailed(.timedOut(.upgrade))])
    }

    @Test func `a close frame that is never answered ends in time`() throws {
        let loop = try EventLoop()
        defer { ending("the loop") { loop.stop() } }
        let (listener, port) = try RawPeer.listen()
        var options = ClientOptions()
        options.limits.closeMilliseconds = 30
        let recorder = Recorder()
        let connection = WebSocketClient.connect(
            try WebSocketURL("ws://127.0.0.1:\(port)/"),
            options: options,
            loop: loop,
            random: SampleNonce(),
            events: recorder
        )
        let peer = try listener.accept()
        _ = peer.readHead()
        peer.write(RawPeer.acceptance)
        _ = recorder.connection()
        connection.close(code: 1000)
        #expect(recorder.last() == .ended(.closedByUs(CloseBody(code: 1000), answer: nil)))
        #expect(recorder.end?.closeCode == 1006)
    }

    @Test func `refused ports, unknown names and cancelled attempts are told apart`() throws {
        let loop = try EventLoop()
        defer { ending("the loop") { loop.stop() } }
        let (holder, port) = try RawPeer.refusing()
        defer { holder.close() }
        let refused = Recorder()
        _ = WebSocketClient.connect(
            try WebSocketURL("ws://127.0.0.1:\(port)/"),
            loop: loop,
            events: refused
        )
        #expect(refused.last() == .connectFailed(.refused))
        // A label of 64 letters is no name: it is refused on this machine, whoever resolves names
        // and however slowly.
        let unknown = Recorder()
        let label = String(repeating: "a", count: 64)
        _ = WebSocketClient.connect(
            try WebSocketURL("ws://\(label).invalid/"),
            loop: loop,
            events: unknown
        )
        guard case .connectFailed(.dns(let reason)) = unknown.last() else {
            Issue.record("\(unknown.events)")
            return
        }
        #expect(!reason.isEmpty)
        let (open, openPort) = try RawPeer.listen()
        let cancelled = Recorder()
        let connection = WebSocketClient.connect(
            try WebSocketURL("ws://127.0.0.1:\(openPort)/"),
            loop: loop,
            events: cancelled
        )
        let peer = try open.accept()
        _ = peer.readHead()
        connection.close()
        #expect(cancelled.last() == .connectFailed(.cancelled))
        #expect(peer.readAll() == [])
    }
}

/// A server of ours that meets a client made of raw bytes.
@Suite(.serialized, .timeLimit(.minutes(1))) struct HostileClientTests {
    @Test(arguments: [
        ("GET / HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 426 "),
        ("POST / HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 405 "),
        ("nonsense\r\n\r\n", "HTTP/1.1 400 "),
        (
            "GET / HTTP/1.1\r\n" + String(repeating: "A: b\r\n", count: 101) + "\r\n",
            "HTTP/1.1 431 "
        ),
        (String(repeating: "x", count: 20_000), "HTTP/1.1 431 "),
        ("\u{16}\u{3}\u{1}\u{0}\u{5}hello\r\n\r\n", "HTTP/1.1 400 "),
    ])
    func `broken requests get their answer`(request: String, answer: String) throws {
        let bench = try Bench()
        let peer = try RawPeer(port: bench.server.port)
        peer.write(request)
        peer.endWriting()
        #expect(String(decoding: peer.readAll(), as: UTF8.self).hasPrefix(answer))
        #expect(bench.server.connectionCount == 0)
    }

    @Test func `a client that sends no request is dropped`() throws {
        var options = ServerOptions()
        options.handshakeMilliseconds = 30
        let bench = try Bench(options)
        let peer = try RawPeer(port: bench.server.port)
        peer.write("GET / HTTP/1.1\r\n")
        #expect(peer.readAll() == [])
    }

    @Test func `unmasked frames are refused with 1002`() throws {
        let bench = try Bench()
        let peer = try RawPeer(port: bench.server.port)
        let masked: [UInt8] = [0x81, 0x81, 0, 0, 0, 0, 0x61]
        let behind = masked + [0x89, 0x80, 0, 0, 0, 0]
        peer.write(Array(RawPeer.upgrade.utf8) + masked + [0x81, 0x01, 0x61] + behind)
        #expect(peer.readHead().hasPrefix("HTTP/1.1 101 "))
        let close = peer.read(4)
        #expect(close.count == 4 && close[0] == 0x88 && Array(close[2...]) == [0x03, 0xEA])
        peer.close()
        let server = try #require(bench.acceptor.recorder())
        #expect(server.last() == .ended(.violation(.maskMissing)))
        #expect(server.frames(2).count == 2)
        #expect(server.state.withLock(\.accepted) == [0x81])
        // The ping behind it is not answered.
        #expect(close[1] > 2)
    }

    @Test func `a reset is told from an end`() throws {
        let bench = try Bench()
        let peer = try RawPeer(port: bench.server.port)
        peer.write(RawPeer.upgrade)
        #expect(peer.readHead().hasPrefix("HTTP/1.1 101 "))
        let server = try #require(bench.acceptor.recorder())
        _ = server.connection()
        peer.reset()
        // 104 is ECONNRESET.
        #expect(server.last() == .ended(.broken(.reset(errno: 104))))
    }

    @Test func `a paused connection that is reset is quiet until resumed`() throws {
        let bench = try Bench(ServerOptions(), Acceptor { connection, _, _ in connection.pause() })
        let peer = try RawPeer(port: bench.server.port)
        let frame: [UInt8] = [0x81, 0x81, 0, 0, 0, 0, 0x61]
        peer.write(Array(RawPeer.upgrade.utf8) + frame + frame)
        #expect(peer.readHead().hasPrefix("HTTP/1.1 101 "))
        let server = try #require(bench.acceptor.recorder())
        #expect(server.frames(1).count == 1)
        peer.reset()
        server.connection()?.resume()
        #expect(server.frames(2).count == 2)
        server.connection()?.resume()
        #expect(server.last() == .ended(.broken(.reset(errno: 104))))
    }

    @Test(arguments: 1...20)
    func `random bytes behind the handshake end in order`(seed: Int) throws {
        let bench = try Bench()
        let peer = try RawPeer(port: bench.server.port)
        var random = SeededRandom(seed: UInt64(seed))
        let noise = (0..<2_000).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        peer.write(Array(RawPeer.upgrade.utf8) + noise)
        peer.endWriting()
        _ = peer.readAll()
        peer.close()
        let server = try #require(bench.acceptor.recorder())
        #expect(server.last() != nil)
        #expect(server.end?.receivedByteCount == 2_000)
        #expect(server.state.withLock(\.lateEvents) == 0)
    }
}

extension Recorder {
    var frameCount: Int {
        events.count { if case .received = $0 { true } else { false } }
    }
}
