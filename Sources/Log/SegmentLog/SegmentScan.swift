import Platform
import RecordModel
import SegmentFormat

/// What a segment holds that was not closed in good order.
struct SegmentScan {
    let path: String
    var header: SegmentHeader?
    /// The header is not believed; `header` is what the manifest says.
    var isHeaderDamaged = false
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

/// Reads a segment whole for recovery: what is valid, what follows it, what was durable.
struct SegmentScanning {
    let layout: RecordingLayout
    let disk: any FileSystem
    /// Finds slots and blocks for the index; a fresh copy for each segment.
    let positionReader: (any PositionReader)?

    /// Reads a segment. It is not changed.
    ///
    /// - Throws: `system` when it cannot be read; damage stands in the result.
    func scan(
        _ segment: ManifestSegment,
        of recording: RecordingID
    ) throws(LogError) -> SegmentScan {
        let path = layout.segment(
            ordinal: segment.ordinal,
            firstSequence: segment.firstSequence.value
        )
        var scan = SegmentScan(path: path)
        scan.lastSequence = segment.firstSequence.previous
        do throws(SystemError) {
            let kind = try disk.kind(of: path)
            guard kind == .file else {
                scan.invalid =
                    kind == nil
                    ? .truncated(
                        structure: "segment header",
                        needed: FormatLimits.segmentHeaderBytes,
                        available: 0
                    ) : .wrongKind(structure: "segment file", needed: "regular file")
                return scan
            }
            let file = try disk.open(path, .readOnly)
            scan.fileBytes = try file.size()
            let head = try file.read(FormatLimits.segmentHeaderBytes, at: 0)
            var headerError: FormatError?
            do {
                (scan.header, scan.link) = try SegmentHeader.decode(
                    head,
                    recording: recording,
                    ordinal: segment.ordinal,
                    firstSequence: segment.firstSequence
                )
            } catch {
                headerError = error
                scan.isHeaderDamaged = true
                scan.header = SegmentHeader(segment.created, recording: recording)
                scan.link = segment.created.headerLink
            }
            scan.validBytes = UInt64(FormatLimits.segmentHeaderBytes)
            let trailer = try trailer(of: file, scan)
            try scanBlocks(file, limit: trailer?.indexOffset, into: &scan)
            if scan.invalid == nil { scan.isSealed = try isSealed(scan, trailer, file) }
            scan.invalid = headerError ?? scan.invalid
            try file.close()
        } catch { throw .system(error) }
        return scan
    }

    /// The trailer at the end of the file; nil when there is none that can be believed.
    private func trailer(
        of file: any File,
        _ scan: SegmentScan
    ) throws(SystemError) -> SegmentSeal.Trailer? {
        let size = UInt64(FormatLimits.trailerBytes)
        guard let salt = scan.header?.salt, scan.fileBytes >= size else { return nil }
        let bytes = try file.read(FormatLimits.trailerBytes, at: scan.fileBytes - size)
        do {
            return try bytes.span.bytes.withUnsafeBytes { buffer throws(FormatError) in
                try SegmentSeal.decodeTrailer(buffer, fileBytes: scan.fileBytes, salt: salt)
            }
        } catch {
            // The scan then finds bytes that are no block and reports them as such.
            return nil
        }
    }

    /// Whether index and trailer are whole and say what the blocks say.
    private func isSealed(
        _ scan: SegmentScan,
        _ trailer: SegmentSeal.Trailer?,
        _ file: any File
    ) throws(SystemError) -> Bool {
        guard let trailer, let header = scan.header, scan.validBytes == trailer.indexOffset,
            scan.link == trailer.endLink
        else { return false }
        let bytes = try file.read(trailer.indexBytes, at: trailer.indexOffset)
        do {
            let seal = try bytes.span.bytes.withUnsafeBytes { buffer throws(FormatError) in
                try SegmentSeal.decode(index: buffer, trailer: trailer, salt: header.salt)
            }
            // Another run may have known other ways to find slots and blocks.
            return seal.entries.map(\.place) == scan.entries.map(\.place)
                && seal.lastSequence == scan.lastSequence && seal.recordCount == scan.recordCount
        } catch {
            // A torn index: it is cut and written again.
            return false
        }
    }

    private func scanBlocks(
        _ file: any File,
        limit: UInt64?,
        into scan: inout SegmentScan
    ) throws(SystemError) {
        guard let header = scan.header else { return }
        var positions = positionReader
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
        if scan.invalid != nil { try lookBehind(scanner, into: &scan) }
    }

    /// Blocks behind invalid bytes tell what was durable. Unsynced sectors may arrive in any
    /// order, so their being there does not make it damage.
    private func lookBehind(
        _ scanner: SegmentScanner,
        into scan: inout SegmentScan
    ) throws(SystemError) {
        while try scanner.resynchronize() {
            while case .block(let block, _, _) = try scanner.next() {
                scan.mark = max(scan.mark, block.durableMark)
                scan.lastSequenceSeen = max(scan.lastSequenceSeen, block.lastSequence)
            }
        }
    }

    private func check(_ block: BlockHeader, follows scan: SegmentScan) throws(FormatError) {
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
        into scan: inout SegmentScan
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
}
