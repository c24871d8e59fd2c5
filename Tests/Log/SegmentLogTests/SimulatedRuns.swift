import Platform
import RecordModel
import SegmentFormat
import SegmentLog
import Simulation
import Testing

/// The recording of every simulated run.
let simulatedPath = "/recording"

/// Runs `body` on a thread of its own, so that a hang is a failure and not the end of the tests.
func watched<Value: Sendable>(
    _ what: String,
    _ body: @escaping @Sendable () -> Value
) throws -> Value {
    let result = Monitor<Value?>(nil)
    _ = try Thread(name: "watched") {
        let value = body()
        result.update { $0 = value }
    }
    let deadline = SystemClock().monotonicNanoseconds() + 60_000_000_000
    return try #require(result.wait(deadline: deadline) { $0 }, "\(what) hangs")
}

/// Waits until something that another thread does has come about. The log tells nobody when a block
/// is written, so the question is asked again and again; a minute without it is a failure.
func eventually(
    _ what: String,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ isSo: () throws -> Bool
) throws {
    let deadline = SystemClock().monotonicNanoseconds() + 60_000_000_000
    while try !isSo() {
        try #require(
            SystemClock().monotonicNanoseconds() < deadline,
            "waited for \(what)",
            sourceLocation: sourceLocation
        )
        Thread.sleep(nanoseconds: 50_000)
    }
}

extension LogWriter {
    /// Waits until a record is in the file.
    func waitWritten(_ sequence: Sequence) throws {
        try eventually("record \(sequence)") { watermarks.written >= sequence }
    }
}

/// Options that bring every mechanism of the log into a run of a few milliseconds.
func quickOptions(_ durability: DurabilityPolicy, onFull: FullDiskPolicy = .wait) -> LogOptions {
    var options = LogOptions()
    options.durability = durability
    options.rotateBytes = 6000
    options.blockNanosecondsMax = 100_000
    options.markNanoseconds = 200_000
    options.retryNanoseconds = 50_000
    options.reserveBytes = 8192
    options.compressors = 1
    options.onFull = onFull
    return options
}

/// What a run promised, and what it appended.
struct SimulatedRun: Sendable {
    /// Payloads by sequence; a sequence that a later run used again has the later one's.
    var appended: [UInt64: [UInt8]] = [:]
    /// Everything up to here was acknowledged as durable.
    var acknowledged: UInt64 = 0
    /// The run went to its end without an error.
    var isComplete = true
    /// Breaches seen while it ran.
    var breaches: [String] = []
}

/// One or two runs over one disk, each with small and large frames, events, flushes and segments.
func simulate(
    _ disk: SimulatedFileSystem,
    _ options: LogOptions,
    runs: Int = 2,
    seed: UInt64 = 1
) -> SimulatedRun {
    var run = SimulatedRun()
    for number in 0..<runs {
        simulateOne(disk, options, number: UInt64(number) + seed * 100, into: &run)
    }
    return run
}

private func simulateOne(
    _ disk: SimulatedFileSystem,
    _ options: LogOptions,
    number: UInt64,
    into run: inout SimulatedRun
) {
    let writer: LogWriter
    do {
        writer = try LogWriter(
            path: simulatedPath,
            disk: disk,
            clock: SystemClock(),
            random: SeededRandom(seed: number),
            options: options
        )
    } catch {
        run.isComplete = false
        return
    }
    if writer.recovery.lastSequenceKept.value < run.acknowledged {
        run.breaches.append(
            "kept \(writer.recovery.lastSequenceKept) of \(run.acknowledged) acknowledged"
        )
    }
    if !writer.recovery.damage.isEmpty {
        run.breaches.append("damage: \(writer.recovery.damage)")
    }
    do {
        for step in 0..<4 {
            try appendSome(to: writer, seed: number * 1000 + UInt64(step) * 100, into: &run)
            if step != 2 { try writer.flush() }
            run.acknowledged = max(run.acknowledged, writer.watermarks.durable.value)
        }
    } catch { run.isComplete = false }
    do {
        let last = writer.watermarks.appended.value
        try writer.close(cause: "test")
        run.acknowledged = max(run.acknowledged, last)
    } catch {
        run.isComplete = false
        run.acknowledged = max(run.acknowledged, writer.watermarks.durable.value)
    }
}

