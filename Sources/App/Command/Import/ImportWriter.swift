import Platform
import RecordModel
import SegmentLog

/// The clock of an import: wall time is what the imported data says, so that the recorder's own
/// records stand among them in time; deadlines of the log run on the machine's clock.
final class ImportClock: Clock {
    // safety: a Monitor; the importing thread writes, threads of the log read.
    private let wall: Monitor<Int64>
    private let start: Int64

    init(startingAt time: Int64) {
        wall = Monitor(time)
        start = time
    }

    func wallNanoseconds() -> Int64 { wall.withLock { $0 } }
    /// Counted from the first record, so that two imports of one file are alike.
    func monotonicNanoseconds() -> UInt64 {
        let (passed, overflow) = wallNanoseconds().subtractingReportingOverflow(start)
        return overflow ? 0 : UInt64(clamping: passed)
    }

    /// Moves the wall clock to the record that is being written.
    func set(_ time: Int64) { wall.withLock { $0 = time } }
}

/// Appends imported frames and the events around them, with times from the data.
final class ImportWriter {
    /// Frames and their bytes so far.
    private(set) var frames: UInt64 = 0
    private(set) var bytes: UInt64 = 0

    private let log: LogWriter
    private let clock: ImportClock
    /// Monotonic time follows the running maximum of wall time from the start of the import.
    private let monotonicStart: UInt64
    private let wallStart: Int64
    private var latest: Int64

    /// Begins a new recording.
    ///
    /// - Parameters:
    ///   - path: where; nothing stands there yet.
    ///   - time: wall-clock nanoseconds of the first record.
    ///   - origin: where the records come from.
    /// - Throws: `LogError` when it cannot be made.
    init(path: String, startingAt time: Int64, origin: String) throws(LogError) {
        clock = ImportClock(startingAt: time)
        var options = LogOptions()
        // Sealing makes the whole durable; until then nobody knows the recording by its name.
        options.durability = .none
        options.toolVersion = toolVersion
        options.origin = origin
        options.createdAt = SystemClock().wallNanoseconds()
        options.positionReader = RecordedPositions()
        wallStart = time
        latest = time
        log = try LogWriter(
            path: path,
            disk: LinuxFileSystem(),
            clock: clock,
            schedule: SystemClock(),
            random: SystemRandom(),
            options: options
        )
        monotonicStart = clock.monotonicNanoseconds()
    }

    /// Appends an event.
    ///
    /// - Returns: its sequence.
    @discardableResult
    func append(
        event kind: RecordKind,
        stream: StreamID = .none,
        fields: EventFields,
        time: Int64,
        isSynthetic: Bool = false
    ) throws(LogError) -> Sequence {
        let envelope = RecordEnvelope(
            kind: kind,
            flags: isSynthetic ? .timeSynthetic : [],
            stream: stream,
            receivedAt: time,
            monotonic: monotonic(at: time)
        )
        return try log.append(envelope, payload: fields.encoded.span.bytes).sequence
    }

    /// Appends a frame.
    func append(
        frame kind: RecordKind,
        wireByte: UInt8,
        stream: StreamID,
        payload: [UInt8],
        time: Int64,
        isSynthetic: Bool = false
    ) throws(LogError) {
        let envelope = RecordEnvelope(
            kind: kind,
            flags: isSynthetic ? .timeSynthetic : [],
            wireByte: wireByte,
            stream: stream,
            receivedAt: time,
            monotonic: monotonic(at: time)
        )
        _ = try log.append(envelope, payload: payload.span.bytes)
        frames += 1
        bytes += UInt64(payload.count)
    }

    /// Ends the recording and seals it.
    ///
    /// - Returns: the last sequence.
    func close() throws(LogError) -> Sequence {
        clock.set(latest)
        try log.close(cause: "import done")
        return log.watermarks.appended.next
    }

    /// Gives up; what was written is of no use.
    func abandon() {
        do { try log.close(cause: "import failed") } catch {
            // The directory is removed next, whatever state it is in.
        }
    }

    private func monotonic(at time: Int64) -> UInt64 {
        latest = max(latest, time)
        clock.set(time)
        let passed = latest.subtractingReportingOverflow(wallStart)
        return monotonicStart &+ UInt64(passed.overflow ? 0 : passed.partialValue)
    }
}
