/// Where a Yellowstone endpoint is: `http://` is plaintext, `https://` is TLS.
package struct GeyserAddress: Sendable, Equatable {
    /// Why a text is no such address. The text is never part of it: it may hold a key.
    package enum ParseError: Error, Equatable, Sendable {
        /// Neither `http://` nor `https://`.
        case unsupportedScheme
        /// A user name or password, which gRPC has no place for.
        case credentials
        /// A path or query: gRPC has no place for it either.
        case path
        /// No host, or one with characters that no host has.
        case invalidHost
        /// Not 1...65535.
        case invalidPort
    }

    /// Whether TLS protects the connection.
    package let isSecure: Bool
    /// A name, an IPv4 address, or an IPv6 address in brackets.
    package let host: String
    package let port: UInt16

    /// Parses an address.
    package init(_ text: String) throws(ParseError) {
        let lowered = text.lowercased()
        let scheme: Int
        if lowered.hasPrefix("https://") {
            isSecure = true
            scheme = 8
        } else if lowered.hasPrefix("http://") {
            isSecure = false
            scheme = 7
        } else {
            throw .unsupportedScheme
        }
        var rest = Array(text.utf8.dropFirst(scheme))[...]
        if rest.last == UInt8(ascii: "/") { rest = rest.dropLast() }
        if rest.contains(UInt8(ascii: "@")) { throw .credentials }
        if rest.contains(where: { "/?#".utf8.contains($0) }) { throw .path }
        var host = rest
        var portText: ArraySlice<UInt8>?
        let close = rest.lastIndex(of: UInt8(ascii: "]"))
        if let colon = rest.lastIndex(of: UInt8(ascii: ":")), colon > (close ?? rest.startIndex) {
            host = rest[..<colon]
            portText = rest[(colon + 1)...]
        }
        let isBracketed = host.first == UInt8(ascii: "[") && host.last == UInt8(ascii: "]")
        let name = isBracketed ? host.dropFirst().dropLast() : host
        let isHost = name.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"),
                UInt8(ascii: "_"):
                true
            case UInt8(ascii: ":"): isBracketed
            default: false
            }
        }
        guard !name.isEmpty, name.count <= 255, isHost else { throw .invalidHost }
        self.host = String(decoding: host, as: UTF8.self)
        guard let portText else {
            port = isSecure ? 443 : 80
            return
        }
        guard portText.allSatisfy({ (0x30...0x39).contains($0) }),
            let number = UInt16(String(decoding: portText, as: UTF8.self)), number > 0
        else { throw .invalidPort }
        port = number
    }

    /// `host:port`, as the gRPC core wants it.
    package var target: String { "\(host):\(port)" }
    /// The address as it is written into recordings.
    package var text: String { "\(isSecure ? "https" : "http")://\(target)" }
    /// Whether the host is this machine by its written form.
    package var isLoopback: Bool {
        host == "localhost" || host == "[::1]" || host.hasPrefix("127.")
    }
}

extension GeyserAddress.ParseError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unsupportedScheme: "it must begin with https:// or http://"
        case .credentials:
            "a user name or password cannot be sent to a gRPC endpoint; give the token by its "
                + "environment variable"
        case .path:
            "a gRPC endpoint has no path or query; give the token by its environment variable"
        case .invalidHost: "the host is no name or address"
        case .invalidPort: "the port is not a number from 1 to 65535"
        }
    }
}