private func appendSome(
    to writer: LogWriter,
    seed: UInt64,
    into run: inout SimulatedRun
) throws {
    var gap = EventFields()
    gap.add(.cause, "test \(seed)")
    run.appended[try writer.append(event: .gapOpened, fields: gap).sequence.value] = gap.encoded
    for index in 0..<4 {
        let payload = noise(index == 2 ? 1800 : 40 * index, seed: seed + UInt64(index))
        let envelope = RecordEnvelope(
            kind: .grpcMessageIn,
            receivedAt: Int64(seed),
            monotonic: seed
        )
        let sequence = try writer.append(envelope, payload: payload.span.bytes).sequence
        run.appended[sequence.value] = payload
    }
}

/// What a recording on a healthy disk is held to after a run.
struct SimulatedCheck {
    /// Whether all that was acknowledged must be there; not after a power cut without syncs.
    var holdsAcknowledged = true
    /// Whether a verdict of damage is a false alarm.
    var refusesDamage = true

    /// Breaches of the promise, one sentence each.
    func breaches(_ run: SimulatedRun, on disk: SimulatedFileSystem) -> [String] {
        var found = run.breaches
        let result: ReadResult
        do { result = try readAll(simulatedPath, on: disk) } catch {
            if case LogError.notARecording = error, run.acknowledged == 0 { return found }
            if case LogError.system(let cause) = error, cause.isNotFound, run.acknowledged == 0 {
                return found
            }
            return found + ["cannot be read: \(error)"]
        }
        var last: UInt64 = 0
        var delivered: Set<UInt64> = []
        for record in result.records {
            let sequence = record.envelope.sequence.value
            if sequence <= last { found.append("\(sequence) comes after \(last)") }
            last = sequence
            delivered.insert(sequence)
            let kind = record.envelope.kind
            guard kind == .grpcMessageIn || kind == .gapOpened else { continue }
            if run.appended[sequence] != record.payload {
                found.append("\(sequence) is not what was appended")
            }
        }
        if refusesDamage, !result.damage.isEmpty { found.append("damage: \(result.damage)") }
        if holdsAcknowledged, run.acknowledged > 0 {
            let lost = (1...run.acknowledged).filter { !delivered.contains($0) }
            if !lost.isEmpty { found.append("acknowledged and lost: \(lost)") }
        }
        return found
    }

    /// Opens, writes and closes once more, and verifies the whole.
    func breachesAfterReopening(_ disk: SimulatedFileSystem) -> [String] {
        var options = quickOptions(.everyBlock)
        options.rotateBytes = 1 << 20
        do {
            let writer = try LogWriter(
                path: simulatedPath,
                disk: disk,
                clock: SystemClock(),
                random: SeededRandom(seed: 77),
                options: options
            )
            try writer.append(event: .note, fields: EventFields())
            try writer.close(cause: "test")
            var verifier = RecordingVerifier(
                try RecordingReader(path: simulatedPath, disk: disk)
            )
            let report = try verifier.run()
            var found: [String] = []
            if refusesDamage, !report.isWhole { found.append("not whole: \(report.damage)") }
            if !report.isEnded { found.append("not ended") }
            if report.tornBytes > 0 { found.append("\(report.tornBytes) torn bytes left") }
            return found
        } catch { return ["cannot be opened again: \(error)"] }
    }
}

func readAll(
    _ path: String,
    on disk: any FileSystem,
    from: Sequence = .none
) throws -> ReadResult {
    let cursor = try RecordCursor(RecordingReader(path: path, disk: disk), from: from)
    var result = ReadResult()
    while true {
        switch try cursor.next() {
        case .record: result.records.append((cursor.envelope, cursor.payloadBytes))
        case .hole(let hole): result.holes.append(hole)
        case .damage(let damage): result.damage.append(damage)
        case .end:
            result.tornBytes = cursor.tornBytes
            return result
        }
    }
}
