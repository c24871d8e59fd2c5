import Testing
import WebSocketProtocol

private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

private func response(_ text: String) throws -> HTTPResponseHead {
    var reader = HTTPHeadReader()
    let end = try reader.append(bytes(text).span)
    #expect(end == text.utf8.count)
    return try reader.response()
}

private func request(_ text: String) throws -> HTTPRequestHead {
    var reader = HTTPHeadReader()
    _ = try reader.append(bytes(text).span)
    return try reader.request()
}

/// "the sample nonce", the key of RFC 6455 section 1.3, as two words.
private let sampleNonce: (UInt64, UInt64) = (0x7468_6520_7361_6D70, 0x6C65_206E_6F6E_6365)

private let accepted = """
    HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n
    """

@Suite struct ClientHandshakeTests {
    private func client(
        _ deflate: Bool = false,
        _ subprotocols: [String] = []
    ) throws
        -> ClientHandshake
    {
        try ClientHandshake(
            url: WebSocketURL("wss://user:pa%20ss@node.example:8546/v2?x=1"),
            nonce: sampleNonce,
            subprotocols: subprotocols,
            fields: [HTTPField("X-Trace", "1")],
            offersCompression: deflate
        )
    }

    @Test func `the request has every line that RFC 6455 asks for`() throws {
        let text = String(decoding: try client(true, ["a", "b"]).request, as: UTF8.self)
        #expect(
            text == """
                GET /v2?x=1 HTTP/1.1\r\nHost: node.example:8546\r\nUpgrade: websocket\r
                Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r
                Sec-WebSocket-Version: 13\r
                Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; \
                client_no_context_takeover\r\nSec-WebSocket-Protocol: a, b\r
                Authorization: Basic dXNlcjpwYSBzcw==\r\nX-Trace: 1\r\n\r\n
                """
        )
    }

    @Test func `the sample answer of the RFC is accepted`() throws {
        let agreement = try client().check(response(accepted + "\r\n"))
        #expect(agreement == HandshakeAgreement(isCompressed: false, subprotocol: nil))
        let deflate = """
            Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover; \
            server_no_context_takeover\r\nSec-WebSocket-Protocol: b\r\n\r\n
            """
        #expect(
            try client(true, ["a", "b"]).check(response(accepted + deflate))
                == HandshakeAgreement(isCompressed: true, subprotocol: "b")
        )
    }

    @Test(arguments: [
        ("Sec-WebSocket-Extensions: permessage-deflate\r\n", HandshakeError.unexpectedExtension),
        ("Sec-WebSocket-Extensions: x-other\r\n", .unexpectedExtension),
        (
            """
            Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; \
            client_no_context_takeover; client_max_window_bits=12\r\n
            """, .unexpectedExtension
        ),
        ("Sec-WebSocket-Protocol: c\r\n", .unexpectedSubprotocol),
        ("Sec-WebSocket-Accept: again\r\n", .notAccepted(field: "Sec-WebSocket-Accept")),
        ("Upgrade: h2c\r\n", .notAccepted(field: "Upgrade")),
    ])
    func `what was not offered is refused`(line: String, error: HandshakeError) throws {
        let head = try response(accepted + line + "\r\n")
        #expect(throws: error) { try client(true, ["a"]).check(head) }
    }

    @Test(arguments: [
        // What Python's websockets answers by default.
        (
            "server_no_context_takeover; client_no_context_takeover; server_max_window_bits=12",
            true
        ),
        ("server_max_window_bits=8; server_no_context_takeover", true),
        ("server_no_context_takeover; server_max_window_bits=\"15\"", true),
        ("Server_No_Context_Takeover", true),
        ("server_max_window_bits=12", false),
        ("client_no_context_takeover", false),
        ("server_no_context_takeover; server_max_window_bits", false),
        ("server_no_context_takeover; server_max_window_bits=7", false),
        ("server_no_context_takeover; server_max_window_bits=16", false),
        ("server_no_context_takeover; server_max_window_bits=012", false),
        ("server_no_context_takeover; server_max_window_bits=\"12", false),
        ("server_no_context_takeover; server_max_window_bits=1\"2", false),
        ("server_no_context_takeover; server_max_window_bits=12=12", false),
        (
            "server_no_context_takeover; server_max_window_bits=9; server_max_window_bits=9",
            false
        ),
        ("server_no_context_takeover; client_max_window_bits=15", false),
        ("server_no_context_takeover; client_max_window_bits", false),
        ("server_no_context_takeover=1", false),
        ("server_no_context_takeover, permessage-deflate; server_no_context_takeover", false),
        ("server_no_context_takeover; unknown", false),
    ])
    func `an answer on compression may choose the server's window`(
        parameters: String,
        isGood: Bool
    ) throws {
        let line = "Sec-WebSocket-Extensions: permessage-deflate; \(parameters)\r\n\r\n"
        let head = try response(accepted + line)
        if isGood {
            #expect(try client(true).check(head).isCompressed)
        } else {
            #expect(throws: HandshakeError.unexpectedExtension) { try client(true).check(head) }
        }
        #expect(throws: HandshakeError.unexpectedExtension) { try client(false).check(head) }
    }

    @Test func `another accept value or status is refused`() throws {
        let wrong = accepted.replacing("s3p", with: "t3p") + "\r\n"
        #expect(throws: HandshakeError.notAccepted(field: "Sec-WebSocket-Accept")) {
            try client().check(response(wrong))
        }
        #expect(throws: HandshakeError.notAccepted(field: "status")) {
            try client().check(response("HTTP/1.1 200 OK\r\n\r\n"))
        }
    }

    @Test func `fields that would split the head or replace ours are refused`() throws {
        for field in [
            HTTPField("X", "a\r\nY: b"), HTTPField("X Y", "a"), HTTPField("host", "other"),
            HTTPField("", "a"), HTTPField("sec-websocket-extensions", "x"),
        ] {
            #expect(throws: HandshakeError.invalidField(name: field.name)) {
                try ClientHandshake(
                    url: WebSocketURL("ws://h/"),
                    nonce: sampleNonce,
                    fields: [field]
                )
            }
        }
    }
}

