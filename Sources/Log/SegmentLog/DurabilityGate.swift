import Platform
import RecordModel
import SegmentFormat

/// What the writing stage and the syncing thread share: which file is active, what it holds
/// unsynced, and how far the watermarks are.
struct DurabilityGate {
    /// The active file; nil while there is none.
    var file: (any File)?
    /// A sync of `file` is running without the lock.
    var isSyncing = false
    /// The writing stage changes files; no sync may begin.
    var isExclusive = false
    /// The last sync of the active file failed: it is final, the writing stage replaces the file.
    var failure: SystemError?
    /// A sync of the file that was last active failed: what it holds unsynced may be gone, and no
    /// later sync tells.
    var hasSyncFailed = false
    /// Something was written since the last sync began.
    var isDirty = false
    /// Monotonic nanoseconds when the oldest unsynced block was written.
    var dirtySince: UInt64 = 0
    /// Monotonic nanoseconds of the last write.
    var lastWriteAt: UInt64 = 0
    var written: Sequence
    var durable: Sequence
    /// The durable mark in the last block written.
    var marked: Sequence
    /// Blocks of the active file that are not durable, oldest first.
    var unsynced: [StoredBuffer] = []
    /// Bytes of memory that `unsynced` holds.
    var unsyncedBytes = 0
    /// Somebody waits for durability up to here now.
    var urgentThrough = Sequence.none
    var isStopped = false
    /// Threads that wait for `written` or `durable` to move, and must be woken when they do.
    var waiters = 0

    init(last: Sequence) {
        written = last
        durable = last
        marked = last
        unsynced.reserveCapacity(1024)
    }
}

/// The thread that makes written blocks durable, in groups, beside the writing stage.
struct SyncLoop: Sendable {
    let gate: Monitor<DurabilityGate>
    let clock: any Clock
    let policy: DurabilityPolicy
    let unsyncedBytesMax: Int
    let markNanoseconds: UInt64
    let pool: StoredBufferPool
    /// Asks the writing stage for a mark-only block or for a new file.
    let kick: @Sendable () -> Void

    private enum Work {
        case stop
        case again
        case kick
        case sync(any File, through: Sequence, count: Int)
    }

    /// Runs until the gate is stopped.
    func run() {
        var freed: [StoredBuffer] = []
        freed.reserveCapacity(1024)
        while true {
            let now = clock.monotonicNanoseconds()
            let deadline = gate.withLock { dueTime($0) ?? now &+ 3_600_000_000_000 }
            let work = gate.wait(deadline: deadline) { next(&$0, deadline: deadline) } ?? .again
            switch work {
            case .stop: return
            case .again: continue
            case .kick: kick()
            case .sync(let file, let through, let count):
                synchronize(file, through: through, count: count, &freed)
            }
        }
    }

    /// Does what is due, once.
    ///
    /// - Returns: whether something was due.
    func step() -> Bool {
        switch gate.withLock({ next(&$0, deadline: .max) }) {
        case nil, .stop?, .again?: return false
        case .kick?: kick()
        case .sync(let file, let through, let count)?:
            var freed: [StoredBuffer] = []
            synchronize(file, through: through, count: count, &freed)
        }
        return true
    }

    /// When something is due, or nil when nothing is.
    private func dueTime(_ gate: DurabilityGate) -> UInt64? {
        guard policy != .none, gate.file != nil, gate.failure == nil, !gate.isExclusive else {
            return nil
        }
        if gate.isDirty {
            // What a flush waits for is synced once, when all of it is written.
            let isUrgent =
                gate.urgentThrough > gate.durable && gate.written >= gate.urgentThrough
            if case .interval(let nanoseconds) = policy, !isUrgent,
                gate.unsyncedBytes <= unsyncedBytesMax / 2
            {
                return Self.time(gate.dirtySince, plus: nanoseconds)
            }
            return 0
        }
        return gate.durable > gate.marked
            ? Self.time(gate.lastWriteAt, plus: markNanoseconds) : nil
    }

    private static func time(_ start: UInt64, plus nanoseconds: UInt64) -> UInt64 {
        let (sum, overflow) = start.addingReportingOverflow(nanoseconds)
        return overflow ? .max : sum
    }

    private func next(_ gate: inout DurabilityGate, deadline: UInt64) -> Work? {
        if gate.isStopped { return .stop }
        guard let due = dueTime(gate) else { return nil }
        guard due <= clock.monotonicNanoseconds() else { return due < deadline ? .again : nil }
        guard gate.isDirty else {
            gate.marked = gate.durable
            return .kick
        }
        guard let file = gate.file else { return nil }
        gate.isSyncing = true
        gate.isDirty = false
        return .sync(file, through: gate.written, count: gate.unsynced.count)
    }

    private func synchronize(
        _ file: any File,
        through: Sequence,
        count: Int,
        _ freed: inout [StoredBuffer]
    ) {
        var failure: SystemError?
        do throws(SystemError) { try file.syncData() } catch { failure = error }
        gate.update { gate in
            gate.isSyncing = false
            if let failure {
                gate.failure = failure
                gate.hasSyncFailed = true
                return
            }
            if through > gate.durable { gate.durable = through }
            gate.releaseUnsynced(count, into: &freed)
        }
        pool.give(freed)
        freed.removeAll(keepingCapacity: true)
        if failure != nil { kick() }
    }
}

extension DurabilityGate {
    /// Moves the oldest blocks from the list to `freed`, because they are durable.
    mutating func releaseUnsynced(_ count: Int, into freed: inout [StoredBuffer]) {
        for buffer in unsynced.prefix(count) {
            unsyncedBytes -= buffer.heldBytes
            freed.append(buffer)
        }
        unsynced.removeFirst(count)
    }
}

/// Stored buffers that wait to be used again, so that a steady stream allocates nothing.
final class StoredBufferPool: Sendable {
    private struct Free {
        var ordinary: [StoredBuffer] = []
        var oversized: OversizedPool<StoredBuffer>
    }

    private let free: Monitor<Free>
    private let limit: Int

    /// - Parameters:
    ///   - limit: ordinary buffers to keep.
    ///   - oversizedBytesMax: bytes of larger ones to keep.
    init(limit: Int, oversizedBytesMax: Int) {
        self.limit = limit
        free = Monitor(Free(oversized: OversizedPool(bytesMax: oversizedBytesMax)))
    }

    /// A buffer for a block of so many raw bytes.
    func take(for rawBytes: Int) -> StoredBuffer {
        let isOversized = rawBytes > FormatLimits.blockRawBytesMax
        let known = free.withLock { free in
            isOversized
                ? free.oversized.take(for: StoredBlock.room(for: rawBytes))
                : free.ordinary.popLast()
        }
        return known ?? StoredBuffer(rawBytes: rawBytes)
    }

    func give(_ buffers: some Collection<StoredBuffer>) {
        free.withLock { free in
            for buffer in buffers {
                if buffer.isOversized {
                    free.oversized.give(buffer)
                } else if free.ordinary.count < limit {
                    free.ordinary.append(buffer)
                }
            }
        }
    }

    func give(_ buffer: StoredBuffer) { give(CollectionOfOne(buffer)) }
}
