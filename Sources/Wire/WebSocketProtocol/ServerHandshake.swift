/// An answer that refuses an upgrade.
package struct HTTPRefusal: Error, Equatable, Sendable {
    /// 300...599.
    package let status: Int
    /// Further fields, such as Retry-After; broken ones are left out.
    package let fields: [HTTPField]
    /// Plain text for people.
    package let body: String

    package init(status: Int, fields: [HTTPField] = [], body: String = "") {
        precondition((300...599).contains(status), "a refusal cannot have status \(status)")
        self.status = status
        self.fields = fields
        self.body = body
    }

    /// The refusal that answers a head which could not be read.
    package init(_ error: HTTPHeadError) {
        switch error {
        case .tooLarge, .tooManyFields: self.init(status: 431)
        case .malformed: self.init(status: 400)
        }
    }

    /// The whole answer; the connection is closed after it.
    package var bytes: [UInt8] {
        let lines = [
            HTTPField("Connection", "close"),
            HTTPField("Content-Length", String(body.utf8.count)),
            HTTPField("Content-Type", "text/plain; charset=utf-8"),
        ]
        let first = "HTTP/1.1 \(status) \(Self.reason(status))"
        return HTTPText.head(first, lines + fields.filter(\.isValid)) + Array(body.utf8)
    }

    private static func reason(_ status: Int) -> String {
        switch status {
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 426: "Upgrade Required"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 503: "Service Unavailable"
        default: "Refused"
        }
    }
}

/// A request that may become a WebSocket (RFC 6455 section 4.2).
package struct UpgradeRequest: Equatable, Sendable {
    package let head: HTTPRequestHead
    /// The subprotocols that the client offers, in its order.
    package let subprotocols: [String]
    /// Whether the client offers permessage-deflate in a form that can be agreed to.
    package let offersCompression: Bool
    private let key: String

    /// Checks a request.
    ///
    /// - Throws: the answer to give: 405 for another method, 400 for a broken request, 426 for
    ///   no upgrade or another version.
    package init(_ head: HTTPRequestHead) throws(HTTPRefusal) {
        guard head.method == "GET" else {
            throw HTTPRefusal(status: 405, fields: [HTTPField("Allow", "GET")])
        }
        guard head.fields.only("Host") != nil else {
            throw HTTPRefusal(status: 400, body: "exactly one Host is needed\n")
        }
        let version = HTTPField("Sec-WebSocket-Version", "13")
        guard head.minorVersion == 1, head.fields.tokens("Upgrade").contains("websocket"),
            head.fields.tokens("Connection").contains("upgrade")
        else {
            let upgrade = HTTPField("Upgrade", "websocket")
            throw HTTPRefusal(
                status: 426,
                fields: [upgrade, version],
                body: "this is a WebSocket endpoint\n"
            )
        }
        guard head.fields.values("Content-Length").allSatisfy({ $0 == "0" }),
            head.fields.values("Transfer-Encoding").isEmpty
        else { throw HTTPRefusal(status: 400, body: "an upgrade has no body\n") }
        guard head.fields.only("Sec-WebSocket-Version") == "13" else {
            throw HTTPRefusal(status: 426, fields: [version], body: "version 13 is spoken here\n")
        }
        guard let key = head.fields.only("Sec-WebSocket-Key"),
            Base64.isSixteenBytes(Array(key.utf8))
        else { throw HTTPRefusal(status: 400, body: "a broken Sec-WebSocket-Key\n") }
        self.head = head
        self.key = key
        subprotocols = head.fields.values("Sec-WebSocket-Protocol")
            .flatMap { ASCII.split($0, at: UInt8(ascii: ",")) }.filter { !$0.isEmpty }
        offersCompression = MessageDeflate.canAgree(
            head.fields.values("Sec-WebSocket-Extensions")
                .flatMap { ASCII.split($0, at: UInt8(ascii: ",")) }
        )
    }

    /// The answer that accepts the request.
    ///
    /// - Parameters:
    ///   - agreement: what the server agrees to; compression only if offered, a subprotocol only
    ///     out of those offered.
    ///   - fields: further fields; broken ones are left out.
    /// - Returns: the bytes to send, the empty line at the end included.
    package func acceptance(
        _ agreement: HandshakeAgreement,
        fields: [HTTPField] = []
    ) -> [UInt8] {
        var lines = [
            HTTPField("Upgrade", "websocket"),
            HTTPField("Connection", "Upgrade"),
            HTTPField("Sec-WebSocket-Accept", HTTPText.accept(Array(key.utf8))),
        ]
        if agreement.isCompressed {
            precondition(offersCompression, "compression was not offered")
            lines.append(HTTPField("Sec-WebSocket-Extensions", MessageDeflate.agreement))
        }
        if let subprotocol = agreement.subprotocol {
            precondition(subprotocols.contains(subprotocol), "\(subprotocol) was not offered")
            lines.append(HTTPField("Sec-WebSocket-Protocol", subprotocol))
        }
        return HTTPText.head("HTTP/1.1 101 Switching Protocols", lines + fields.filter(\.isValid))
    }
}
