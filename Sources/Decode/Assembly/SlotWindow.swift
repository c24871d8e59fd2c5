import MarketModel
import RecordModel

/// The slots that are not final, by rising number, within bounds.
struct SlotWindow: Sendable {
    private(set) var slots = ContiguousArray<OpenSlot>()
    /// Transactions and account states of all of them.
    private(set) var items = 0
    /// The lowest slot that changed since it was last looked at; nil when none did.
    private(set) var lowestTouched: UInt64?
    /// Slots that were given up or refused: what comes of them later is not whole.
    private(set) var crowdedOut: ClosedRange<UInt64>?
    private var recent = 0
    private let limits: AssemblerLimits

    init(_ limits: AssemblerLimits) {
        precondition(
            limits.openSlotsMax >= 64 && limits.slotTransactionsMax < 1 << 30
                && limits.slotTransactionsMax >= 1 && limits.slotAccountsMax >= 1,
            "\(limits)"
        )
        self.limits = limits
    }

    subscript(_ place: Int) -> OpenSlot { slots[place] }

    /// The highest slot that anything is known of.
    var highest: UInt64? { slots.last?.number }

    func find(_ number: UInt64) -> Int? {
        if recent < slots.count, slots[recent].number == number { return recent }
        let place = place(of: number)
        return place < slots.count && slots[place].number == number ? place : nil
    }

    /// Where the slot stands or would stand.
    func place(of number: UInt64) -> Int {
        var low = 0
        var high = slots.count
        while low < high {
            let middle = (low + high) / 2
            if slots[middle].number < number { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The slot's place; begins it when it is new.
    ///
    /// - Parameters:
    ///   - number: the slot.
    ///   - sequence: of the record that says something of it.
    ///   - groups: those that are asked for now.
    ///   - applied: the highest slot whose bundle is applied; it and those below are not given up.
    /// - Returns: where it is, whether it is new and whether another was given up for it; nil when
    ///   there is no room.
    mutating func open(
        _ number: UInt64,
        at sequence: Sequence,
        groups: SubscriptionGroups,
        applied: UInt64
    ) -> (place: Int, isNew: Bool, hasCrowdedOut: Bool)? {
        if let known = find(number) {
            recent = known
            return (known, false, false)
        }
        var hasCrowdedOut = false
        if slots.count >= limits.openSlotsMax {
            guard let last = slots.last, number < last.number, last.number > applied else {
                crowd(number)
                return nil
            }
            crowd(last.number)
            items -= last.itemCount
            slots.removeLast()
            hasCrowdedOut = true
        }
        let isOverfull = crowdedOut?.contains(number) == true
        let place = place(of: number)
        slots.insert(
            OpenSlot(number, at: sequence, groups: groups, isOverfull: isOverfull),
            at: place
        )
        recent = place
        touch(number)
        return (place, true, hasCrowdedOut)
    }

    /// Changes a slot and notes that it changed.
    @discardableResult
    mutating func change<Result>(
        _ place: Int,
        _ body: (inout OpenSlot) -> Result
    ) -> Result {
        let before = slots[place].itemCount
        let result = body(&slots[place])
        items += slots[place].itemCount - before
        touch(slots[place].number)
        return result
    }

    /// Adds a transaction; the hot path.
    mutating func add(
        _ candidate: TransactionSet.Candidate,
        to place: Int,
        from stream: OpenStream,
        at sequence: Sequence
    ) -> TransactionSet.Outcome {
        let limit = items < limits.itemsMax ? limits.slotTransactionsMax : 0
        let before = slots[place].transactions.count
        let outcome = slots[place].add(candidate, from: stream, at: sequence, limit: limit)
        items += slots[place].transactions.count - before
        if outcome != .known { touch(slots[place].number) }
        return outcome
    }

    /// Adds a transaction of a whole block to the part that has its header.
    mutating func add(
        _ candidate: TransactionSet.Candidate,
        to place: Int,
        part: Int
    ) -> TransactionSet.Outcome {
        let limit = items < limits.itemsMax ? limits.slotTransactionsMax : 0
        return change(place) { $0.add(candidate, to: part, limit: limit) }
    }

    /// Adds an account of a whole block to the part that has its header.
    mutating func add(
        _ account: AccountInput,
        to place: Int,
        part: Int
    ) -> TransactionSet.Outcome {
        let limit = items < limits.itemsMax ? limits.slotAccountsMax : 0
        return change(place) { $0.add(account, to: part, limit: limit) }
    }

    /// Every slot has to be looked at again.
    mutating func dirtyAll() {
        for place in slots.indices { slots[place].isDirty = true }
        if let lowest = slots.first { touch(lowest.number) }
    }

    /// Adds a state of an account.
    mutating func add(
        _ account: AccountInput,
        to place: Int,
        from stream: OpenStream,
        at sequence: Sequence
    ) -> TransactionSet.Outcome {
        let limit = items < limits.itemsMax ? limits.slotAccountsMax : 0
        return change(place) { $0.add(account, from: stream, at: sequence, limit: limit) }
    }

    mutating func touch(_ number: UInt64) {
        lowestTouched = lowestTouched.map { min($0, number) } ?? number
    }

    /// Everything that changed has been looked at.
    mutating func settleTouched() { lowestTouched = nil }

    /// The slot's bundle is what is applied.
    mutating func clean(_ place: Int) { slots[place].isDirty = false }

    /// Forgets everything at or below a position.
    ///
    /// - Returns: the slots that are forgotten.
    mutating func drop(through position: UInt64) -> ArraySlice<OpenSlot> {
        let end = position == .max ? slots.count : place(of: position + 1)
        let dropped = ArraySlice(slots[..<end])
        slots.removeFirst(end)
        items -= dropped.reduce(0) { $0 + $1.itemCount }
        recent = 0
        if let range = crowdedOut, range.upperBound <= position { crowdedOut = nil }
        return dropped
    }

    private mutating func crowd(_ number: UInt64) {
        guard let range = crowdedOut else {
            crowdedOut = number...number
            return
        }
        crowdedOut = min(range.lowerBound, number)...max(range.upperBound, number)
    }
}
