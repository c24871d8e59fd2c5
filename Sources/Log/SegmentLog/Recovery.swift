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
            if try disk.kind(of: layout.path) == nil {
                try disk.createDirectory(layout.path)
                try disk.syncDirectory(layout.parent)
            }
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
            if try disk.kind(of: layout.segments) == .directory {
                let inside = try disk.list(layout.segments)
                isForeign = isForeign || inside.contains { $0 != "MANIFEST" }
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
        // Step 2: the lock.
        let lock = try takeLock()
        // Step 3: the manifest. A torn last entry is cut when the first new one is written.
        let manifest = try Manifest.read(layout.manifest, on: disk)
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
        let writer: ManifestWriter
        do throws(SystemError) {
            writer = try ManifestWriter(continuing: manifest, layout: layout, on: disk)
        } catch { throw .system(error) }
        var start = WriterStart(
            recording: identity.recording,
            writerEpoch: 1,
            manifest: writer,
            nextOrdinal: 1,
            previousLink: 0,
            lastSequence: .none,
            context: ContextState()
        )
        start.nextOrdinal = max(start.nextOrdinal, manifest.retiredThrough + 1)
        let segments = manifest.segments
        for segment in segments {
            start.writerEpoch = max(start.writerEpoch, segment.created.writerEpoch + 1)
            start.nextOrdinal = max(start.nextOrdinal, segment.ordinal + 1)
        }
        // Steps 4 to 6: every segment that is neither sealed nor set aside.
        let mark = segments.compactMap(\.sealed?.lastSequence).max() ?? .none  // none is sealed
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
                let scan = try scan(segment)
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
                let scan = try scan(segment)
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
        try settle(try scan(segment), of: segment, mark: mark, start: &start, report: &report)
    }

    /// What a segment holds that was not closed in good order.
    private struct Scan {
        let path: String
        var header: SegmentHeader?
        var validBytes: UInt64 = 0
        var fileBytes: UInt64 = 0
        var invalid: FormatError?
        /// The first sequence of the next valid block behind the invalid bytes, if any.
        var mark = Sequence.none
        var lastSequenceSeen = Sequence.none
        var lastSequence = Sequence.none
        var link: UInt64 = 0
        var recordCount: UInt64 = 0
        var latest: Int64?
        var entries: [BlockIndexEntry] = []
        var context = ContextState()
        var endsRun = false
        /// Index and trailer are there and agree with the blocks.
        var isSealed = false
    }

    private func scan(_ segment: ManifestSegment) throws(LogError) -> Scan {
        let path = layout.segment(
            ordinal: segment.ordinal,
            firstSequence: segment.firstSequence.value
        )
        var scan = Scan(path: path)
        scan.lastSequence = segment.firstSequence.previous
        do throws(SystemError) {
            guard try disk.kind(of: path) == .file else {
                scan.invalid = .truncated(
                    structure: "segment header",
                    needed: FormatLimits.segmentHeaderBytes,
                    available: 0
                )
                return scan
            }
            let file = try disk.open(path, .readOnly)
            scan.fileBytes = try file.size()
            let head = try file.read(FormatLimits.segmentHeaderBytes, at: 0)
            do {
                let (header, link) = try head.span.bytes.withUnsafeBytes {
                    bytes throws(FormatError) in try SegmentHeader.decode(bytes)
                }
                scan.header = header
                scan.link = link
            } catch {
                scan.invalid = error
                return scan
            }
            scan.validBytes = UInt64(FormatLimits.segmentHeaderBytes)
            let trailer = trailer(of: file, scan)
            try scanBlocks(file, limit: trailer?.indexOffset, into: &scan)
            scan.isSealed =
                scan.invalid == nil && scan.validBytes == trailer?.indexOffset
                && scan.link == trailer?.endLink
            try file.close()
        } catch { throw .system(error) }
        return scan
    }

    /// The trailer at the end of the file; nil when there is none that can be believed.
    private func trailer(of file: any File, _ scan: Scan) -> SegmentSeal.Trailer? {
        let size = UInt64(FormatLimits.trailerBytes)
        guard let salt = scan.header?.salt, scan.fileBytes >= size else { return nil }
        do {
            let bytes = try file.read(FormatLimits.trailerBytes, at: scan.fileBytes - size)
            return try bytes.span.bytes.withUnsafeBytes { buffer throws(FormatError) in
                try SegmentSeal.decodeTrailer(buffer, fileBytes: scan.fileBytes, salt: salt)
            }
        } catch {
            // The scan then finds bytes that are no block and reports them as such.
            return nil
        }
    }

    private func scanBlocks(
        _ file: any File,
        limit: UInt64?,
        into scan: inout Scan
    ) throws(SystemError) {
        guard let header = scan.header else { return }
        var positions = options.positionReader
        let scanner = SegmentScanner(
            file: file,
            salt: header.salt,
            offset: scan.validBytes,
            limit: limit
        )
        var runningLatest = Int64.min
        blocks: while true {
            switch try scanner.next() {
            case .end: break blocks
            case .invalid(_, let error):
                scan.invalid = error
                break blocks
            case .block(let block, let link, let offset):
                let raw: UnsafeRawBufferPointer
                do {
                    try check(block, follows: scan)
                    raw = try scanner.restore()
                } catch {
                    scan.invalid = error
                    break blocks
                }
                var entry = BlockIndexEntry(
                    offset: offset,
                    firstSequence: block.firstSequence,
                    recordCount: block.recordCount,
                    storedBytes: block.storedBytes,
                    runningLatest: 0,
                    slots: PositionRange(),
                    blocks: PositionRange()
                )
                do {
                    try fold(
                        block,
                        raw: raw,
                        positions: &positions,
                        entry: &entry,
                        into: &scan
                    )
                } catch {
                    scan.invalid = error
                    break blocks
                }
                if block.kind == .data { runningLatest = max(runningLatest, block.latest) }
                entry.runningLatest = runningLatest
                scan.entries.append(entry)
                scan.link = link
                scan.validBytes = scanner.offset
                scan.mark = max(scan.mark, block.durableMark)
                scan.recordCount += block.sequenceCount
                scan.lastSequenceSeen = scan.lastSequence
            }
        }
        if runningLatest > .min { scan.latest = runningLatest }
        guard scan.invalid != nil else { return }
        // Blocks behind the invalid bytes tell what was durable; unsynced sectors may arrive in
        // any order, so their being there does not make it damage.
        while try scanner.resynchronize() {
            while case .block(let block, _, _) = try scanner.next() {
                scan.mark = max(scan.mark, block.durableMark)
                scan.lastSequenceSeen = max(scan.lastSequenceSeen, block.lastSequence)
            }
        }
    }

    private func check(_ block: BlockHeader, follows scan: Scan) throws(FormatError) {
        guard block.previousLink == scan.link else {
            throw .checksum(
                structure: "link of the block before",
                expected: scan.link,
                found: block.previousLink
            )
        }
        guard block.firstSequence == scan.lastSequence.next else {
            throw .invalid(
                structure: "block",
                field: "first sequence",
                value: block.firstSequence.value
            )
        }
    }

    private func fold(
        _ block: BlockHeader,
        raw: UnsafeRawBufferPointer,
        positions: inout (any PositionReader)?,
        entry: inout BlockIndexEntry,
        into scan: inout Scan
    ) throws(FormatError) {
        switch block.kind {
        case .mark: return
        case .context: scan.context = try ContextState(decoding: raw)
        case .hole:
            let hole = try Hole(decoding: RawSpan(_unsafeBytes: raw), header: block)
            scan.lastSequence = hole.last
        case .data:
            var offset = 0
            var sequence = block.firstSequence
            for _ in 0..<block.recordCount {
                let (envelope, range) = try RecordCodec.decode(
                    raw,
                    at: &offset,
                    sequence: sequence
                )
                let payload = RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: raw[range]))
                if !envelope.kind.isDataFrame {
                    scan.context.apply(envelope, payload: payload)
                }
                scan.endsRun = envelope.kind == .runEnded
                if let position = positions?.position(of: envelope, payload: payload) {
                    switch position.family {
                    case .slot: entry.slots.insert(position.number)
                    case .block: entry.blocks.insert(position.number)
                    }
                }
                sequence = sequence.next
            }
            guard offset == raw.count else {
                throw .invalid(structure: "block", field: "raw bytes", value: UInt64(raw.count))
            }
            scan.lastSequence = block.lastSequence
        }
    }

    /// Decides between a torn tail and damage, then seals what is whole or sets it aside.
    private func settle(
        _ scan: Scan,
        of segment: ManifestSegment,
        mark: Sequence,
        start: inout WriterStart,
        report: inout RecoveryReport
    ) throws(LogError) {
        let durable = max(mark, scan.mark)
        report.previousRunEnded = scan.endsRun && scan.invalid == nil
        report.latest = scan.latest ?? report.latest
        start.context = scan.context
        let isDamage = scan.header == nil || scan.invalid != nil && scan.lastSequence < durable
        do throws(SystemError) {
            if isDamage {
                // Step 4: below the durable mark nothing is cut; the segment stays as it is.
                let error = scan.invalid.map { "\($0)" } ?? "unreadable"  // set when damaged
                report.damage.append("\(scan.path) at byte \(scan.validBytes): \(error)")
                let last = max(durable, scan.lastSequenceSeen)
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

    private func cut(
        _ scan: Scan,
        ordinal: UInt64,
        _ writerEpoch: UInt64
    ) throws(SystemError) -> RecoveryReport.Cut {
        let aside = "\(scan.path).torn-\(writerEpoch)"
        if try disk.kind(of: aside) != nil { try disk.remove(aside) }
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
        _ scan: Scan,
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
}