@Suite struct ServerHandshakeTests {
    private let good = """
        GET /v2/key HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n
        """

    private func refusal(_ text: String) throws -> Int? {
        let head = try request(text)
        do throws(HTTPRefusal) {
            _ = try UpgradeRequest(head)
            return nil
        } catch {
            return error.status
        }
    }

    @Test func `the sample request of the RFC is accepted`() throws {
        let upgrade = try UpgradeRequest(request(good + "\r\n"))
        #expect(upgrade.head.target == "/v2/key")
        let answer = upgrade.acceptance(HandshakeAgreement(isCompressed: false, subprotocol: nil))
        #expect(
            String(decoding: answer, as: UTF8.self) == """
                HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r
                Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n
                """
        )
    }

    @Test func `each broken request has its status`() throws {
        #expect(try refusal(good + "\r\n") == nil)
        #expect(try refusal(good.replacing("GET", with: "POST") + "\r\n") == 405)
        #expect(try refusal(good.replacing("Host: localhost\r\n", with: "") + "\r\n") == 400)
        #expect(try refusal(good + "Host: other\r\n\r\n") == 400)
        #expect(try refusal(good.replacing("HTTP/1.1", with: "HTTP/1.0") + "\r\n") == 426)
        #expect(try refusal(good.replacing("Upgrade: websocket\r\n", with: "") + "\r\n") == 426)
        #expect(try refusal(good.replacing("n: Upgrade", with: "n: close") + "\r\n") == 426)
        #expect(try refusal(good.replacing("Version: 13", with: "Version: 8") + "\r\n") == 426)
        #expect(try refusal(good.replacing("ZQ==", with: "ZQ=") + "\r\n") == 400)
        #expect(try refusal(good + "Content-Length: 5\r\n\r\n") == 400)
        #expect(try refusal(good + "Transfer-Encoding: chunked\r\n\r\n") == 400)
    }

    @Test(arguments: [
        ("permessage-deflate; client_max_window_bits", true),
        ("permessage-deflate", true),
        ("x-a, permessage-deflate; server_no_context_takeover; client_no_context_takeover", true),
        ("permessage-deflate; server_max_window_bits=10", false),
        ("permessage-deflate; server_max_window_bits=10, permessage-deflate", true),
        ("permessage-deflate; server_no_context_takeover; server_no_context_takeover", false),
        ("permessage-deflate; unknown", false),
        ("permessage-deflate; client_max_window_bits=\"15\"", true),
        ("permessage-deflate; client_max_window_bits=7", false),
        ("permessage-deflate; client_max_window_bits=\"15", false),
        ("permessage-deflate; server_no_context_takeover; client_max_window_bits=12", true),
        ("permessage-deflate; server_max_window_bits=\"15\"", true),
        ("x-webkit-deflate-frame", false), ("", false), (";;,,=", false),
    ])
    func `offers of compression are judged one by one`(offer: String, isGood: Bool) throws {
        let line = "Sec-WebSocket-Extensions: \(offer)\r\n\r\n"
        let upgrade = try UpgradeRequest(request(good + line))
        #expect(upgrade.offersCompression == isGood)
    }

    @Test func `an acceptable offer in any field gets the one answer`() throws {
        let lines = """
            Sec-WebSocket-Extensions: x-a, permessage-deflate; server_max_window_bits=9\r
            Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits, x-b\r\n\r\n
            """
        let upgrade = try UpgradeRequest(request(good + lines))
        #expect(upgrade.offersCompression)
        let answer = upgrade.acceptance(HandshakeAgreement(isCompressed: true, subprotocol: nil))
        #expect(
            String(decoding: answer, as: UTF8.self) == """
                HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r
                Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r
                Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; \
                client_no_context_takeover\r\n\r\n
                """
        )
    }

    @Test func `a refusal is a whole answer`() {
        let refusal = HTTPRefusal(
            status: 429,
            fields: [HTTPField("Retry-After", "7"), HTTPField("Bad", "a\nb")],
            body: "slow down"
        )
        #expect(
            String(decoding: refusal.bytes, as: UTF8.self) == """
                HTTP/1.1 429 Too Many Requests\r\nConnection: close\r\nContent-Length: 9\r
                Content-Type: text/plain; charset=utf-8\r\nRetry-After: 7\r\n\r\nslow down
                """
        )
    }
}

