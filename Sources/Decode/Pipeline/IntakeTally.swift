/// What became of records in the first stage; each is counted once.
package struct IntakeTally: Hashable, Sendable {
    /// Records that were passed on: messages to be parsed, events that say something, and places
    /// where records are missing.
    package var kept: UInt64 = 0
    /// Records of other chains, and frames of streams that are no Subscribe calls.
    package var foreign: UInt64 = 0
    /// Events that say nothing to the assembler; the intake itself may have learned of a stream.
    package var silent: UInt64 = 0
    /// Events and requests that are not what their kind must be. Where that puts anything in doubt,
    /// what follows is told so.
    package var unreadable: UInt64 = 0
    /// Damaged places that hide records; what follows is told that some are missing.
    package var damaged: UInt64 = 0

    package init() {}

    mutating func add(_ other: IntakeTally) {
        kept &+= other.kept
        foreign &+= other.foreign
        silent &+= other.silent
        unreadable &+= other.unreadable
        damaged &+= other.damaged
    }
}
