/// Where an event stands within its block: the only order in which state is folded. Two events of a
/// block never have the same place.
package struct EventPlace: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Place of the transaction in the block, votes included; on EVM its transaction index.
    package let transaction: UInt32
    /// Solana: the top-level instruction. EVM: 0.
    package let instruction: UInt16
    /// Solana: place among the calls made below that instruction, from 1; 0 is the instruction
    /// itself. EVM: 0.
    package let inner: UInt16
    /// Solana: place among the events of that one call. EVM: the log index.
    package let ordinal: UInt32

    package init(transaction: UInt32, instruction: UInt16, inner: UInt16, ordinal: UInt32) {
        self.transaction = transaction
        self.instruction = instruction
        self.inner = inner
        self.ordinal = ordinal
    }

    /// `transaction/instruction.inner/ordinal`.
    package var description: String { "\(transaction)/\(instruction).\(inner)/\(ordinal)" }

    package static func < (left: EventPlace, right: EventPlace) -> Bool {
        (left.transaction, left.instruction, left.inner, left.ordinal)
            < (right.transaction, right.instruction, right.inner, right.ordinal)
    }
}
