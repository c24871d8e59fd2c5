// Base58 of 32 and 64 bytes, as keys and signatures have them, many times as fast as for any
// number of bytes: by digits of 58^5, so that few divisions are needed.

extension Base58 {
    /// 58^5: five characters at once.
    private static let radix: UInt64 = 656_356_768

    /// Appends the text of 32 bytes: what `encode` makes of them.
    package static func append(_ value: Bytes32, to text: inout [UInt8]) {
        var limbs = InlineArray<16, UInt32>(repeating: 0)
        split(value, into: &limbs, at: 0)
        append(limbs, count: 8, to: &text)
    }

    /// The text of 32 bytes: what `encode` makes of them.
    package static func text(_ value: Bytes32) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(44)
        append(value, to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// Appends the text of 64 bytes: what `encode` makes of them.
    package static func append(_ value: Signature, to text: inout [UInt8]) {
        var limbs = InlineArray<16, UInt32>(repeating: 0)
        split(value.first, into: &limbs, at: 0)
        split(value.second, into: &limbs, at: 8)
        append(limbs, count: 16, to: &text)
    }

    /// The 32 bytes of a text; nil when it is not exactly what `append` makes of them.
    package static func bytes32(_ text: RawSpan) -> Bytes32? {
        guard let words = words(text, count: 4, charactersMax: 44) else { return nil }
        return Bytes32(words: (words[0], words[1], words[2], words[3]))
    }

    /// The 64 bytes of a text; nil when it is not exactly what `append` makes of them.
    package static func signature(_ text: RawSpan) -> Signature? {
        guard let words = words(text, count: 8, charactersMax: 88) else { return nil }
        return Signature(
            Bytes32(words: (words[0], words[1], words[2], words[3])),
            Bytes32(words: (words[4], words[5], words[6], words[7]))
        )
    }

    private static func split(
        _ value: Bytes32,
        into limbs: inout InlineArray<16, UInt32>,
        at start: Int
    ) {
        let words = value.words
        limbs[start] = UInt32(truncatingIfNeeded: words.0 >> 32)
        limbs[start + 1] = UInt32(truncatingIfNeeded: words.0)
        limbs[start + 2] = UInt32(truncatingIfNeeded: words.1 >> 32)
        limbs[start + 3] = UInt32(truncatingIfNeeded: words.1)
        limbs[start + 4] = UInt32(truncatingIfNeeded: words.2 >> 32)
        limbs[start + 5] = UInt32(truncatingIfNeeded: words.2)
        limbs[start + 6] = UInt32(truncatingIfNeeded: words.3 >> 32)
        limbs[start + 7] = UInt32(truncatingIfNeeded: words.3)
    }

    private static func append(
        _ limbs: InlineArray<16, UInt32>,
        count: Int,
        to text: inout [UInt8]
    ) {
        // 9 digits hold 8 limbs, 18 hold 16; the last is the lowest.
        let last = count / 8 * 9 - 1
        var digits = InlineArray<18, UInt64>(repeating: 0)
        var lowest = last + 1
        var zeros = 0
        var isLeading = true
        for limb in 0..<count {
            if isLeading {
                zeros += limbs[limb] == 0 ? 4 : limbs[limb].leadingZeroBitCount / 8
                isLeading = limbs[limb] == 0
            }
            var carry = UInt64(limbs[limb])
            var place = last
            // A digit below 2^30 and a carry below 2^34 never exceed 64 bits.
            while place >= lowest || carry > 0 {
                let value = digits[place] << 32 &+ carry
                carry = value / radix
                digits[place] = value &- carry &* radix
                lowest = min(lowest, place)
                place -= 1
            }
        }
        let alphabet = alphabet
        var made = text.count
        // More than is needed is cut off again: growing once is cheaper than for each character.
        text.append(contentsOf: repeatElement(alphabet[0], count: zeros + 5 * (last + 1 - lowest)))
        made += zeros
        isLeading = true
        var place = lowest
        var characters = text.mutableSpan
        while place <= last {
            let digit = UInt32(truncatingIfNeeded: digits[place])
            let low = digit % 3_364
            let high = digit / 3_364
            let five: InlineArray<5, UInt8> = [
                UInt8(truncatingIfNeeded: high / 3_364),
                UInt8(truncatingIfNeeded: high % 3_364 / 58),
                UInt8(truncatingIfNeeded: high % 58),
                UInt8(truncatingIfNeeded: low / 58),
                UInt8(truncatingIfNeeded: low % 58),
            ]
            for index in 0..<5 {
                if isLeading, five[index] == 0 { continue }
                isLeading = false
                characters[made] = alphabet[Int(five[index])]
                made += 1
            }
            place += 1
        }
        text.removeLast(text.count - made)
    }

    /// The words of a text, the highest first; nil when there are more or fewer.
    private static func words(
        _ text: RawSpan,
        count: Int,
        charactersMax: Int
    ) -> InlineArray<8, UInt64>? {
        guard text.byteCount <= charactersMax else { return nil }
        let values = values
        var words = InlineArray<8, UInt64>(repeating: 0)
        /// The highest word that is not zero yet.
        var highest = count
        var ones = 0
        var offset = 0
        while offset < text.byteCount {
            // Ten characters at once: 58^10 is below 2^64.
            let end = min(offset + 10, text.byteCount)
            var digits: UInt64 = 0
            var scale: UInt64 = 1
            while offset < end {
                // The load checks its bounds itself and every bit pattern is a byte.
                let byte = unsafe text.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
                let value = values[Int(byte)]
                guard value != 255 else { return nil }
                if value == 0, ones == offset { ones += 1 }
                digits = digits &* 58 &+ UInt64(value)
                scale = scale &* 58
                offset += 1
            }
            var carry = digits
            var place = count - 1
            while place >= highest || carry > 0 {
                guard place >= 0 else { return nil }
                let product = words[place].multipliedFullWidth(by: scale)
                let (low, overflows) = product.low.addingReportingOverflow(carry)
                words[place] = low
                carry = product.high &+ (overflows ? 1 : 0)
                highest = min(highest, place)
                place -= 1
            }
        }
        var zeros = 0
        for place in 0..<count {
            guard words[place] == 0 else {
                zeros += words[place].leadingZeroBitCount / 8
                break
            }
            zeros += 8
        }
        return zeros == ones ? words : nil
    }
}