@Suite struct HTTPHeadTests {
    @Test func `a head is whole wherever it is cut`() throws {
        let text = bytes("HTTP/1.1 429 Too Many\r\nRetry-After:  7 \r\nA: 1\r\na: 2, 3\r\n\r\nBODY")
        for cut in 0...text.count {
            var reader = HTTPHeadReader()
            var end: Int?
            if let first = try reader.append(Array(text[..<cut]).span) {
                end = first
            } else {
                end = try reader.append(Array(text[cut...]).span).map { $0 + cut }
            }
            #expect(end == text.count - 4)
            let head = try reader.response()
            #expect(head.status == 429 && head.reason == "Too Many")
            #expect(head.fields.only("retry-after") == "7")
            #expect(head.fields.tokens("A") == ["1", "2", "3"])
            #expect(head.fields.only("A") == nil)
            #expect(head.bytes == Array(text.dropLast(4)))
        }
    }

    @Test(arguments: [
        "HTTP/1.1 OK\r\n\r\n", "HTTP/2 200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 999 OK\r\n\r\n", "HTTP/1.1  200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nNo colon\r\n\r\n", "HTTP/1.1 200 OK\r\n: empty\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA : b\r\n\r\n", "HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: \u{0}\r\n\r\n", "HTTP/1.1 200 OK\nA: b\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n", "HTTP/1.1 200 OK\r\nÄ: b\r\n\r\n",
    ])
    func `broken heads are malformed`(text: String) throws {
        var reader = HTTPHeadReader()
        _ = try reader.append(bytes(text).span)
        #expect(throws: HTTPHeadError.malformed) { try reader.response() }
        #expect(throws: HTTPHeadError.malformed) { try reader.request() }
    }

    @Test(arguments: ["\r\n\r\n", " GET / HTTP/1.1\r\n", "\u{16}\u{3}\u{1}"])
    func `a first byte that begins no head is refused at once`(text: String) {
        var reader = HTTPHeadReader()
        #expect(throws: HTTPHeadError.malformed) { try reader.append(bytes(text).span) }
    }

    @Test func `size and number of fields are limited`() throws {
        var reader = HTTPHeadReader()
        let flood = [UInt8](repeating: 65, count: 16 << 10)
        #expect(try reader.append(flood.span) == nil)
        #expect(throws: HTTPHeadError.tooLarge) { try reader.append([65].span) }
        let lines = String(repeating: "A: b\r\n", count: 100)
        #expect(try response("HTTP/1.1 200 OK\r\n" + lines + "\r\n").fields.all.count == 100)
        #expect(throws: HTTPHeadError.tooManyFields) {
            try response("HTTP/1.1 200 OK\r\nA: b\r\n" + lines + "\r\n")
        }
    }

    @Test(arguments: 1...300)
    func `damaged heads never trap`(seed: Int) {
        var dice = Dice(state: UInt64(seed))
        var text = bytes(accepted + "Sec-WebSocket-Extensions: permessage-deflate; a=b\r\n\r\n")
        for _ in 0..<3 { text[dice.roll(text.count)] = UInt8(dice.roll(256)) }
        var reader = HTTPHeadReader()
        guard let end = try? reader.append(text.span), end > 0 else { return }
        if let head = try? reader.response() { #expect(head.bytes == Array(text[..<end])) }
        if let head = try? reader.request() { _ = try? UpgradeRequest(head) }
    }
}
