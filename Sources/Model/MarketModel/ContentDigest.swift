/// A 128-bit fingerprint of bytes, the same on every machine and run. It tells versions of one
/// account apart; it is not meant to withstand someone who searches for collisions.
package struct ContentDigest: Hashable, Comparable, Sendable {
    // Two lanes with different keys; each folds the full product of what it has and the next word.
    private var first: UInt64
    private var second: UInt64

    // Odd constants without structure: the fractions of the square roots of 2, 3, 5 and 7.
    private static let keys: (UInt64, UInt64, UInt64, UInt64) = (
        0x6a09_e667_f3bc_c909, 0xbb67_ae85_84ca_a73b,
        0x3c6e_f372_fe94_f82b, 0xa54f_f53a_5f1d_36f1
    )

    /// The digest of nothing.
    package init() {
        first = ContentDigest.keys.0
        second = ContentDigest.keys.1
    }

    /// Both lanes.
    package var words: (UInt64, UInt64) { (first, second) }

    package static func < (left: ContentDigest, right: ContentDigest) -> Bool {
        left.words < right.words
    }

    /// Takes in one word.
    package mutating func combine(_ word: UInt64) {
        first = ContentDigest.fold(first ^ word, ContentDigest.keys.2) &+ word
        second = ContentDigest.fold(second &+ word, ContentDigest.keys.3) ^ word
    }

    /// Takes in a part of `bytes` and its length, so that parts cannot run into each other.
    ///
    /// - Precondition: `range` lies within `bytes`.
    package mutating func combine(_ bytes: RawSpan, _ range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.byteCount)
        combine(UInt64(range.count))
        var offset = range.lowerBound
        while range.upperBound - offset >= 8 {
            // The load checks its bounds itself and every bit pattern is a UInt64.
            let word = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
            combine(UInt64(littleEndian: word))
            offset += 8
        }
        guard offset < range.upperBound else { return }
        var word: UInt64 = 0
        while offset < range.upperBound {
            word =
                word << 8 | UInt64(unsafe bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self))
            offset += 1
        }
        combine(word)
    }

    private static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }
}
