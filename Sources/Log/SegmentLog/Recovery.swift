import Platform
import RecordModel
import SegmentFormat

/// Opens a recording for writing. The numbered steps are those of Sources/Log/README.md,
/// "Recovery".
struct Recovery {
    let layout: RecordingLayout
    let disk: any FileSystem
    let clock: any Clock
    let options: LogOptions

    private var scanning: SegmentScanning {
        SegmentScanning(layout: layout, disk: disk, positionReader: options.positionReader)
    }

    struct Opening {
        var report: RecoveryReport
        var start: WriterStart
        var lock: any File
    }

    func open(random: inout any RandomSource) throws(LogError) -> Opening {
        let isThere: Bool
        do throws(SystemError) {
            switch try disk.kind(of: layout.path) {
            case nil: isThere = false
            case .directory: isThere = try disk.kind(of: layout.identity) != nil
            default: throw SystemError(call: "open", subject: layout.path, errno: 20)
            }
        } catch {
            if error.errno == 20 { throw .exists(path: layout.path) }
            throw .system(error)
        }
        return isThere ? try reopen() : try create(random: &random)
    }

    // MARK: Creation

    /// `recording.json` comes last, by rename: a directory without it is an unfinished creation.
    private func create(random: inout any RandomSource) throws(LogError) -> Opening {
        let identity = RecordingIdentity(
            recording: RecordingID(randomHigh: random.next(), randomLow: random.next()),
            createdAt: options.createdAt ?? clock.wallNanoseconds(),
            tool: "tapedeck \(options.toolVersion)",
            origin: options.origin
        )
        let salt = random.next()
        try checkUnfinished()
        do throws(SystemError) {
            if try disk.kind(of: layout.path) == nil { try disk.createDirectory(layout.path) }
            // Also when it is there: the try that made it may have ended before this.
            try disk.syncDirectory(layout.parent)
        } catch { throw .system(error) }
        let lock = try takeLock()
        do throws(SystemError) {
            if try disk.kind(of: layout.segments) == nil {
                try disk.createDirectory(layout.segments)
            }
            if try disk.kind(of: layout.manifest) != nil { try disk.remove(layout.manifest) }
            let manifest = try ManifestWriter(
                header: ManifestHeader(recording: identity.recording, salt: salt),
                layout: layout,
                on: disk
            )
            let temporary = layout.identity + ".new"
            if try disk.kind(of: temporary) != nil { try disk.remove(temporary) }
            let file = try disk.open(temporary, .createNew)
            try file.write(identity.encoded(), at: 0)
            try file.syncData()
            try file.close()
            // Whoever finds the identity must find the rest.
            try disk.syncDirectory(layout.path)
            try disk.rename(temporary, to: layout.identity)
            try disk.syncDirectory(layout.path)
            var report = RecoveryReport()
            report.isNew = true
            return Opening(
                report: report,
                start: WriterStart(
                    recording: identity.recording,
                    writerEpoch: 1,
                    manifest: manifest,
                    nextOrdinal: 1,
                    previousLink: 0,
                    lastSequence: .none,
                    context: ContextState()
                ),
                lock: lock
            )
        } catch { throw .system(error) }
    }

    /// Refuses a directory that holds anything but the parts of an unfinished creation.
    private func checkUnfinished() throws(LogError) {
        do throws(SystemError) {
            guard try disk.kind(of: layout.path) != nil else { return }
            let names = try disk.list(layout.path)
            let ours = ["LOCK", "segments", "recording.json.new"]
            var isForeign = names.contains { !ours.contains($0) }
            switch try disk.kind(of: layout.segments) {
            case nil: break
            case .directory:
                let inside = try disk.list(layout.segments)
                isForeign = isForeign || inside.contains { $0 != "MANIFEST" }
            default: isForeign = true
            }
            guard isForeign else { return }
        } catch { throw .system(error) }
        throw .exists(path: layout.path)
    }

    private func takeLock() throws(LogError) -> any File {
        let file: any File
        let isOurs: Bool
        do throws(SystemError) {
            file = try disk.open(layout.lock, .createIfMissing)
            isOurs = try file.tryLock()
        } catch { throw .system(error) }
        guard isOurs else { throw .locked(path: layout.path) }
        return file
    }

    // MARK: Reopening

