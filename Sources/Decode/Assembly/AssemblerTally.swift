/// What an assembler has seen and left out. Never part of state.
package struct AssemblerTally: Hashable, Sendable {
    /// Inputs taken.
    package var inputs: UInt64 = 0
    /// What became of them, each counted once; everything below counts what they hold.
    package internal(set) var outcomes = InputOutcomes()
    /// Transactions that were new to their slot.
    package var transactions: UInt64 = 0
    /// Transactions and account states that another stream, or the same, had brought before.
    package var duplicates: UInt64 = 0
    /// Account states that were new to their slot.
    package var accounts: UInt64 = 0
    /// Bundles applied, undone ones again.
    package var applied: UInt64 = 0
    package var undone: UInt64 = 0
    /// Slots that became final with a bundle.
    package var final: UInt64 = 0
    /// Bundles applied without proof that nothing is missing.
    package var unproved: UInt64 = 0
    /// Slots that a stream called dead.
    package var dead: UInt64 = 0
    /// Slots that lay beside the final branch with data.
    package var orphaned: UInt64 = 0
    /// Slots of which streams brought different blocks.
    package var equivocated: UInt64 = 0
    /// Inputs for slots that are final or lie before the first one.
    package var late: UInt64 = 0
    /// Those that changed something that had been final.
    package var stale: UInt64 = 0
    /// Transactions that two streams of one block tell differently.
    package var conflicts: UInt64 = 0
    /// Transactions and account states beyond a limit.
    package var overfull: UInt64 = 0
    /// Slots given up because too many were open.
    package var crowdedOut: UInt64 = 0
    /// Slots that became final although a gap was open, because too many were held back.
    package var forcedFinal: UInt64 = 0
    /// Parents that never came and were passed.
    package var missingParents: UInt64 = 0
    /// Statements of streams and gaps beyond a limit.
    package var undeclared: UInt64 = 0

    package init() {}
}
