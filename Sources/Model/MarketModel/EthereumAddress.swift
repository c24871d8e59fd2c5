/// An account or contract of an EVM chain. 20 bytes, written as `0x` and 40 hexadecimal digits.
package struct EthereumAddress: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Characters of the text, prefix included.
    package static let characters = 42

    // Big-endian, so that comparing words is comparing bytes.
    private let word0: UInt64
    private let word1: UInt64
    private let word2: UInt32

    /// From its text, digits of either case; the checksum that mixed case may carry is not
    /// checked, as nodes do not check it. Nil for anything else.
    package init?(hex text: Span<UInt8>) {
        guard text.count == Self.characters, Hex.hasPrefix(text) else { return nil }
        guard let word0 = Hex.word(text, at: 2), let word1 = Hex.word(text, at: 18) else {
            return nil
        }
        // The last 16 digits hold the low half of word1 and all of word2.
        guard let last = Hex.word(text, at: 26) else { return nil }
        self.word0 = word0
        self.word1 = word1
        self.word2 = UInt32(truncatingIfNeeded: last)
    }

    /// From its text.
    package init?(_ text: String) {
        let text = Array(text.utf8)
        self.init(hex: text.span)
    }

    /// Appends the text in lower-case digits.
    package func append(to text: inout [UInt8]) {
        text.append(UInt8(ascii: "0"))
        text.append(UInt8(ascii: "x"))
        Hex.append(word0, digits: 16, to: &text)
        Hex.append(word1, digits: 16, to: &text)
        Hex.append(UInt64(word2), digits: 8, to: &text)
    }

    /// The text in lower-case digits.
    package var description: String {
        var text: [UInt8] = []
        append(to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    package static func < (left: EthereumAddress, right: EthereumAddress) -> Bool {
        (left.word0, left.word1, left.word2) < (right.word0, right.word1, right.word2)
    }
}