    private func reopen() throws(LogError) -> Opening {
        // Step 1: identity and version, before anything is touched.
        let identity = try RecordingIdentity.read(layout, on: disk)
        try layout.checkSegments(on: disk)
        // Step 2: the lock.
        let lock = try takeLock()
        // The creation may have ended before the name of the identity was durable.
        do throws(SystemError) { try disk.syncDirectory(layout.path) } catch {
            throw .system(error)
        }
        // Step 3: the manifest, whose torn last entry is cut, and files that it does not name.
        var manifest = try Manifest.read(layout, on: disk)
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
        var report = RecoveryReport()
        var writer: ManifestWriter
        do throws(SystemError) {
            writer = try ManifestWriter(continuing: manifest, layout: layout, on: disk)
            // A retirement that was interrupted behind its statement is finished.
            report.leftoversRemoved = try SegmentRetirement(
                path: layout.path,
                disk: disk,
                policy: RetentionPolicy()
            ).finish(through: manifest.retiredThrough)
            try settleUnnamed(&manifest, writer: &writer, report: &report)
        } catch { throw .system(error) }
        var start = WriterStart(
            recording: identity.recording,
            writerEpoch: 1,
            manifest: writer,
            nextOrdinal: 1,
            previousLink: 0,
            lastSequence: manifest.lastRetired,
            context: ContextState()
        )
        start.nextOrdinal = max(start.nextOrdinal, manifest.retiredThrough + 1)
        let segments = manifest.segments
        for entry in manifest.entries {
            start.writerEpoch = max(start.writerEpoch, entry.writerEpoch + 1)
            start.nextOrdinal = max(start.nextOrdinal, entry.ordinal + 1)
        }
        // Steps 4 to 6: every segment that is neither sealed nor set aside.
        let sealed = segments.compactMap(\.sealed?.lastSequence).max() ?? .none  // none is sealed
        let mark = max(sealed, manifest.lastRetired)
        for (index, segment) in segments.enumerated() {
            let isLast = index == segments.count - 1
            try recover(
                segment,
                isLast: isLast,
                durableBelow: mark,
                start: &start,
                report: &report
            )
        }
        report.lastSequenceKept = start.lastSequence
        report.context = start.context
        return Opening(report: report, start: start, lock: lock)
    }

    /// Segment files that the manifest does not name: one with records lost its entry to damage
    /// and is taken up again; one without was being made when the process ended.
    private func settleUnnamed(
        _ manifest: inout Manifest,
        writer: inout ManifestWriter,
        report: inout RecoveryReport
    ) throws(SystemError) {
        let named = Set(manifest.entries.map(\.ordinal))
        let highest = max(named.max() ?? 0, manifest.retiredThrough)  // 0: none is named
        let epoch = (manifest.entries.map(\.writerEpoch).max() ?? 0) + 1  // 0: no writer yet
        for file in try SegmentFile.unnamed(
            by: named,
            in: layout,
            of: manifest.header.recording,
            on: disk
        ) where file.ordinal > highest {
            if let created = file.created, file.hasRecords {
                try writer.append(created, on: disk)
                manifest.entries.append(created)
                report.damage.append(
                    "\(layout.manifest) at byte \(manifest.validBytes): the entry of segment "
                        + "\(file.ordinal) was lost; the segment is taken up again"
                )
                continue
            }
            guard try disk.kind(of: file.path) == .file else { continue }
            let size = try disk.open(file.path, .readOnly).size()
            let aside = try freeName(aside: file.path, epoch)
            try disk.rename(file.path, to: aside)
            try disk.syncDirectory(layout.segments)
            report.cuts.append(
                RecoveryReport.Cut(
                    ordinal: file.ordinal,
                    offset: 0,
                    bytes: size,
                    keptAside: aside
                )
            )
        }
    }

    /// A name for what is kept aside; what an earlier recovery kept stays.
    private func freeName(aside path: String, _ writerEpoch: UInt64) throws(SystemError) -> String {
        let name = "\(path).torn-\(writerEpoch)"
        var candidate = name
        var number = 1
        while try disk.kind(of: candidate) != nil {
            number += 1
            candidate = "\(name)-\(number)"
        }
        return candidate
    }

    private func recover(
        _ segment: ManifestSegment,
        isLast: Bool,
        durableBelow mark: Sequence,
        start: inout WriterStart,
        report: inout RecoveryReport
    ) throws(LogError) {
        if let sealed = segment.sealed {
            start.previousLink = sealed.endLink
            start.lastSequence = max(start.lastSequence, sealed.lastSequence)
            if isLast {
                let scan = try scanning.scan(segment, of: start.recording)
                start.context = scan.context
                report.latest = scan.latest
                report.previousRunEnded = scan.endsRun
                if let error = scan.invalid {
                    report.damage.append("\(scan.path) at byte \(scan.validBytes): \(error)")
                }
            }
            return
        }
        if let quarantined = segment.quarantined {
            start.previousLink = 0
            start.lastSequence = max(start.lastSequence, quarantined.lastSequence)
            report.damage.append("segment \(segment.ordinal) is quarantined")
            if isLast {
                let scan = try scanning.scan(segment, of: start.recording)
                start.context = scan.context
                report.latest = scan.latest
                report.previousRunEnded = scan.endsRun
            }
            return
        }
        if let limit = segment.supersededFrom {
            // Another segment continues it; nothing is cut, readers stop before the limit.
            start.previousLink = 0
            start.lastSequence = max(start.lastSequence, limit.previous)
            return
        }
        try settle(
            try scanning.scan(segment, of: start.recording),
            of: segment,
            mark: mark,
            start: &start,
            report: &report
        )
    }

