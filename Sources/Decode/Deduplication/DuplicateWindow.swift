package import MarketModel

/// Remembers the keys of recent updates, so that what several streams bring is passed on once.
///
/// Memory is bounded by slots and by keys; the lowest slot is forgotten first. Slots are counted,
/// not subtracted: one absurdly high slot number takes one place and pushes out one old slot.
package struct DuplicateWindow: Sendable {
    /// What is known of an update.
    package enum Answer: Hashable, Sendable {
        /// Not seen before; it is remembered now.
        case new
        /// Seen before.
        case seen
        /// Its slot has been forgotten: it may be new or not, and it is not remembered.
        case forgotten
    }

    /// Most slots that are remembered.
    package let slotsMax: Int
    /// Most keys that are remembered.
    package let keysMax: Int
    /// Keys held now.
    package private(set) var keyCount = 0
    /// Updates at or below it are answered `forgotten`; nil while nothing has been forgotten.
    package private(set) var forgottenThrough: Slot?

    private var keys: [Slot: Set<UpdateKey>] = [:]
    // Ascending, the keys of `keys`.
    private var order: [Slot] = []

    /// An empty window.
    ///
    /// - Parameters:
    ///   - slotsMax: 1 or more. A slot is final about 32 slots after it; streams and refills should
    ///     lie within the rest.
    ///   - keysMax: 1 or more; an account key takes about 150 bytes.
    package init(slotsMax: Int = 512, keysMax: Int = 4 << 20) {
        precondition(slotsMax >= 1 && keysMax >= 1, "\(slotsMax) slots, \(keysMax) keys")
        self.slotsMax = slotsMax
        self.keysMax = keysMax
    }

    /// Asks about an update and remembers it.
    package mutating func insert(_ key: UpdateKey) -> Answer {
        let slot = key.slot
        if let forgottenThrough, slot <= forgottenThrough { return .forgotten }
        if keys[slot] == nil {
            keys[slot] = []
            order.insert(slot, at: place(of: slot))
        }
        guard keys[slot]?.insert(key).inserted == true else { return .seen }
        keyCount += 1
        while order.count > slotsMax || keyCount > keysMax { forgetLowest() }
        return .new
    }

    /// Whether the update has been seen, without remembering it.
    package func contains(_ key: UpdateKey) -> Bool {
        keys[key.slot]?.contains(key) == true
    }

    private mutating func forgetLowest() {
        let slot = order.removeFirst()
        keyCount -= keys.removeValue(forKey: slot)?.count ?? 0  // each slot in order has keys
        forgottenThrough = slot
    }

    /// Where the slot stands among the ascending ones.
    private func place(of slot: Slot) -> Int {
        var low = 0
        var high = order.count
        while low < high {
            let middle = (low + high) / 2
            if order[middle] < slot { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
