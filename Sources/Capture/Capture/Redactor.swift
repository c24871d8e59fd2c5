/// Takes secrets out of everything that is written or said: addresses, metadata, status texts,
/// errors. Frames are never altered; they are only searched.
///
/// It knows each secret as it is, percent-encoded, in Base64, and as JSON and C escape it. Wrong or missing encodings of a
/// peer's making cannot be known: what a key names as secret is masked whatever its value.
package struct Redactor: Sendable {
    /// What stands in a secret's place.
    package static let mask = "***"

    private let search: SecretSearch

    /// Parts of names whose values are always masked.
    private static let secretWords = [
        "token", "auth", "cookie", "secret", "password", "passwd", "api-key", "apikey", "api_key",
        "credential", "signature", "session",
    ]

    /// - Parameter secrets: those shorter than four bytes are masked only where a key names them.
    package init(_ secrets: some Swift.Sequence<String>) {
        search = SecretSearch(secrets.flatMap { Self.forms(Array($0.utf8)) })
    }

    /// Whether a frame or any other bytes hold a known secret.
    package func hasSecret(in bytes: RawSpan) -> Bool { search.matches(in: bytes) }

    /// A text with every known secret masked.
    package func text(_ text: String) -> String {
        if search.isEmpty { return text }
        return String(decoding: bytes(Array(text.utf8)), as: UTF8.self)
    }

    /// Bytes with every known secret masked.
    package func bytes(_ bytes: [UInt8]) -> [UInt8] {
        guard let first = search.first(in: unsafe bytes.span.bytes, from: 0) else { return bytes }
        var out: [UInt8] = []
        var found: Range<Int>? = first
        var at = 0
        while let range = found {
            out += bytes[at..<range.lowerBound]
            out += Self.mask.utf8
            at = range.upperBound
            found = search.first(in: unsafe bytes.span.bytes, from: at)
        }
        return out + bytes[at...]
    }

    /// The value of a metadata entry or HTTP field: masked as a whole when its name says that it
    /// is a secret, otherwise with known secrets masked.
    package func value(_ value: [UInt8], of name: String) -> [UInt8] {
        if Self.namesSecret(name), !value.isEmpty { return Array(Self.mask.utf8) }
        return bytes(value)
    }

    /// Whether the value under this name is a secret whatever it is.
    package static func namesSecret(_ name: String) -> Bool {
        let name = name.lowercased()
        // The upgrade's own fields are no secrets; their names only look like it.
        if name.hasPrefix("sec-websocket-") { return false }
        if name == "www-authenticate" || name == "proxy-authenticate" { return false }
        return secretWords.contains { name.contains($0) }
    }

    // MARK: Forms of a secret

    private static func forms(_ secret: [UInt8]) -> [[UInt8]] {
        guard secret.count >= SecretSearch.needleBytesMin else { return [] }
        var forms = [secret, percentEncoded(secret, "0123456789ABCDEF")]
        forms.append(percentEncoded(secret, "0123456789abcdef"))
        // JSON; JSON of writers that escape the slash too; the gRPC core's accounts of errors.
        forms += [#""\"#, #""\/"#, #""\'"#].map { escaped(secret, Array($0.utf8)) }
        forms.append(escapedAsGo(secret))
        // Where the secret stands in longer Base64 ("user:" before it), the characters that depend
        // on it alone are the same; there are three ways to be aligned.
        for lead in 0..<3 {
            for alphabet in ["+/", "-_"] {
                let inner = base64Inside(secret, lead: lead, last: Array(alphabet.utf8))
                if inner.count >= SecretSearch.needleBytesMin * 2 { forms.append(inner) }
            }
        }
        return forms
    }

    /// Every one of `characters` with a backslash before it.
    private static func escaped(_ bytes: [UInt8], _ characters: [UInt8]) -> [UInt8] {
        bytes.flatMap { characters.contains($0) ? [UInt8(ascii: "\\"), $0] : [$0] }
    }

    /// JSON as Go writes it, in which most nodes are written: `&`, `<` and `>` by their numbers.
    private static func escapedAsGo(_ bytes: [UInt8]) -> [UInt8] {
        escaped(bytes, Array(#""\"#.utf8)).flatMap { byte -> [UInt8] in
            switch byte {
            case UInt8(ascii: "&"): Array(#"\u0026"#.utf8)
            case UInt8(ascii: "<"): Array(#"\u003c"#.utf8)
            case UInt8(ascii: ">"): Array(#"\u003e"#.utf8)
            default: [byte]
            }
        }
    }

    /// Everything but RFC 3986's unreserved characters as `%XX`.
    private static func percentEncoded(_ bytes: [UInt8], _ digits: String) -> [UInt8] {
        let digits = Array(digits.utf8)
        var out: [UInt8] = []
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"), UInt8(ascii: "~"):
                out.append(byte)
            default:
                out += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return out
    }

    /// The Base64 characters that hold only bits of `bytes` when `lead` bytes stand before them.
    private static func base64Inside(_ bytes: [UInt8], lead: Int, last: [UInt8]) -> [UInt8] {
        let alphabet =
            Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8) + last
        var out: [UInt8] = []
        let firstBit = lead * 8
        let endBit = firstBit + bytes.count * 8
        var bit = (firstBit + 5) / 6 * 6
        while bit + 6 <= endBit {
            let offset = bit - firstBit
            let byte = offset / 8
            let high = UInt16(bytes[byte]) << 8
            let low = byte + 1 < bytes.count ? UInt16(bytes[byte + 1]) : 0
            out.append(alphabet[Int((high | low) >> (10 - UInt16(offset % 8))) & 63])
            bit += 6
        }
        return out
    }
}
