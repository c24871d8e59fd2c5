/// A string of the wire: valid UTF-8, equal only when the bytes are equal. (Swift's `String` calls
/// differently composed letters equal, which would merge two filter names into one.)
package struct UTF8Text: Hashable, Comparable, Sendable, ExpressibleByStringLiteral,
    CustomStringConvertible
{
    /// The text as on the wire.
    package let bytes: [UInt8]

    /// The UTF-8 of a string.
    package init(_ text: String) {
        bytes = [UInt8](text.utf8)
    }

    package init(stringLiteral value: String) {
        self.init(value)
    }

    /// Nil when the bytes are not UTF-8.
    package init?(validating bytes: [UInt8]) {
        guard String(validating: bytes, as: UTF8.self) != nil else { return nil }
        self.bytes = bytes
    }

    package var description: String { String(decoding: bytes, as: UTF8.self) }

    package static func < (left: UTF8Text, right: UTF8Text) -> Bool {
        left.bytes.lexicographicallyPrecedes(right.bytes)
    }
}
