/// Finished jobs that wait for their turn to be written, in the order of their tickets.
///
/// Compressors leave their work here and go on; whoever finds enough of it and nobody writing
/// takes a run of it to the disk in one call.
struct WriteOrder {
    /// What is to be done when its turn comes.
    enum Entry {
        case block(StoredBuffer, RawBlock)
        case mark
        case look
    }

    /// Jobs that may wait here; a compressor that is further ahead waits.
    static let capacity = 128

    private var slots: [Entry?] = Array(repeating: nil, count: capacity)
    /// The ticket that is written next.
    private var next: UInt64 = 0
    /// Jobs from `next` on that stand ready without a break.
    private(set) var ready = 0
    private var isWriting = false
    /// A compressor waits for a free slot.
    private(set) var hasWaiter = false

    /// Leaves a job.
    ///
    /// - Returns: false when it is too far ahead; wait until others have been written.
    mutating func deposit(_ entry: Entry, ticket: UInt64) -> Bool {
        guard ticket - next < UInt64(Self.capacity) else {
            hasWaiter = true
            return false
        }
        slots[Self.slot(ticket)] = entry
        while ready < Self.capacity, slots[Self.slot(next + UInt64(ready))] != nil { ready += 1 }
        return true
    }

    /// Takes a run of jobs when at least `minimum` stand ready and nobody is writing. Every run
    /// that was taken must be ended with `finish`.
    ///
    /// - Returns: whether there is a run to write.
    mutating func take(atLeast minimum: Int, into run: inout [Entry]) -> Bool {
        guard !isWriting, ready >= minimum, ready > 0 else { return false }
        isWriting = true
        let count = min(ready, Self.runMax)
        for index in 0..<count {
            let slot = Self.slot(next + UInt64(index))
            guard let entry = slots[slot] else { preconditionFailure("no job in slot \(slot)") }
            run.append(entry)
            slots[slot] = nil
        }
        ready -= count
        next += UInt64(count)
        hasWaiter = false
        return true
    }

    /// Ends a run.
    mutating func finish() { isWriting = false }

    /// Jobs of one run: the bound of one call to the disk.
    private static let runMax = 16

    private static func slot(_ ticket: UInt64) -> Int { Int(ticket % UInt64(capacity)) }
}
