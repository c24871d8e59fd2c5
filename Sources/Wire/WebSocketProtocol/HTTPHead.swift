// HTTP/1.1 heads (RFC 9112), as far as the upgrade to WebSocket needs them. Bytes, not Characters:
// to Swift "\r\n" is one Character.

/// One header field, as received or to be sent.
package struct HTTPField: Equatable, Sendable {
    /// The name as it was written; compared without case.
    package let name: String
    /// The value without white space around it; bytes that are not UTF-8 are shown as U+FFFD.
    package let value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    /// Whether the field may be sent: a token as name, and no control character in the value.
    package var isValid: Bool {
        !name.isEmpty && name.utf8.allSatisfy(ASCII.isToken)
            && value.utf8.allSatisfy(ASCII.isFieldValue)
    }
}

/// The fields of a head, in order.
package struct HTTPFields: Equatable, Sendable {
    /// Every field as received, repetitions included.
    package let all: [HTTPField]

    package init(_ all: [HTTPField]) { self.all = all }

    /// The values of every field of that name, in order.
    package func values(_ name: String) -> [String] {
        all.filter { ASCII.equalsIgnoringCase($0.name, name) }.map(\.value)
    }

    /// The value of a field that must not be repeated; nil when it is missing or repeated.
    package func only(_ name: String) -> String? {
        let found = values(name)
        return found.count == 1 ? found[0] : nil
    }

    /// The comma-separated members of every field of that name, in lower case.
    package func tokens(_ name: String) -> [String] {
        values(name).flatMap { ASCII.split($0, at: UInt8(ascii: ",")) }
            .map(ASCII.lowercased).filter { !$0.isEmpty }
    }
}

/// The head of a request.
package struct HTTPRequestHead: Equatable, Sendable {
    package let method: String
    /// Path and query as sent.
    package let target: String
    /// The 1 of HTTP/1.1, or 0.
    package let minorVersion: Int
    package let fields: HTTPFields
    /// The head exactly as received, with the empty line at its end.
    package let bytes: [UInt8]
}

/// The head of an answer.
package struct HTTPResponseHead: Equatable, Sendable {
    /// 100...599.
    package let status: Int
    package let reason: String
    package let fields: HTTPFields
    /// The head exactly as received, with the empty line at its end.
    package let bytes: [UInt8]
}

/// Why a head is refused. The connection cannot go on.
package enum HTTPHeadError: Error, Equatable, Sendable {
    /// More than `headBytesMax` before the empty line: a server answers 431.
    case tooLarge
    /// More than `headFieldCountMax` fields: a server answers 431.
    case tooManyFields
    /// Not HTTP/1.x, or a line that no rule allows: a server answers 400.
    case malformed
}

