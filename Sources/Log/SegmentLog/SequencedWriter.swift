package import Platform
package import RecordModel
package import SegmentFormat

/// Writes a new recording from records that have their sequences already: a copy, a part or a
/// mixture of other recordings. It adds no record of its own, begins at any sequence, and keeps
/// holes.
///
/// Not for capture: there are no threads, nothing is durable before `close`, and the first failed
/// write ends it. The caller makes it under a name of its own and renames it when it is complete.
package final class SequencedWriter {
    /// Where a new recording begins.
    package struct Start: Sendable {
        /// The first sequence, at least 1.
        package var first: Sequence
        /// Written into the segments' headers, 1 to 2^64 - 2.
        package var writerEpoch: UInt64
        /// What is in force before the first record.
        package var context: ContextState

        package init(
            first: Sequence = .first,
            writerEpoch: UInt64 = 1,
            context: ContextState = ContextState()
        ) {
            self.first = first
            self.writerEpoch = writerEpoch
            self.context = context
        }
    }

    /// The sequence that the next record or hole must have.
    package private(set) var next: Sequence
    /// The new recording's identity.
    package let recording: RecordingID

    private let writer: SegmentWriter
    private let pool: StoredBufferPool
    private let lock: any File
    private let raw = RawBlock(capacity: FormatLimits.blockRawBytesMax)
    private var fill: BlockFill

    /// Makes a recording.
    ///
    /// - Parameters:
    ///   - path: its directory, where nothing may stand.
    ///   - disk: the file system.
    ///   - clock: the time of creation, when the options do not give one.
    ///   - random: identity and salts.
    ///   - options: rotation by size, origin, tool, position reader; the rest is not used.
    ///   - start: where it begins.
    /// - Throws: `exists` when something stands there, or `system`.
    package init(
        path: String,
        disk: any FileSystem,
        clock: any Clock,
        random: any RandomSource,
        options: LogOptions,
        start: Start
    ) throws(LogError) {
        var options = options
        options.durability = .none
        options.replacesFailedFiles = false
        options.reserveBytes = 0
        options.rotateNanoseconds = .max
        let layout = RecordingLayout(path)
        let isFree: Bool
        do throws(SystemError) { isFree = try disk.kind(of: layout.path) == nil } catch {
            throw .system(error)
        }
        guard isFree else { throw .exists(path: path) }
        var random = random
        var opening = try Recovery(layout: layout, disk: disk, clock: clock, options: options)
            .open(random: &random)
        opening.start.writerEpoch = max(1, start.writerEpoch)
        opening.start.lastSequence = start.first.previous
        opening.start.context = start.context
        next = max(.first, start.first)
        recording = opening.start.recording
        lock = opening.lock
        pool = StoredBufferPool(limit: 4, oversizedBytesMax: FormatLimits.oversizedRawBytesMax)
        writer = SegmentWriter(
            layout: layout,
            disk: disk,
            clock: clock,
            schedule: clock,
            random: random,
            options: options,
            start: opening.start,
            pool: pool
        )
        fill = BlockFill(raw, startedAt: 0)
        do throws(SystemError) { try writer.begin() } catch { throw .system(error) }
    }

    /// Adds the record that `next` names.
    ///
    /// - Parameters:
    ///   - envelope: its sequence must be `next`.
    ///   - payload: copied before the call returns.
    /// - Throws: `payloadTooLarge`, `rangeNotAvailable` at the end of all sequences, or
    ///   `writerFailed`.
    package func append(
        _ envelope: RecordEnvelope,
        payload: UnsafeRawBufferPointer
    ) throws(LogError) {
        precondition(envelope.sequence == next, "record \(envelope.sequence) is not \(next)")
        guard payload.count <= FormatLimits.payloadBytesMax else {
            throw .payloadTooLarge(bytes: payload.count, limit: FormatLimits.payloadBytesMax)
        }
        try checkEnd(next)
        let count = FormatLimits.recordHeaderBytes + payload.count
        if !fill.hasRoom(for: count) { try flush() }
        if fill.hasRoom(for: count) {
            fill.append(envelope, payload: payload)
        } else {
            let large = RawBlock(capacity: count)
            var fill = BlockFill(large, startedAt: 0)
            fill.append(envelope, payload: payload)
            large.take(fill)
            try write(large)
        }
        next = next.next
    }

    /// Adds a statement that sequences from `next` on are missing.
    ///
    /// - Parameter hole: begins at `next` and is not empty.
    /// - Throws: `rangeNotAvailable` at the end of all sequences, or `writerFailed`.
    package func append(_ hole: Hole) throws(LogError) {
        precondition(hole.from == next && hole.count > 0, "hole \(hole.from) is not \(next)")
        let (end, overflow) = hole.from.value.addingReportingOverflow(hole.count - 1)
        try checkEnd(overflow ? Sequence(.max) : Sequence(end))
        try flush()
        let bytes = hole.encoded()
        let buffer = pool.take(for: bytes.count)
        bytes.withUnsafeBytes { bytes in
            buffer.fill(
                kind: .hole,
                raw: bytes,
                recordCount: 0,
                firstSequence: hole.from,
                lastSequence: hole.last,
                earliest: 0,
                latest: 0
            )
        }
        try write(buffer)
        next = hole.last.next
    }

    /// Begins a segment here, with another context than the records before tell, as behind a hole.
    ///
    /// - Parameter context: what is in force before the next record. Nothing is done when that is
    ///   known already.
    /// - Throws: `writerFailed`.
    package func begin(with context: ContextState) throws(LogError) {
        try flush()
        do throws(SystemError) { try writer.beginSegment(with: context) } catch {
            throw .writerFailed(error)
        }
    }

    /// Seals the recording and makes it durable, its name excepted.
    ///
    /// - Throws: `writerFailed`; what was made is then of no use.
    package func close() throws(LogError) {
        try flush()
        do throws(SystemError) {
            try writer.finish(pause: { false })
            try lock.close()
        } catch { throw .writerFailed(error) }
    }

    /// Numbers end two before 2^64, so that one behind the last can be named.
    private func checkEnd(_ last: Sequence) throws(LogError) {
        guard last.value < .max - 1 else {
            throw .rangeNotAvailable(detail: "there are no sequences behind \(last)")
        }
    }

    private func flush() throws(LogError) {
        guard fill.recordCount > 0 else { return }
        raw.take(fill)
        try write(raw)
        raw.reset()
        fill = BlockFill(raw, startedAt: 0)
    }

    private func write(_ raw: RawBlock) throws(LogError) {
        let buffer = pool.take(for: raw.used)
        buffer.fill(
            kind: .data,
            raw: raw.bytes,
            recordCount: raw.recordCount,
            firstSequence: raw.firstSequence,
            lastSequence: Sequence(raw.firstSequence.value + UInt64(raw.recordCount) - 1),
            earliest: raw.earliest,
            latest: raw.latest
        )
        writer.annotate(buffer, raw: raw)
        try write(buffer)
    }

    private func write(_ buffer: StoredBuffer) throws(LogError) {
        do throws(SystemError) { try writer.write([buffer], pause: { false }) } catch {
            throw .writerFailed(error)
        }
    }
}
