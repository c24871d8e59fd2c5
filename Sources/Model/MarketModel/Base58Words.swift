// Base58 of 32 and 64 bytes, as keys and signatures have them, many times as fast as for any
// number of bytes: by digits of 58^5, so that few divisions are needed.

extension Base58 {
    /// 58^5: five characters at once.
    private static let radix: UInt64 = 656_356_768

    /// What each 32 bits of 32 bytes count for, the highest first: nine digits of 58^5 each.
    private static let weights: [UInt64] = {
        var weights: [UInt64] = []
        var weight = [UInt64](repeating: 0, count: 8) + [1]
        for _ in 0..<8 {
            weights = weight + weights
            var carry: UInt64 = 0
            for place in (0..<9).reversed() {
                let value = weight[place] << 32 &+ carry
                carry = value / radix
                weight[place] = value % radix
            }
        }
        return weights
    }()

    /// The characters of every number below 58^2.
    private static let pairs: [(UInt8, UInt8)] = alphabet.flatMap { one in
        alphabet.map { other in (one, other) }
    }

    /// Appends the text of 32 bytes: what `encode` makes of them.
    package static func append(_ value: Bytes32, to text: inout [UInt8]) {
        let start = text.count
        text.append(contentsOf: repeatElement(0, count: charactersMax))
        var characters = text.mutableSpan
        let count = write(value, to: &characters, at: start)
        text.removeLast(charactersMax - count)
    }

    /// Characters that the text of 32 bytes has at most.
    package static var charactersMax: Int { 44 }

    /// Writes the text of 32 bytes: what `encode` makes of them.
    ///
    /// - Parameters:
    ///   - value: the bytes.
    ///   - text: has room for `charactersMax` characters.
    ///   - start: where they begin.
    /// - Returns: how many characters it has.
    package static func write(
        _ value: Bytes32,
        to text: inout MutableSpan<UInt8>,
        at start: Int = 0
    ) -> Int {
        let words = value.words
        let limbs: InlineArray<8, UInt64> = [
            words.0 >> 32, words.0 & 0xffff_ffff, words.1 >> 32, words.1 & 0xffff_ffff,
            words.2 >> 32, words.2 & 0xffff_ffff, words.3 >> 32, words.3 & 0xffff_ffff,
        ]
        let weights = weights
        var digits = InlineArray<18, UInt64>(repeating: 0)
        // What all limbs count for at one place, and what is carried to it, is below 2^64: no weight
        // is above 58^5, and few come near it at the same place.
        for limb in 0..<8 {
            for place in limb + 1..<9 {
                digits[place] &+= limbs[limb] &* weights[limb &* 9 &+ place]
            }
        }
        // The lowest limb counts for itself.
        var place = 8
        var carry: UInt64 = 0
        while place >= 0 {
            let value = digits[place] &+ carry
            carry = value / radix
            digits[place] = value &- carry &* radix
            place -= 1
        }
        return write(digits, 0...8, zeros: leadingZeroBytes(words), to: &text, at: start)
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
        let start = text.count
        text.append(contentsOf: repeatElement(0, count: 2 * charactersMax))
        var characters = text.mutableSpan
        let count = write(value, to: &characters, at: start)
        text.removeLast(2 * charactersMax - count)
    }

    /// Writes the text of 64 bytes: what `encode` makes of them.
    ///
    /// - Parameters:
    ///   - value: the bytes.
    ///   - text: has room for twice `charactersMax` characters.
    ///   - start: where they begin.
    /// - Returns: how many characters it has.
    package static func write(
        _ value: Signature,
        to text: inout MutableSpan<UInt8>,
        at start: Int = 0
    ) -> Int {
        var limbs = InlineArray<16, UInt32>(repeating: 0)
        split(value.first, into: &limbs, at: 0)
        split(value.second, into: &limbs, at: 8)
        // 18 digits hold 16 limbs; the last is the lowest.
        var digits = InlineArray<18, UInt64>(repeating: 0)
        var lowest = 18
        for limb in 0..<16 {
            var carry = UInt64(limbs[limb])
            var place = 17
            // A digit below 2^30 and a carry below 2^34 never exceed 64 bits.
            while place >= lowest || carry > 0 {
                let value = digits[place] << 32 &+ carry
                carry = value / radix
                digits[place] = value &- carry &* radix
                lowest = min(lowest, place)
                place -= 1
            }
        }
        var zeros = leadingZeroBytes(value.first.words)
        if zeros == 32 { zeros += leadingZeroBytes(value.second.words) }
        return write(digits, min(lowest, 17)...17, zeros: zeros, to: &text, at: start)
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

    private static func leadingZeroBytes(_ words: (UInt64, UInt64, UInt64, UInt64)) -> Int {
        if words.0 != 0 { return words.0.leadingZeroBitCount / 8 }
        if words.1 != 0 { return 8 + words.1.leadingZeroBitCount / 8 }
        if words.2 != 0 { return 16 + words.2.leadingZeroBitCount / 8 }
        return 24 + words.3.leadingZeroBitCount / 8
    }

    /// Writes a `1` for each leading zero byte and then five characters for each digit, without
    /// those that lead and are zero.
    private static func write(
        _ digits: InlineArray<18, UInt64>,
        _ places: ClosedRange<Int>,
        zeros: Int,
        to text: inout MutableSpan<UInt8>,
        at start: Int
    ) -> Int {
        let pairs = pairs
        var characters = InlineArray<90, UInt8>(repeating: pairs[0].0)
        var end = 0
        for place in places {
            let digit = Int(truncatingIfNeeded: digits[place])
            let high = digit / 3_364
            characters[end] = pairs[high / 3_364].1
            (characters[end + 1], characters[end + 2]) = pairs[high % 3_364]
            (characters[end + 3], characters[end + 4]) = pairs[digit % 3_364]
            end += 5
        }
        // A `1` that leads stands for nothing but a zero byte.
        var first = 0
        while first < end, characters[first] == pairs[0].0 { first += 1 }
        var made = start
        for _ in 0..<zeros {
            text[made] = pairs[0].0
            made += 1
        }
        for place in first..<end {
            text[made] = characters[place]
            made += 1
        }
        return made - start
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
