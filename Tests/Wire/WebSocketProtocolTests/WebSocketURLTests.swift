import Testing
import WebSocketProtocol

@Suite struct WebSocketURLTests {
    @Test func `an address is taken apart`() throws {
        let url = try WebSocketURL("WSS://Node.Example/v2/abc?x=1&y")
        #expect(url.isSecure && url.host == "node.example" && url.port == 443)
        #expect(url.target == "/v2/abc?x=1&y" && url.hostField == "node.example")
        #expect(url.authorization == nil && url.secrets.isEmpty)
        let plain = try WebSocketURL("ws://127.0.0.1:8546")
        #expect(!plain.isSecure && plain.port == 8546 && plain.target == "/")
        #expect(plain.hostField == "127.0.0.1:8546")
        #expect(try WebSocketURL("ws://h?a=b").target == "/?a=b")
        #expect(try WebSocketURL("ws://h:").port == 80)
    }

    @Test func `an IPv6 address keeps its brackets where they belong`() throws {
        let url = try WebSocketURL("ws://[2001:DB8::1]:81/")
        #expect(url.host == "2001:db8::1" && url.hostField == "[2001:db8::1]:81")
        #expect(url.redacted == "ws://[2001:db8::1]:81/")
        #expect(try WebSocketURL("ws://[::1]/").hostField == "[::1]")
    }

    @Test(arguments: [
        ("http://h/", WebSocketURL.ParseError.unsupportedScheme), ("", .unsupportedScheme),
        ("ws:/h", .unsupportedScheme), ("ws://", .invalidHost), ("ws:///p", .invalidHost),
        ("ws://a b/", .invalidCharacter), ("ws://h/\r\nX: y", .invalidCharacter),
        ("ws://h/é", .invalidCharacter), ("ws://h/#x", .fragment), ("ws://h:0/", .invalidPort),
        ("ws://h:65536/", .invalidPort), ("ws://h:8x/", .invalidPort),
        ("ws://h:999999999999999999999/", .invalidPort), ("ws://[::1", .invalidHost),
        ("ws://[::1]x/", .invalidHost), ("ws://[fe80::1%25eth0]/", .invalidHost),
        ("ws://h!/", .invalidHost), ("ws://[]/", .invalidHost),
    ])
    func `broken addresses are refused`(text: String, error: WebSocketURL.ParseError) {
        #expect(throws: error) { try WebSocketURL(text) }
    }

    @Test func `credentials become Basic authorization and secrets`() throws {
        // The pair of RFC 7617 section 2.
        let url = try WebSocketURL("ws://Aladdin:open%20sesame@h/")
        #expect(url.authorization == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")
        #expect(url.secrets == ["QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "open%20sesame", "open sesame"])
        #expect(url.redacted == "ws://h:80/")
        #expect(try WebSocketURL("ws://token@h/").secrets.contains("token"))
    }

    @Test func `keys in path and query are hidden and listed`() throws {
        let key = "0123456789abcdef"
        let url = try WebSocketURL("wss://h/v2/\(key)/x?apikey=k1&n=2&u=abc%2Fdefg&\(key)q")
        #expect(url.redacted == "wss://h:443/v2/***/x?apikey=***&n=***&u=***&***")
        #expect(url.secrets == [key + "q", key, "abc%2Fdefg", "abc/defg", "k1"])
        #expect(
            try WebSocketURL("wss://h/123456789012345").redacted == "wss://h:443/123456789012345"
        )
    }

    @Test(arguments: 1...300)
    func `damaged addresses never trap`(seed: Int) {
        var dice = Dice(state: UInt64(seed))
        var text = Array("wss://user:pw@[::1]:8546/v2/0123456789abcdef?key=%41%zz&b#".utf8)
        for _ in 0..<2 { text[dice.roll(text.count)] = UInt8(dice.roll(128)) }
        if let url = try? WebSocketURL(String(decoding: text, as: UTF8.self)) {
            #expect(url.port > 0 && !url.host.isEmpty && url.target.hasPrefix("/"))
        }
    }
}
