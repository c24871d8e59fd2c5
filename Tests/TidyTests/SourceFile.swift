// A Swift file as the rules see it: tokens with their lines, and comments by line. Text inside
// comments and strings is never mistaken for code; code inside string interpolation is seen.

/// One word, number, string or punctuation mark of a file.
struct Token: Equatable {
    enum Kind { case word, number, string, mark }

    let kind: Kind
    /// The text; a string's content without its quotes and interpolations, a raw identifier's
    /// name without its backticks.
    let text: String
    /// The line it begins on, from 1.
    let line: Int
    /// Whether nothing stands between it and the token before.
    let touchesPrevious: Bool
}

/// A Swift file, cut into tokens and comments.
struct SourceFile {
    let path: String
    let lineCount: Int
    let tokens: [Token]
    /// The comments that begin or go on in a line, with their slashes.
    let comments: [Int: String]

    init(path: String, text: String) {
        var lexer = Lexer(bytes: Array(text.utf8))
        lexer.scanCode(untilClosingParenthesis: false)
        self.path = path
        lineCount = text.isEmpty ? 0 : lexer.line - (text.hasSuffix("\n") ? 1 : 0)
        tokens = lexer.tokens
        comments = lexer.comments
    }

    /// The target that the file belongs to, in `Sources/<stage>/<target>/` or
    /// `Tests/<stage>/<target>/`; nil elsewhere.
    var target: String? {
        let parts = path.split(separator: "/")
        guard parts.count >= 3, parts[0] == "Sources" || parts[0] == "Tests" else { return nil }
        return parts.count >= 4 ? String(parts[2]) : String(parts[1])
    }

    /// A token's text, or an empty string past either end.
    func text(_ index: Int) -> String {
        tokens.indices.contains(index) ? tokens[index].text : ""
    }

    /// Whether a token is this punctuation mark.
    func isMark(_ index: Int, _ mark: String) -> Bool {
        tokens.indices.contains(index) && tokens[index].kind == .mark && tokens[index].text == mark
    }

    /// Whether a token is this word.
    func isWord(_ index: Int, _ word: String) -> Bool {
        tokens.indices.contains(index) && tokens[index].kind == .word && tokens[index].text == word
    }

    /// Whether a token stands against the one before it.
    func touches(_ index: Int) -> Bool {
        tokens.indices.contains(index) && tokens[index].touchesPrevious
    }

    /// The index of the mark that closes the bracket at `open`, or nil when it never closes.
    func closing(_ open: Int) -> Int? {
        var depth = 0
        for index in open..<tokens.count where tokens[index].kind == .mark {
            switch tokens[index].text {
            case "(", "[", "{": depth += 1
            case ")", "]", "}":
                depth -= 1
                if depth == 0 { return index }
            default: break
            }
        }
        return nil
    }
}

/// Cuts bytes into tokens. Swift's regular-expression literals are not known to it.
private struct Lexer {
    let bytes: [UInt8]
    var at = 0
    var line = 1
    var tokens: [Token] = []
    var comments: [Int: String] = [:]
    private var endOfPrevious = -1

    init(bytes: [UInt8]) { self.bytes = bytes }

    func peek(_ ahead: Int = 0) -> UInt8 { at + ahead < bytes.count ? bytes[at + ahead] : 0 }

    mutating func scanCode(untilClosingParenthesis: Bool) {
        var depth = 0
        while at < bytes.count {
            let byte = bytes[at]
            switch byte {
            case UInt8(ascii: "\n"):
                line += 1
                at += 1
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"):
                at += 1
            case UInt8(ascii: "/") where peek(1) == UInt8(ascii: "/"):
                scanLineComment()
            case UInt8(ascii: "/") where peek(1) == UInt8(ascii: "*"):
                scanBlockComment()
            case UInt8(ascii: "\""):
                scanString(hashes: 0)
            case UInt8(ascii: "#") where beginsRawString():
                var hashes = 0
                while peek(hashes) == UInt8(ascii: "#") { hashes += 1 }
                at += hashes
                scanString(hashes: hashes)
            case UInt8(ascii: "`"):
                let begin = at
                at += 1
                while at < bytes.count, bytes[at] != UInt8(ascii: "`") { at += 1 }
                at += 1
                add(.word, from: begin, text: string(begin + 1, at - 1))
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                let begin = at
                while isWordByte(peek())
                    || (peek() == UInt8(ascii: ".") && isDigit(peek(1)))
                { at += 1 }
                add(.number, from: begin, text: string(begin, at))
            case _ where isWordByte(byte):
                let begin = at
                while isWordByte(peek()) { at += 1 }
                add(.word, from: begin, text: string(begin, at))
            default:
                at += 1
                if byte == UInt8(ascii: "(") { depth += 1 }
                if byte == UInt8(ascii: ")") { depth -= 1 }
                if untilClosingParenthesis, depth < 0 { return }
                add(.mark, from: at - 1, text: string(at - 1, at))
            }
        }
    }

