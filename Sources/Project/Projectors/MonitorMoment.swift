import MarketModel
import Projection

/// Where and when something happened.
struct MonitorMoment {
    let chain: Chain
    /// Slot or block.
    let position: UInt64
    /// Seconds since 1970; nil when no block has told any time yet.
    let seconds: Int64?
    /// Whether the time was reckoned from the slot.
    let isEstimated: Bool
    /// Where in the block; its end, once all transactions are folded, has none.
    var place: EventPlace?

    /// Place of the transaction; the end of the block comes after all of them.
    var transaction: UInt32 { place?.transaction ?? .max }

    /// A notice of it.
    func notice(_ kind: String, _ subject: Address, _ details: [Notice.Detail] = []) -> Notice {
        Notice(kind: kind, position: position, place: place, subject: subject, details: details)
    }
}
