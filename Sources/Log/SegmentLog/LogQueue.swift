import Platform
import RecordModel
import SegmentFormat

/// What producers and compressors share: the block being filled, and the blocks that wait.
struct LogQueue {
    /// Work for a compressor.
    enum Job {
        /// A full or old block; `isPressed` when much more waits behind it.
        case block(RawBlock, ticket: UInt64, isPressed: Bool)
        case mark(ticket: UInt64)
        /// Nothing came for a while: see whether the segment is due to be sealed.
        case look(ticket: UInt64)
        case again
        case stop
    }

    /// What became of an append.
    enum Outcome {
        case done(Appended, wakes: Bool)
        case wait
        case failed(SystemError)
        case closed
    }

    /// The sequence of the next record.
    private(set) var next: Sequence
    private let bytesMax: Int
    private var current: RawBlock?
    /// How far `current` is filled; nil without one.
    private var fill: BlockFill?
    private var free: [RawBlock] = []
    private var freeOversized: OversizedPool<RawBlock>
    private var pending = RingBuffer<RawBlock>()
    /// Capacity of all blocks that exist, filled or free.
    private var allocatedBytes = 0
    /// Raw bytes filled and not yet written.
    private var busyBytes = 0
    /// The part of them in blocks of one oversized record.
    private var oversizedBytes = 0
    private var nextTicket: UInt64 = 0
    private var isParked = false
    /// When the age of the segment is looked at while nothing comes, in monotonic nanoseconds.
    private var lookAt: UInt64 = 0
    private var isLookPlanned = false
    /// A producer was told to pause and has not been called back.
    private var isPaused = false
    /// A producer waits in `append`.
    private var hasWaitingProducer = false

    var isFlushDue = false
    var isMarkDue = false
    var isClosing = false
    var failure: SystemError?
    var roomObservers: [@Sendable () -> Void] = []

    /// Blocks that are gathered before a compressor is woken.
    private let gatheredBlocks: Int

    init(next: Sequence, bytesMax: Int, gatheredBlocks: Int) {
        self.next = next
        self.gatheredBlocks = gatheredBlocks
        self.bytesMax = max(bytesMax, 4 * FormatLimits.blockRawBytesMax)
        freeOversized = OversizedPool(bytesMax: self.bytesMax / 4)
        free.reserveCapacity(1024)
    }

    // MARK: Producers

    mutating func append(
        _ envelope: RecordEnvelope,
        payload: UnsafeRawBufferPointer,
        clock: any Clock
    ) -> Outcome {
        precondition(envelope.kind.rawValue != 0, "zero is never the kind of a record")
        if let failure { return .failed(failure) }
        if isClosing { return .closed }
        let needed = FormatLimits.recordHeaderBytes + payload.count
        var wakes = false
        if let filled = fill?.hasRoom(for: needed), !filled { wakes = submit() }
        if fill == nil {
            guard let block = takeBlock(for: needed) else {
                hasWaitingProducer = true
                return .wait
            }
            current = block
            fill = BlockFill(block, startedAt: clock.monotonicNanoseconds())
            wakes = wakes || isParked
        }
        var envelope = envelope
        envelope.sequence = next
        fill?.append(envelope, payload: payload)
        busyBytes += needed
        if needed > FormatLimits.blockRawBytesMax { wakes = submit() || wakes }
        let appended = Appended(sequence: next, shouldPause: busyBytes > bytesMax / 2)
        if appended.shouldPause { isPaused = true }
        next = next.next
        return .done(appended, wakes: wakes)
    }

    /// Hands the current block over.
    ///
    /// - Returns: whether a compressor should be woken. A few blocks are gathered first, because
    ///   switching threads for each costs more than writing it; their age bounds the wait.
    private mutating func submit() -> Bool {
        guard let block = current, let filled = fill else { return false }
        block.take(filled)
        pending.append(block)
        current = nil
        fill = nil
        return pending.count >= gatheredBlocks
    }

