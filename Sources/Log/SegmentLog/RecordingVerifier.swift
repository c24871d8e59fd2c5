import Platform
package import RecordModel
package import SegmentFormat

/// What verifying a recording found.
package struct VerifyReport: Sendable, Equatable {
    /// Places that are not what was written, with what they cost.
    package var damage: [DamageReport] = []
    /// Ranges of sequences that the recording itself says are missing.
    package var holes: [Hole] = []
    /// Bytes behind the last whole block of the active segment.
    package var tornBytes: UInt64 = 0
    package var segments = 0
    package var sealedSegments = 0
    package var blocks: UInt64 = 0
    package var records: UInt64 = 0
    package var storedBytes: UInt64 = 0
    package var rawBytes: UInt64 = 0
    package var firstSequence = Sequence.none
    package var lastSequence = Sequence.none
    /// The highest durable mark seen.
    package var durableMark = Sequence.none
    /// Whether the last run ended in good order.
    package var isEnded = false

    /// Whether everything is what was written. A torn tail is not damage.
    package var isWhole: Bool { damage.isEmpty }
}

/// Checks everything in a recording that can be checked: identities, checksums, links, sequences,
/// every record, the context of each segment against the events before it, index and trailer
/// against the blocks, and the manifest against all of them. Reads only.
package struct RecordingVerifier: Sendable {
    let segments: [SegmentDescriptor]
    private let source: SegmentSource
    private let manifestPath: String
    private let manifestDamage: LogError?
    private let folderLoss: DamageReport?
    let permits: WorkerPermits?
    private let progress: @Sendable (UInt64) -> Void

    var report = VerifyReport()
    var expected = Sequence.none
    var context: ContextState?
    var previousLink: UInt64?
    /// A record of a critical kind that this build does not know.
    private var newer: RecordEnvelope?
    /// What the segment that was verified last begins with.
    var begin = SegmentBegin()

    /// - Parameters:
    ///   - reader: the recording.
    ///   - permits: workers that may verify further segments at the same time; nil for none. The
    ///     result is the same.
    ///   - progress: told the stored bytes that were checked since it was told before, on any
    ///     thread that verifies.
    package init(
        _ reader: RecordingReader,
        permits: WorkerPermits? = nil,
        progress: @escaping @Sendable (UInt64) -> Void = { _ in }
    ) {
        segments = reader.segments
        source = reader.source
        manifestPath = reader.layout.manifest
        manifestDamage = reader.manifestDamage
        folderLoss = reader.folderLoss
        self.permits = permits
        self.progress = progress
    }

    /// Verifies the whole recording.
    ///
    /// - Returns: what was found.
    /// - Throws: `system` when a file cannot be read, or `newerVersion`.
    package mutating func run() throws(LogError) -> VerifyReport {
        report = VerifyReport()
        if let folderLoss { report.damage.append(folderLoss) }
        if let error = manifestDamage {
            if case .damaged(let path, let offset, let cause) = error {
                note(path, offset, cause)
            } else {
                note(
                    manifestPath,
                    0,
                    .truncated(structure: "manifest", needed: 64, available: 0)
                )
            }
        }
        report.segments = segments.count
        report.firstSequence = segments.first?.firstSequence ?? .none  // an empty one
        expected = report.firstSequence
        report.sealedSegments = segments.count { $0.isSealed }
        try verifySegments()
        report.lastSequence = expected.previous
        return report
    }

    // MARK: Segments

    mutating func verify(_ segment: SegmentDescriptor, isLast: Bool) throws(LogError) {
        begin = SegmentBegin()
        var told = report.storedBytes
        let open: OpenSegment
        do { open = try source.open(segment) } catch {
            if case .rangeNotAvailable = error {
                passOver(segment)
                return
            }
            guard let (offset, cause) = error.segmentDamage else { throw error }
            lose(segment, isLast: isLast, offset: offset, cause)
            return
        }
        checkIdentity(segment, open)
        var walk = SegmentWalk(
            segment: segment,
            index: open.seal?.entries ?? [],  // none while it is not sealed
            link: open.link
        )
        let scanner = open.scanner
        blocks: while true {
            let step: SegmentScanner.Step
            do throws(SystemError) { step = try scanner.next() } catch { throw .system(error) }
            switch step {
            case .end: break blocks
            case .invalid(let offset, let error):
                guard try recover(scanner, at: offset, error, open: open, &walk) else {
                    break blocks
                }
            case .block(let header, let link, let offset):
                if let limit = segment.limit, header.kind != .mark, header.kind != .context,
                    header.firstSequence >= limit
                {
                    break blocks
                }
                check(header, link: link, at: offset, scanner: scanner, &walk)
                if let newer { throw .newerVersion(path: segment.path, criticalKind: newer) }
                if report.blocks % 256 == 0 {
                    progress(report.storedBytes - told)
                    told = report.storedBytes
                }
            }
        }
        finish(segment, open: open, isLast: isLast, &walk)
        progress(report.storedBytes - told)
    }

    /// A segment that was retired since the recording was opened: nothing to check any more.
    private mutating func passOver(_ segment: SegmentDescriptor) {
        report.segments -= 1
        if segment.isSealed { report.sealedSegments -= 1 }
        previousLink = nil
        context = nil
        expected = segments.first { $0.ordinal > segment.ordinal }?.firstSequence ?? expected
        if report.blocks == 0 { report.firstSequence = expected }
    }

    /// What is followed while the blocks of one segment go by.
    private struct SegmentWalk {
        let segment: SegmentDescriptor
        /// The entries of the segment's own index.
        let index: [BlockIndexEntry]
        var link: UInt64
        var isLinkKnown = true
        var number: UInt32 = 1
        var recordCount: UInt64 = 0
        var latest = Int64.min
        var entries: [BlockIndexEntry] = []
        var isContextNext = true
        /// Damage whose cost the next block tells.
        var pending: (offset: UInt64, error: FormatError)?
        var isBroken = false
    }

    private mutating func checkIdentity(_ segment: SegmentDescriptor, _ open: OpenSegment) {
        begin.header = open.header
        if let known = previousLink, open.header.supersededOrdinal == 0, open.headerDamage == nil,
            open.header.previousLink != known
        {
            note(
                segment.path,
                64,
                .checksum(
                    structure: "link of the segment before",
                    expected: known,
                    found: open.header.previousLink
                )
            )
        }
        if let error = open.headerDamage { note(segment.path, 0, error) }
        if let salt = segment.created?.salt, salt != open.header.salt {
            note(
                segment.path,
                56,
                .invalid(structure: "segment header", field: "salt", value: open.header.salt)
            )
        }
        if let sealed = segment.sealed, let seal = open.seal,
            sealed.endLink != seal.endLink || sealed.lastSequence != seal.lastSequence
                || sealed.fileBytes != open.fileBytes
        {
            note(
                segment.path,
                open.fileBytes,
                .checksum(
                    structure: "seal by the manifest",
                    expected: sealed.endLink,
                    found: seal.endLink
                )
            )
        }
    }

    /// After bytes that are no block: decides between damage and a torn tail.
    ///
    /// - Returns: whether the scanner stands before another block.
    private mutating func recover(
        _ scanner: SegmentScanner,
        at offset: UInt64,
        _ error: FormatError,
        open: OpenSegment,
        _ walk: inout SegmentWalk
    ) throws(LogError) -> Bool {
        if let limit = walk.segment.limit, expected >= limit {
            // What the failed write left there does not count.
            return false
        }
        let isClosed = walk.segment.isClosed || open.seal != nil
        var isDurable = isClosed || report.durableMark >= expected
        let found: Bool
        do throws(SystemError) {
            found = try scanner.resynchronize()
            if found, !isClosed {
                // A writer at work may have finished the block since it was read.
                let next = scanner.offset
                scanner.reload(at: offset)
                if case .block = try scanner.next() {
                    scanner.reload(at: offset)
                    return true
                }
                scanner.reload(at: next)
            }
            if found, !isDurable { isDurable = try scanner.findsMark(atOrAbove: expected) }
        } catch { throw .system(error) }
        guard isDurable else {
            report.tornBytes += open.fileBytes > offset ? open.fileBytes - offset : 0
            return false
        }
        walk.isBroken = true
        walk.isLinkKnown = false
        walk.pending = walk.pending ?? (offset, error)
        return found
    }

    private mutating func finish(
        _ segment: SegmentDescriptor,
        open: OpenSegment,
        isLast: Bool,
        _ walk: inout SegmentWalk
    ) {
        let last =
            segment.lastSequence ?? open.seal?.lastSequence
            ?? (walk.pending == nil
                ? expected.previous : max(report.durableMark, expected.previous))
        if last >= expected {
            let known =
                walk.pending
                ?? (open.fileBytes, .truncated(structure: "segment", needed: 1, available: 0))
            lose(segment.path, known.offset, known.error, through: last)
            walk.isBroken = true
        } else if let known = walk.pending {
            note(segment.path, known.offset, known.error)
        }
        // After what the records suffered, as readers tell it.
        if segment.isSealed, let damage = open.sealDamage {
            note(segment.path, damage.offset, damage.error)
        }
        // What a superseded segment's own index says of blocks that do not count is no finding.
        if let seal = open.seal, !walk.isBroken, segment.limit == nil {
            if seal.entries != walk.entries {
                note(
                    segment.path,
                    open.indexOffset ?? 0,  // a seal has an index
                    .invalid(
                        structure: "segment index",
                        field: "entries",
                        value: UInt64(seal.entries.count)
                    )
                )
            }
            if seal.endLink != walk.link || seal.recordCount != walk.recordCount
                || seal.latest != walk.latest || seal.ordinal != segment.ordinal
            {
                note(
                    segment.path,
                    open.fileBytes - UInt64(FormatLimits.trailerBytes),
                    .checksum(
                        structure: "segment trailer",
                        expected: walk.link,
                        found: seal.endLink
                    )
                )
            }
        }
        // After a supersession or damage the next header does not continue this chain.
        previousLink = segment.isSealed && !walk.isBroken ? walk.link : nil
        if walk.isBroken { context = nil }
    }

    // MARK: Blocks

    private mutating func check(
        _ header: BlockHeader,
        link: UInt64,
        at offset: UInt64,
        scanner: SegmentScanner,
        _ walk: inout SegmentWalk
    ) {
        let path = walk.segment.path
        report.blocks += 1
        report.storedBytes += UInt64(header.storedBytes)
        report.rawBytes += UInt64(header.rawBytes)
        report.durableMark = max(report.durableMark, header.durableMark)
        checkChain(header, link: link, at: offset, &walk)
        let takesSequences = header.kind == .data || header.kind == .hole
        if takesSequences || header.kind == .mark { settle(header, at: offset, &walk) }
        if header.kind == .data { walk.latest = max(walk.latest, header.latest) }
        walk.recordCount += header.sequenceCount
        var entry = BlockIndexEntry(
            offset: offset,
            firstSequence: header.firstSequence,
            recordCount: header.recordCount,
            storedBytes: header.storedBytes,
            runningLatest: walk.latest,
            slots: PositionRange(),
            blocks: PositionRange()
        )
        do {
            let raw = try scanner.restore()
            try checkContents(header, raw: raw, path: path, at: offset)
        } catch {
            if header.kind == .data, header.lastSequence >= expected {
                lose(path, offset, error, through: header.lastSequence)
            } else {
                note(path, offset, error)
            }
        }
        // Which slots and blocks a block speaks of is the business of the reader of frames; the
        // index is taken at its word there.
        if walk.entries.count < walk.index.count {
            entry.slots = walk.index[walk.entries.count].slots
            entry.blocks = walk.index[walk.entries.count].blocks
        }
        walk.entries.append(entry)
    }

    /// Compares a block with the one before it.
    private mutating func checkChain(
        _ header: BlockHeader,
        link: UInt64,
        at offset: UInt64,
        _ walk: inout SegmentWalk
    ) {
        let path = walk.segment.path
        let isNeighbour = walk.isLinkKnown
        if walk.isLinkKnown, header.previousLink != walk.link {
            note(
                path,
                offset,
                .checksum(
                    structure: "link of the block before",
                    expected: walk.link,
                    found: header.previousLink
                )
            )
        }
        if walk.isLinkKnown, header.number != walk.number {
            note(
                path,
                offset,
                .invalid(structure: "block header", field: "number", value: UInt64(header.number))
            )
        }
        walk.link = link
        walk.isLinkKnown = true
        walk.number = header.number &+ 1
        // Behind an invalid place nobody knows what would be next.
        if isNeighbour, (header.kind == .context) != walk.isContextNext {
            note(
                path,
                offset,
                .invalid(
                    structure: "block header",
                    field: "kind",
                    value: UInt64(header.kind.rawValue)
                )
            )
        }
        walk.isContextNext = false
    }

    /// Compares a block's first sequence with what is expected.
    private mutating func settle(
        _ header: BlockHeader,
        at offset: UInt64,
        _ walk: inout SegmentWalk
    ) {
        let path = walk.segment.path
        let known = walk.pending
        walk.pending = nil
        if header.firstSequence > expected {
            let error =
                known?.error
                ?? .invalid(
                    structure: "block",
                    field: "first sequence (records before it are missing)",
                    value: header.firstSequence.value
                )
            lose(path, known?.offset ?? offset, error, through: header.firstSequence.previous)
            context = nil
        } else if let known {
            note(path, known.offset, known.error)
        } else if header.firstSequence < expected {
            note(
                path,
                offset,
                .invalid(
                    structure: "block",
                    field: "first sequence (seen before)",
                    value: header.firstSequence.value
                )
            )
        }
    }

    private mutating func checkContents(
        _ header: BlockHeader,
        raw: UnsafeRawBufferPointer,
        path: String,
        at offset: UInt64
    ) throws(FormatError) {
        switch header.kind {
        case .mark: return
        case .context:
            let stored = try ContextState(decoding: raw)
            begin.context = stored
            if let context, context != stored {
                note(
                    path,
                    offset,
                    .invalid(
                        structure: "context",
                        field: "events",
                        value: UInt64(stored.entries.count)
                    )
                )
            }
            context = stored
        case .hole:
            let hole = try Hole(decoding: RawSpan(_unsafeBytes: raw), header: header)
            report.holes.append(hole)
            expected = hole.last.next
            // What is missing may have been events that the next context knows.
            context = nil
        case .data:
            try checkRecords(header, raw: raw, path: path, at: offset)
            expected = max(expected, header.lastSequence.next)
        }
    }

    private mutating func checkRecords(
        _ header: BlockHeader,
        raw: UnsafeRawBufferPointer,
        path: String,
        at blockOffset: UInt64
    ) throws(FormatError) {
        var offset = 0
        var sequence = header.firstSequence
        var earliest = Int64.max
        var latest = Int64.min
        for _ in 0..<header.recordCount {
            let (envelope, range) = try RecordCodec.decode(raw, at: &offset, sequence: sequence)
            if envelope.flags.contains(.critical), envelope.kind.name == nil {
                newer = newer ?? envelope
            }
            earliest = min(earliest, envelope.receivedAt)
            latest = max(latest, envelope.receivedAt)
            if !envelope.kind.isDataFrame {
                let payload = RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: raw[range]))
                context?.apply(envelope, payload: payload)
            }
            report.isEnded = envelope.kind == .runEnded
            report.records += 1
            sequence = sequence.next
            // What cannot be read behind it is all that is missing.
            expected = max(expected, sequence)
        }
        if offset != raw.count {
            let count = UInt64(raw.count)
            note(path, blockOffset, .invalid(structure: "block", field: "raw bytes", value: count))
        }
        if earliest != header.earliest || latest != header.latest {
            let value = UInt64(bitPattern: latest)
            note(
                path,
                blockOffset,
                .invalid(structure: "block header", field: "times", value: value)
            )
        }
    }

    // MARK: Findings

    private mutating func note(_ path: String, _ offset: UInt64, _ error: FormatError) {
        report.damage.append(
            DamageReport(
                path: path,
                offset: offset,
                error: error,
                missingFrom: .none,
                missingThrough: .none
            )
        )
    }

    private mutating func lose(
        _ path: String,
        _ offset: UInt64,
        _ error: FormatError,
        through last: Sequence
    ) {
        report.damage.append(
            DamageReport(
                path: path,
                offset: offset,
                error: error,
                missingFrom: expected,
                missingThrough: last
            )
        )
        expected = last.next
    }

    private mutating func lose(
        _ segment: SegmentDescriptor,
        isLast: Bool,
        offset: UInt64,
        _ error: FormatError
    ) {
        previousLink = nil
        context = nil
        let next = segments.first { $0.ordinal > segment.ordinal }?.firstSequence
        if let last = segment.lastSequence ?? next?.previous {
            if last >= expected {
                lose(segment.path, offset, error, through: last)
            } else {
                note(segment.path, offset, error)
            }
        } else if isLast {
            // How much an active segment held, nobody knows.
            report.damage.append(
                DamageReport(
                    path: segment.path,
                    offset: offset,
                    error: error,
                    missingFrom: expected,
                    missingThrough: .none
                )
            )
        } else {
            note(segment.path, offset, error)
        }
    }
}
