import Platform
import RecordModel
import SegmentFormat

/// How a writing stage ends: sealed, or with what fits into the space kept for a full disk.
extension SegmentWriter {
    /// Seals the active segment: the recording is whole and durable.
    ///
    /// - Parameter pause: waits before another try and tells whether to go on trying.
    /// - Throws: a failure that could not be worked around.
    func finish(pause: () -> Bool) throws(SystemError) {
        do throws(SystemError) {
            try sealActive()
        } catch {
            // What the failed file was to make durable goes into another one.
            gate.update { $0.failure = error }
            try supersede(after: error, pause: pause)
            try sealActive()
        }
        try manifest.close()
        try removeReserve()
    }

    /// Writes the closing records into the space kept for them, after a full disk.
    ///
    /// - Parameters:
    ///   - block: the closing records.
    ///   - lastGiven: the last sequence given out before them. What is neither durable nor fits
    ///     into the space becomes a hole.
    /// - Throws: the failure; the recording is then recovered at the next opening.
    func closeIntoReserve(_ block: StoredBuffer, lastGiven: Sequence) throws(SystemError) {
        enterExclusive()
        defer { leaveExclusive() }
        try removeReserve()
        let (unsynced, durable) = gate.withLock { ($0.unsynced, $0.durable) }
        giveUpActive()
        let from = max(
            options.durability == .none ? lastSequence.next : durable.next,
            lastKeptInFailed()?.next ?? .none  // it keeps nothing: from the durable sequence on
        )
        let kept = (unsynced + waiting).filter { $0.header.firstSequence >= from }
        // Decided before the buffer can be in use again: when it is written already, only its
        // seal is missing.
        let hasBlock = block.header.firstSequence >= from
        try createSegment(
            from: from,
            context: contextBefore(kept),
            superseding: failed?.header
        )
        closeFailed()
        var last = from.previous
        var room = Int(clamping: options.reserveBytes / 2)
        for buffer in kept where buffer !== block {
            guard buffer.bytes.count <= room else { break }
            room -= buffer.bytes.count
            try active?.write(buffer, durable: durable)
            last = buffer.lastSequence
        }
        if lastGiven > last {
            let buffer = holeBlock(
                Hole(from: last.next, count: lastGiven.value - last.value, cause: "disk full")
            )
            try active?.write(buffer, durable: durable)
        }
        if hasBlock { try active?.write(block, durable: durable) }
        try sealLast()
        try manifest.close()
    }

    /// Syncs the file of a segment that a write failed in, so that its whole blocks stand and no
    /// hole is stated for them. They are kept, not acknowledged.
    ///
    /// - Returns: the last sequence that it keeps; nil when a sync of it has ever failed, or when
    ///   the manifest may name a segment already that supersedes more of it.
    private func lastKeptInFailed() -> Sequence? {
        guard options.durability != .none, let segment = failed, prepared == nil,
            !gate.withLock({ $0.hasSyncFailed })
        else { return nil }
        do throws(SystemError) { try segment.file.syncData() } catch { return nil }
        return segment.lastSequence
    }

    private func holeBlock(_ hole: Hole) -> StoredBuffer {
        let raw = hole.encoded()
        let buffer = StoredBuffer(rawBytes: raw.count)
        raw.withUnsafeBytes { raw in
            buffer.fill(
                kind: .hole,
                raw: raw,
                recordCount: 0,
                firstSequence: hole.from,
                lastSequence: hole.last,
                earliest: 0,
                latest: 0
            )
        }
        return buffer
    }

    /// Seals the segment of the closing records. The durable sequence stays: a hole is no record.
    private func sealLast() throws(SystemError) {
        guard let segment = active else { return }
        gate.withLock { $0.file = nil }
        let (seal, fileBytes) = try writeSeal(of: segment)
        active = nil
        pendingEntries.append(sealedEntry(of: segment, seal, fileBytes: fileBytes))
        try flushPendingEntries()
        try segment.file.close()
    }

    /// Writes index and trailer and makes the file durable whole.
    func writeSeal(
        of segment: ActiveSegment
    ) throws(SystemError) -> (SegmentSeal, fileBytes: UInt64) {
        let seal = segment.seal
        let bytes = seal.encoded(at: segment.offset, salt: segment.header.salt)
        try segment.file.write(bytes, at: segment.offset)
        do throws(SystemError) { try segment.file.syncData() } catch {
            gate.withLock { $0.hasSyncFailed = true }
            throw error
        }
        return (seal, segment.offset + UInt64(bytes.count))
    }

    func sealedEntry(
        of segment: ActiveSegment,
        _ seal: SegmentSeal,
        fileBytes: UInt64
    ) -> ManifestEntry {
        ManifestEntry(
            kind: .sealed,
            ordinal: segment.header.ordinal,
            writerEpoch: writerEpoch,
            firstSequence: segment.header.firstSequence,
            lastSequence: seal.lastSequence,
            endLink: seal.endLink,
            fileBytes: fileBytes
        )
    }
}
