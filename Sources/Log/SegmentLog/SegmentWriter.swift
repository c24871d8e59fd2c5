import Platform
import RecordModel
import SegmentFormat

/// The writing stage: puts finished blocks into the active segment, seals and begins segments,
/// and replaces a file that failed.
///
/// safety: every stored property is touched only by the thread whose turn it is (LogWriter hands
/// turns out in order), or by the opening and closing thread while no other runs; what the syncing
/// thread shares is inside `gate`.
final class SegmentWriter: @unchecked Sendable {
    let layout: RecordingLayout
    let disk: any FileSystem
    let clock: any Clock
    private let schedule: any Clock
    private var random: any RandomSource
    let options: LogOptions
    let recording: RecordingID
    let writerEpoch: UInt64
    private let pool: StoredBufferPool
    let gate: Monitor<DurabilityGate>

    var manifest: ManifestWriter
    /// Statements that a failed manifest has not taken yet; they go before the next one.
    var pendingEntries: [ManifestEntry] = []
    var active: ActiveSegment?
    /// Blocks handed over that are in no file yet. They stay when writing failed for good.
    var waiting: ArraySlice<StoredBuffer> = []
    /// The segment that failed and that the next one must supersede. Its file stays open until
    /// then: only through it does the kernel tell every error of earlier writes.
    var failed: ActiveSegment?
    private var nextOrdinal: UInt64
    /// The end link of the sealed segment before the next one; 0 when there is none.
    private var previousLink: UInt64
    /// The last sequence written into any segment that counts.
    var lastSequence: Sequence
    private(set) var context: ContextState
    private var positionReader: (any PositionReader)?
    var hasReserve = false
    /// The file of a segment whose making failed half way; it holds no record.
    private var unfinished: String?
    /// A durable segment that the manifest may or may not name: its entry is tried again as it is.
    var prepared: PreparedSegment?

    /// Retires old segments; nil when everything is kept.
    var retirement: SegmentRetirement?

    struct PreparedSegment {
        let segment: ActiveSegment
        let entry: ManifestEntry
    }

    init(
        layout: RecordingLayout,
        disk: any FileSystem,
        clock: any Clock,
        schedule: any Clock,
        random: any RandomSource,
        options: LogOptions,
        start: WriterStart,
        pool: StoredBufferPool
    ) {
        self.layout = layout
        self.disk = disk
        self.clock = clock
        self.schedule = schedule
        self.random = random
        self.options = options
        self.pool = pool
        recording = start.recording
        writerEpoch = start.writerEpoch
        manifest = start.manifest
        nextOrdinal = start.nextOrdinal
        previousLink = start.previousLink
        lastSequence = start.lastSequence
        context = start.context
        positionReader = options.positionReader
        retirement = options.retention.map {
            SegmentRetirement(
                path: layout.path,
                disk: disk,
                policy: $0,
                state: options.retainedState
            )
        }
        gate = Monitor(DurabilityGate(last: start.lastSequence))
    }

    // MARK: Blocks

