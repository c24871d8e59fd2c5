/// Seeds as people write them.
package enum SimulationSeed {
    /// The seed that a text names: a decimal number of 64 bits, or a git commit of 40 hexadecimal
    /// digits, whose first 16 are the number.
    ///
    /// - Returns: nil when it is neither.
    package static func parse(_ text: String) -> UInt64? {
        let isHex = text.utf8.allSatisfy {
            (48...57).contains($0) || (97...102).contains($0) || (65...70).contains($0)
        }
        if text.utf8.count == 40, isHex { return UInt64(text.prefix(16), radix: 16) }
        guard text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return UInt64(text)
    }
}
