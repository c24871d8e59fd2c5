package import Platform
import RecordModel
import SegmentFormat

/// What a retirement did, or would do.
package struct RetentionReport: Sendable {
    /// What the decision was made of, before it was carried out.
    package let situation: RetentionSituation
    package let decision: RetentionDecision
    /// What stands for the segments that go; empty when no state had been made of them.
    package internal(set) var baseAnchors: [BaseAnchorMention] = []

    init(situation: RetentionSituation, decision: RetentionDecision) {
        self.situation = situation
        self.decision = decision
    }

    /// The segments that go, oldest first.
    package var retired: ArraySlice<RetentionSegment> {
        situation.segments.prefix(decision.retired)
    }
    /// Bytes that their files took.
    package var retiredBytes: UInt64 {
        retired.reduce(0) { $0.addingReportingOverflow($1.bytes).partialValue }
    }
}

/// Removes the oldest segments of a recording: the manifest says so, durably, and only then their
/// files go.
///
/// The steps, in this order: where state was made of the segments, a base anchor is left that
/// stands for them, and `recording.json` names it; `retired through` is written to the manifest and
/// synced; the files of all segments up to that ordinal are removed; the directory is synced. A
/// process that stops in between leaves files that no reader looks at; `finish` removes them, and
/// opening for write does that first. Every step is an operation of `FileSystem`, so a fault at
/// each of them can be simulated:
///
///     let retirement = SegmentRetirement(path: path, disk: disk, policy: policy)
///     let report = try retirement.retire(now: clock.wallNanoseconds())
///
/// A `LogWriter` with `LogOptions.retention` does the same by itself whenever it begins a segment.
package struct SegmentRetirement: Sendable {
    package let layout: RecordingLayout
    package let policy: RetentionPolicy
    private let disk: any FileSystem
    /// What is made of the log; nil when nobody knows.
    private let state: (any RetainedState)?
    /// Whether latest times are read although no limit asks for them: a person does.
    private var readsTimes = false
    /// Latest times of segments that do not change any more.
    private var times: [UInt64: Int64] = [:]

    /// - Parameters:
    ///   - path: the recording.
    ///   - disk: the file system.
    ///   - policy: how much is kept.
    ///   - state: what is made of the log, so that something stands for what goes.
    package init(
        path: String,
        disk: any FileSystem,
        policy: RetentionPolicy,
        state: (any RetainedState)? = nil
    ) {
        layout = RecordingLayout(path)
        self.disk = disk
        self.policy = policy
        self.state = state
    }

    // MARK: A recording that nobody writes

    /// Says what would be retired now. Takes no lock and changes nothing.
    ///
    /// - Parameter now: wall-clock nanoseconds.
    /// - Returns: what `retire` would decide.
    /// - Throws: `notARecording`, `newerVersion`, `damaged` or `system`.
    package func preview(now: Int64) throws(LogError) -> RetentionReport {
        var copy = self
        copy.readsTimes = true
        let manifest = try copy.readManifest()
        let pins = try RetentionPins(layout, on: disk).read()
        let situation = try copy.situation(manifest.entries, pins: pins, growth: 0, now: now)
        return RetentionReport(situation: situation, decision: policy.decide(situation))
    }

    /// Retires what the policy asks for, under the lock of the writer.
    ///
    /// - Parameter now: wall-clock nanoseconds.
    /// - Returns: what was decided and done.
    /// - Throws: `locked` while a process writes the recording, `notARecording`, `newerVersion`,
    ///   `damaged` when manifest or pins cannot be believed, or `system`. After an error a
    ///   segment is either there or retired; doing it again finishes it.
    package func retire(now: Int64) throws(LogError) -> RetentionReport {
        var copy = self
        copy.readsTimes = true
        _ = try copy.readManifest()
        let lock: any File
        let isOurs: Bool
        do throws(SystemError) {
            lock = try disk.open(layout.lock, .createIfMissing)
            isOurs = try lock.tryLock()
        } catch { throw .system(error) }
        guard isOurs else { throw .locked(path: layout.path) }
        // Again: the writer may have been at work before the lock was ours.
        let manifest = try copy.readManifest()
        let epoch = manifest.entries.map(\.writerEpoch).max() ?? 0  // no writer yet
        var writer: ManifestWriter
        do throws(SystemError) {
            writer = try ManifestWriter(continuing: manifest, layout: layout, on: disk)
            try finish(through: manifest.retiredThrough)
        } catch { throw .system(error) }
        let report = try copy.run(&writer, epoch: epoch, growth: 0, now: now)
        do throws(SystemError) {
            try writer.close()
            try lock.close()
        } catch { throw .system(error) }
        return report
    }

    private func readManifest() throws(LogError) -> Manifest {
        let identity = try RecordingIdentity.read(layout, on: disk)
        let manifest = try Manifest.read(layout, on: disk)
        guard manifest.header.recording == identity.recording else {
            throw .damaged(
                path: layout.manifest,
                offset: 16,
                error: .invalid(structure: "manifest", field: "recording", value: 0)
            )
        }
        if manifest.isDamaged, let error = manifest.tail {
            throw .damaged(path: layout.manifest, offset: manifest.validBytes, error: error)
        }
        return manifest
    }

    // MARK: Deciding and acting

    /// Decides and acts for whoever holds the writer's lock and the manifest.
    ///
    /// - Parameters:
    ///   - manifest: takes the statement.
    ///   - epoch: who states it.
    ///   - growth: bytes by which the newest segment may still grow.
    ///   - now: wall-clock nanoseconds.
    /// - Returns: what was decided and done.
    /// - Throws: `damaged` when the pins cannot be believed, or `system`; with EAGAIN while pins
    ///   are being changed.
    mutating func run(
        _ manifest: inout ManifestWriter,
        epoch: UInt64,
        growth: UInt64,
        now: Int64
    ) throws(LogError) -> RetentionReport {
        let store = RetentionPins(layout, on: disk)
        // Held until the manifest has the statement: a pin is set before it or sees it.
        let lock = try store.takeLock(tries: 1)
        let situation = try situation(
            manifest.entries,
            pins: try store.read(),
            growth: growth,
            now: now
        )
        var report = RetentionReport(situation: situation, decision: policy.decide(situation))
        guard let last = report.retired.last else {
            try store.close(lock)
            return report
        }
        report.baseAnchors = try leaveBaseAnchors(through: last.lastSequence)
        do throws(SystemError) {
            try manifest.append(
                ManifestEntry(
                    kind: .retiredThrough,
                    ordinal: last.ordinal,
                    writerEpoch: epoch,
                    firstSequence: last.firstSequence,
                    lastSequence: last.lastSequence
                ),
                on: disk
            )
            try lock.close()
            try finish(through: last.ordinal)
        } catch { throw .system(error) }
        state?.removeBaseAnchors(except: report.baseAnchors)
        for segment in report.retired { times[segment.ordinal] = nil }
        return report
    }

    /// Leaves what stands for segments that are to go, and names it.
    ///
    /// - Returns: what the recording names.
    private func leaveBaseAnchors(
        through last: Sequence
    ) throws(LogError) -> [BaseAnchorMention] {
        var identity = try RecordingIdentity.read(layout, on: disk)
        guard
            let anchors = try state?.leaveBaseAnchors(through: last, named: identity.baseAnchors)
        else { return identity.baseAnchors }
        try name(anchors, in: &identity)
        return anchors
    }

    /// Names what stands for segments that may go later: for whoever makes base anchors while
    /// another process, or another thread, writes the recording.
    ///
    /// - Parameter anchors: what the recording names from then on; durable.
    /// - Throws: `notARecording`, `newerVersion`, or `system`; with EAGAIN while pins are changed.
    package func name(_ anchors: [BaseAnchorMention]) throws(LogError) {
        let store = RetentionPins(layout, on: disk)
        let lock = try store.takeLock(tries: 1)
        var identity = try RecordingIdentity.read(layout, on: disk)
        try name(anchors, in: &identity)
        try store.close(lock)
    }

    private func name(
        _ anchors: [BaseAnchorMention],
        in identity: inout RecordingIdentity
    ) throws(LogError) {
        guard anchors != identity.baseAnchors || identity.hasBadBaseAnchors else { return }
        identity.baseAnchors = anchors
        identity.hasBadBaseAnchors = false
        try identity.replace(layout, on: disk)
    }

    /// As `run`, for a writer that goes on whatever comes of it.
    mutating func attempt(
        _ manifest: inout ManifestWriter,
        epoch: UInt64,
        growth: UInt64,
        now: Int64
    ) -> Result<RetentionReport, LogError> {
        do {
            return .success(try run(&manifest, epoch: epoch, growth: growth, now: now))
        } catch { return .failure(error) }
    }

    /// Removes the files of retired segments, also those that an earlier retirement left.
    ///
    /// - Parameter through: the highest retired ordinal, as the manifest says durably.
    /// - Returns: how many files went.
    /// - Throws: the error of the failed call; calling it again goes on.
    @discardableResult
    package func finish(through: UInt64) throws(SystemError) -> Int {
        guard through > 0 else { return 0 }
        var count = 0
        for name in try disk.list(layout.segments) {
            guard let (ordinal, _) = RecordingLayout.parseSegmentName(name), ordinal <= through
            else { continue }
            let path = layout.segments + "/" + name
            // A folder of that name is not ours.
            guard try disk.kind(of: path) == .file else { continue }
            try disk.remove(path)
            count += 1
        }
        if count > 0 { try disk.syncDirectory(layout.segments) }
        return count
    }

    // MARK: What there is

    private mutating func situation(
        _ entries: [ManifestEntry],
        pins: [RetentionPin],
        growth: UInt64,
        now: Int64
    ) throws(LogError) -> RetentionSituation {
        let known = Manifest.segments(of: entries)
        let oldest = try state?.oldestCheckpoint()
        var segments: [RetentionSegment] = []
        do throws(SystemError) {
            for (index, segment) in known.enumerated() {
                let next = index + 1 < known.count ? known[index + 1] : nil
                segments.append(try describe(segment, next: next))
            }
            var situation = RetentionSituation(segments: segments)
            situation.pins = pins
            situation.oldestCheckpoint = oldest
            situation.freeBytes = try disk.freeBytes(at: layout.segments)
            situation.growth = growth
            situation.now = now
            return situation
        } catch { throw .system(error) }
    }

    private mutating func describe(
        _ segment: ManifestSegment,
        next: ManifestSegment?
    ) throws(SystemError) -> RetentionSegment {
        let path = path(of: segment)
        let bytes: UInt64
        if let sealed = segment.sealed {
            bytes = sealed.fileBytes
        } else if try disk.kind(of: path) == .file {
            let file = try disk.open(path, .readOnly)
            bytes = try file.size()
            try file.close()
        } else {
            bytes = 0
        }
        let last =
            segment.supersededFrom?.previous ?? segment.sealed?.lastSequence
            ?? segment.quarantined?.lastSequence
        let isClosed = segment.sealed != nil || segment.supersededFrom != nil
        let state: RetentionSegment.State =
            segment.quarantined != nil ? .quarantined : isClosed ? .closed : .open
        return RetentionSegment(
            ordinal: segment.ordinal,
            firstSequence: segment.firstSequence,
            lastSequence: last ?? .none,
            state: state,
            bytes: bytes,
            latest: state == .open ? nil : try latest(of: segment, next: next)
        )
    }

    /// The time of a segment's latest record: as its trailer says, or else when the next segment
    /// was begun.
    private mutating func latest(
        of segment: ManifestSegment,
        next: ManifestSegment?
    ) throws(SystemError) -> Int64? {
        guard readsTimes || policy.ageMax != nil else { return nil }
        if let known = times[segment.ordinal] { return known }
        var found = try trailerTime(of: segment)
        if found == nil, let next { found = try beginning(of: next) }
        times[segment.ordinal] = found
        return found
    }

    private func trailerTime(of segment: ManifestSegment) throws(SystemError) -> Int64? {
        let path = path(of: segment)
        guard segment.sealed != nil, try disk.kind(of: path) == .file else { return nil }
        let file = try disk.open(path, .readOnly)
        let size = try file.size()
        guard size >= UInt64(FormatLimits.trailerBytes) else { return nil }
        let bytes = try file.read(
            FormatLimits.trailerBytes,
            at: size - UInt64(FormatLimits.trailerBytes)
        )
        try file.close()
        do {
            let trailer = try bytes.span.bytes.withUnsafeBytes { buffer throws(FormatError) in
                try SegmentSeal.decodeTrailer(
                    buffer,
                    fileBytes: size,
                    salt: segment.created.salt
                )
            }
            // A segment without records has no time of its own.
            return trailer.latest == .min ? nil : trailer.latest
        } catch {
            // Damage is the business of verify; here the time is only unknown.
            return nil
        }
    }

    private func beginning(of segment: ManifestSegment) throws(SystemError) -> Int64? {
        let path = path(of: segment)
        guard try disk.kind(of: path) == .file else { return nil }
        let file = try disk.open(path, .readOnly)
        let head = try file.read(FormatLimits.segmentHeaderBytes, at: 0)
        try file.close()
        do {
            return try head.span.bytes.withUnsafeBytes { bytes throws(FormatError) in
                try SegmentHeader.decode(bytes).0.createdAt
            }
        } catch {
            // As above.
            return nil
        }
    }

    private func path(of segment: ManifestSegment) -> String {
        layout.segment(ordinal: segment.ordinal, firstSequence: segment.firstSequence.value)
    }
}