    private mutating func takeBlock(for needed: Int) -> RawBlock? {
        if needed <= FormatLimits.blockRawBytesMax {
            if let block = free.popLast() { return block }
            guard allocatedBytes + FormatLimits.blockRawBytesMax <= bytesMax else { return nil }
            allocatedBytes += FormatLimits.blockRawBytesMax
            return RawBlock(capacity: FormatLimits.blockRawBytesMax)
        }
        // A record of its own. One is always let in, however full the queue, so that small
        // records cannot hold it back for ever.
        guard oversizedBytes == 0 || oversizedBytes + needed <= bytesMax else { return nil }
        let block = freeOversized.take(for: needed) ?? RawBlock(oversizedFor: needed)
        oversizedBytes += block.storage.count
        return block
    }

    // MARK: Compressors

    /// Nanoseconds without work after which the segment's age is looked at.
    private static let lookNanoseconds: UInt64 = 1_000_000_000

    /// When a compressor must look again at the latest, and whether there is nothing to be done
    /// until a record comes.
    mutating func deadline(
        now: UInt64,
        blockAge: UInt64
    ) -> (time: UInt64, isParked: Bool) {
        if let fill { return (fill.startedAt &+ blockAge, false) }
        isParked = true
        if !isLookPlanned {
            isLookPlanned = true
            lookAt = now &+ Self.lookNanoseconds
        }
        return (lookAt, true)
    }

    mutating func takeJob(now: UInt64, blockAge: UInt64, deadline: UInt64) -> Job? {
        if let block = pending.popFirst() {
            let isPressed = busyBytes > bytesMax / 4
            return .block(block, ticket: takeTicket(), isPressed: isPressed)
        }
        if let block = current, let filled = fill, filled.recordCount > 0 {
            let due = filled.startedAt &+ blockAge
            if isFlushDue || isClosing || failure != nil || due <= now {
                isFlushDue = false
                block.take(filled)
                current = nil
                fill = nil
                return .block(block, ticket: takeTicket(), isPressed: false)
            }
            if due < deadline { return .again }
        }
        isFlushDue = false
        if isClosing || failure != nil { return .stop }
        if isMarkDue {
            isMarkDue = false
            return .mark(ticket: takeTicket())
        }
        if isLookPlanned, lookAt <= now {
            isLookPlanned = false
            return .look(ticket: takeTicket())
        }
        return nil
    }

    private mutating func takeTicket() -> UInt64 {
        isParked = false
        defer { nextTicket += 1 }
        return nextTicket
    }

    /// Takes a written block back. `roomGained` follows.
    mutating func giveBack(_ block: RawBlock) {
        busyBytes -= block.used
        block.reset()
        if block.storage.count == FormatLimits.blockRawBytesMax {
            free.append(block)
        } else {
            oversizedBytes -= block.storage.count
            freeOversized.give(block)
        }
    }

    /// Whom to tell that there is room again: observers to call, and whether producers wait.
    ///
    /// A producer that waits is let in when a good part of the queue is free, or it would be
    /// woken for each block.
    mutating func roomGained() -> (observers: [@Sendable () -> Void], wakes: Bool) {
        var wakes = false
        if hasWaitingProducer, busyBytes <= bytesMax - bytesMax / 4 {
            hasWaitingProducer = false
            wakes = true
        }
        guard isPaused, busyBytes <= bytesMax / 4 else { return ([], wakes) }
        isPaused = false
        return (roomObservers, wakes)
    }
}

/// A queue over an array that allocates only while it grows.
struct RingBuffer<Element> {
    private var slots: [Element?] = Array(repeating: nil, count: 64)
    private var first = 0
    private(set) var count = 0

    mutating func append(_ element: Element) {
        if count == slots.count {
            var larger: [Element?] = []
            larger.reserveCapacity(2 * count)
            for index in 0..<count { larger.append(slots[(first + index) % count]) }
            larger.append(contentsOf: repeatElement(nil, count: count))
            slots = larger
            first = 0
        }
        slots[(first + count) % slots.count] = element
        count += 1
    }

    mutating func popFirst() -> Element? {
        guard count > 0 else { return nil }
        let element = slots[first]
        slots[first] = nil
        first = (first + 1) % slots.count
        count -= 1
        return element
    }
}
