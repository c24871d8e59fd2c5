import Platform
import RecordModel
import SegmentFormat

/// What opening the segments of one recording needs. Any thread may hold a copy.
struct SegmentSource: Sendable {
    let disk: any FileSystem
    /// The recording that the segments' headers must name.
    let recording: RecordingID
    let layout: RecordingLayout
    /// Whether the manifest can be read, so that it says which segments are sealed.
    let hasManifest: Bool

    /// Opens a segment and reads its header, and index and trailer when it has them.
    ///
    /// - Throws: `damaged` when neither the header nor the manifest tells the salt or no file
    ///   stands there, `rangeNotAvailable` when it was retired, or `system`.
    func open(_ segment: SegmentDescriptor) throws(LogError) -> OpenSegment {
        let file = try file(of: segment)
        let head: [UInt8]
        let size: UInt64
        do throws(SystemError) {
            head = try file.read(FormatLimits.segmentHeaderBytes, at: 0)
            size = try file.size()
        } catch { throw .system(error) }
        var open: OpenSegment
        do {
            let (header, link) = try SegmentHeader.decode(
                head,
                recording: recording,
                ordinal: segment.ordinal,
                firstSequence: segment.firstSequence
            )
            open = OpenSegment(file: file, header: header, link: link, fileBytes: size)
        } catch {
            // The manifest tells the salt, which is all that the blocks need.
            guard let created = segment.created else {
                throw .damaged(path: segment.path, offset: 0, error: error)
            }
            open = OpenSegment(
                file: file,
                header: SegmentHeader(created, recording: recording),
                link: created.headerLink,
                fileBytes: size,
                headerDamage: error
            )
        }
        do throws(SystemError) { try open.readSeal() } catch { throw .system(error) }
        // The trailer's sectors may have reached the disk before those of the blocks: only the
        // manifest, if it can be read, says that all of them have.
        if hasManifest, !segment.isClosed { open.seal = nil }
        return open
    }

    /// Opens what is a file; a link is not followed, and a pipe would wait for ever.
    private func file(of segment: SegmentDescriptor) throws(LogError) -> any File {
        do throws(SystemError) {
            let kind = try disk.kind(of: segment.path)
            if kind == .file || kind == nil { return try disk.open(segment.path, .readOnly) }
        } catch {
            if error.isNotFound { try checkRetired(segment) }
            // A link that was put there meanwhile is as one that was there before.
            guard error.isSymbolicLink else { throw .system(error) }
        }
        throw .damaged(
            path: segment.path,
            offset: 0,
            error: .wrongKind(structure: "segment file", needed: "regular file")
        )
    }

    /// Whether a segment whose file is gone was retired since the manifest was read.
    ///
    /// - Throws: `rangeNotAvailable` when it was.
    private func checkRetired(_ segment: SegmentDescriptor) throws(LogError) {
        let manifest: Manifest
        do { manifest = try Manifest.read(layout, on: disk) } catch {
            // Then nothing says that it was retired.
            return
        }
        guard segment.ordinal <= manifest.retiredThrough else { return }
        throw layout.retirement(of: segment.firstSequence, last: manifest.lastRetired)
    }
}

extension RecordingLayout {
    /// Says that records were retired before they were read.
    func retirement(of first: Sequence, last: Sequence) -> LogError {
        .rangeNotAvailable(
            detail: "\(path): records \(first) through \(last) were retired before they were read"
        )
    }
}
