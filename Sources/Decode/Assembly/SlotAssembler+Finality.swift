import MarketModel
import RecordModel

extension SlotAssembler {
    /// The highest applied bundle that is final, and whether only because too much is held; nil
    /// when none is.
    var finalPlace: (Int, isForced: Bool)? {
        guard !chain.applied.isEmpty else { return nil }
        var place = -1
        if chain.streams.tellVotes {
            place =
                chain.applied.lastIndex { bundle in
                    guard let slot = chain.window.find(bundle.position) else { return false }
                    let mask = chain.window[slot].mask(bundle.hash).merged
                    return chain.window[slot].any(mask, \.isFinalized)
                } ?? -1
        } else {
            place = chain.applied.count - 1 - configuration.finalDepth
        }
        place = min(place, chain.appliedFree - 1)
        for records in awaited where records.through > through {
            place = min(place, chain.appliedBelow(records.position) - 1)
        }
        let limits = configuration.limits
        let excess = chain.applied.count - limits.openSlotsMax / 2
        if place < excess - 1 { return (excess - 1, true) }
        if place < 0, chain.window.items > limits.itemsMax / 2 { return (0, true) }
        return place >= 0 ? (place, false) : nil
    }
}
