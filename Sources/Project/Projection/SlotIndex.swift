/// Finds the place of a row in memory by its key's hash: open addressing with linear probing. An
/// entry is 32 bits of hash and the number of a place; comparing keys is left to whoever has them.
/// The one owner gives the memory back: a copy is the same index.
@usableFromInline
struct SlotIndex {
    /// Hash in the upper half, number + 1 in the lower; zero is free.
    @usableFromInline var entries: UnsafeMutablePointer<UInt64>
    /// One less than the number of entries, which is a power of two.
    @usableFromInline var mask: Int
    @usableFromInline var count = 0

    @usableFromInline
    init() {
        entries = SlotIndex.free(16)
        mask = 15
    }

    /// Gives the memory back; the index and its copies must not be used any more.
    @usableFromInline
    func deallocate() { entries.deallocate() }

    private static func free(_ count: Int) -> UnsafeMutablePointer<UInt64> {
        let entries = UnsafeMutablePointer<UInt64>.allocate(capacity: count)
        entries.initialize(repeating: 0, count: count)
        return entries
    }

    /// The hash of a key, as far as it is used here.
    @inlinable
    static func hash(_ key: some Hashable) -> UInt32 {
        UInt32(truncatingIfNeeded: key.hashValue)
    }

    @inlinable
    mutating func insert(_ slot: Int32, hash: UInt32) {
        if count * 4 > mask * 3 { grow() }
        place(UInt64(hash) << 32 | UInt64(UInt32(bitPattern: slot) &+ 1))
        count += 1
    }

    @inlinable
    func place(_ entry: UInt64) {
        var position = Int(entry >> 32) & mask
        while entries[position] != 0 { position = (position + 1) & mask }
        entries[position] = entry
    }

    /// Makes room for so many entries.
    @usableFromInline
    mutating func reserve(_ entryCount: Int) {
        while entryCount * 4 > mask * 3 { resize(to: (mask + 1) * 2) }
    }

    @usableFromInline
    mutating func grow() { resize(to: (mask + 1) * 2) }

    private mutating func resize(to newCount: Int) {
        let old = entries
        let oldCount = mask + 1
        entries = SlotIndex.free(newCount)
        mask = newCount - 1
        for position in 0..<oldCount where old[position] != 0 { place(old[position]) }
        old.deallocate()
    }

    /// Removes an entry that is there, and closes the gap that it leaves.
    @usableFromInline
    mutating func remove(_ slot: Int32, hash: UInt32) {
        let entry = UInt64(hash) << 32 | UInt64(UInt32(bitPattern: slot) &+ 1)
        var free = Int(hash) & mask
        while entries[free] != entry {
            precondition(entries[free] != 0, "a slot that is not indexed")
            free = (free + 1) & mask
        }
        var next = (free + 1) & mask
        while entries[next] != 0 {
            let home = Int(entries[next] >> 32) & mask
            // An entry may move back to `free` unless its home lies behind it.
            if (next &- home) & mask >= (next &- free) & mask {
                entries[free] = entries[next]
                free = next
            }
            next = (next + 1) & mask
        }
        entries[free] = 0
        count -= 1
    }
}
