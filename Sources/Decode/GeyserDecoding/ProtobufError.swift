/// Why bytes are not a protobuf message of the wanted type. The message is not decoded any
/// further; its frame stays in the log and the failure is counted. Offsets count from the start of
/// the bytes handed in.
package enum ProtobufError: Error, Hashable, Sendable {
    /// The bytes end inside a tag, a varint or a fixed-size value.
    case truncated(offset: Int)
    /// A varint has more than ten bytes or more than 64 bits.
    case varintTooLong(offset: Int)
    /// A length reaches beyond the end of its message.
    case lengthBeyondEnd(offset: Int)
    /// Groups are long deprecated; no message here has one.
    case groupRefused(offset: Int)
    /// Field number 0 or above 2^29 - 1, or a wire type that does not exist.
    case invalidTag(offset: Int)
    /// A known field has another wire type than its own.
    case wrongWireType(field: UInt32, offset: Int)
    /// A string field is not UTF-8.
    case invalidText(field: UInt32, offset: Int)
    /// A single message field or a second member of a oneof stands twice; merging them would
    /// change bytes.
    case repeatedMessage(field: UInt32, offset: Int)
    /// The whole message is longer than its reader accepts.
    case tooLong
    /// A list has more elements than its reader accepts (`UpdateLimits`).
    case tooMany(field: UInt32, offset: Int)
    /// Calls are said to come from a top-level instruction that the transaction does not have.
    case unknownInstruction(index: UInt32, offset: Int)
}
