import RecordModel

/// Base64 as the runtime writes it: the standard alphabet, padded.
enum Base64 {
    private static let values: [UInt8] = {
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        var values = [UInt8](repeating: 255, count: 256)
        for (value, character) in alphabet.utf8.enumerated() {
            values[Int(character)] = UInt8(value)
        }
        return values
    }()

    /// Appends what a text stands for. Several texts may follow one another, separated by single
    /// spaces: their bytes follow one another too.
    ///
    /// - Returns: false, with nothing appended, when any of it is not Base64.
    static func append(_ bytes: RawSpan, _ text: Range<Int>, to decoded: inout [UInt8]) -> Bool {
        let count = decoded.count
        let values = values
        var position = text.lowerBound
        while position < text.upperBound {
            var end = position
            while end < text.upperBound, bytes.byte(at: end) != UInt8(ascii: " ") { end += 1 }
            guard append(bytes, field: position..<end, values, to: &decoded) else {
                decoded.removeSubrange(count...)
                return false
            }
            position = end + 1
        }
        return true
    }

    private static func append(
        _ bytes: RawSpan,
        field: Range<Int>,
        _ values: [UInt8],
        to decoded: inout [UInt8]
    ) -> Bool {
        guard field.count.isMultiple(of: 4) else { return false }
        var position = field.lowerBound
        while position < field.upperBound {
            let word = bytes.littleEndianUInt32(at: position)
            let first = values[Int(word & 255)]
            let second = values[Int(word >> 8 & 255)]
            guard first < 64, second < 64 else { return false }
            position += 4
            let third = values[Int(word >> 16 & 255)]
            let fourth = values[Int(word >> 24)]
            decoded.append(first << 2 | second >> 4)
            if third < 64, fourth < 64 {
                decoded.append(second << 4 | third >> 2)
                decoded.append(third << 6 | fourth)
                continue
            }
            // Padding, at the end alone, over bits that are zero.
            guard position == field.upperBound, word >> 24 == UInt32(UInt8(ascii: "=")) else {
                return false
            }
            if third < 64 {
                decoded.append(second << 4 | third >> 2)
                return third & 3 == 0
            }
            return word >> 16 & 255 == UInt32(UInt8(ascii: "=")) && second & 15 == 0
        }
        return true
    }
}
