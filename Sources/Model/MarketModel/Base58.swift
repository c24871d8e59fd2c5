// Base58 in the Bitcoin alphabet, as Solana writes keys, hashes and signatures.

/// Why a text is not Base58 of the wanted kind. The text is refused; nothing is repaired.
package enum Base58Error: Error, Hashable, Sendable {
    /// A byte outside the alphabet, at this offset of the text.
    case invalidCharacter(offset: Int)
    /// The text is longer than the caller allows, or decodes to another number of bytes.
    case wrongSize
}

/// Exact conversion between bytes and Base58 text; leading zero bytes are leading `1`s.
package enum Base58 {
    static let alphabet = [UInt8](
        "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz".utf8
    )

    /// Value of each ASCII byte, 255 where it is outside the alphabet.
    static let values: [UInt8] = {
        var values = [UInt8](repeating: 255, count: 256)
        for (value, character) in alphabet.enumerated() {
            values[Int(character)] = UInt8(value)
        }
        return values
    }()

    /// Text of the bytes. Time grows with the square of the length: for short inputs only.
    package static func encode(_ bytes: [UInt8]) -> String {
        var digits: [UInt8] = []  // least significant first
        digits.reserveCapacity(bytes.count * 138 / 100 + 1)
        for byte in bytes {
            var carry = Int(byte)
            for index in digits.indices {
                carry += Int(digits[index]) << 8
                digits[index] = UInt8(carry % 58)
                carry /= 58
            }
            while carry > 0 {
                digits.append(UInt8(carry % 58))
                carry /= 58
            }
        }
        let zeros = bytes.prefix { $0 == 0 }.count
        var text = [UInt8](repeating: alphabet[0], count: zeros)
        text.reserveCapacity(zeros + digits.count)
        for digit in digits.reversed() {
            text.append(alphabet[Int(digit)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Bytes of the text, at most `charactersMax` characters long (checked first, so time is
    /// bounded). The empty text is no bytes.
    package static func decode(
        _ text: some Collection<UInt8>,
        charactersMax: Int
    ) throws(Base58Error) -> [UInt8] {
        guard text.count <= charactersMax else { throw .wrongSize }
        var reversed: [UInt8] = []  // least significant first
        reversed.reserveCapacity(text.count)
        var zeros = 0
        var offset = 0
        for character in text {
            let value = values[Int(character)]
            guard value != 255 else { throw .invalidCharacter(offset: offset) }
            if value == 0, zeros == offset { zeros += 1 }
            var carry = Int(value)
            for index in reversed.indices {
                carry += Int(reversed[index]) * 58
                reversed[index] = UInt8(carry & 0xff)
                carry >>= 8
            }
            while carry > 0 {
                reversed.append(UInt8(carry & 0xff))
                carry >>= 8
            }
            offset += 1
        }
        return [UInt8](repeating: 0, count: zeros) + reversed.reversed()
    }
}
