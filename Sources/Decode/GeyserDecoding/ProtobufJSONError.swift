package import JSONText

/// Why a JSON text is not the wanted message, or a message has no JSON form. The text or the
/// message is refused as a whole.
package enum ProtobufJSONError: Error, Equatable, Sendable {
    /// Not JSON at all.
    case notJSON(JSONError)
    /// Not the wire form of the message.
    case notProtobuf(ProtobufError)
    /// JSON that does not fit: where, as a path of field names and map keys ("accounts.pump.owner[0]",
    /// empty for the whole text), and what is wrong there.
    case mismatch(path: String, problem: String)
}

extension ProtobufJSONError: CustomStringConvertible {
    /// One line for a person.
    package var description: String {
        switch self {
        case .notJSON(let error): "not JSON at byte \(error.offset): \(error.kind)"
        case .notProtobuf(let error): "not a protobuf message: \(error)"
        case .mismatch("", let problem): problem
        case .mismatch(let path, let problem): "\(path): \(problem)"
        }
    }
}
