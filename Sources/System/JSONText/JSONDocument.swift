import CSimdJSON

/// One validated JSON text and a list of its values; it can be filled again and again.
///
/// `parse` copies the bytes, validates all of them (UTF-8, grammar of RFC 8259, escapes) and lists
/// every value with its place in the text. Memory follows the largest of the recent texts: above
/// 4 MiB it is given back when a smaller text follows. A small text costs no allocation once the
/// document is warm.
///
/// A `JSONValue` belongs to the parse it came from: using one after the next `parse` stops the
/// program. A document belongs to one thread at a time.
package final class JSONDocument {
    /// What this document accepts.
    package let limits: JSONLimits

    private let parser: OpaquePointer
    private(set) var nodes = UnsafeBufferPointer<tdjson_node>(start: nil, count: 0)
    private(set) var text = UnsafeBufferPointer<UInt8>(start: nil, count: 0)
    private(set) var texts: UnsafePointer<UInt8>?
    /// Counts parses, so that a stale value is noticed.
    private(set) var generation: UInt64 = 0

    /// An empty document.
    ///
    /// - Parameter limits: What to accept.
    package init(limits: JSONLimits = JSONLimits()) {
        guard let parser = tdjson_create() else { fatalError("no memory for a JSON parser") }
        self.limits = limits
        self.parser = parser
    }

    deinit {
        tdjson_destroy(parser)
    }

    /// A document of its own for one text.
    ///
    /// - Parameters:
    ///   - bytes: The text.
    ///   - limits: What to accept.
    /// - Returns: The root; it keeps its document alive.
    /// - Throws: What is wrong with the text.
    package static func parse(
        _ bytes: [UInt8],
        limits: JSONLimits = JSONLimits()
    ) throws(JSONError) -> JSONValue {
        try JSONDocument(limits: limits).parse(bytes)
    }

    /// Reads a text in place of the one before.
    ///
    /// - Parameter bytes: The text; white space around the value is accepted.
    /// - Returns: The root.
    /// - Throws: What is wrong with the text; the document is then empty.
    package func parse(_ bytes: [UInt8]) throws(JSONError) -> JSONValue {
        var offset: UInt32 = 0
        let code = bytes.withUnsafeBufferPointer { load($0, &offset) }
        return try root(code, offset)
    }

    /// Reads a text in place of the one before.
    ///
    /// - Parameter bytes: The text; white space around the value is accepted.
    /// - Returns: The root.
    /// - Throws: What is wrong with the text; the document is then empty.
    package func parse(_ bytes: RawSpan) throws(JSONError) -> JSONValue {
        var offset: UInt32 = 0
        let code = bytes.withUnsafeBytes { load($0.assumingMemoryBound(to: UInt8.self), &offset) }
        return try root(code, offset)
    }

    private static let tooLong: Int32 = -1

    private func load(_ bytes: UnsafeBufferPointer<UInt8>, _ offset: inout UInt32) -> Int32 {
        generation &+= 1
        nodes = UnsafeBufferPointer(start: nil, count: 0)
        text = UnsafeBufferPointer(start: nil, count: 0)
        texts = nil
        guard bytes.count <= limits.bytesMax else { return Self.tooLong }
        guard let start = bytes.baseAddress, !bytes.isEmpty else { return Int32(TDJSON_EMPTY) }
        return tdjson_parse(
            parser,
            start,
            bytes.count,
            UInt32(limits.depthMax),
            UInt32(limits.valuesMax),
            &offset
        )
    }

    private func root(_ code: Int32, _ offset: UInt32) throws(JSONError) -> JSONValue {
        guard code == Int32(TDJSON_OK) else {
            throw JSONError(kind: kind(of: code), offset: Int(offset))
        }
        var count = 0
        nodes = UnsafeBufferPointer(start: tdjson_nodes(parser, &count), count: count)
        precondition(!nodes.isEmpty, "a parsed text has a root")
        var length = 0
        let copy = tdjson_text(parser, &length)
        text = UnsafeBufferPointer(start: copy, count: length)
        texts = tdjson_texts(parser)
        return JSONValue(document: self, index: 0, generation: generation)
    }

    private func kind(of code: Int32) -> JSONError.Kind {
        switch code {
        case Self.tooLong: .tooLong(limit: limits.bytesMax)
        case Int32(TDJSON_EMPTY): .empty
        case Int32(TDJSON_TOO_DEEP): .tooDeep(limit: limits.depthMax)
        case Int32(TDJSON_TOO_MANY_VALUES): .tooManyValues(limit: limits.valuesMax)
        case Int32(TDJSON_NOT_UTF8): .notUTF8
        case Int32(TDJSON_UNCLOSED_STRING): .unclosedString
        case Int32(TDJSON_CONTROL_CHARACTER): .controlCharacter
        case Int32(TDJSON_BAD_STRING): .badString
        case Int32(TDJSON_BAD_NUMBER): .badNumber
        case Int32(TDJSON_TRAILING_TEXT): .trailingText
        case Int32(TDJSON_OUT_OF_MEMORY): .outOfMemory
        default: .malformed
        }
    }
}