/// Collects the bytes of a head until it is whole.
package struct HTTPHeadReader: Sendable {
    private var bytes: [UInt8] = []

    package init() {}

    /// Bytes that have arrived so far.
    package var arrivedBytes: [UInt8] { bytes }

    /// Takes bytes.
    ///
    /// - Returns: how many of them belong to the head, once it is whole; nil when more are needed.
    ///   The others are the first bytes behind it.
    /// - Throws: `tooLarge`, or `malformed` when the first byte cannot begin a head.
    package mutating func append(_ more: Span<UInt8>) throws(HTTPHeadError) -> Int? {
        for index in more.indices {
            if bytes.count >= WebSocketLimits.headBytesMax { throw .tooLarge }
            // A TLS client at a plain port, or the reverse, is told at once.
            if bytes.isEmpty, !ASCII.isVisible(more[index]) { throw .malformed }
            bytes.append(more[index])
            if bytes.count >= 4, more[index] == ASCII.lineFeed,
                bytes.suffix(4).elementsEqual(ASCII.headEnd)
            {
                return index + 1
            }
        }
        return nil
    }

    /// The request that the bytes are.
    ///
    /// - Throws: `malformed` or `tooManyFields`.
    package func request() throws(HTTPHeadError) -> HTTPRequestHead {
        let (first, fields) = try lines()
        let parts = first.split(separator: ASCII.space, omittingEmptySubsequences: false)
        guard parts.count == 3, !parts[0].isEmpty, parts[0].allSatisfy(ASCII.isToken),
            !parts[1].isEmpty, parts[1].allSatisfy(ASCII.isVisible)
        else { throw .malformed }
        let minor = try Self.minorVersion(parts[2])
        return HTTPRequestHead(
            method: String(decoding: parts[0], as: UTF8.self),
            target: String(decoding: parts[1], as: UTF8.self),
            minorVersion: minor,
            fields: fields,
            bytes: bytes
        )
    }

    /// The answer that the bytes are.
    ///
    /// - Throws: `malformed` or `tooManyFields`.
    package func response() throws(HTTPHeadError) -> HTTPResponseHead {
        let (first, fields) = try lines()
        let parts = first.split(
            separator: ASCII.space,
            maxSplits: 2,
            omittingEmptySubsequences: false
        )
        guard parts.count >= 2 else { throw .malformed }
        _ = try Self.minorVersion(parts[0])
        guard parts[1].count == 3, parts[1].allSatisfy(ASCII.isDigit) else { throw .malformed }
        let status = parts[1].reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
        guard (100...599).contains(status) else { throw .malformed }
        return HTTPResponseHead(
            status: status,
            reason: parts.count == 3 ? String(decoding: parts[2], as: UTF8.self) : "",
            fields: fields,
            bytes: bytes
        )
    }

    private static func minorVersion(_ bytes: ArraySlice<UInt8>) throws(HTTPHeadError) -> Int {
        if bytes.elementsEqual("HTTP/1.1".utf8) { return 1 }
        if bytes.elementsEqual("HTTP/1.0".utf8) { return 0 }
        throw .malformed
    }

    private func lines() throws(HTTPHeadError) -> (first: ArraySlice<UInt8>, HTTPFields) {
        var lines: [ArraySlice<UInt8>] = []
        var start = 0
        var index = 0
        while index < bytes.count {
            if bytes[index] == ASCII.carriageReturn {
                guard index + 1 < bytes.count, bytes[index + 1] == ASCII.lineFeed else {
                    throw .malformed
                }
                if index == start { break }
                lines.append(bytes[start..<index])
                if lines.count > WebSocketLimits.headFieldCountMax + 1 { throw .tooManyFields }
                start = index + 2
                index = start
                continue
            }
            if bytes[index] == ASCII.lineFeed { throw .malformed }
            index += 1
        }
        guard index + 2 == bytes.count, let first = lines.first else { throw .malformed }
        guard first.allSatisfy(ASCII.isFieldValue) else { throw .malformed }
        var fields: [HTTPField] = []
        for line in lines.dropFirst() { fields.append(try Self.field(line)) }
        return (first, HTTPFields(fields))
    }

    private static func field(_ line: ArraySlice<UInt8>) throws(HTTPHeadError) -> HTTPField {
        // A folded line begins with white space, which no name does: refused here too.
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex,
            line[..<colon].allSatisfy(ASCII.isToken)
        else { throw .malformed }
        let value = ASCII.trimmed(line[(colon + 1)...])
        guard value.allSatisfy(ASCII.isFieldValue) else { throw .malformed }
        return HTTPField(
            String(decoding: line[..<colon], as: UTF8.self),
            String(decoding: value, as: UTF8.self)
        )
    }
}

/// The characters of HTTP and of URLs, as bytes.
enum ASCII {
    static let space = UInt8(ascii: " ")
    static let carriageReturn: UInt8 = 13
    static let lineFeed: UInt8 = 10
    static let headEnd: [UInt8] = [13, 10, 13, 10]

    static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
    static func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte | 0x20) }
    /// Printable and no space.
    static func isVisible(_ byte: UInt8) -> Bool { (0x21...0x7E).contains(byte) }
    /// Allowed in a field's value: all but control characters, the tab excepted.
    static func isFieldValue(_ byte: UInt8) -> Bool { byte == 9 || (byte >= 0x20 && byte != 0x7F) }
    /// Allowed in a token (RFC 9110 section 5.6.2).
    static func isToken(_ byte: UInt8) -> Bool {
        isDigit(byte) || isLetter(byte) || "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }

    static func lowercased(_ byte: UInt8) -> UInt8 {
        (0x41...0x5A).contains(byte) ? byte | 0x20 : byte
    }
    static func lowercased(_ text: String) -> String {
        String(decoding: text.utf8.map { lowercased($0) }, as: UTF8.self)
    }
    static func equalsIgnoringCase(_ left: String, _ right: String) -> Bool {
        left.utf8.count == right.utf8.count
            && zip(left.utf8, right.utf8).allSatisfy { lowercased($0) == lowercased($1) }
    }

    static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var bytes = bytes
        while let byte = bytes.first, byte == space || byte == 9 { bytes.removeFirst() }
        while let byte = bytes.last, byte == space || byte == 9 { bytes.removeLast() }
        return bytes
    }
    /// Parts between separators, without white space around them.
    static func split(_ text: String, at separator: UInt8) -> [String] {
        Array(text.utf8).split(separator: separator, omittingEmptySubsequences: false)
            .map { String(decoding: trimmed($0), as: UTF8.self) }
    }
}
