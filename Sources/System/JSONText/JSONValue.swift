import CSimdJSON

/// One value of a parsed text: what it is, what it holds, and where it stands.
///
/// A cursor of three words into its `JSONDocument`, which it keeps alive. Conversions answer nil
/// when the value is of another kind or does not fit; nothing is rounded and nothing traps.
package struct JSONValue {
    /// The kinds of JSON.
    package enum Kind: Equatable, Sendable {
        case object, array, string, number, boolean, null
    }

    let document: JSONDocument
    let index: Int
    let generation: UInt64

    init(document: JSONDocument, index: Int, generation: UInt64) {
        self.document = document
        self.index = index
        self.generation = generation
    }

    var node: tdjson_node {
        precondition(generation == document.generation, "a value outlived its text")
        return document.nodes[index]
    }

    /// What the value is.
    package var kind: Kind {
        switch node.kind {
        case UInt32(TDJSON_OBJECT): .object
        case UInt32(TDJSON_ARRAY): .array
        case UInt32(TDJSON_STRING): .string
        case UInt32(TDJSON_NUMBER): .number
        case UInt32(TDJSON_TRUE), UInt32(TDJSON_FALSE): .boolean
        default: .null
        }
    }

    /// The bytes of the text that are this value, with quotes or brackets, without white space
    /// around.
    package var range: Range<Int> { Int(node.start)..<Int(node.end) }

    /// A copy of the value as it stands in the text.
    package var rawBytes: [UInt8] { Array(document.text[range]) }

    /// Whether the value is null.
    package var isNull: Bool { node.kind == UInt32(TDJSON_NULL) }

    /// True or false; nil for anything else.
    package var boolean: Bool? {
        switch node.kind {
        case UInt32(TDJSON_TRUE): true
        case UInt32(TDJSON_FALSE): false
        default: nil
        }
    }

    /// The unescaped string; nil for anything else.
    package var string: String? {
        withUnescaped { String(decoding: $0, as: UTF8.self) }
    }

    /// The UTF-8 of the unescaped string; nil for anything else.
    package var stringBytes: [UInt8]? {
        withUnescaped { Array($0) }
    }

    /// Whether the value is a string of exactly these bytes. Does not allocate.
    ///
    /// - Parameter other: The text to compare with.
    /// - Returns: Whether both are equal, byte for byte.
    package func isString(_ other: StaticString) -> Bool {
        withUnescaped { bytes in
            other.withUTF8Buffer { bytes.count == $0.count && bytes.elementsEqual($0) }
        } == true
    }

    /// Whether the value is a string of exactly these bytes. Does not allocate.
    ///
    /// - Parameter other: UTF-8 to compare with.
    /// - Returns: Whether both are equal, byte for byte.
    package func isString(_ other: [UInt8]) -> Bool {
        withUnescaped { $0.count == other.count && $0.elementsEqual(other) } == true
    }

    /// Calls the body with the UTF-8 of the unescaped string, without a copy.
    ///
    /// - Parameter body: Reads the bytes; they may not leave it.
    /// - Returns: What the body returned; nil when the value is no string.
    package func withString<Result>(_ body: (Span<UInt8>) -> Result) -> Result? {
        withUnescaped { body($0.span) }
    }

    private func withUnescaped<Result>(
        _ body: (UnsafeBufferPointer<UInt8>) -> Result
    ) -> Result? {
        let node = self.node
        guard node.kind == UInt32(TDJSON_STRING) else { return nil }
        guard let texts = document.texts else { preconditionFailure("a string without its text") }
        let start = texts + Int(node.text_start)
        return withExtendedLifetime(document) {
            body(UnsafeBufferPointer(start: start, count: Int(node.count)))
        }
    }

    /// The digits of a number as they stand in the text; nil for anything else.
    package var numberText: String? {
        guard node.kind == UInt32(TDJSON_NUMBER) else { return nil }
        return String(decoding: document.text[range], as: UTF8.self)
    }

    /// The number, when it is written as a whole number in 0...2^64-1. `1.0` and `1e5` are not.
    package var uint64: UInt64? {
        guard node.kind == UInt32(TDJSON_NUMBER) else { return nil }
        return magnitude(document.text[range])
    }

    /// The number, when it is written as a whole number in -2^63...2^63-1. `1.0` and `1e5` are
    /// not; `-0` is 0.
    package var int64: Int64? {
        guard node.kind == UInt32(TDJSON_NUMBER) else { return nil }
        let digits = document.text[range]
        guard digits.first == UInt8(ascii: "-") else {
            return magnitude(digits).flatMap { Int64(exactly: $0) }
        }
        guard let magnitude = magnitude(digits.dropFirst()) else { return nil }
        guard magnitude <= Int64.min.magnitude else { return nil }
        return Int64(truncatingIfNeeded: 0 &- magnitude)
    }

    private func magnitude(_ digits: Slice<UnsafeBufferPointer<UInt8>>) -> UInt64? {
        var result: UInt64 = 0
        for byte in digits {
            let digit = byte &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            let (product, overflow) = result.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
            guard !overflow, !carry else { return nil }
            result = sum
        }
        return result
    }

    /// How many elements or members there are; 0 for anything but arrays and objects.
    package var count: Int {
        let node = self.node
        let isContainer = node.kind == UInt32(TDJSON_OBJECT) || node.kind == UInt32(TDJSON_ARRAY)
        return isContainer ? Int(node.count) : 0
    }

    /// The elements of an array in order; none for anything else.
    package var elements: Elements {
        let node = self.node
        let end = node.kind == UInt32(TDJSON_ARRAY) ? Int(node.next) : index + 1
        return Elements(of: self, end: end)
    }

    /// The members of an object in the order of the text, equal keys and all; none for anything
    /// else.
    package var members: Members {
        let node = self.node
        let end = node.kind == UInt32(TDJSON_OBJECT) ? Int(node.next) : index + 1
        return Members(of: self, end: end)
    }

    /// The value of a key. Where a key stands twice the last one counts, as in the nodes' own
    /// decoders; `members` shows them all.
    ///
    /// - Parameter key: The key, compared byte for byte.
    /// - Returns: The value; nil when there is none or this is no object.
    package func member(_ key: StaticString) -> JSONValue? {
        var found: JSONValue?
        for member in members where member.key.isString(key) { found = member.value }
        return found
    }

    /// Elements of one array.
    package struct Elements: Sequence, IteratorProtocol {
        private let array: JSONValue
        private var position: Int
        private let end: Int

        init(of array: JSONValue, end: Int) {
            self.array = array
            self.position = array.index + 1
            self.end = end
        }

        package mutating func next() -> JSONValue? {
            guard position < end else { return nil }
            let value = JSONValue(
                document: array.document,
                index: position,
                generation: array.generation
            )
            position = Int(value.node.next)
            return value
        }
    }

    /// Members of one object.
    package struct Members: Sequence, IteratorProtocol {
        private var values: Elements

        init(of object: JSONValue, end: Int) {
            values = Elements(of: object, end: end)
        }

        package mutating func next() -> (key: JSONValue, value: JSONValue)? {
            guard let key = values.next(), let value = values.next() else { return nil }
            return (key, value)
        }
    }
}
