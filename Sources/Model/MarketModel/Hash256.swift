/// A Keccak-256 value of an EVM chain: the hash of a block or transaction, or a log's topic.
/// 32 bytes, written as `0x` and 64 hexadecimal digits.
package struct Hash256: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Characters of the text, prefix included.
    package static let characters = 66

    // Big-endian, so that comparing words is comparing bytes.
    private let word0: UInt64
    private let word1: UInt64
    private let word2: UInt64
    private let word3: UInt64

    /// All zero: what stands where there is no hash.
    package static let zero = Hash256()

    private init() {
        word0 = 0
        word1 = 0
        word2 = 0
        word3 = 0
    }

    /// Nil unless there are exactly 32 bytes.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        let words = stride(from: 0, to: 32, by: 8).map { start in
            bytes[start..<start + 8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        }
        (word0, word1, word2, word3) = (words[0], words[1], words[2], words[3])
    }

    /// The bytes in order.
    package var bytes: [UInt8] {
        [word0, word1, word2, word3].flatMap { word in
            stride(from: UInt64(56), through: 0, by: -8).map { shift in
                UInt8(truncatingIfNeeded: word >> shift)
            }
        }
    }

    /// From its text, digits of either case; nil for anything else.
    package init?(hex text: Span<UInt8>) {
        guard text.count == Self.characters, Hex.hasPrefix(text) else { return nil }
        guard let word0 = Hex.word(text, at: 2), let word1 = Hex.word(text, at: 18),
            let word2 = Hex.word(text, at: 34), let word3 = Hex.word(text, at: 50)
        else { return nil }
        self.word0 = word0
        self.word1 = word1
        self.word2 = word2
        self.word3 = word3
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
        Hex.append(word2, digits: 16, to: &text)
        Hex.append(word3, digits: 16, to: &text)
    }

    /// The text in lower-case digits.
    package var description: String {
        var text: [UInt8] = []
        append(to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    package static func < (left: Hash256, right: Hash256) -> Bool {
        (left.word0, left.word1, left.word2, left.word3)
            < (right.word0, right.word1, right.word2, right.word3)
    }
}
