import MarketModel
import RecordModel

extension Address {
    /// The address whose Base58 text stands in a range.
    ///
    /// - Returns: nil unless the text is exactly that of 32 bytes.
    init?(base58 bytes: RawSpan, _ text: Range<Int>) {
        guard (32...44).contains(text.count) else { return nil }
        // Little-endian words; ten characters are taken in at once, as 58^10 fits 64 bits.
        var word0: UInt64 = 0
        var word1: UInt64 = 0
        var word2: UInt64 = 0
        var word3: UInt64 = 0
        var ones = 0
        var position = text.lowerBound
        while position < text.upperBound {
            let end = min(position + 10, text.upperBound)
            var scale: UInt64 = 1
            var chunk: UInt64 = 0
            while position < end {
                let value = Address.value(of: bytes.byte(at: position))
                guard value < 58 else { return nil }
                if value == 0, ones == position - text.lowerBound { ones += 1 }
                chunk = chunk &* 58 &+ UInt64(value)
                scale &*= 58
                position += 1
            }
            var carry = chunk
            Address.multiply(&word0, by: scale, &carry)
            Address.multiply(&word1, by: scale, &carry)
            Address.multiply(&word2, by: scale, &carry)
            Address.multiply(&word3, by: scale, &carry)
            guard carry == 0 else { return nil }
        }
        // Leading zero bytes are leading ones, as many.
        var zeros = word3.leadingZeroBitCount / 8
        if word3 == 0 { zeros = 8 + word2.leadingZeroBitCount / 8 }
        if word3 == 0, word2 == 0 { zeros = 16 + word1.leadingZeroBitCount / 8 }
        if word3 == 0, word2 == 0, word1 == 0 { zeros = 24 + word0.leadingZeroBitCount / 8 }
        guard ones == zeros else { return nil }
        self.init(Bytes32(word3, word2, word1, word0))
    }

    @inline(__always)
    private static func multiply(_ word: inout UInt64, by scale: UInt64, _ carry: inout UInt64) {
        let (high, low) = word.multipliedFullWidth(by: scale)
        let (sum, overflows) = low.addingReportingOverflow(carry)
        word = sum
        // At most (2^64-1)^2 + 2^64-1: the high word has room for the carry.
        carry = high &+ (overflows ? 1 : 0)
    }

    /// The value of a character, 58 or more for any other byte.
    @inline(__always)
    private static func value(of character: UInt8) -> UInt8 {
        switch character {
        case UInt8(ascii: "1")...UInt8(ascii: "9"): character - UInt8(ascii: "1")
        case UInt8(ascii: "A")...UInt8(ascii: "H"): character - UInt8(ascii: "A") + 9
        case UInt8(ascii: "J")...UInt8(ascii: "N"): character - UInt8(ascii: "J") + 17
        case UInt8(ascii: "P")...UInt8(ascii: "Z"): character - UInt8(ascii: "P") + 22
        case UInt8(ascii: "a")...UInt8(ascii: "k"): character - UInt8(ascii: "a") + 33
        case UInt8(ascii: "m")...UInt8(ascii: "z"): character - UInt8(ascii: "m") + 44
        default: 255
        }
    }
}
