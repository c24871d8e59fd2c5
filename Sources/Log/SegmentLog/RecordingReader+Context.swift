import Platform
package import RecordModel
package import SegmentFormat

extension RecordingReader {
    /// The context that a segment begins with: what was in force before its first record.
    ///
    /// - Parameter segment: one of `segments`.
    /// - Returns: nil when the segment does not begin with a context yet.
    /// - Throws: `damaged` when it cannot be believed, or `system`.
    package func context(of segment: SegmentDescriptor) throws(LogError) -> ContextState? {
        let open = try open(segment)
        let scanner = open.scanner
        let step: SegmentScanner.Step
        do throws(SystemError) { step = try scanner.next() } catch { throw .system(error) }
        switch step {
        case .end: return nil
        case .invalid(let offset, let error):
            throw .damaged(path: segment.path, offset: offset, error: error)
        case .block(let header, _, let offset):
            guard header.kind == .context else { return nil }
            do {
                return try ContextState(decoding: scanner.restore())
            } catch {
                throw .damaged(path: segment.path, offset: offset, error: error)
            }
        }
    }

    /// The last record that a power loss cannot take any more, as far as the files tell.
    ///
    /// A sealed segment is durable whole; in another one every block tells the mark known when it
    /// was written. Reads the block headers of the segments that are not sealed.
    ///
    /// - Returns: `none` when nothing is known to be durable.
    /// - Throws: `system`.
    package func durableMark() throws(LogError) -> Sequence {
        var mark = Sequence.none
        for segment in segments {
            if segment.isSealed, let last = segment.lastSequence {
                mark = max(mark, last)
                continue
            }
            do { mark = max(mark, try headerMark(of: segment)) } catch {
                // A segment whose header is damaged, or that is gone, promises nothing.
                switch error {
                case .damaged, .rangeNotAvailable: continue
                case .system(let cause) where cause.isNotFound: continue
                default: throw error
                }
            }
        }
        return mark
    }

    private func headerMark(of segment: SegmentDescriptor) throws(LogError) -> Sequence {
        let open = try open(segment)
        var mark = Sequence.none
        var offset = UInt64(FormatLimits.segmentHeaderBytes)
        do throws(SystemError) {
            while offset < open.fileBytes {
                let head = try open.file.read(FormatLimits.blockHeaderBytes, at: offset)
                let header: BlockHeader
                do {
                    (header, _) = try head.span.bytes.withUnsafeBytes {
                        bytes throws(FormatError) in
                        try BlockHeader.decode(bytes, salt: open.header.salt)
                    }
                } catch {
                    // A torn or damaged block: what stands before it counts.
                    break
                }
                mark = max(mark, header.durableMark)
                offset += UInt64(FormatLimits.blockHeaderBytes) + UInt64(header.storedBytes)
            }
        } catch { throw .system(error) }
        return mark
    }
}
