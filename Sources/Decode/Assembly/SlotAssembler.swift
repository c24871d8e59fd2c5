// One assembler a chain: slots, forks, completeness. A pure state machine: what it emits depends on
// the inputs and their order alone.

package import MarketModel
package import RecordModel

/// Folds the records of one chain in log order and says which bundle to apply, undo or settle.
package struct SlotAssembler: Sendable {
    /// Raised whenever the same records would give other actions; state of another version is
    /// rebuilt.
    package static let version: UInt32 = 1

    package let configuration: AssemblerConfiguration
    /// What was seen and left out.
    package private(set) var tally = AssemblerTally()

    /// Begins with the first slot that comes whole enough.
    package init(_ configuration: AssemblerConfiguration) {
        self.configuration = configuration
    }

    /// Goes on after a checkpoint: reads from the anchor's `resume` on and ignores what is settled.
    package init(_ configuration: AssemblerConfiguration, resumingAfter anchor: AssemblerAnchor) {
        self.configuration = configuration
    }

    /// Takes the next record.
    ///
    /// - Parameters:
    ///   - input: what the record says.
    ///   - sequence: where it stands; rises from call to call, but one record may say several things.
    ///   - actions: what it causes is added here, in order.
    package mutating func take(
        _ input: AssemblerInput,
        at sequence: Sequence,
        into actions: inout [ChainAction]
    ) {
        tally.inputs &+= 1
    }

    /// What a checkpoint at the last final slot stores; nil while nothing is final.
    package var anchor: AssemblerAnchor? { nil }

    /// Where reading must begin to go on from `anchor`: the lowest sequence that holds anything of
    /// what is above it. Nil when nothing is: reading goes on with the next record.
    package var resume: Sequence? { nil }

    /// The first slot that an enrichment read now takes effect at: the one behind all that have been
    /// applied so far, undone ones included.
    package var enrichmentPosition: UInt64 { 0 }

    /// Appends a canonical form of everything that is still open: equal for equal input, on every
    /// machine.
    package func encodeOpenState(into bytes: inout [UInt8]) {}
}
