/// A number as JSON-RPC of Ethereum writes it: `0x`, then hexadecimal digits without leading
/// zeros; zero is `0x0`.
///
/// Source: the Ethereum JSON-RPC specification, "Hex value encoding: quantities".
package enum HexQuantity {
    /// Why a text is no quantity of 64 bits.
    package enum Fault: Error, Equatable, Sendable {
        /// There is nothing.
        case empty
        /// It does not begin with `0x`.
        case missingPrefix
        /// Nothing follows `0x`.
        case noDigits
        /// The first of several digits is zero.
        case leadingZero
        /// A byte is no hexadecimal digit.
        case badDigit
        /// It is above 2^64-1.
        case tooLarge
    }

    /// The number; digits of either case.
    ///
    /// - Parameter text: The whole text, without quotes.
    /// - Returns: 0...2^64-1.
    /// - Throws: What is wrong with the text.
    package static func read(_ text: Span<UInt8>) throws(Fault) -> UInt64 {
        guard !text.isEmpty else { throw .empty }
        guard Hex.hasPrefix(text) else { throw .missingPrefix }
        guard text.count > 2 else { throw .noDigits }
        guard text.count == 3 || text[2] != UInt8(ascii: "0") else { throw .leadingZero }
        var result: UInt64 = 0
        var at = 2
        while at < text.count {
            guard let value = Hex.value(of: text[at]) else { throw .badDigit }
            guard result >> 60 == 0 else { throw .tooLarge }
            result = result << 4 | UInt64(value)
            at += 1
        }
        return result
    }

    /// Appends the number in lower-case digits.
    package static func append(_ value: UInt64, to text: inout [UInt8]) {
        text.append(UInt8(ascii: "0"))
        text.append(UInt8(ascii: "x"))
        let bits = UInt64.bitWidth - value.leadingZeroBitCount
        Hex.append(value, digits: max(1, (bits + 3) / 4), to: &text)
    }

    /// The number in lower-case digits.
    package static func text(_ value: UInt64) -> String {
        var text: [UInt8] = []
        append(value, to: &text)
        return String(decoding: text, as: UTF8.self)
    }
}
