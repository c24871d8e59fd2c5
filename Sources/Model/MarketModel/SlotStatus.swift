/// What has become of a slot. Raw values are those of the wire (geyser.SlotStatus).
package enum SlotStatus: Int32, Hashable, Sendable, CaseIterable {
    case processed = 0
    case confirmed = 1
    case finalized = 2
    case firstShredReceived = 3
    case completed = 4
    case createdBank = 5
    case dead = 6

    /// The three commitment steps, sent to every slots filter; the others are sent only on request.
    package var isCommitment: Bool {
        switch self {
        case .processed, .confirmed, .finalized: true
        case .firstShredReceived, .completed, .createdBank, .dead: false
        }
    }
}
