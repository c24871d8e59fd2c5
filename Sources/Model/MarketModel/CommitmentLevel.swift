/// How settled the data of a stream is. Raw values are those of the wire (geyser.CommitmentLevel).
package enum CommitmentLevel: Int32, Hashable, Sendable, CaseIterable {
    case processed = 0
    case confirmed = 1
    case finalized = 2
}
