/// Tells whether a text that arrives in pieces is UTF-8 (RFC 3629: no surrogates, no overlong
/// forms, nothing above U+10FFFF), wherever the pieces are cut.
package struct TextValidator: Sendable {
    /// Bytes of the character that the last piece left unfinished, and what its next byte may be.
    private var owed = 0
    private var lowest: UInt8 = 0x80
    private var highest: UInt8 = 0xBF
    private var isBroken = false

    package init() {}

    /// Whether a text is UTF-8 as a whole.
    package static func isUTF8(_ bytes: Span<UInt8>) -> Bool {
        // The standard library's validator reads eight bytes at a time.
        do {
            _ = try UTF8Span(validating: bytes)
            return true
        } catch {
            return false
        }
    }

    /// Takes the next piece.
    ///
    /// - Returns: false as soon as no later piece can make it UTF-8, and from then on.
    package mutating func append(_ bytes: Span<UInt8>) -> Bool {
        if isBroken { return false }
        var index = 0
        while owed > 0, index < bytes.count {
            if !step(bytes[index]) { return false }
            index += 1
        }
        // The last character may be cut: its first byte is then one of the last three. Where all
        // of them are inner bytes, it is whole or broken.
        var tail = bytes.count
        for position in stride(from: bytes.count - 1, through: max(index, bytes.count - 3), by: -1)
        where bytes[position] & 0xC0 != 0x80 {
            tail = position
            break
        }
        if !Self.isUTF8(bytes.extracting(index..<tail)) {
            isBroken = true
            return false
        }
        for position in tail..<bytes.count where !step(bytes[position]) { return false }
        return true
    }

    /// Whether the text so far ends with a whole character.
    package var isComplete: Bool { !isBroken && owed == 0 }

    /// One byte through the table of RFC 3629 section 4.
    private mutating func step(_ byte: UInt8) -> Bool {
        if owed > 0 {
            if byte < lowest || byte > highest {
                isBroken = true
                return false
            }
            owed -= 1
            lowest = 0x80
            highest = 0xBF
            return true
        }
        switch byte {
        case 0x00...0x7F: return true
        case 0xC2...0xDF: owed = 1
        case 0xE0...0xEF:
            owed = 2
            if byte == 0xE0 { lowest = 0xA0 }
            if byte == 0xED { highest = 0x9F }
        case 0xF0...0xF4:
            owed = 3
            if byte == 0xF0 { lowest = 0x90 }
            if byte == 0xF4 { highest = 0x8F }
        default:
            isBroken = true
            return false
        }
        return true
    }
}
