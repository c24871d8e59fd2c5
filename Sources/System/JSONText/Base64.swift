/// Base64 of RFC 4648 section 4: the standard alphabet, always padded, no line breaks.
package enum Base64 {
    private static let alphabet: [UInt8] = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8
    )
    private static let padding = UInt8(ascii: "=")
    private static let none: UInt8 = 0xFF
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: none, count: 256)
        for (value, byte) in alphabet.enumerated() { values[Int(byte)] = UInt8(value) }
        return values
    }()

    /// Appends the Base64 of bytes.
    ///
    /// - Parameters:
    ///   - bytes: Any bytes.
    ///   - output: Receives 4 bytes of ASCII for each 3 begun.
    package static func encode(_ bytes: [UInt8], into output: inout [UInt8]) {
        let symbols = alphabet
        var at = 0
        while at + 3 <= bytes.count {
            let word = UInt32(bytes[at]) << 16 | UInt32(bytes[at + 1]) << 8 | UInt32(bytes[at + 2])
            output.append(symbols[Int(word >> 18)])
            output.append(symbols[Int(word >> 12 & 63)])
            output.append(symbols[Int(word >> 6 & 63)])
            output.append(symbols[Int(word & 63)])
            at += 3
        }
        let left = bytes.count - at
        guard left > 0 else { return }
        let second = left == 2 ? bytes[at + 1] : 0
        let word = UInt32(bytes[at]) << 16 | UInt32(second) << 8
        output.append(symbols[Int(word >> 18)])
        output.append(symbols[Int(word >> 12 & 63)])
        output.append(left == 2 ? symbols[Int(word >> 6 & 63)] : padding)
        output.append(padding)
    }

    /// The Base64 of bytes.
    ///
    /// - Parameter bytes: Any bytes.
    /// - Returns: ASCII.
    package static func encode(_ bytes: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        encode(bytes, into: &output)
        return output
    }

    /// The bytes of a Base64 text.
    ///
    /// Only the form that `encode` writes is accepted, so that text and bytes are one-to-one:
    /// padded, no white space, unused bits zero.
    ///
    /// - Parameter text: ASCII.
    /// - Returns: The bytes; nil when the text is anything else.
    package static func decode(_ text: [UInt8]) -> [UInt8]? {
        guard text.count % 4 == 0 else { return nil }
        var symbols = text.count
        if text.last == padding { symbols -= 1 }
        if symbols >= 1, symbols < text.count, text[symbols - 1] == padding { symbols -= 1 }
        let table = values
        var output: [UInt8] = []
        output.reserveCapacity(symbols / 4 * 3 + 2)
        var pending: UInt32 = 0
        var bits = 0
        for at in 0..<symbols {
            let value = table[Int(text[at])]
            guard value != none else { return nil }
            pending = pending << 6 | UInt32(value)
            bits += 6
            if bits >= 8 {
                bits -= 8
                output.append(UInt8(truncatingIfNeeded: pending >> UInt32(bits)))
                pending &= (1 << UInt32(bits)) - 1
            }
        }
        return pending == 0 ? output : nil
    }
}