    private func isDigit(_ byte: UInt8) -> Bool {
        byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
    }

    private func isWordByte(_ byte: UInt8) -> Bool {
        isDigit(byte) || byte == UInt8(ascii: "_") || byte >= 0x80
            || (byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z"))
    }

    private func string(_ begin: Int, _ end: Int) -> String {
        String(decoding: bytes[begin..<max(begin, min(end, bytes.count))], as: UTF8.self)
    }

    private mutating func add(_ kind: Token.Kind, from begin: Int, text: String) {
        tokens.append(
            Token(kind: kind, text: text, line: line, touchesPrevious: begin == endOfPrevious)
        )
        endOfPrevious = at
    }

    private func beginsRawString() -> Bool {
        var ahead = 0
        while peek(ahead) == UInt8(ascii: "#") { ahead += 1 }
        return peek(ahead) == UInt8(ascii: "\"")
    }

    private mutating func scanLineComment() {
        let begin = at
        while at < bytes.count, bytes[at] != UInt8(ascii: "\n") { at += 1 }
        comments[line, default: ""] += string(begin, at)
    }

    private mutating func scanBlockComment() {
        var depth = 0
        var begin = at
        repeat {
            if peek() == UInt8(ascii: "/"), peek(1) == UInt8(ascii: "*") {
                depth += 1
                at += 2
            } else if peek() == UInt8(ascii: "*"), peek(1) == UInt8(ascii: "/") {
                depth -= 1
                at += 2
            } else if peek() == UInt8(ascii: "\n") {
                comments[line, default: ""] += string(begin, at)
                line += 1
                at += 1
                begin = at
            } else {
                at += 1
            }
        } while depth > 0 && at < bytes.count
        comments[line, default: ""] += string(begin, at)
    }

    /// Scans from the opening quote. The token is placed before those of its interpolations.
    private mutating func scanString(hashes: Int) {
        let begin = at - hashes
        let touches = begin == endOfPrevious
        let firstLine = line
        let place = tokens.count
        var content: [UInt8] = []
        let isLong = peek(1) == UInt8(ascii: "\"") && peek(2) == UInt8(ascii: "\"")
        let quotes = isLong ? 3 : 1
        at += quotes
        while at < bytes.count {
            if isRun(of: UInt8(ascii: "\""), quotes, thenHashes: hashes) {
                at += quotes + hashes
                break
            }
            if bytes[at] == UInt8(ascii: "\n") {
                line += 1
                if !isLong { break }
            }
            if bytes[at] == UInt8(ascii: "\\"), isRun(of: UInt8(ascii: "\\"), 1, thenHashes: hashes)
            {
                at += 1 + hashes
                if peek() == UInt8(ascii: "(") {
                    at += 1
                    scanCode(untilClosingParenthesis: true)
                } else {
                    if peek() == UInt8(ascii: "\n") { line += 1 }
                    content.append(peek())
                    at += 1
                }
                continue
            }
            content.append(bytes[at])
            at += 1
        }
        let token = Token(
            kind: .string,
            text: String(decoding: content, as: UTF8.self),
            line: firstLine,
            touchesPrevious: touches
        )
        tokens.insert(token, at: place)
        endOfPrevious = at
    }

    private func isRun(of byte: UInt8, _ count: Int, thenHashes hashes: Int) -> Bool {
        for ahead in 0..<count where peek(ahead) != byte { return false }
        for ahead in 0..<hashes where peek(count + ahead) != UInt8(ascii: "#") { return false }
        return true
    }
}
