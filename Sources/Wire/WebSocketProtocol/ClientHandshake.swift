/// Why a client turns an answer or its own request down.
package enum HandshakeError: Error, Equatable, Sendable {
    /// A field of the caller's that must not be sent: a broken name or value, or one that the
    /// handshake writes itself. The caller's configuration is wrong.
    case invalidField(name: String)
    /// The answer is no acceptance of a WebSocket; `field` is what is wrong or missing. The
    /// endpoint speaks something else: do not retry at once.
    case notAccepted(field: String)
    /// The answer names an extension, or parameters of it, that were not offered.
    case unexpectedExtension
    /// The answer names a subprotocol that was not offered.
    case unexpectedSubprotocol
}

/// What client and server agreed on.
package struct HandshakeAgreement: Equatable, Sendable {
    /// permessage-deflate without context takeover in either direction.
    package let isCompressed: Bool
    /// The chosen subprotocol, if any.
    package let subprotocol: String?

    package init(isCompressed: Bool, subprotocol: String?) {
        self.isCompressed = isCompressed
        self.subprotocol = subprotocol
    }
}

/// The client's side of the opening handshake (RFC 6455 section 4.1). No I/O.
package struct ClientHandshake: Sendable {
    /// The whole request, ready to be sent.
    package let request: [UInt8]
    private let key: [UInt8]
    private let subprotocols: [String]
    private let offersCompression: Bool

    /// Builds the request.
    ///
    /// - Parameters:
    ///   - url: the endpoint; its credentials become an Authorization field.
    ///   - nonce: 128 random bits for the key.
    ///   - subprotocols: offered in this order; usually none.
    ///   - fields: further fields, such as Authorization or Origin.
    ///   - offersCompression: whether permessage-deflate is offered.
    /// - Throws: `invalidField`.
    package init(
        url: WebSocketURL,
        nonce: (UInt64, UInt64),
        subprotocols: [String] = [],
        fields: [HTTPField] = [],
        offersCompression: Bool = false
    ) throws(HandshakeError) {
        var raw: [UInt8] = []
        for word in [nonce.0, nonce.1] {
            for shift in stride(from: UInt64(56), through: 0, by: -8) {
                raw.append(UInt8(truncatingIfNeeded: word >> shift))
            }
        }
        key = Base64.encode(raw)
        self.subprotocols = subprotocols
        self.offersCompression = offersCompression
        var lines = [
            HTTPField("Host", url.hostField),
            HTTPField("Upgrade", "websocket"),
            HTTPField("Connection", "Upgrade"),
            HTTPField("Sec-WebSocket-Key", String(decoding: key, as: UTF8.self)),
            HTTPField("Sec-WebSocket-Version", "13"),
        ]
        if offersCompression {
            lines.append(HTTPField("Sec-WebSocket-Extensions", MessageDeflate.agreement))
        }
        if !subprotocols.isEmpty {
            let isValid = subprotocols.allSatisfy { name in
                !name.isEmpty && name.utf8.allSatisfy(ASCII.isToken)
            }
            if !isValid { throw .invalidField(name: "Sec-WebSocket-Protocol") }
            let list = subprotocols.joined(separator: ", ")
            lines.append(HTTPField("Sec-WebSocket-Protocol", list))
        }
        let own = lines.map(\.name) + ["Sec-WebSocket-Extensions", "Sec-WebSocket-Protocol"]
        for field in fields {
            let isOwn = own.contains { ASCII.equalsIgnoringCase($0, field.name) }
            if isOwn || !field.isValid { throw .invalidField(name: field.name) }
        }
        let hasAuthorization = fields.contains {
            ASCII.equalsIgnoringCase($0.name, "Authorization")
        }
        if let authorization = url.authorization, !hasAuthorization {
            lines.append(HTTPField("Authorization", authorization))
        }
        request = HTTPText.head("GET \(url.target) HTTP/1.1", lines + fields)
    }

    /// Checks an answer of status 101.
    ///
    /// - Throws: `notAccepted`, `unexpectedExtension` or `unexpectedSubprotocol`: the connection
    ///   is failed (RFC 6455 section 4.1).
    package func check(_ head: HTTPResponseHead) throws(HandshakeError) -> HandshakeAgreement {
        guard head.status == 101 else { throw .notAccepted(field: "status") }
        let upgrade = head.fields.tokens("Upgrade")
        guard upgrade == ["websocket"] else { throw .notAccepted(field: "Upgrade") }
        guard head.fields.tokens("Connection").contains("upgrade") else {
            throw .notAccepted(field: "Connection")
        }
        let accept = head.fields.only("Sec-WebSocket-Accept")
        guard accept == HTTPText.accept(key) else {
            throw .notAccepted(field: "Sec-WebSocket-Accept")
        }
        let answers = head.fields.values("Sec-WebSocket-Extensions")
            .flatMap { ASCII.split($0, at: UInt8(ascii: ",")) }.filter { !$0.isEmpty }
        if !answers.isEmpty, !offersCompression || !MessageDeflate.isAgreed(answers) {
            throw .unexpectedExtension
        }
        let chosen = head.fields.values("Sec-WebSocket-Protocol")
        if chosen.count > 1 || !chosen.allSatisfy(subprotocols.contains) {
            throw .unexpectedSubprotocol
        }
        return HandshakeAgreement(isCompressed: !answers.isEmpty, subprotocol: chosen.first)
    }
}

/// Text of heads, shared by both sides.
enum HTTPText {
    static func head(_ first: String, _ fields: [HTTPField]) -> [UInt8] {
        var bytes = Array(first.utf8) + [13, 10]
        for field in fields {
            bytes.append(contentsOf: field.name.utf8)
            bytes.append(contentsOf: ": ".utf8)
            bytes.append(contentsOf: field.value.utf8)
            bytes.append(contentsOf: [13, 10])
        }
        return bytes + [13, 10]
    }

    /// Sec-WebSocket-Accept for a key (RFC 6455 section 4.2.2).
    static func accept(_ key: [UInt8]) -> String {
        let salted = key + Array("258EAFA5-E914-47DA-95CA-C5AB0DC85B11".utf8)
        return String(decoding: Base64.encode(SHA1.digest(salted)), as: UTF8.self)
    }
}
