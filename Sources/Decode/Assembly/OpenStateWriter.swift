import MarketModel
import RecordModel

/// Writes what is open in one order, whatever order it is held in: integers with their lowest byte
/// first, lists behind their count, optional values behind a byte that is 0 for nil.
struct OpenStateWriter {
    private(set) var bytes: [UInt8] = []

    mutating func write(_ chain: OpenChain, _ past: PastSlots, hasWaiting: Bool) {
        add(chain.settled?.position)
        add(chain.settled?.hash)
        add(chain.floor)
        add(chain.hadVotes)
        add(hasWaiting)
        add(past.stale)
        add(past.lacking.count)
        for range in past.lacking {
            add(range.lowerBound)
            add(range.upperBound)
        }
        add(chain.streams.streams.count)
        for stream in chain.streams.streams { write(stream) }
        let gaps = chain.gaps.gaps.filter { gap in
            // What is passed is kept for a while, but says nothing any more.
            guard gap.isAbandoned, let through = gap.through, let settled = chain.settled
            else { return true }
            return through > settled.position
        }
        add(gaps.count)
        for gap in gaps { write(gap) }
        // What a fact says follows from its record.
        add(chain.facts.entries.count)
        for entry in chain.facts.entries {
            add(entry.fact.sequence)
            add(entry.position)
            add(entry.carrier)
        }
        add(chain.applied.count)
        for bundle in chain.applied {
            add(bundle.position)
            add(bundle.hash)
            add(UInt64(bundle.bundle.evidence == .unproved ? 0 : 1))
        }
        add(chain.window.slots.count)
        for slot in chain.window.slots { write(slot) }
    }

    private mutating func write(_ stream: OpenStream) {
        add(stream.id.value)
        add(UInt64(stream.promise.groups.rawValue))
        add(stream.promise.hasSlots)
        add(stream.promise.hasBlockMeta)
        add(stream.promise.fromSlot?.number)
        add(stream.hasVotes)
        add(stream.highestHeader)
        add(stream.highestData)
        add(stream.confirmedThrough)
    }

    private mutating func write(_ gap: OpenGaps.Gap) {
        add(gap.id.value)
        add(gap.stream?.value)
        add(UInt64(gap.groups.rawValue))
        add(gap.from)
        add(gap.through)
        add(gap.isAbandoned)
    }

    private mutating func write(_ slot: OpenSlot) {
        add(slot.number)
        add(slot.statusParent)
        add(UInt64(slot.groups.rawValue))
        add(slot.isOverfull)
        add(slot.parts.count)
        for part in slot.parts { write(part) }
        let headers = slot.headers.sorted { $0.hash < $1.hash }
        add(headers.count)
        for header in headers { write(header) }
        // What a transaction did follows from its bytes, so its name stands for it.
        let entries = slot.transactions.entries.sorted { left, right in
            (left.signature, left.index, left.facts < 0 ? 0 : 1, left.parts)
                < (right.signature, right.index, right.facts < 0 ? 0 : 1, right.parts)
        }
        add(entries.count)
        for entry in entries {
            bytes.append(contentsOf: entry.signature.bytes)
            add(UInt64(entry.index))
            add(entry.parts)
            add(entry.barrenParts)
            add(entry.facts >= 0)
        }
        write(slot.accounts)
    }

    private mutating func write(_ part: SlotPart) {
        add(part.stream.value)
        add(part.hash)
        add(part.tailOf.map { UInt64($0) })
        let flags = [
            part.isProcessed, part.isConfirmed, part.isFinalized, part.isDead, part.isWhole,
            part.isProved,
        ]
        for flag in flags { add(flag) }
    }

    private mutating func write(_ header: SlotHeader) {
        add(header.hash)
        add(header.parent.number)
        add(header.parentHash)
        add(header.time.map { UInt64(bitPattern: $0) })
        add(header.executedTransactionCount)
    }

    private mutating func write(_ accounts: AccountSet) {
        add(accounts.states.count)
        for account in accounts.states.keys.sorted() {
            add(account.storage)
            // Empty cannot be: each key has states.
            let states = (accounts.states[account] ?? []).sorted { $0.part < $1.part }
            add(states.count)
            for state in states {
                add(UInt64(state.part))
                add(state.writeVersion)
                bytes.append(state.writer == nil ? 0 : 1)
                if let writer = state.writer { bytes.append(contentsOf: writer.bytes) }
                add(state.digest.words.0)
                add(state.digest.words.1)
                add(state.content != nil)
            }
        }
    }

    private mutating func add(_ value: UInt64) { bytes.appendLittleEndian(value) }

    private mutating func add(_ count: Int) { bytes.appendLittleEndian(UInt64(count)) }

    private mutating func add(_ flag: Bool) { bytes.append(flag ? 1 : 0) }

    private mutating func add(_ value: UInt64?) {
        bytes.append(value == nil ? 0 : 1)
        if let value { add(value) }
    }

    private mutating func add(_ hash: Bytes32) { bytes.append(contentsOf: hash.bytes) }

    private mutating func add(_ hash: Bytes32?) {
        bytes.append(hash == nil ? 0 : 1)
        if let hash { add(hash) }
    }
}
