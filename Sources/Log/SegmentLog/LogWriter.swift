package import Platform
package import RecordModel
import SegmentFormat

/// The one writer of a recording. Any thread may append; blocks are compressed by a few threads
/// and written in order by whichever has the turn.
///
/// `append` copies the payload into the current block under a lock (about 100 ns) and returns the
/// sequence. It never drops: when the queue is more than half full it says so, and the source
/// stops reading its socket until `onRoom` is called; a caller that goes on regardless waits.
package final class LogWriter: Sendable {
    /// What opening found and did.
    package let recovery: RecoveryReport
    /// The recording's identity.
    package let recording: RecordingID
    /// Rises with every opening for write.
    package let writerEpoch: UInt64
    /// Where the recording lies.
    package let layout: RecordingLayout

    private let disk: any FileSystem
    private let clock: any Clock
    private let schedule: any Clock
    private let options: LogOptions
    private let queue: Monitor<LogQueue>
    private let order = Monitor(WriteOrder())
    private let writer: SegmentWriter
    private let gate: Monitor<DurabilityGate>
    private let pool: StoredBufferPool
    private let lock: any File
    private let threads: Monitor<[Thread]>
    /// One for all threads: looking takes the lock for a moment, and two that looked through files
    /// of their own would take each other for a reader.
    private let readers: Monitor<LiveReaderSign>

    /// Opens a recording for writing, creating or recovering it, and begins a run.
    ///
    /// - Parameters:
    ///   - path: the recording's directory; created when nothing is there.
    ///   - disk: the file system.
    ///   - clock: times of the recorder's own records.
    ///   - schedule: the clock by which blocks are closed, synced and segments rotated; nil takes
    ///     `clock`. Its monotonic time must be the machine's.
    ///   - random: identities and salts.
    ///   - options: how to write.
    /// - Throws: `locked`, `notARecording`, `newerVersion`, `damaged`, `exists` or `system`.
    package init(
        path: String,
        disk: any FileSystem,
        clock: any Clock,
        schedule: (any Clock)? = nil,
        random: any RandomSource,
        options: LogOptions
    ) throws(LogError) {
        let schedule = schedule ?? clock
        let layout = RecordingLayout(path)
        var random = random
        let opening = try Recovery(layout: layout, disk: disk, clock: clock, options: options)
            .open(random: &random)
        self.layout = layout
        self.disk = disk
        self.clock = clock
        self.schedule = schedule
        self.options = options
        recovery = opening.report
        recording = opening.start.recording
        writerEpoch = opening.start.writerEpoch
        lock = opening.lock
        // Enough to refill a sync interval's worth of blocks without allocating.
        pool = StoredBufferPool(
            limit: 2 * options.queueBytesMax / FormatLimits.blockRawBytesMax,
            oversizedBytesMax: options.queueBytesMax / 2
        )
        writer = SegmentWriter(
            layout: layout,
            disk: disk,
            clock: clock,
            schedule: schedule,
            random: random,
            options: options,
            start: opening.start,
            pool: pool
        )
        gate = writer.gate
        queue = Monitor(
            LogQueue(
                next: opening.start.lastSequence.next,
                bytesMax: options.queueBytesMax,
                gatheredBlocks: options.durability == .everyBlock ? 1 : 8
            )
        )
        threads = Monitor([])
        readers = Monitor(LiveReaderSign(layout, disk: disk))
        // Step 7 of recovery: a segment of the new epoch.
        do throws(SystemError) {
            try writer.begin()
            try startThreads()
        } catch {
            stopThreads()
            throw .system(error)
        }
        do throws(LogError) { try appendRunStarted(opening.report) } catch {
            stopThreads()
            throw error
        }
    }

    /// Ends the threads of a log that did not come about; without this they would hold its lock.
    private func stopThreads() {
        queue.update { $0.isClosing = true }
        gate.update { $0.isStopped = true }
        let running = threads.withLock { threads in
            defer { threads = [] }
            return threads
        }
        for thread in running { thread.join() }
    }

    private func startThreads() throws(SystemError) {
        guard options.stepped == nil else { return }
        // More than two do not help.
        let compressors = options.compressors ?? Processors.available(atMost: 2)
        for number in 0..<max(1, compressors) {
            let thread = try Thread(name: "log-block-\(number)") { [self] in compressLoop() }
            threads.withLock { $0.append(thread) }
        }
        let loop = syncLoop
        let thread = try Thread(name: "log-sync") { loop.run() }
        threads.withLock { $0.append(thread) }
    }

    private var syncLoop: SyncLoop {
        SyncLoop(
            gate: gate,
            clock: schedule,
            policy: options.durability,
            unsyncedBytesMax: options.unsyncedBytesMax,
            markNanoseconds: options.markNanoseconds,
            pool: pool,
            kick: { [queue] in queue.update { $0.isMarkDue = true } }
        )
    }

    private func appendRunStarted(_ report: RecoveryReport) throws(LogError) {
        var fields = EventFields()
        fields.add(.toolVersion, options.toolVersion)
        fields.add(.writerEpoch, writerEpoch)
        fields.add(.lastSequenceKept, report.lastSequenceKept.value)
        for cut in report.cuts {
            fields.add(.segmentOrdinal, cut.ordinal)
            fields.add(.cutOffset, cut.offset)
            fields.add(.cutBytes, cut.bytes)
        }
        for text in report.damage { fields.add(.evidence, text) }
        _ = try append(event: .runStarted, fields: fields)
    }

    // MARK: Appending

    /// Appends a record and gives it the next sequence.
    ///
    /// - Parameters:
    ///   - envelope: everything but the sequence, which is ignored.
    ///   - payload: copied before the call returns.
    /// - Returns: the sequence, and whether to pause.
    /// - Throws: `payloadTooLarge`, `closed` or `writerFailed`.
    @inline(__always)
    package func append(
        _ envelope: RecordEnvelope,
        payload: RawSpan
    ) throws(LogError) -> Appended {
        try payload.withUnsafeBytes { bytes throws(LogError) in
            try append(envelope, payload: bytes)
        }
    }

    /// Appends a record and gives it the next sequence.
    ///
    /// - Parameters:
    ///   - envelope: everything but the sequence, which is ignored.
    ///   - payload: copied before the call returns.
    /// - Returns: the sequence, and whether to pause.
    /// - Throws: `payloadTooLarge`, `closed` or `writerFailed`.
    package func append(
        _ envelope: RecordEnvelope,
        payload: UnsafeRawBufferPointer
    ) throws(LogError) -> Appended {
        guard payload.count <= FormatLimits.payloadBytesMax else {
            throw .payloadTooLarge(
                bytes: payload.count,
                limit: FormatLimits.payloadBytesMax
            )
        }
        // On the way while the lock is taken: a payload that is in no cache takes longer to fetch
        // than all the rest of an append. More than this the processor has in flight at no time.
        Prefetch.begin(payload, atMost: 1024)
        var outcome = queue.withLock { $0.append(envelope, payload: payload, clock: schedule) }
        if case .wait = outcome {
            precondition(options.stepped == nil, "a stepped log was given more than it holds")
            queue.wakeAll()
            outcome = queue.wait { queue in
                let outcome = queue.append(envelope, payload: payload, clock: schedule)
                if case .wait = outcome { return nil }
                return outcome
            }
        }
        switch outcome {
        case .done(let appended, let wakes):
            if wakes { queue.wakeAll() }
            return appended
        case .failed(let error): throw .writerFailed(error)
        case .closed: throw .closed
        case .wait: preconditionFailure("waited for room and got none")
        }
    }

    /// Appends an event of our own with the current time.
    ///
    /// - Throws: `payloadTooLarge`, `closed` or `writerFailed`.
    @discardableResult
    package func append(
        event kind: RecordKind,
        stream: StreamID = .none,
        fields: EventFields
    ) throws(LogError) -> Appended {
        let envelope = RecordEnvelope(
            kind: kind,
            stream: stream,
            receivedAt: clock.wallNanoseconds(),
            monotonic: clock.monotonicNanoseconds()
        )
        return try append(envelope, payload: fields.encoded.span.bytes)
    }

    /// Registers what to call when paused sources may read again; called on a thread of the log,
    /// which it must not hold up.
    package func onRoom(_ body: @escaping @Sendable () -> Void) {
        queue.withLock { $0.roomObservers.append(body) }
    }

    /// How far the log is.
    package var watermarks: Watermarks {
        // In this order, so that what is appended is never behind what is written.
        let (written, durable) = gate.withLock { ($0.written, $0.durable) }
        let appended = queue.withLock { $0.next.previous }
        return Watermarks(appended: appended, written: written, durable: durable)
    }

    /// Waits until something beyond `sequence` is durable, the log has stopped, or time is up.
    ///
    /// - Parameters:
    ///   - sequence: the durable sequence known to the caller.
    ///   - deadline: monotonic nanoseconds.
    /// - Returns: the watermarks then.
    package func waitDurable(beyond sequence: Sequence, deadline: UInt64) -> Watermarks {
        gate.withLock { $0.waiters += 1 }
        _ = gate.wait(deadline: deadline) { $0.durable > sequence || $0.isStopped ? true : nil }
        gate.withLock { $0.waiters -= 1 }
        return watermarks
    }

    /// Waits until everything appended before the call is written and, unless the policy is
    /// `none`, durable.
    ///
    /// - Throws: `writerFailed` when the log stops before.
    package func flush() throws(LogError) {
        let last = queue.update { queue -> Sequence in
            queue.isFlushDue = true
            return queue.next.previous
        }
        let waitsForSync = options.durability != .none
        gate.update { gate in
            // Stays until it is reached, so no sync that began too early can use it up.
            if waitsForSync, last > gate.urgentThrough { gate.urgentThrough = last }
            gate.waiters += 1
        }
        defer { gate.withLock { $0.waiters -= 1 } }
        if options.stepped != nil { stepAll() }
        gate.wait { gate in
            if gate.isStopped || gate.durable >= last { return () }
            return !waitsForSync && gate.written >= last ? () : nil
        }
        if let error = queue.withLock({ $0.failure }) { throw .writerFailed(error) }
    }

    /// Why the log has stopped, or nil while it works.
    package var failure: SystemError? { queue.withLock { $0.failure } }

    /// Ends the run: writes everything that waits, a run-ended record, and seals. A second call
    /// does nothing.
    ///
    /// - Parameter cause: why the run ends, in a word or two.
    /// - Throws: `writerFailed` when the recording could not be sealed; opening it again recovers.
    package func close(cause: String) throws(LogError) {
        let isFirst = queue.update { queue -> Bool in
            defer { queue.isClosing = true }
            return !queue.isClosing
        }
        guard isFirst else { return }
        let running = threads.withLock { threads in
            defer { threads = [] }
            return threads
        }
        for thread in running.dropLast() { thread.join() }
        if options.stepped != nil { while step(.writing) {} }
        let result = finish(cause: cause)
        gate.update { $0.isStopped = true }
        running.last?.join()
        if case .failure(let error) = result { throw .writerFailed(error) }
        do throws(SystemError) { try lock.close() } catch { throw .writerFailed(error) }
    }

    private func finish(cause: String) -> Result<Void, SystemError> {
        let (failure, last) = queue.withLock { ($0.failure, $0.next.previous) }
        let block = closingBlock(cause: failure == nil ? cause : "disk full", after: last)
        var cause = failure
        if failure == nil {
            do throws(SystemError) {
                try writer.write([block], pause: { false })
                try writer.finish(pause: { false })
                return .success(())
            } catch { cause = error }
        }
        guard let cause else { return .success(()) }
        guard cause.isOutOfSpace else { return .failure(cause) }
        do throws(SystemError) {
            try writer.closeIntoReserve(block, lastGiven: last)
        } catch { return .failure(error) }
        return .failure(cause)
    }

    /// The run-ended record as a block of its own.
    private func closingBlock(cause: String, after last: Sequence) -> StoredBuffer {
        var fields = EventFields()
        fields.add(.cause, cause)
        fields.add(.writerEpoch, writerEpoch)
        let payload = fields.encoded
        let raw = RawBlock(capacity: FormatLimits.blockRawBytesMax)
        let envelope = RecordEnvelope(
            sequence: last.next,
            kind: .runEnded,
            receivedAt: clock.wallNanoseconds(),
            monotonic: clock.monotonicNanoseconds()
        )
        var fill = BlockFill(raw, startedAt: 0)
        payload.withUnsafeBytes { fill.append(envelope, payload: $0) }
        raw.take(fill)
        let buffer = compress(raw)
        writer.annotate(buffer, raw: raw)
        return buffer
    }

    // MARK: Compressing and writing

    private func compress(_ raw: RawBlock, _ acceleration: Int32 = 1) -> StoredBuffer {
        let buffer = pool.take(for: raw.used)
        buffer.fill(
            kind: .data,
            raw: raw.bytes,
            recordCount: raw.recordCount,
            firstSequence: raw.firstSequence,
            lastSequence: Sequence(raw.firstSequence.value + UInt64(raw.recordCount) - 1),
            earliest: raw.earliest,
            latest: raw.latest,
            acceleration: acceleration
        )
        return buffer
    }

    /// Ready blocks that are worth a call to the disk while more wait to be compressed.
    private static let runBlocks = 8

    private func compressLoop() {
        var run: [WriteOrder.Entry] = []
        run.reserveCapacity(WriteOrder.capacity)
        var blocks: [StoredBuffer] = []
        blocks.reserveCapacity(WriteOrder.capacity)
        while true {
            var job = queue.withLock {
                $0.takeJob(now: 0, blockAge: options.blockNanosecondsMax, deadline: 0)
            }
            if job == nil {
                // Nothing more to compress: what is ready need not wait for company.
                writeReady(atLeast: 1, &run, &blocks)
                job = waitForJob()
            }
            guard let job else { continue }
            if case .stop = job {
                writeReady(atLeast: 1, &run, &blocks)
                return
            }
            perform(job)
            writeReady(atLeast: Self.runBlocks, &run, &blocks)
        }
    }

    /// Does what comes before a job's turn to be written.
    private func perform(_ job: LogQueue.Job) {
        switch job {
        case .again, .stop: return
        case .mark(let ticket): deposit(.mark, ticket)
        case .look(let ticket): deposit(.look, ticket)
        case .block(let raw, let ticket, let isPressed):
            let buffer = compress(raw, isPressed ? options.pressedAcceleration : 1)
            deposit(.block(buffer, raw), ticket)
        }
    }

    private func waitForJob() -> LogQueue.Job? {
        let now = schedule.monotonicNanoseconds()
        let blockAge =
            readers.withLock({ $0.isGiven() })
            ? min(options.blockNanosecondsMax, options.liveBlockNanosecondsMax)
            : options.blockNanosecondsMax
        let (deadline, isParked) = queue.withLock { $0.deadline(now: now, blockAge: blockAge) }
        return queue.wait(deadline: deadline) { queue in
            queue.takeJob(
                now: schedule.monotonicNanoseconds(),
                blockAge: blockAge,
                deadline: isParked ? .max : deadline
            )
        }
    }

    private func deposit(_ entry: WriteOrder.Entry, _ ticket: UInt64) {
        if order.withLock({ $0.deposit(entry, ticket: ticket) }) { return }
        order.wait { $0.deposit(entry, ticket: ticket) ? () : nil }
    }

    /// Writes what stands ready, unless another thread is at it; that one looks again at its end.
    private func writeReady(
        atLeast minimum: Int,
        _ run: inout [WriteOrder.Entry],
        _ blocks: inout [StoredBuffer]
    ) {
        var minimum = minimum
        while true {
            let (isRun, wakes) = order.withLock { order in
                let wakes = order.hasWaiter
                return (order.take(atLeast: minimum, into: &run), wakes)
            }
            guard isRun else { return }
            if wakes { order.wakeAll() }
            write(run, &blocks)
            giveBack(run)
            run.removeAll(keepingCapacity: true)
            order.withLock { $0.finish() }
            // Others may have left work meanwhile and counted on this thread.
            minimum = 1
        }
    }

    /// Puts a run of jobs into the file in order; after a failure nothing more is written, but
    /// jobs are still taken so that every thread ends.
    private func write(_ run: [WriteOrder.Entry], _ blocks: inout [StoredBuffer]) {
        guard queue.withLock({ $0.failure == nil }) else { return }
        do throws(SystemError) {
            for entry in run {
                switch entry {
                case .block(let buffer, let raw):
                    writer.annotate(buffer, raw: raw)
                    blocks.append(buffer)
                case .mark:
                    try writeBlocks(&blocks)
                    try writer.writeMark(pause: pause)
                case .look:
                    try writeBlocks(&blocks)
                    try writer.rotateIfAged(pause: pause)
                }
            }
            try writeBlocks(&blocks)
        } catch {
            queue.update { $0.failure = error }
            gate.update { $0.isStopped = true }
        }
        blocks.removeAll(keepingCapacity: true)
    }

    private func writeBlocks(_ blocks: inout [StoredBuffer]) throws(SystemError) {
        guard !blocks.isEmpty else { return }
        try writer.write(blocks, pause: pause)
        blocks.removeAll(keepingCapacity: true)
    }

    private func giveBack(_ run: [WriteOrder.Entry]) {
        let (observers, wakes) = queue.withLock { queue in
            for case .block(_, let raw) in run { queue.giveBack(raw) }
            return queue.roomGained()
        }
        if wakes { queue.wakeAll() }
        for observer in observers { observer() }
    }

    /// Waits before another try to replace a failed file; closing the log ends the wait at once.
    ///
    /// - Returns: whether to go on trying.
    private func pause() -> Bool {
        if let stepped = options.stepped { return stepped.onPause() }
        let (deadline, overflow) = schedule.monotonicNanoseconds()
            .addingReportingOverflow(options.retryNanoseconds)
        return queue.wait(deadline: overflow ? .max : deadline) { queue in
            queue.isClosing ? false : nil
        } ?? true  // the time is up
    }

    // MARK: Without threads

    /// A stage of a stepped log.
    package enum Stage: Sendable {
        /// Compresses one block and leaves it to be written, with others, by `writing`.
        case compressing
        /// Writes what was left, or compresses and writes one block, or one mark.
        case writing
        /// Syncs the active file, or asks for a mark, when that is due.
        case syncing
    }

    /// Does one piece of work that a stepped log has no thread for.
    ///
    /// - Returns: whether there was something to do.
    package func step(_ stage: Stage) -> Bool {
        precondition(options.stepped != nil, "a log with threads works by itself")
        switch stage {
        case .syncing: return syncLoop.step()
        case .compressing:
            // No further than the disk is given in one call, so that nothing waits for a slot.
            guard order.withLock({ $0.ready < Self.runBlocks }) else { return false }
            return stepJob()
        case .writing:
            guard order.withLock({ $0.ready > 0 }) || stepJob() else { return false }
            var run: [WriteOrder.Entry] = []
            var blocks: [StoredBuffer] = []
            writeReady(atLeast: 1, &run, &blocks)
            return true
        }
    }

    private func stepJob() -> Bool {
        let now = schedule.monotonicNanoseconds()
        let blockAge = options.blockNanosecondsMax
        let job = queue.withLock { $0.takeJob(now: now, blockAge: blockAge, deadline: now) }
        switch job {
        case nil, .again?, .stop?: return false
        case let job?: perform(job)
        }
        return true
    }

    private func stepAll() {
        while step(.writing) || step(.syncing) {}
    }
}
