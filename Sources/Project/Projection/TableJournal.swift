// The journal of a table: closing a bundle, taking it back, letting it go.

extension Table {
    /// Ends a bundle that touched rows: encodes each changed row once, moves the digest, and journals what was.
    @inlinable
    func closeBundle() {
        let sumBefore = sum
        let presentBefore = present
        var removed: [Int32] = []
        var kept = 0
        for place in changes.indices {
            let number = changes[place].slot
            let old = changes[place].digest
            let new = digest(of: number)
            if new == old {
                // It ended as it began.
                slots[number].pointee.changedIn = changes[place].changedIn
                releaseIfNothing(number, journaledFrom: oldestSerial)
                continue
            }
            if old == 0 { present += 1 }
            if new == 0 {
                present -= 1
                removed.append(number)
            }
            sum = sum &- old &+ new
            slots[number].pointee.digest = new
            if storage != nil, !slots[number].pointee.isDirty {
                slots[number].pointee.isDirty = true
                dirty.append(number)
            }
            if kept != place { changes[kept] = changes[place] }
            kept += 1
        }
        changes.removeLast(changes.count - kept)
        hasChanges = false
        defer {
            serial += 1
            if resident > residentMax { evict(stepsMax: 1024 + 4 * arrived) }
        }
        guard kept > 0 else { return }
        journal.append(
            TableJournalEntry(
                changes: changes,
                removed: removed,
                serial: serial,
                sum: sumBefore,
                present: presentBefore
            )
        )
        changes = []
        changes.reserveCapacity(kept)
        noteJournaled()
    }

    /// Keeps the ends of the journal where the engine sees them.
    @inlinable
    func noteJournaled() {
        guard let first = journal.first, let last = journal.last else {
            journaled = (0, 0)
            return
        }
        journaled = (first.serial, last.serial)
    }

    /// The digest of a slot's row; zero when there is none.
    @inlinable
    func digest(of number: Int32) -> UInt128 {
        let slot = slots[number]
        writer.cut(to: prefixCount)
        Row.encode(slot.pointee.key, to: &writer)
        guard slot.pointee.row?.encode(to: &writer) != nil else { return 0 }
        return writer.digest.value
    }

    /// Takes the newest journaled bundle back, which is the one that is undone.
    @inlinable
    func undoBundle() {
        precondition(changes.isEmpty, "undo within a bundle")
        guard let entry = journal.popLast() else {
            preconditionFailure("\(schema.name): nothing left to take back")
        }
        for change in entry.changes {
            let slot = slots[change.slot]
            if sorted != nil {
                switch (slot.pointee.row != nil, change.row != nil) {
                case (true, false): sorted?.remove(slot.pointee.key)
                case (false, true): sorted?.insert(slot.pointee.key)
                default: break
                }
            }
            slot.pointee.row = change.row
            slot.pointee.digest = change.digest
            slot.pointee.changedIn = change.changedIn
            releaseIfNothing(change.slot, journaledFrom: oldestSerial)
        }
        sum = entry.sum
        present = entry.present
        noteJournaled()
    }

    /// Forgets the old rows of the oldest journaled bundle, which is the one that is settled.
    @inlinable
    func trimBundle() {
        precondition(!journal.isEmpty, "\(schema.name): nothing left to let go")
        let entry = journal.removeFirst()
        noteJournaled()
        settled = journal.first.map { ($0.sum, $0.present) } ?? (sum, present)
        let oldestSerial = oldestSerial
        for number in entry.removed { releaseIfNothing(number, journaledFrom: oldestSerial) }
    }

    /// Forgets the slot of a removed row that neither journal nor storage may want back.
    @inlinable
    func releaseIfNothing(_ number: Int32, journaledFrom oldestSerial: UInt64) {
        let slot = slots[number]
        // Of a row that is there the digest tells that much sooner.
        if slot.pointee.digest == 0, slot.pointee.changedIn < oldestSerial,
            !slot.pointee.isDirty, slot.pointee.row == nil
        {
            release(number)
        }
    }
}
