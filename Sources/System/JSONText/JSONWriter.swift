/// Appends JSON text to bytes, one fixed form for one value.
///
/// **Canonical form** (also that of `cat --format ndjson`): no white space; keys in the order in
/// which they are written; strings escape only `"` as `\"`, `\` as `\\`, and the bytes below 0x20
/// as `\b \f \n \r \t` or `\u00xx` with lower-case digits; everything else, `/` and 0x7F included,
/// is raw UTF-8; bytes that are no UTF-8 become U+FFFD, one for each maximal part of a broken
/// sequence (as the Unicode standard recommends); integers in decimal without sign for 0 and up;
/// bytes as standard padded Base64. Numbers with a fraction are never written.
///
/// Misuse (a value where a key must stand, an end without its begin) is a bug of the caller and
/// stops the program.
package struct JSONWriter {
    /// What has been written.
    package private(set) var bytes: [UInt8]

    // One bit a level, the innermost lowest: 1 for an object.
    private var objects: UInt64 = 0
    private var depth = 0
    private var needsComma = false
    private var afterKey = false

    private static let depthMax = 64

    /// A writer.
    ///
    /// - Parameter bytes: What stands before the text; hand in a used buffer to save allocation.
    package init(appendingTo bytes: consuming [UInt8] = []) {
        self.bytes = bytes
    }

    /// Whether everything that was begun has been ended.
    package var isComplete: Bool { depth == 0 && !afterKey }

    /// Forgets what was written and keeps the memory.
    package mutating func reset() {
        bytes.removeAll(keepingCapacity: true)
        objects = 0
        depth = 0
        needsComma = false
        afterKey = false
    }

    /// Ends a line, after which another text may begin.
    package mutating func endLine() {
        precondition(isComplete, "a line ends between texts")
        bytes.append(UInt8(ascii: "\n"))
        needsComma = false
    }

    /// Begins an object.
    package mutating func beginObject() { begin(UInt8(ascii: "{"), isObject: true) }

    /// Ends the innermost object.
    package mutating func endObject() { end(UInt8(ascii: "}"), isObject: true) }

    /// Begins an array.
    package mutating func beginArray() { begin(UInt8(ascii: "["), isObject: false) }

    /// Ends the innermost array.
    package mutating func endArray() { end(UInt8(ascii: "]"), isObject: false) }

    /// Writes the key of a member; its value must follow.
    ///
    /// - Parameter name: The key.
    package mutating func key(_ name: String) {
        precondition(isInObject && !afterKey, "a key stands in an object, before its value")
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        Self.quote(name, into: &bytes)
        bytes.append(UInt8(ascii: ":"))
        afterKey = true
    }

    /// Writes a string.
    ///
    /// - Parameter text: Any text.
    package mutating func string(_ text: String) {
        beforeValue()
        Self.quote(text, into: &bytes)
    }

    /// Writes bytes that should be UTF-8 as a string.
    ///
    /// - Parameter text: Any bytes; what is no UTF-8 becomes U+FFFD.
    package mutating func string(utf8 text: [UInt8]) {
        beforeValue()
        // Decoding repairs broken sequences; it is the only place that needs a copy.
        Self.quote(String(decoding: text, as: UTF8.self), into: &bytes)
    }

    /// Writes an integer.
    ///
    /// - Parameter value: Any integer.
    package mutating func integer(_ value: some BinaryInteger) {
        beforeValue()
        decimal(value)
    }

    /// Writes an integer as a string, as the rule for 64-bit integers in ndjson is.
    ///
    /// - Parameter value: Any integer.
    package mutating func integerString(_ value: some BinaryInteger) {
        beforeValue()
        bytes.append(UInt8(ascii: "\""))
        decimal(value)
        bytes.append(UInt8(ascii: "\""))
    }

    /// Writes true or false.
    ///
    /// - Parameter value: Which.
    package mutating func boolean(_ value: Bool) {
        beforeValue()
        bytes.append(contentsOf: value ? "true".utf8 : "false".utf8)
    }

    /// Writes null.
    package mutating func null() {
        beforeValue()
        bytes.append(contentsOf: "null".utf8)
    }

    /// Writes bytes as a Base64 string.
    ///
    /// - Parameter value: Any bytes.
    package mutating func base64(_ value: [UInt8]) {
        beforeValue()
        bytes.append(UInt8(ascii: "\""))
        Base64.encode(value, into: &bytes)
        bytes.append(UInt8(ascii: "\""))
    }

    /// Writes text that is one JSON value already, unchanged.
    ///
    /// - Parameter text: One valid JSON value; it is not checked.
    package mutating func raw(_ text: some Sequence<UInt8>) {
        beforeValue()
        bytes.append(contentsOf: text)
    }

    private var isInObject: Bool { depth > 0 && objects & 1 == 1 }

    private mutating func beforeValue() {
        precondition(!isInObject || afterKey, "a value in an object follows its key")
        precondition(depth > 0 || !needsComma, "one value a text")
        if needsComma, !afterKey { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
        afterKey = false
    }

    private mutating func begin(_ bracket: UInt8, isObject: Bool) {
        beforeValue()
        precondition(depth < Self.depthMax, "containers inside each other: \(depth)")
        bytes.append(bracket)
        objects = objects << 1 | (isObject ? 1 : 0)
        depth += 1
        needsComma = false
    }

    private mutating func end(_ bracket: UInt8, isObject: Bool) {
        precondition(depth > 0 && !afterKey && isInObject == isObject, "ends what was not begun")
        bytes.append(bracket)
        objects >>= 1
        depth -= 1
        needsComma = true
    }

    private mutating func decimal(_ value: some BinaryInteger) {
        guard let small = UInt64(exactly: value) else {
            bytes.append(contentsOf: String(value).utf8)
            return
        }
        let start = bytes.count
        var rest = small
        repeat {
            bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
        } while rest > 0
        bytes[start...].reverse()
    }

    static func quote(_ text: String, into bytes: inout [UInt8]) {
        var text = text
        bytes.append(UInt8(ascii: "\""))
        text.withUTF8 { utf8 in
            // Runs without escapes are copied whole.
            var start = 0
            for at in utf8.indices where utf8[at] < 0x20 || utf8[at] == 0x22 || utf8[at] == 0x5C {
                bytes.append(contentsOf: utf8[start..<at])
                escape(utf8[at], into: &bytes)
                start = at + 1
            }
            bytes.append(contentsOf: utf8[start...])
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static func escape(_ byte: UInt8, into bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\\"))
        switch byte {
        case 0x22, 0x5C: bytes.append(byte)
        case 0x08: bytes.append(UInt8(ascii: "b"))
        case 0x09: bytes.append(UInt8(ascii: "t"))
        case 0x0A: bytes.append(UInt8(ascii: "n"))
        case 0x0C: bytes.append(UInt8(ascii: "f"))
        case 0x0D: bytes.append(UInt8(ascii: "r"))
        default:
            let digits: StaticString = "0123456789abcdef"
            bytes.append(contentsOf: "u00".utf8)
            digits.withUTF8Buffer {
                bytes.append($0[Int(byte >> 4)])
                bytes.append($0[Int(byte & 15)])
            }
        }
    }
}
