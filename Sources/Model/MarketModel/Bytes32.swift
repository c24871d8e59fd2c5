/// Thirty-two bytes stored inline, ordered as bytes. What keys and hashes are made of.
package struct Bytes32: Hashable, Comparable, Sendable {
    /// Big-endian words, so that comparing words is comparing bytes.
    @usableFromInline let word0: UInt64
    private let word1: UInt64
    private let word2: UInt64
    private let word3: UInt64

    /// All zero.
    package init() {
        word0 = 0
        word1 = 0
        word2 = 0
        word3 = 0
    }

    /// The 32 bytes at `offset`; nil when they do not lie within `bytes`.
    @inlinable
    package init?(_ bytes: RawSpan, at offset: Int) {
        guard offset >= 0, bytes.byteCount >= 32, offset <= bytes.byteCount - 32 else { return nil }
        // The load checks its bounds itself and every bit pattern is a UInt64.
        self.init(
            unsafe UInt64(
                bigEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
            ),
            unsafe UInt64(
                bigEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset &+ 8, as: UInt64.self)
            ),
            unsafe UInt64(
                bigEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset &+ 16, as: UInt64.self)
            ),
            unsafe UInt64(
                bigEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset &+ 24, as: UInt64.self)
            )
        )
    }

    /// Nil unless there are exactly 32 bytes.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        self.init(
            Bytes32.word(of: bytes, at: 0),
            Bytes32.word(of: bytes, at: 8),
            Bytes32.word(of: bytes, at: 16),
            Bytes32.word(of: bytes, at: 24)
        )
    }

    /// From big-endian words, the first one first.
    @usableFromInline
    package init(_ word0: UInt64, _ word1: UInt64, _ word2: UInt64, _ word3: UInt64) {
        self.word0 = word0
        self.word1 = word1
        self.word2 = word2
        self.word3 = word3
    }

    /// The first eight bytes as a big-endian number: enough to tell most values apart.
    @inlinable package var leading: UInt64 { word0 }

    /// The first eight bytes, big-endian: what a switch over known values looks at first.
    package var leadingWord: UInt64 { word0 }

    /// The bytes in order.
    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(32)
        for word in [word0, word1, word2, word3] {
            Bytes32.append(word, to: &bytes)
        }
        return bytes
    }

    /// The bytes as four words, highest byte first.
    package var words: (UInt64, UInt64, UInt64, UInt64) { (word0, word1, word2, word3) }

    /// From what `words` gave.
    package init(words: (UInt64, UInt64, UInt64, UInt64)) {
        (word0, word1, word2, word3) = words
    }

    package static func < (left: Bytes32, right: Bytes32) -> Bool {
        if left.word0 != right.word0 { return left.word0 < right.word0 }
        if left.word1 != right.word1 { return left.word1 < right.word1 }
        if left.word2 != right.word2 { return left.word2 < right.word2 }
        return left.word3 < right.word3
    }

    private static func word(of bytes: [UInt8], at offset: Int) -> UInt64 {
        var word: UInt64 = 0
        for byte in bytes[offset..<offset + 8] {
            word = word << 8 | UInt64(byte)
        }
        return word
    }

    private static func append(_ word: UInt64, to bytes: inout [UInt8]) {
        for shift in stride(from: UInt64(56), through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: word >> shift))
        }
    }
}
