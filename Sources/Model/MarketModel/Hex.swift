/// Hexadecimal text of bytes, as Ethereum writes addresses, hashes and byte strings.
package enum Hex {
    /// The value of one digit, 0...15, of either case; nil for any other byte.
    package static func value(of digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit &- UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit &- UInt8(ascii: "a") &+ 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit &- UInt8(ascii: "A") &+ 10
        default: nil
        }
    }

    /// The lower-case digit of a value in 0...15.
    package static func digit(of value: UInt8) -> UInt8 {
        precondition(value < 16, "not one digit: \(value)")
        return value < 10 ? UInt8(ascii: "0") &+ value : UInt8(ascii: "a") &+ (value &- 10)
    }

    /// Whether the text begins with `0x`. `0X` is refused, as nodes' JSON never has it.
    package static func hasPrefix(_ text: Span<UInt8>) -> Bool {
        text.count >= 2 && text[0] == UInt8(ascii: "0") && text[1] == UInt8(ascii: "x")
    }

    /// Appends two lower-case digits for each byte, without `0x`.
    package static func append(_ bytes: [UInt8], to text: inout [UInt8]) {
        for byte in bytes {
            text.append(digit(of: byte >> 4))
            text.append(digit(of: byte & 15))
        }
    }

    /// Two lower-case digits for each byte, after `0x`.
    package static func text(_ bytes: [UInt8]) -> String {
        var text = Array("0x".utf8)
        append(bytes, to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// The bytes of `0x` and an even number of digits of either case; nil for anything else.
    package static func bytes(_ text: Span<UInt8>) -> [UInt8]? {
        guard hasPrefix(text), text.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 2 - 1)
        var at = 2
        while at < text.count {
            guard let high = value(of: text[at]), let low = value(of: text[at + 1]) else {
                return nil
            }
            bytes.append(high << 4 | low)
            at += 2
        }
        return bytes
    }

    /// Eight bytes from sixteen digits, the first one highest; nil when any is no digit.
    /// The caller has checked that the digits lie within the text.
    static func word(_ text: Span<UInt8>, at offset: Int) -> UInt64? {
        var word: UInt64 = 0
        for at in offset..<offset + 16 {
            guard let value = value(of: text[at]) else { return nil }
            word = word << 4 | UInt64(value)
        }
        return word
    }

    /// Appends the lowest `digits` hexadecimal digits of a word.
    static func append(_ word: UInt64, digits: Int, to text: inout [UInt8]) {
        var shift = UInt64(digits) &* 4
        while shift > 0 {
            shift &-= 4
            text.append(digit(of: UInt8(truncatingIfNeeded: word >> shift & 15)))
        }
    }
}
