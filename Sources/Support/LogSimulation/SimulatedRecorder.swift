package import Platform
import RecordModel
package import SegmentLog
package import Simulation

/// Drives a log step by step over a simulated disk, keeps the history beside it, and checks at
/// every step what can be checked while it runs.
package final class SimulatedRecorder {
    /// Where the recording lies.
    package static let path = "/recording"

    /// The disk; another one after a power cut.
    package private(set) var disk: SimulatedFileSystem
    /// What was appended and acknowledged.
    package var history = LogHistory()
    /// Breaches seen so far, one sentence each.
    package private(set) var findings: [String] = []
    /// What was done and what failed on purpose, for whoever looks for the cause of a finding.
    package private(set) var story: [String] = []
    private var strikesTold = 0
    /// What opening found and did; nil while the log is not open.
    package var recovery: RecoveryReport? { writer?.recovery }
    /// Whether the log is open and has not failed.
    package var isWorking: Bool { writer.map { $0.failure == nil } ?? false }
    /// Whether a power cut may take what the policy did not sync, and leave damage.
    package private(set) var mayLose = false
    /// A run had a retention policy.
    private var mayRetire = false
    /// A failed file holds what the policy did not sync, and what counts.
    private var hasUnsynced = false
    /// How often the log waits for a full disk before there is space again; nil for ever, in
    /// which case it gives up after a few waits.
    package var pausesUntilSpace: Int?

    private let clock = SteppedClock()
    private var writer: LogWriter?
    private var options = LogOptions()
    private var salts: SeededRandom
    private var follower: SimulatedFollower?
    private var number: UInt64 = 0

    /// A recorder over an empty disk.
    ///
    /// - Parameter seed: salts, identities, payloads, and what chance decides on the disk.
    package init(seed: UInt64) {
        disk = SimulatedFileSystem(seed: seed)
        salts = SeededRandom(seed: seed ^ 0x5A17)
    }

    /// Options that bring every mechanism of the log into a few dozen steps.
    package static func quickOptions(
        _ durability: DurabilityPolicy,
        onFull: FullDiskPolicy = .wait
    ) -> LogOptions {
        var options = LogOptions()
        options.durability = durability
        options.rotateBytes = 6000
        options.blockNanosecondsMax = 1000
        options.markNanoseconds = 5000
        options.reserveBytes = 8192
        options.onFull = onFull
        return options
    }

    // MARK: Steps

    /// Opens the recording, creating or recovering it.
    ///
    /// - Parameters:
    ///   - options: how to write; it is stepped in any case.
    ///   - random: identities and salts; nil for those of the seed.
    /// - Returns: whether it could be opened.
    @discardableResult
    package func open(_ options: LogOptions, random: (any RandomSource)? = nil) -> Bool {
        writer = nil
        var options = options
        options.stepped = SteppedWork(onPause: pauses())
        if options.retention != nil { mayRetire = true }
        self.options = options
        let source = SeededRandom(seed: salts.next())
        let opened: LogWriter
        do {
            opened = try LogWriter(
                path: Self.path,
                disk: disk,
                clock: clock,
                random: random ?? source,
                options: options
            )
        } catch {
            if !disk.hasFailed, !mayLose, case .damaged = error {
                findings.append("refused: \(error)")
            }
            tell("open failed: \(error)")
            return false
        }
        tell(
            "opened with \(options.durability), \(options.onFull), rotation at "
                + "\(options.rotateBytes) bytes; kept \(opened.recovery.lastSequenceKept), cuts "
                + "\(opened.recovery.cuts.map { "\($0.ordinal) at \($0.offset)" }), damage "
                + "\(opened.recovery.damage)"
        )
        writer = opened
        let kept = opened.recovery.lastSequenceKept.value
        if !mayLose, kept < history.acknowledged {
            findings.append("kept \(kept) of \(history.acknowledged) acknowledged")
        }
        if opened.writerEpoch <= history.epoch {
            findings.append("epoch \(opened.writerEpoch) after \(history.epoch)")
        }
        history.keep(through: kept)
        history.acknowledge(kept, epoch: opened.writerEpoch - 1)
        history.append(.own(.runStarted))
        return true
    }

    /// What a full disk does to a log that waits.
    private func pauses() -> @Sendable () -> Bool {
        let count = Monitor(0)
        let disk = disk
        let limit = pausesUntilSpace
        return {
            let now = count.withLock {
                $0 += 1
                return $0
            }
            guard let limit else { return now < 3 }
            if now >= limit {
                disk.setFault(nil)
                disk.setBytesMax(nil)
            }
            return true
        }
    }

    /// Appends records whose bytes depend on their number and on `seed`.
    ///
    /// - Parameters:
    ///   - sizes: one record of each size in bytes.
    ///   - seed: which bytes.
    package func append(sizes: [Int], seed: UInt64 = 0) {
        for size in sizes {
            number += 1
            var random = SeededRandom(seed: seed ^ number &* 0x9E37)
            // Half of them compress.
            let period = random.next() & 1 == 0 ? size : min(size, 40)
            var payload: [UInt8] = []
            while payload.count < period {
                withUnsafeBytes(of: random.next().littleEndian) { payload += $0 }
            }
            payload.removeLast(payload.count - period)
            while payload.count < size { payload += payload.prefix(size - payload.count) }
            append(payload)
        }
    }

    /// Appends a record with these bytes.
    package func append(_ payload: [UInt8]) {
        guard let writer else { return }
        let envelope = RecordEnvelope(
            kind: .grpcMessageIn,
            wireByte: UInt8(truncatingIfNeeded: number & 1),
            stream: Sequence(number % 3),
            receivedAt: clock.wallNanoseconds(),
            monotonic: clock.monotonicNanoseconds()
        )
        append(envelope, payload) { () throws(LogError) in
            try writer.append(envelope, payload: payload.span.bytes).sequence
        }
    }

    /// Appends an event, so that the context of the segments changes.
    package func appendGap() {
        guard let writer else { return }
        number += 1
        var fields = EventFields()
        fields.add(.cause, "simulated \(number)")
        let envelope = RecordEnvelope(
            kind: .gapOpened,
            receivedAt: clock.wallNanoseconds(),
            monotonic: clock.monotonicNanoseconds()
        )
        append(envelope, fields.encoded) { () throws(LogError) in
            try writer.append(event: .gapOpened, fields: fields).sequence
        }
    }

    private func append(
        _ envelope: RecordEnvelope,
        _ payload: [UInt8],
        _ body: () throws(LogError) -> Sequence
    ) {
        do {
            let sequence = try body().value
            history.append(.record(envelope, payload: payload))
            if sequence != history.last {
                findings.append("sequence \(sequence) given where \(history.last) is next")
            }
        } catch {
            if isWorking { findings.append("append failed: \(error)") }
        }
        observe()
    }

    /// Does one piece of the log's work, if there is some.
    package func step(_ stage: LogWriter.Stage) {
        _ = writer?.step(stage)
        observe()
    }

    /// Writes everything, and syncs nothing.
    package func writeAll() {
        clock.advance(nanoseconds: options.blockNanosecondsMax)
        while let writer, writer.step(.writing) { observe() }
    }

    /// Writes and syncs everything.
    package func flush() {
        guard let writer else { return }
        do {
            try writer.flush()
            if options.durability != .none, writer.watermarks.durable.value < history.last {
                findings.append("flushed, but not durable")
            }
        } catch {
            if isWorking { findings.append("flush failed: \(error)") }
        }
        observe()
    }

    /// Lets time pass, then does what has become due.
    package func wait(nanoseconds: UInt64) {
        clock.advance(nanoseconds: nanoseconds)
        guard let writer else { return }
        // A mark, its sync, and a file that failed may each want a turn.
        for _ in 0..<8 where writer.step(.syncing) || writer.step(.writing) { observe() }
        observe()
    }

    /// Ends the run in good order, and with it the process.
    package func close() {
        guard let writer else { return }
        let isWhole = isWorking
        history.append(.own(.runEnded))
        do {
            try writer.close(cause: "simulated")
            noteLoss()
            // Without syncs, what a failed file held is as it was.
            if !hasUnsynced { history.acknowledge(history.last, epoch: writer.writerEpoch) }
            tell("closed")
        } catch {
            tell("close failed: \(error)")
            if isWhole, !disk.hasFailed { findings.append("close failed: \(error)") }
            history.acknowledge(writer.watermarks.durable.value, epoch: writer.writerEpoch)
        }
        self.writer = nil
        checkMisuses()
        disk.kill()
    }

    private func tell(_ what: String) {
        let strikes = disk.strikes
        story += strikes[min(strikesTold, strikes.count)...].map { "  failed: " + $0 }
        strikesTold = strikes.count
        story.append("\(what) (appended \(history.last), acknowledged \(history.acknowledged))")
    }

    /// Kills the process; the disk and its readers go on.
    package func kill() {
        noteLoss()
        writer = nil
        checkMisuses()
        tell("killed")
        disk.kill()
        pollFollower()
    }

    /// Cuts the power: the machine starts again with what reached the disk.
    package func cutPower(seed: UInt64, percent: UInt64, tears: Bool, leavesGarbage: Bool) {
        noteLoss()
        writer = nil
        follower = nil
        checkMisuses()
        if hasUnsynced { mayLose = true }
        tell("the power goes; \(percent) % of what is unsynced is kept")
        strikesTold = 0
        disk = disk.afterPowerCut(
            seed: seed,
            percent: percent,
            tears: tears,
            leavesGarbage: leavesGarbage
        )
    }

    /// Takes another disk, such as a copy of this one after a crash, for the same history.
    package func fork(on disk: SimulatedFileSystem, isPowerCut: Bool) -> SimulatedRecorder {
        noteLoss()
        let copy = SimulatedRecorder(seed: 1)
        copy.disk = disk
        copy.history = history
        copy.options = options
        copy.number = number + 1_000_000
        copy.salts = SeededRandom(seed: number ^ 0xF0)
        copy.hasUnsynced = hasUnsynced
        copy.mayRetire = mayRetire
        copy.mayLose = mayLose || isPowerCut && hasUnsynced
        return copy
    }

    private func noteLoss() {
        if options.durability == .none, disk.hasFailed { hasUnsynced = true }
        if let writer {
            history.acknowledge(writer.watermarks.durable.value, epoch: writer.writerEpoch)
        }
    }

    // MARK: Checks

    /// Begins a reader that follows the log from its start.
    package func follow() { follower = SimulatedFollower(disk) }

    /// The last sequence that the follower has read.
    package var followed: UInt64 { follower?.last ?? 0 }  // nobody follows

    /// The watermarks; nil while the log is not open.
    package var watermarks: Watermarks? { writer?.watermarks }
    /// The epoch of the run; nil while the log is not open.
    package var writerEpoch: UInt64? { writer?.writerEpoch }

    /// Says that damage was done to the disk: losses are allowed when they are told.
    package func allowDamage() { mayLose = true }

    /// Lets the follower read what is there.
    package func pollFollower() {
        if let follower { findings += follower.poll(history, mayRetire: mayRetire) }
    }

    private func observe() {
        guard let writer else { return }
        let marks = writer.watermarks
        if marks.durable > marks.written || marks.written > marks.appended {
            findings.append("watermarks out of order: \(marks)")
        }
        if marks.durable.value < history.acknowledged, options.durability != .none {
            findings.append("durable fell to \(marks.durable) from \(history.acknowledged)")
        }
        history.acknowledge(marks.durable.value, epoch: writer.writerEpoch)
    }

    private func checkMisuses() {
        if let first = disk.misuses.first { findings.append("a failed file is used: \(first)") }
    }

    /// What the disk is allowed to hold now.
    package var allowance: Allowance {
        var allowance = Allowance()
        if mayLose { allowance = Allowance(keepsAcknowledged: false, damage: .reportedBelow(0)) }
        allowance.isRetired = mayRetire
        return allowance
    }

    /// Reads the recording and holds it against the history.
    ///
    /// - Returns: how far it goes.
    @discardableResult
    package func check(_ words: String) -> LogHistory.Verdict {
        let image = RecordingImage(Self.path, on: disk)
        let verdict = history.verdict(on: image, allowance)
        findings += verdict.findings.map { "\(words): \($0)" }
        for hole in verdict.holes { history.lose(hole) }
        return verdict
    }

    /// Adds findings that were made elsewhere.
    package func take(_ found: [String]) { findings += found }

    /// Adds the findings of a copy, with its story when there are some.
    package func take(from copy: SimulatedRecorder) {
        findings += copy.findings
        if !copy.findings.isEmpty { story += copy.story.map { "  in the fork: " + $0 } }
    }

    /// What the verifier says of a recording that was closed in good order.
    package func verificationFindings(_ words: String) -> [String] {
        mayLose ? [] : verification().map { "\(words), verified: \($0)" }
    }

    /// What the verifier says is wrong, one sentence each.
    func verification() -> [String] {
        do {
            var verifier = RecordingVerifier(
                try RecordingReader(path: Self.path, disk: disk.observer)
            )
            let report = try verifier.run()
            return report.damage.map { "\($0)" }
        } catch { return ["\(error)"] }
    }
}
