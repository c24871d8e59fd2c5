// Rows that come from storage, go to it, and leave memory meanwhile.

extension Table {
    /// Brings a row into memory.
    ///
    /// - Returns: its slot; -1 when there is none, or when storage failed, which is remembered.
    @inlinable
    func load(_ key: Row.Key, hash: UInt32) -> Int32 {
        guard let storage, failure == nil else { return -1 }
        do throws(StorageError) {
            writer.cut(to: prefixCount)
            Row.encode(key, to: &writer)
            guard
                let stored = try storage.load(
                    table: number,
                    key: writer.bytes(from: prefixCount)
                )
            else { return -1 }
            writer.append(stored.row)
            let digest = writer.digest
            guard digest.check == stored.check else { throw .damaged("\(schema.name): a row") }
            let row = try decodeRow(stored.row)
            outside -= 1
            return insert(RowSlot(key: key, row: row, digest: digest.value), hash: hash)
        } catch {
            failure = error
            return -1
        }
    }

    @inlinable
    func decodeRow(_ bytes: [UInt8]) throws(StorageError) -> Row {
        do throws(RowError) {
            var reader = RowReader(bytes)
            let row = try Row(from: &reader)
            try reader.finish()
            return row
        } catch {
            throw .damaged("\(schema.name): \(error)")
        }
    }

    @inlinable
    func decodeKey(_ bytes: [UInt8]) throws(StorageError) -> Row.Key {
        do throws(RowError) {
            var reader = RowReader(bytes)
            let key = try Row.decodeKey(&reader)
            try reader.finish()
            return key
        } catch {
            throw .damaged("\(schema.name): \(error)")
        }
    }

    /// Takes over what storage holds: every row is looked at, as many as may stay are kept.
    @inlinable
    func restoreRows() throws(StorageError) {
        guard let storage else { return }
        precondition(resident == 0 && journal.isEmpty && changes.isEmpty)
        index.reserve(min(expectedRows, residentMax))
        try storage.scan(table: number) { key, row, check throws(StorageError) in
            writer.cut(to: prefixCount)
            writer.append(key)
            writer.append(row)
            let digest = writer.digest
            guard digest.check == check else { throw .damaged("\(schema.name): a row") }
            sum &+= digest.value
            present += 1
            guard sorted != nil || resident < residentMax else {
                outside += 1
                return
            }
            let decoded = try decodeKey(key)
            let slot = RowSlot<Row>(key: decoded, row: try decodeRow(row), digest: digest.value)
            _ = insert(slot, hash: SlotIndex.hash(decoded))
            sorted?.insert(decoded)
        }
        settled = (sum, present)
    }

    /// Writes the rows that changed since the last checkpoint, as they were before the first
    /// journaled bundle.
    @inlinable
    func saveRows() throws(StorageError) {
        guard let storage else { return }
        let older = rowsBeforeJournal()
        sortDirty()
        for number in dirty {
            let slot = slots[number]
            writer.cut(to: prefixCount)
            Row.encode(slot.pointee.key, to: &writer)
            let keyEnd = writer.count
            let digest: StateDigest
            let hasRow: Bool
            if !older.isEmpty, let change = older[number] {
                digest = StateDigest(change.digest)
                hasRow = change.row?.encode(to: &writer) != nil
            } else {
                // Where it stands: a copy would hold all that it refers to.
                digest = StateDigest(slot.pointee.digest)
                hasRow = slot.pointee.row?.encode(to: &writer) != nil
            }
            try writer.withBytes { bytes throws(StorageError) in
                try storage.put(
                    table: self.number,
                    key: bytes.extracting(prefixCount..<keyEnd),
                    row: hasRow ? bytes.extracting(droppingFirst: keyEnd) : nil,
                    check: digest.check
                )
            }
        }
        saved = (dirty.count, oldestSerial)
    }

    /// Puts what is to be written into the order of keys: neighbours mostly share a page of storage.
    @inlinable
    func sortDirty() {
        // The first bytes decide nearly always, and stand closer together than keys do.
        var order: [(leading: UInt64, number: Int32)] = []
        order.reserveCapacity(dirty.count)
        for number in dirty {
            writer.cut(to: prefixCount)
            Row.encode(slots[number].pointee.key, to: &writer)
            order.append((writer.leading(from: prefixCount), number))
        }
        order.sort {
            guard $0.leading == $1.leading else { return $0.leading < $1.leading }
            return slots[$0.number].pointee.key < slots[$1.number].pointee.key
        }
        for place in order.indices { dirty[place] = order[place].number }
    }

    /// The rows of all keys in the journal as they were before it.
    @inlinable
    func rowsBeforeJournal() -> [Int32: RowChange<Row>] {
        var older: [Int32: RowChange<Row>] = [:]
        for entry in journal {
            for change in entry.changes where older[change.slot] == nil {
                older[change.slot] = change
            }
        }
        return older
    }

    /// Remembers that storage holds all rows that were saved last, as they were then.
    @inlinable
    func confirmRows() {
        let oldestSerial = oldestSerial
        var kept = 0
        for place in dirty.indices {
            let number = dirty[place]
            // What was changed since, or could be taken back then, is not what storage holds.
            if place >= saved.count || slots[number].pointee.changedIn >= saved.before {
                dirty[kept] = number
                kept += 1
            } else {
                slots[number].pointee.isDirty = false
                releaseIfNothing(number, journaledFrom: oldestSerial)
            }
        }
        dirty.removeLast(dirty.count - kept)
        saved = (0, 0)
        // The first round clears marks, the second finds what was cleared.
        if resident > residentMax { evict(stepsMax: 2 * slots.isTaken.count) }
    }

    /// Lets rows leave memory that nobody asked for lately and that storage holds as they are.
    /// Which ones depends on nothing but what was done to the table before.
    @inlinable
    func evict(stepsMax: Int) {
        guard sorted == nil, storage != nil else { return }
        arrived = 0
        let oldestSerial = oldestSerial
        var left = stepsMax
        while resident > residentMax, resident > dirty.count, left > 0 {
            left -= 1
            hand = hand + 1 < slots.isTaken.count ? hand + 1 : 0
            guard slots.isTaken[hand] else { continue }
            let number = Int32(hand)
            let slot = slots[number]
            if slot.pointee.isUsed {
                slot.pointee.isUsed = false
            } else if !slot.pointee.isDirty, slot.pointee.changedIn < oldestSerial {
                release(number)
                outside += 1
            }
        }
    }
}
