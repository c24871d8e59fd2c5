/// Why a text is not a JSON document that can be used, and where.
///
/// Always the fault of the bytes, never of the reader: the message that holds them is refused or
/// counted as not decodable, and its bytes stay as they are.
package struct JSONError: Error, Equatable, Sendable {
    /// What is wrong.
    package enum Kind: Equatable, Sendable {
        /// Nothing but white space.
        case empty
        /// More bytes than the limit.
        case tooLong(limit: Int)
        /// More containers inside each other than the limit.
        case tooDeep(limit: Int)
        /// More values than the limit.
        case tooManyValues(limit: Int)
        /// Not UTF-8.
        case notUTF8
        /// The text ends inside a string.
        case unclosedString
        /// A byte below 0x20 stands inside a string.
        case controlCharacter
        /// An escape that JSON does not have, or half of a surrogate pair.
        case badString
        /// Not a number of RFC 8259.
        case badNumber
        /// Not JSON in any other way.
        case malformed
        /// A whole value, then something else.
        case trailingText
        /// No memory for a text of this size.
        case outOfMemory
    }

    /// What is wrong.
    package let kind: Kind
    /// Bytes from the start of the text to the value that holds the fault; 0 when the whole text
    /// is at fault.
    package let offset: Int

    package init(kind: Kind, offset: Int) {
        self.kind = kind
        self.offset = offset
    }
}

extension JSONError: CustomStringConvertible {
    /// What is wrong, and where, for a person.
    package var description: String {
        let what =
            switch kind {
            case .empty: "nothing but white space"
            case .tooLong(let limit): "more than \(limit) bytes"
            case .tooDeep(let limit): "more than \(limit) containers inside each other"
            case .tooManyValues(let limit): "more than \(limit) values"
            case .notUTF8: "not UTF-8"
            case .unclosedString: "a string without an end"
            case .controlCharacter: "a control character in a string"
            case .badString: "an escape that does not exist"
            case .badNumber: "not a number"
            case .malformed: "malformed"
            case .trailingText: "something behind the end"
            case .outOfMemory: "no memory for it"
            }
        return "\(what) (byte \(offset))"
    }
}

/// What a reader accepts; beyond it a text is refused before memory is spent on it.
package struct JSONLimits: Equatable, Sendable {
    /// Longest text in bytes.
    package var bytesMax: Int
    /// Most containers inside each other.
    package var depthMax: Int
    /// Most values in one text, keys included. Each costs 24 bytes.
    package var valuesMax: Int

    /// Limits by value.
    ///
    /// - Precondition: bytesMax in 1...2^30, depthMax in 1...512 (the walk is recursive),
    ///   valuesMax in 1...2^30.
    package init(bytesMax: Int = 64 << 20, depthMax: Int = 128, valuesMax: Int = 4 << 20) {
        precondition(bytesMax >= 1 && bytesMax <= 1 << 30, "bytesMax \(bytesMax)")
        precondition(depthMax >= 1 && depthMax <= 512, "depthMax \(depthMax)")
        precondition(valuesMax >= 1 && valuesMax <= 1 << 30, "valuesMax \(valuesMax)")
        self.bytesMax = bytesMax
        self.depthMax = depthMax
        self.valuesMax = valuesMax
    }
}
