/// A `ws://` or `wss://` address (RFC 6455 section 3), taken apart, with what is secret in it.
///
/// Providers put API keys into the path or the query, so the printable form hides them, and the
/// address as given is not kept.
package struct WebSocketURL: Equatable, Sendable {
    /// Whether TLS is used (`wss`).
    package let isSecure: Bool
    /// Name or address to connect to, lower case, without the brackets of an IPv6 address.
    package let host: String
    /// 1...65535; 80 or 443 when the URL names none.
    package let port: UInt16
    /// Path and query as sent; `/` when the URL has none.
    package let target: String
    /// Value of the Authorization field for credentials in the URL (RFC 7617), or nil.
    package let authorization: String?
    /// Strings that must not be printed or recorded: password, user, long path segments and query
    /// values, as written and percent-decoded, longest first. Query values under 8 characters
    /// count only under a telling name (key, token, secret, ...): hiding every `1` helps nobody.
    package let secrets: [String]
    private let isIPv6: Bool

    /// Why a text is no such address. The configuration is wrong; retrying cannot help.
    package enum ParseError: Error, Equatable, Sendable {
        /// Neither `ws://` nor `wss://`.
        case unsupportedScheme
        /// No host, or one that is no name, IPv4 or bracketed IPv6 address.
        case invalidHost
        /// Not 1...65535.
        case invalidPort
        /// A space, a control character or one outside ASCII: percent-encode it.
        case invalidCharacter
        /// A `#`, which RFC 6455 forbids.
        case fragment
        /// Over 8 KiB.
        case tooLong
    }

    /// Path segments of this many characters or more are taken for keys.
    package static let secretSegmentCharactersMin = 16

    /// Parses an address.
    package init(_ text: String) throws(ParseError) {
        let bytes = Array(text.utf8)
        guard bytes.count <= 8 << 10 else { throw .tooLong }
        guard bytes.allSatisfy(ASCII.isVisible) else { throw .invalidCharacter }
        guard !bytes.contains(UInt8(ascii: "#")) else { throw .fragment }
        let scheme = bytes.prefix(6).map { ASCII.lowercased($0) }
        let rest: ArraySlice<UInt8>
        if scheme.starts(with: "wss://".utf8) {
            isSecure = true
            rest = bytes[6...]
        } else if scheme.starts(with: "ws://".utf8) {
            isSecure = false
            rest = bytes[5...]
        } else {
            throw .unsupportedScheme
        }
        let end = rest.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") }
        let authority = rest[..<(end ?? rest.endIndex)]
        let tail = rest[(end ?? rest.endIndex)...]
        target =
            (tail.first == UInt8(ascii: "/") ? "" : "/") + String(decoding: tail, as: UTF8.self)

        let at = authority.lastIndex(of: UInt8(ascii: "@"))
        let place = at.map { authority[($0 + 1)...] } ?? authority
        (host, port, isIPv6) = try Self.place(place, defaultPort: isSecure ? 443 : 80)
        var secrets: [String] = []
        if let at {
            let (value, parts) = Self.credentials(authority[..<at])
            authorization = value
            secrets += parts
        } else {
            authorization = nil
        }
        secrets += Self.secrets(ofTarget: target)
        let unique = Set(secrets.filter { !$0.isEmpty })
        self.secrets = unique.sorted {
            ($1.utf8.count, $0) < ($0.utf8.count, $1)
        }
    }

    /// `host` or `host:port` as the Host field wants it.
    package var hostField: String {
        let name = isIPv6 ? "[\(host)]" : host
        return port == (isSecure ? 443 : 80) ? name : "\(name):\(port)"
    }

    /// A form for people and logs: scheme, host, port and path; segments of 16 characters and
    /// more and every query value are `***`, credentials are left out.
    package var redacted: String {
        let name = isIPv6 ? "[\(host)]" : host
        return "\(isSecure ? "wss" : "ws")://\(name):\(port)" + Self.redact(target)
    }

    private static func place(
        _ bytes: ArraySlice<UInt8>,
        defaultPort: UInt16
    ) throws(ParseError) -> (host: String, port: UInt16, isIPv6: Bool) {
        let isIPv6 = bytes.first == UInt8(ascii: "[")
        var name = bytes
        var portText: ArraySlice<UInt8>?
        if isIPv6 {
            guard let close = bytes.firstIndex(of: UInt8(ascii: "]")) else { throw .invalidHost }
            name = bytes[(bytes.startIndex + 1)..<close]
            let after = bytes[(close + 1)...]
            if !after.isEmpty {
                guard after.first == UInt8(ascii: ":") else { throw .invalidHost }
                portText = after.dropFirst()
            }
            // Digits, colons and dots; the resolver decides whether they make an address.
            let isPlausible = name.contains(UInt8(ascii: ":")) && name.count <= 45
            let isClean = name.allSatisfy { byte in
                ASCII.isDigit(byte) || (0x61...0x66).contains(byte | 0x20)
                    || byte == UInt8(ascii: ":") || byte == UInt8(ascii: ".")
            }
            guard isPlausible, isClean else { throw .invalidHost }
        } else {
            if let colon = bytes.firstIndex(of: UInt8(ascii: ":")) {
                name = bytes[..<colon]
                portText = bytes[(colon + 1)...]
            }
            let isClean = name.allSatisfy { byte in
                ASCII.isDigit(byte) || ASCII.isLetter(byte) || "-._".utf8.contains(byte)
            }
            guard !name.isEmpty, name.count <= 253, isClean else { throw .invalidHost }
        }
        var port = defaultPort
        if let portText, !portText.isEmpty {
            guard portText.count <= 5, portText.allSatisfy(ASCII.isDigit) else {
                throw .invalidPort
            }
            let value = portText.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
            guard let exact = UInt16(exactly: value), exact > 0 else { throw .invalidPort }
            port = exact
        }
        let host = String(decoding: name.map { ASCII.lowercased($0) }, as: UTF8.self)
        return (host, port, isIPv6)
    }

    private static func credentials(
        _ bytes: ArraySlice<UInt8>
    ) -> (authorization: String, secrets: [String]) {
        let colon = bytes.firstIndex(of: UInt8(ascii: ":"))
        let user = bytes[..<(colon ?? bytes.endIndex)]
        // Without a colon the password is empty (RFC 7617 joins the two with one in any case).
        let password = colon.map { bytes[($0 + 1)...] } ?? []
        let plain = percentDecoded(user) + [UInt8(ascii: ":")] + percentDecoded(password)
        let encoded = String(decoding: Base64.encode(plain), as: UTF8.self)
        var secrets = [encoded] + forms(password)
        // Some providers take the key as the user's name.
        if password.isEmpty || user.count >= 8 { secrets += forms(user) }
        return ("Basic \(encoded)", secrets)
    }

    private static func secrets(ofTarget target: String) -> [String] {
        let parts = Array(target.utf8).split(
            separator: UInt8(ascii: "?"),
            maxSplits: 1,
            omittingEmptySubsequences: false
        )
        var found: [String] = []
        for segment in parts[0].split(separator: UInt8(ascii: "/")) {
            if segment.count >= secretSegmentCharactersMin { found += forms(segment) }
        }
        guard parts.count > 1 else { return found }
        for pair in parts[1].split(separator: UInt8(ascii: "&")) {
            let equals = pair.firstIndex(of: UInt8(ascii: "="))
            let value = equals.map { pair[($0 + 1)...] } ?? pair
            let name = ASCII.lowercased(
                String(decoding: pair[..<(equals ?? pair.startIndex)], as: UTF8.self)
            )
            let isTelling = ["key", "token", "secret", "auth", "pass", "sig"].contains {
                name.contains($0)
            }
            if value.count >= 8 || isTelling { found += forms(value) }
        }
        return found
    }

    private static func redact(_ target: String) -> String {
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        var text = parts[0].split(separator: "/", omittingEmptySubsequences: false)
            .map { $0.utf8.count >= secretSegmentCharactersMin ? "***" : String($0) }
            .joined(separator: "/")
        if parts.count > 1 {
            let pairs = parts[1].split(separator: "&", omittingEmptySubsequences: false)
            text +=
                "?"
                + pairs.map { pair in
                    // A part without "=" may be a bare key.
                    pair.firstIndex(of: "=").map { "\(pair[..<$0])=***" } ?? "***"
                }.joined(separator: "&")
        }
        return text
    }

    /// A text as written and, when it differs, percent-decoded.
    private static func forms(_ bytes: ArraySlice<UInt8>) -> [String] {
        let decoded = percentDecoded(bytes)
        return [String(decoding: bytes, as: UTF8.self), String(decoding: decoded, as: UTF8.self)]
    }

    private static func percentDecoded(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var output: [UInt8] = []
        var index = bytes.startIndex
        while index < bytes.endIndex {
            if bytes[index] == UInt8(ascii: "%"), bytes.endIndex - index > 2,
                let high = hexDigit(bytes[index + 1]), let low = hexDigit(bytes[index + 2])
            {
                output.append(high << 4 | low)
                index += 3
            } else {
                output.append(bytes[index])
                index += 1
            }
        }
        return output
    }

    private static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }
}
