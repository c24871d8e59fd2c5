import Platform
package import RecordModel
import SegmentFormat

/// Delivers the records of a recording in sequence order, with every hole and every damage.
///
/// Memory follows the block, not the recording. After `damage` the next call goes on behind it;
/// whoever must not skip damage stops there.
package final class RecordCursor {
    /// At an address of its own, because checking exclusive access to an object's properties
    /// would cost more than reading a record.
    private let place: UnsafeMutablePointer<CursorPlace>

    /// The record of the last `next`.
    package var envelope: RecordEnvelope { place.pointee.envelope }
    /// The sequence that is expected next.
    package private(set) var expected: Sequence {
        get { place.pointee.expected }
        set { place.pointee.expected = newValue }
    }
    /// The highest durable mark seen in any block.
    package private(set) var durableMark = Sequence.none
    /// Bytes behind the last whole block of an unsealed segment: a torn tail, or a writer at work.
    package private(set) var tornBytes: UInt64 = 0
    /// Blocks and stored bytes read so far.
    package private(set) var blocksRead: UInt64 = 0
    package private(set) var storedBytesRead: UInt64 = 0

    let reader: RecordingReader
    let follows: Bool
    /// Told to the writer from the first time that this cursor waits.
    var sign: LiveReaderSign
    /// The ordinal below which every segment has been read; the next one is the first above it.
    /// Not an index: segments are retired beside us.
    private var passed: UInt64 = 0
    var scanner: SegmentScanner?
    var open: OpenSegment?
    var descriptor: SegmentDescriptor?
    var link: UInt64?
    /// Set after damage, until a block is delivered again: links cannot be compared.
    private var isLinkKnown = false
    private var from: Sequence {
        get { place.pointee.from }
        set { place.pointee.from = newValue }
    }
    /// Damage in the open segment whose cost the next block will tell.
    private var pendingDamage: (offset: UInt64, error: FormatError)?
    /// What is wrong with the open segment's end. Its records do not depend on that, and whoever
    /// stops before damage shall have them: told when the segment is left.
    private var pendingSeal: (offset: UInt64, error: FormatError)?
    /// Where the block begins whose records are being delivered.
    private var blockOffset: UInt64 = 0
    /// That block and the one before it, as places in the log.
    var blocks = ReadBlocks()
    /// Found, and to be told before anything else.
    private var pending: [Step] = [] {
        didSet { place.pointee.hasPending = !pending.isEmpty }
    }

    deinit { place.deallocate() }

    /// A cursor before a sequence.
    ///
    /// - Parameters:
    ///   - reader: the recording.
    ///   - from: the first sequence to deliver; `none` for the oldest.
    ///   - follows: whether more may come; the cursor then looks at the manifest again at the end.
    /// - Throws: `rangeNotAvailable` when `from` was retired, `damaged` or `system`.
    package init(
        _ reader: RecordingReader,
        from: Sequence = .none,
        follows: Bool = false
    ) throws(LogError) {
        self.reader = reader
        self.follows = follows
        sign = LiveReaderSign(reader.layout, disk: reader.disk)
        place = .allocate(capacity: 1)
        place.initialize(to: CursorPlace(expected: .first, from: from))
        expected = reader.segments.first?.firstSequence ?? .first  // an empty recording
        try seek(to: from)
    }

    /// Moves before a sequence; costs one index, not a scan.
    ///
    /// - Throws: `rangeNotAvailable` when it was retired, `damaged` or `system`.
    package func seek(to sequence: Sequence) throws(LogError) {
        from = sequence
        place.pointee.recordsLeft = 0
        pending = []
        pendingDamage = nil
        link = nil
        isLinkKnown = false
        tornBytes = 0
        blocks = ReadBlocks()
        let segments = reader.segments
        // The last segment that begins at or below the sequence, or the first one.
        let index = max(segments.partition { $0.firstSequence > sequence } - 1, 0)
        guard index < segments.count else {
            (scanner, open, pendingSeal) = (nil, nil, nil)
            if let damage = reader.folderLoss { pending.append(.damage(damage)) }
            return
        }
        let segment = segments[index]
        let isSame = segment.ordinal == descriptor?.ordinal && scanner != nil
        if !isSame { (scanner, open, pendingSeal) = (nil, nil, nil) }
        passed = segment.ordinal - 1
        expected = segment.firstSequence
        if sequence > .none, sequence < expected, reader.retiredThrough > 0 {
            throw reader.layout.retirement(of: sequence, last: expected.previous)
        }
        guard expected < sequence || isSame else { return }
        let walk: BlockWalk
        do { walk = try reader.walk(segment) } catch {
            // A damaged or missing segment is read from its start, which reports the damage.
            scanner = nil
            guard error.segmentDamage != nil else { throw error }
            return
        }
        // The last block that begins at or below the sequence.
        let next = walk.entries.partition { $0.firstSequence > sequence }
        guard next > 0 else {
            scanner = nil
            return
        }
        let entry = walk.entries[next - 1]
        if scanner == nil, let step = try openSegment(segment) {
            pending.append(step)
            return
        }
        expected = entry.firstSequence
        scanner?.seek(to: entry.offset)
        link = nil
    }

    /// The payload of the record, valid during the call.
    @inline(__always)
    package func withPayload<Result, Failure: Error>(
        _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(
            RawSpan(
                _unsafeBytes: UnsafeRawBufferPointer(
                    rebasing: place.pointee.block[place.pointee.payload]
                )
            )
        )
    }

    /// The payload of the record as raw memory, valid until the next call of `next` or `seek`.
    @inline(__always)
    package var unsafePayload: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: place.pointee.block[place.pointee.payload])
    }

    /// Moves to the next record, hole or damage.
    ///
    /// - Throws: `system` when a file cannot be read, or `newerVersion`.
    package func next() throws(LogError) -> Step {
        while true {
            if place.pointee.recordsLeft > 0, !place.pointee.hasPending {
                if let step = try nextRecord() { return step }
                continue
            }
            if !pending.isEmpty {
                let step = pending.removeFirst()
                if case .hole(let hole) = step, hole.last < from { continue }
                return step
            }
            if let step = try nextBlock() { return step }
        }
    }

    @inline(__always)
    private func nextRecord() throws(LogError) -> Step? {
        let place = place
        do throws(FormatError) {
            let (envelope, range) = try RecordCodec.decode(
                place.pointee.block,
                at: &place.pointee.offset,
                sequence: place.pointee.expected
            )
            place.pointee.recordsLeft -= 1
            place.pointee.expected = envelope.sequence.next
            if place.pointee.recordsLeft == 0, place.pointee.offset != place.pointee.block.count {
                noteRest()
            }
            guard envelope.sequence >= place.pointee.from else { return nil }
            place.pointee.envelope = envelope
            place.pointee.payload = range
        } catch {
            return lostRecords(error)
        }
        if place.pointee.envelope.flags.contains(.critical) { try checkKind() }
        return .record
    }

    /// Stops at a record that must not be passed over and that this build does not know.
    private func checkKind() throws(LogError) {
        guard envelope.kind.name == nil else { return }
        throw .newerVersion(path: reader.layout.path, criticalKind: envelope)
    }

    /// Verified bytes behind the last record: told after it, and no record is missing.
    private func noteRest() {
        let count = UInt64(place.pointee.block.count)
        let error = FormatError.invalid(structure: "block", field: "raw bytes", value: count)
        pending.append(.damage(note(error, at: blockOffset)))
    }

    /// Verified bytes that do not parse: the writer wrote them so. The rest of the block is lost.
    private func lostRecords(_ error: FormatError) -> Step {
        let missing = place.pointee.recordsLeft
        let first = expected
        place.pointee.recordsLeft = 0
        expected = Sequence(first.value + UInt64(missing))
        return .damage(
            report(
                error,
                at: blockOffset,
                from: missing > 0 ? first : .none,
                through: missing > 0 ? expected.previous : .none
            )
        )
    }

    // MARK: Blocks

    private func nextBlock() throws(LogError) -> Step? {
        guard let scanner else { return try nextSegment() }
        let step: SegmentScanner.Step
        do throws(SystemError) { step = try scanner.next() } catch { throw .system(error) }
        switch step {
        case .end: return try endOfSegment()
        case .invalid(let offset, let error): return try invalid(offset, error)
        case .block(let header, let link, let offset):
            return try accept(header, link: link, offset: offset)
        }
    }

    private func accept(
        _ header: BlockHeader,
        link newLink: UInt64,
        offset: UInt64
    ) throws(LogError) -> Step? {
        blocksRead += 1
        storedBytesRead += UInt64(header.storedBytes)
        if let limit = descriptor?.limit, header.kind == .data || header.kind == .hole,
            header.firstSequence >= limit
        {
            // Superseded from here on.
            return try endOfSegment(at: offset)
        }
        durableMark = max(durableMark, header.durableMark)
        checkLink(header, at: offset)
        link = newLink
        isLinkKnown = true
        tornBytes = 0
        // The context precedes every record; a mark tells what comes next, as records do.
        guard header.kind != .context else { return nil }
        if let damage = pendingDamage {
            pendingDamage = nil
            let isLoss = header.firstSequence > expected
            let found = report(
                damage.error,
                at: damage.offset,
                from: isLoss ? expected : .none,
                through: isLoss ? header.firstSequence.previous : .none
            )
            if isLoss { expected = header.firstSequence }
            tell(found)
        }
        if header.kind == .data, header.firstSequence < expected, isRepetition {
            // The file before this one failed; what had been read of it is written here again.
            guard header.lastSequence >= expected else { return nil }
            from = max(from, expected)
            expected = header.firstSequence
        }
        if header.firstSequence < expected, !isRepetition {
            let again = FormatError.invalid(
                structure: "block",
                field: "first sequence (seen before)",
                value: header.firstSequence.value
            )
            pending.append(.damage(note(again, at: offset)))
            return nil
        }
        if header.firstSequence > expected {
            let missing = report(
                .invalid(
                    structure: "block",
                    field: "first sequence (records before it are missing)",
                    value: header.firstSequence.value
                ),
                at: offset,
                from: expected,
                through: header.firstSequence.previous
            )
            expected = header.firstSequence
            tell(missing)
        }
        return header.kind == .mark ? nil : try unpack(header, at: offset)
    }

    /// Whether what the open segment begins with may have been read in the one it supersedes.
    private var isRepetition: Bool { open.map { $0.header.supersededOrdinal > 0 } ?? false }

    private func checkLink(_ header: BlockHeader, at offset: UInt64) {
        guard isLinkKnown, let link, header.previousLink != link else { return }
        let error = FormatError.checksum(
            structure: "link of the block before",
            expected: link,
            found: header.previousLink
        )
        pending.append(.damage(note(error, at: offset)))
    }

    /// Puts damage before the next record, unless all that it costs lies below what is wanted.
    private func tell(_ damage: DamageReport) {
        if damage.isLoss, damage.missingThrough >= damage.missingFrom,
            damage.missingThrough < from
        {
            return
        }
        pending.append(.damage(damage))
    }

    private func unpack(_ header: BlockHeader, at blockOffset: UInt64) throws(LogError) -> Step? {
        guard let scanner else { return nil }
        let last = header.lastSequence
        if header.kind == .data, last < from {
            // Nothing in it is wanted: not even decompressed.
            expected = last.next
            return nil
        }
        do {
            let raw = try scanner.restore()
            if header.kind == .hole {
                var hole = try Hole(decoding: RawSpan(_unsafeBytes: raw), header: header)
                if hole.from < expected {
                    // What had been read of the file before this one is not delivered again.
                    guard hole.last >= expected else { return nil }
                    hole.count = hole.last.value - expected.value + 1
                    hole.from = expected
                }
                expected = hole.last.next
                enter(header, through: hole.last)
                pending.append(.hole(hole))
                return nil
            }
            enter(header, through: last)
            self.blockOffset = blockOffset
            place.pointee.block = raw
            place.pointee.offset = 0
            place.pointee.recordsLeft = header.recordCount
            return nil
        } catch {
            let first = expected
            // What a hole takes is told by the block behind it.
            if header.kind == .data { expected = last.next }
            let isLoss = expected > first
            tell(
                report(
                    error,
                    at: blockOffset,
                    from: isLoss ? first : .none,
                    through: isLoss ? expected.previous : .none
                )
            )
            return nil
        }
    }

    private func invalid(_ place: UInt64, _ error: FormatError) throws(LogError) -> Step? {
        guard let scanner, let descriptor else { return nil }
        if let limit = descriptor.limit, expected >= limit {
            // What the failed write left there does not count.
            return try endOfSegment()
        }
        let isSealed = descriptor.isClosed || open?.seal != nil
        let isActive = !isSealed && follows && isNewest
        if isActive, let step = try reopenIfClosed() { return step.found }
        let found: Bool
        var isDurable = isSealed
        do throws(SystemError) {
            found = try scanner.resynchronize()
            if found, !isSealed {
                // A writer at work may have finished the block since it was read.
                let next = scanner.offset
                scanner.reload(at: place)
                if case .block = try scanner.next() {
                    scanner.reload(at: place)
                    return nil
                }
                scanner.reload(at: next)
                isDurable = durableMark >= expected
                if !isDurable { isDurable = try scanner.findsMark(atOrAbove: expected) }
            }
        } catch { throw .system(error) }
        if isActive, !isDurable {
            // It is being written, or a crash tore it and the next writer will say so.
            scanner.reload(at: place)
            return .end
        }
        isLinkKnown = false
        if found {
            // In an unsealed segment later blocks alone prove nothing: unsynced sectors reach the
            // disk in any order. Only a durable mark at or above what is missing does.
            if !isDurable { return try tornTail(at: place) }
            // What is missing is told by the next block's first sequence.
            pendingDamage = pendingDamage ?? (place, error)
            return nil
        }
        if isSealed {
            let last = descriptor.lastSequence ?? open?.seal?.lastSequence
            let first = expected
            // Where nobody knows how much there was, records may be missing.
            let isMissing = last.map { $0 >= first } ?? true
            if let last, isMissing { expected = last.next }
            let damage = report(
                error,
                at: place,
                from: isMissing ? first : .none,
                through: isMissing ? last ?? .none : .none
            )  // an unknown end is "none"
            leaveSegment()
            return .damage(damage)
        }
        if durableMark >= expected {
            let damage = report(error, at: place, from: expected, through: durableMark)
            expected = durableMark.next
            leaveSegment()
            return .damage(damage)
        }
        return try tornTail(at: place)
    }

    private func tornTail(at place: UInt64) throws(LogError) -> Step? {
        let size = open?.fileBytes ?? place  // the segment is open here
        if descriptor?.limit == nil { tornBytes = size > place ? size - place : 0 }
        leaveSegment()
        return nil
    }

    // MARK: Segments

    var isNewest: Bool { reader.segments.last?.ordinal == descriptor?.ordinal }

    private func nextSegment() throws(LogError) -> Step? {
        guard let next = reader.segment(above: passed) else {
            guard follows else { return .end }
            try reader.refresh()
            return reader.segment(above: passed) == nil ? .end : nil
        }
        if next.firstSequence > expected, reader.retiredThrough > passed {
            throw reader.layout.retirement(of: expected, last: next.firstSequence.previous)
        }
        return try openSegment(next)
    }

    /// Opens a segment.
    ///
    /// - Returns: damage, when the segment cannot be read.
    func openSegment(_ descriptor: SegmentDescriptor) throws(LogError) -> Step? {
        self.descriptor = descriptor
        do {
            let open = try reader.open(descriptor)
            self.open = open
            scanner = open.scanner
            link = open.link
            isLinkKnown = true
            if let error = open.headerDamage { pending.append(.damage(note(error, at: 0))) }
            pendingSeal = descriptor.isSealed ? open.sealDamage : nil
            return nil
        } catch {
            guard let (offset, cause) = error.segmentDamage else { throw error }
            let first = expected
            let next =
                reader.segment(above: descriptor.ordinal)?.firstSequence
                ?? descriptor.lastSequence?.next
            leaveSegment()
            let last = next?.previous
            // How much an active segment held, nobody knows: records may be missing.
            let isLoss = last.map { $0 >= first } ?? true
            if isLoss, let last { expected = last.next }
            return .damage(
                report(
                    cause,
                    at: offset,
                    path: descriptor.path,
                    from: isLoss ? first : .none,
                    through: isLoss ? last ?? .none : .none
                )
            )
        }
    }

    /// Leaves the segment; `offset` is where, when not the scanner's place.
    func endOfSegment(at offset: UInt64? = nil) throws(LogError) -> Step? {
        guard let descriptor else { return nil }
        if follows, isNewest, !descriptor.isClosed { return try waitOrReopen() }
        let last = descriptor.lastSequence ?? open?.seal?.lastSequence
        let known = pendingDamage
        pendingDamage = nil
        // An end that nobody wrote down is no loss: the segment ends where its bytes do.
        let isLoss = last.map { $0 >= expected } ?? false
        guard isLoss || known != nil else {
            leaveSegment()
            return nil
        }
        let damage = report(
            known?.error ?? .truncated(structure: "segment", needed: 1, available: 0),
            at: known?.offset ?? offset ?? scanner?.offset ?? 0,  // open, so there is a scanner
            from: isLoss ? expected : .none,
            through: isLoss ? last ?? .none : .none
        )
        if isLoss, let last { expected = last.next }
        leaveSegment()
        return .damage(damage)
    }

    func leaveSegment() {
        pendingDamage = nil
        if let damage = pendingSeal {
            pending.append(.damage(note(damage.error, at: damage.offset)))
        }
        pendingSeal = nil
        scanner = nil
        open = nil
        link = nil
        isLinkKnown = false
        if let descriptor { passed = descriptor.ordinal }
    }

    /// Damage that costs no record.
    func note(_ error: FormatError, at offset: UInt64) -> DamageReport {
        report(error, at: offset, from: .none, through: .none)
    }

    private func report(
        _ error: FormatError,
        at offset: UInt64,
        path: String? = nil,
        from: Sequence,
        through: Sequence
    ) -> DamageReport {
        DamageReport(
            path: path ?? descriptor?.path ?? reader.layout.path,  // a segment is open otherwise
            offset: offset,
            error: error,
            missingFrom: from,
            missingThrough: through
        )
    }
}