    /// Decides between a torn tail and damage, then seals what is whole or sets it aside.
    private func settle(
        _ scan: SegmentScan,
        of segment: ManifestSegment,
        mark: Sequence,
        start: inout WriterStart,
        report: inout RecoveryReport
    ) throws(LogError) {
        let durable = max(mark, scan.mark)
        report.previousRunEnded = scan.endsRun && scan.invalid == nil
        report.latest = scan.latest ?? report.latest
        start.context = scan.context
        let isDamage =
            scan.header == nil || scan.isHeaderDamaged || isInvalidBelow(durable, scan)
        do throws(SystemError) {
            if isDamage {
                // Step 4: below the durable mark nothing is cut; the segment stays as it is.
                let error = scan.invalid.map { "\($0)" } ?? "unreadable"  // set when damaged
                report.damage.append("\(scan.path) at byte \(scan.validBytes): \(error)")
                let last = max(durable, scan.lastSequenceSeen, segment.firstSequence.previous)
                try start.manifest.append(
                    ManifestEntry(
                        kind: .quarantined,
                        ordinal: segment.ordinal,
                        writerEpoch: start.writerEpoch,
                        firstSequence: segment.firstSequence,
                        lastSequence: last
                    ),
                    on: disk
                )
                start.lastSequence = max(start.lastSequence, last)
                start.previousLink = 0
                return
            }
            // Step 5: a torn tail is kept aside, then cut.
            if scan.validBytes < scan.fileBytes, !scan.isSealed {
                report.cuts.append(try cut(scan, ordinal: segment.ordinal, start.writerEpoch))
            }
            // Step 6: what is whole is sealed.
            try seal(scan, segment: segment, start: &start)
        } catch { throw .system(error) }
    }

    /// Whether invalid bytes stand where blocks were durable.
    private func isInvalidBelow(_ durable: Sequence, _ scan: SegmentScan) -> Bool {
        #if PLANTED_MISTAKES
        if PlantedMistake.isActive(.cutsBelowTheMark) { return false }
        if PlantedMistake.isActive(.takesOrderForProof), scan.invalid != nil {
            return scan.lastSequenceSeen > scan.lastSequence
        }
        #endif
        return scan.invalid != nil && scan.lastSequence < durable
    }

    private func cut(
        _ scan: SegmentScan,
        ordinal: UInt64,
        _ writerEpoch: UInt64
    ) throws(SystemError) -> RecoveryReport.Cut {
        let aside = try freeName(aside: scan.path, writerEpoch)
        let source = try disk.open(scan.path, .readWrite)
        let target = try disk.open(aside, .createNew)
        var offset = scan.validBytes
        while offset < scan.fileBytes {
            let count = Int(min(scan.fileBytes - offset, 1 << 20))
            let bytes = try source.read(count, at: offset)
            guard !bytes.isEmpty else { break }
            try target.write(bytes, at: offset - scan.validBytes)
            offset += UInt64(bytes.count)
        }
        try target.syncData()
        try target.close()
        try disk.syncDirectory(layout.segments)
        try source.truncate(to: scan.validBytes)
        try source.syncData()
        try source.close()
        return RecoveryReport.Cut(
            ordinal: ordinal,
            offset: scan.validBytes,
            bytes: scan.fileBytes - scan.validBytes,
            keptAside: aside
        )
    }

    private func seal(
        _ scan: SegmentScan,
        segment: ManifestSegment,
        start: inout WriterStart
    ) throws(SystemError) {
        guard let header = scan.header else { preconditionFailure("sealing without a header") }
        let seal = SegmentSeal(
            ordinal: segment.ordinal,
            lastSequence: scan.lastSequence,
            endLink: scan.link,
            recordCount: scan.recordCount,
            latest: scan.latest ?? .min,  // the format's "none"
            entries: scan.entries
        )
        let bytes = seal.encoded(at: scan.validBytes, salt: header.salt)
        let file = try disk.open(scan.path, .readWrite)
        try writeAgain(scan, in: file)
        if !scan.isSealed { try file.write(bytes, at: scan.validBytes) }
        try file.syncData()
        try file.close()
        try start.manifest.append(
            ManifestEntry(
                kind: .sealed,
                ordinal: segment.ordinal,
                writerEpoch: start.writerEpoch,
                firstSequence: segment.firstSequence,
                lastSequence: seal.lastSequence,
                endLink: seal.endLink,
                fileBytes: scan.validBytes + UInt64(bytes.count)
            ),
            on: disk
        )
        start.lastSequence = max(start.lastSequence, seal.lastSequence)
        start.previousLink = seal.endLink
    }

    /// Writes what lies above the durable mark once more. A sync that failed in the process before
    /// may have dropped it from what is to be written: it then reads well until the power
    /// goes, and a sync alone claims success without it.
    private func writeAgain(_ scan: SegmentScan, in file: any File) throws(SystemError) {
        let known = scan.entries.partition { $0.firstSequence > scan.mark } - 1
        // Without a mark everything, header and context too.
        var offset = known > 0 ? scan.entries[known].offset : 0
        let end = scan.isSealed ? scan.fileBytes : scan.validBytes
        while offset < end {
            let bytes = try file.read(Int(min(end - offset, 1 << 20)), at: offset)
            guard !bytes.isEmpty else { break }
            try file.write(bytes, at: offset)
            offset += UInt64(bytes.count)
        }
    }
}
