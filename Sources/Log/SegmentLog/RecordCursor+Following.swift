import Platform
import RecordModel
import SegmentFormat

/// What a cursor does at the end of a segment that may still grow, be closed or be retired.
extension RecordCursor {
    /// At the end of the active segment: the writer may add to it, seal it, or have gone on in
    /// another one.
    func waitOrReopen() throws(LogError) -> Step? {
        if let step = try reopenIfClosed() { return step.found }
        sign.give()
        scanner?.reload(at: scanner?.offset ?? 0)  // a scanner has an offset
        return .end
    }

    /// What looking again at a segment gave: perhaps something to tell.
    struct Reopened {
        let found: Step?
    }

    /// Looks whether the segment that is followed was closed meanwhile.
    ///
    /// - Returns: nil while its writer may still add to it.
    func reopenIfClosed() throws(LogError) -> Reopened? {
        guard let ordinal = descriptor?.ordinal else { return nil }
        try reader.refresh()
        if let fresh = reader.segment(above: ordinal - 1), fresh.ordinal == ordinal {
            if isNewest, !fresh.isClosed { return nil }
            return Reopened(found: try reopenAtEnd(fresh))
        }
        guard ordinal <= reader.retiredThrough else { return nil }
        try rereadRetired()
        return Reopened(found: nil)
    }

    /// Goes on in a segment that was sealed and retired while we followed it: its file is still
    /// open here.
    private func rereadRetired() throws(LogError) {
        guard let place = scanner?.offset, let known = open else { return }
        let fresh: OpenSegment
        do throws(SystemError) { fresh = try known.reread() } catch { throw .system(error) }
        open = fresh
        scanner = fresh.scanner
        scanner?.seek(to: place)
    }

    /// Goes on in a segment that was closed while we followed it: its links must still continue
    /// what was read, because another writer may have cut and sealed it.
    private func reopenAtEnd(_ fresh: SegmentDescriptor) throws(LogError) -> Step? {
        guard let place = scanner?.offset else { return nil }
        let knownLink = link
        do { if let damage = try openSegment(fresh) { return damage } } catch {
            // Retired between two looks.
            guard case .rangeNotAvailable = error else { throw error }
            try rereadRetired()
            return nil
        }
        scanner?.seek(to: place)
        link = knownLink
        guard let index = open?.indexOffset, place >= index else {
            // Blocks written between our last look and the seal are still to come.
            return nil
        }
        let endLink = open?.seal?.endLink
        let limit = descriptor?.limit
        let isWithdrawn =
            place > index || endLink != nil && knownLink != nil && endLink != knownLink
        guard isWithdrawn, limit == nil else { return try endOfSegment() }
        let (old, new) = (knownLink ?? 0, endLink ?? 0)  // for show
        let found = note(.checksum(structure: "segment end", expected: old, found: new), at: index)
        leaveSegment()
        return .damage(found)
    }
}