    /// Fills a stored buffer's index facts from its raw block and folds its events.
    func annotate(_ buffer: StoredBuffer, raw: RawBlock) {
        guard raw.hasEvents || positionReader != nil else { return }
        if raw.hasEvents { buffer.contextBefore = context }
        var offset = 0
        var sequence = raw.firstSequence
        let bytes = raw.bytes
        for _ in 0..<raw.recordCount {
            do {
                let (envelope, range) = try RecordCodec.decode(
                    bytes,
                    at: &offset,
                    sequence: sequence
                )
                let payload = RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: bytes[range]))
                if !envelope.kind.isDataFrame { context.apply(envelope, payload: payload) }
                if let position = positionReader?.position(of: envelope, payload: payload) {
                    switch position.family {
                    case .slot: buffer.slots.insert(position.number)
                    case .block: buffer.blocks.insert(position.number)
                    }
                }
            } catch { preconditionFailure("a block of our own does not decode: \(error)") }
            sequence = sequence.next
        }
    }

    /// Writes blocks behind the ones before them, in a new segment when it is time for one.
    ///
    /// - Parameters:
    ///   - buffers: the blocks in order; they belong to the writer from here on.
    ///   - pause: waits before another try and tells whether to go on trying.
    /// - Throws: a failure that could not be worked around. The log must stop.
    func write(_ buffers: [StoredBuffer], pause: () -> Bool) throws(SystemError) {
        waiting = buffers[...]
        while !waiting.isEmpty {
            if let failure = gate.withLock({ $0.failure }) {
                try supersede(after: failure, pause: pause)
            }
            do throws(SystemError) {
                try beginSegmentIfDue()
                let durable = gate.withLock { $0.durable }
                let run = firstRun()
                try active?.write(run, durable: durable)
                waiting = waiting[run.endIndex...]
                finishWrite(of: run, durable: durable)
                waitForRoom()
            } catch {
                gate.update { $0.failure = error }
            }
        }
        waiting = []
    }

    /// As many waiting blocks as go into the active segment before it is due to be sealed.
    private func firstRun() -> ArraySlice<StoredBuffer> {
        guard let active else { preconditionFailure("no active segment") }
        var offset = active.offset
        var room = FormatLimits.blocksPerSegmentMax - active.entries.count
        var end = waiting.startIndex
        repeat {
            offset += UInt64(waiting[end].bytes.count)
            room -= 1
            end += 1
        } while end < waiting.endIndex && offset < options.rotateBytes && room > 0
        return waiting[..<end]
    }

    /// Seals the active segment and begins another one when it is old enough, though nothing
    /// comes.
    func rotateIfAged(pause: () -> Bool) throws(SystemError) {
        if let failure = gate.withLock({ $0.failure }) {
            try supersede(after: failure, pause: pause)
        }
        do throws(SystemError) { try beginSegmentIfDue() } catch {
            gate.update { $0.failure = error }
            try supersede(after: error, pause: pause)
        }
    }

    /// Writes a mark-only block, so that what is durable can be told after a crash.
    func writeMark(pause: () -> Bool) throws(SystemError) {
        if let failure = gate.withLock({ $0.failure }) {
            try supersede(after: failure, pause: pause)
            return
        }
        guard active != nil else { return }
        let buffer = pool.take(for: 0)
        buffer.fill(
            kind: .mark,
            raw: UnsafeRawBufferPointer(start: nil, count: 0),
            recordCount: 0,
            firstSequence: lastSequence.next,
            lastSequence: lastSequence,
            earliest: 0,
            latest: 0
        )
        try write([buffer], pause: pause)
    }

    private func finishWrite(of buffers: ArraySlice<StoredBuffer>, durable: Sequence) {
        for buffer in buffers where buffer.lastSequence > lastSequence {
            lastSequence = buffer.lastSequence
        }
        let now = schedule.monotonicNanoseconds()
        let keeps = options.durability != .none
        let isHasty = options.durability == .everyBlock
        let half = options.unsyncedBytesMax / 2
        let wakes = gate.withLock { gate -> Bool in
            // The syncing thread wakes by itself at the end of its interval.
            var wakes = isHasty || !gate.isDirty || gate.waiters > 0
            if !gate.isDirty { gate.dirtySince = now }
            gate.isDirty = true
            gate.lastWriteAt = now
            gate.marked = durable
            if lastSequence > gate.written { gate.written = lastSequence }
            #if PLANTED_MISTAKES
            if PlantedMistake.isActive(.acknowledgesEarly) { gate.durable = gate.written }
            #endif
            let before = gate.unsyncedBytes
            for buffer in buffers where keeps && buffer.header.kind != .mark {
                gate.unsynced.append(buffer)
                gate.unsyncedBytes += buffer.heldBytes
            }
            // Once: a sync that is running looks again when it ends.
            if before <= half, gate.unsyncedBytes > half { wakes = true }
            return wakes
        }
        if wakes { gate.wakeAll() }
        for buffer in buffers where !keeps || buffer.header.kind == .mark { pool.give(buffer) }
    }

    /// Holds the stage up while too much waits for a sync, so that memory stays bounded.
    private func waitForRoom() {
        let limit = options.unsyncedBytesMax
        gate.wait { gate in
            gate.unsyncedBytes <= limit || gate.failure != nil || gate.isStopped ? () : nil
        }
    }

    // MARK: Segments

    /// Creates the first segment of this opening.
    func begin() throws(SystemError) {
        try makeReserve()
        try createSegment(from: lastSequence.next, context: context, superseding: nil)
        retire()
    }

    /// Seals the active segment and begins another one with a context that the records before do
    /// not tell; nothing when they do.
    func beginSegment(with context: ContextState) throws(SystemError) {
        guard context != self.context else { return }
        self.context = context
        try sealActive()
        try createSegment(from: lastSequence.next, context: context, superseding: nil)
    }

    private func beginSegmentIfDue() throws(SystemError) {
        if let active {
            let age = schedule.monotonicNanoseconds() &- active.startedAt
            let isDue =
                active.offset >= options.rotateBytes
                || age >= options.rotateNanoseconds
                    && active.recordCount > 0
                || active.entries.count >= FormatLimits.blocksPerSegmentMax
            guard isDue else { return }
            try sealActive()
        }
        if active == nil {
            // The context of a new segment is the one before the block that is about to be
            // written, which may have changed it already.
            try createSegment(
                from: lastSequence.next,
                context: contextBefore([]),
                superseding: nil
            )
            retire()
        }
    }

    /// Seals the active segment and makes it durable whole.
    func sealActive() throws(SystemError) {
        guard let segment = active else { return }
        enterExclusive()
        defer { leaveExclusive() }
        // A sync that has just failed is final: another one may claim success without the data.
        if let failure = gate.withLock({ $0.failure }) { throw failure }
        let seal: SegmentSeal
        let fileBytes: UInt64
        do throws(SystemError) { (seal, fileBytes) = try writeSeal(of: segment) } catch {
            // Told before the syncing thread may sync again.
            gate.withLock { $0.failure = error }
            throw error
        }
        let moves = options.durability != .none
        var freed: [StoredBuffer] = []
        gate.withLock { gate in
            gate.isDirty = false
            if moves, gate.written > gate.durable { gate.durable = gate.written }
            gate.file = nil
            gate.releaseUnsynced(gate.unsynced.count, into: &freed)
        }
        pool.give(freed)
        active = nil
        previousLink = seal.endLink
        pendingEntries.append(sealedEntry(of: segment, seal, fileBytes: fileBytes))
        try flushPendingEntries()
        // The contents are durable and nothing more is written: an error of close tells nothing
        // that the sync has not, and the name is in the manifest already.
        do throws(SystemError) { try segment.file.close() } catch { _ = error }
    }

    func flushPendingEntries() throws(SystemError) {
        while let entry = pendingEntries.first {
            try manifest.append(entry, on: disk)
            pendingEntries.removeFirst()
        }
    }

    /// Makes a segment and its manifest entry durable before any block follows.
    func createSegment(
        from first: Sequence,
        context: ContextState,
        superseding old: SegmentHeader?
    ) throws(SystemError) {
        if let known = prepared, known.entry.firstSequence != first {
            // Its entry may be in the manifest, so its number is used up; it stays empty.
            nextOrdinal += 1
            prepared = nil
        }
        let ready: PreparedSegment
        if let prepared {
            ready = prepared
        } else {
            ready = try prepareSegment(from: first, context: context, superseding: old)
            prepared = ready
        }
        try flushPendingEntries()
        try manifest.append(ready.entry, on: disk)
        prepared = nil
        nextOrdinal += 1
        active = ready.segment
        let now = schedule.monotonicNanoseconds()
        gate.update { gate in
            gate.file = ready.segment.file
            gate.hasSyncFailed = false
            gate.lastWriteAt = now
        }
    }

    /// Makes the file of a segment durable, with its header and context.
    private func prepareSegment(
        from first: Sequence,
        context: ContextState,
        superseding old: SegmentHeader?
    ) throws(SystemError) -> PreparedSegment {
        let header = SegmentHeader(
            recording: recording,
            ordinal: nextOrdinal,
            writerEpoch: writerEpoch,
            firstSequence: first,
            salt: random.next(),
            previousLink: old == nil ? previousLink : 0,
            createdAt: options.segmentsCreatedAt ?? clock.wallNanoseconds(),
            supersededOrdinal: old?.ordinal ?? 0,  // 0 is the format's "none"
            supersededFrom: old == nil ? .none : first
        )
        let path = layout.segment(ordinal: nextOrdinal, firstSequence: first.value)
        if let left = unfinished {
            if try disk.kind(of: left) != nil { try disk.remove(left) }
            unfinished = nil
        }
        let (bytes, link) = header.encoded()
        // Nothing that stands there already is ever overwritten.
        let file = try disk.open(path, .createNew)
        unfinished = path
        try file.write(bytes, at: 0)
        var segment = ActiveSegment(
            file: file,
            path: path,
            header: header,
            link: link,
            startedAt: schedule.monotonicNanoseconds()
        )
        let raw = context.encoded()
        let block = pool.take(for: raw.count)
        raw.withUnsafeBytes { raw in
            block.fill(
                kind: .context,
                raw: raw,
                recordCount: UInt32(context.entries.count),
                firstSequence: first,
                lastSequence: first.previous,
                earliest: 0,
                latest: 0
            )
        }
        try segment.write(block, durable: gate.withLock { $0.durable })
        pool.give(block)
        try file.syncData()
        try disk.syncDirectory(layout.segments)
        unfinished = nil
        return PreparedSegment(
            segment: segment,
            entry: ManifestEntry(
                kind: .created,
                ordinal: header.ordinal,
                writerEpoch: writerEpoch,
                firstSequence: first,
                supersededOrdinal: header.supersededOrdinal,
                supersededFrom: header.supersededFrom,
                salt: header.salt,
                headerLink: link
            )
        )
    }

    // MARK: Failures

    /// Replaces a file that failed: a new segment takes over from the first sequence that is not
    /// durable, and the blocks kept in memory are written again there.
    func supersede(
        after failure: SystemError,
        pause: () -> Bool
    ) throws(SystemError) {
        guard options.replacesFailedFiles else { throw failure }
        enterExclusive()
        defer { leaveExclusive() }
        var failure = failure
        var tries = 0
        // When a wait is ended because the log is being closed, space may just have come back.
        var isLastTry = false
        while true {
            giveUpActive()
            if isLastTry { throw failure }
            if failure.isOutOfSpace {
                guard options.onFull == .wait else { throw failure }
                retireOnFullDisk()
                isLastTry = !pause()
            } else {
                // The first try comes at once, also when the log is being closed.
                tries += 1
                guard tries <= Self.triesMax else { throw failure }
                if tries > 1 { isLastTry = !pause() }
            }
            do throws(SystemError) {
                try replaceFailed()
                gate.withLock { $0.failure = nil }
                return
            } catch { failure = error }
        }
    }

    /// Tries to replace a file that failed for another reason than a full disk.
    private static let triesMax = 5

    /// Nothing more is written into the active segment.
    func giveUpActive() {
        guard let segment = active else { return }
        gate.withLock { $0.file = nil }
        closeFailed()
        failed = segment
        active = nil
    }

    /// Closes the file of the failed segment, once another stands in for it.
    func closeFailed() {
        guard let segment = failed else { return }
        failed = nil
        // Final for this file either way: what it holds and another supersedes is not read.
        do throws(SystemError) { try segment.file.close() } catch { _ = error }
    }

    private func replaceFailed() throws(SystemError) {
        let (unsynced, durable) = gate.withLock { ($0.unsynced, $0.durable) }
        // With policy `none` nothing is kept, so what was written counts as it is.
        let from = options.durability == .none ? lastSequence.next : durable.next
        try createSegment(
            from: from,
            context: contextBefore(unsynced),
            superseding: failed?.header
        )
        closeFailed()
        for buffer in unsynced { try active?.write(buffer, durable: durable) }
        lastSequence = unsynced.last?.lastSequence ?? from.previous
        let now = schedule.monotonicNanoseconds()
        gate.withLock { gate in
            gate.isDirty = true
            gate.dirtySince = now
            gate.written = lastSequence
        }
    }

    /// What was in force before the first of some blocks and of those that wait: events of the
    /// blocks have changed `context` already.
    func contextBefore(_ unsynced: [StoredBuffer]) -> ContextState {
        unsynced.first { $0.contextBefore != nil }?.contextBefore
            ?? waiting.first { $0.contextBefore != nil }?.contextBefore
            ?? context  // no event has come since
    }

    func enterExclusive() {
        gate.wait { gate -> Void? in
            guard !gate.isSyncing else { return nil }
            gate.isExclusive = true
            return ()
        }
    }

    func leaveExclusive() { gate.update { $0.isExclusive = false } }
}
