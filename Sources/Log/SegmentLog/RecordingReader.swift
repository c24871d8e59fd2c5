package import Platform
package import RecordModel
package import SegmentFormat

/// Reads a recording, also beside its writer. It takes no lock and changes nothing.
///
/// What it knows of the segments is a picture taken at a moment; `refresh` takes a new one.
package final class RecordingReader {
    package let layout: RecordingLayout
    package let identity: RecordingIdentity
    /// Segments that count, by rising ordinal.
    package private(set) var segments: [SegmentDescriptor] = []
    /// What is wrong with the manifest, if anything.
    package private(set) var manifestDamage: LogError?

    let disk: any FileSystem

    /// Opens a recording for reading.
    ///
    /// - Throws: `notARecording`, `newerVersion` or `system`.
    package init(path: String, disk: any FileSystem) throws(LogError) {
        layout = RecordingLayout(path)
        self.disk = disk
        identity = try RecordingIdentity.read(layout, on: disk)
        try refresh()
    }

    /// Looks at the manifest again.
    ///
    /// - Throws: `newerVersion` or `system`.
    package func refresh() throws(LogError) {
        manifestDamage = nil
        let manifest: Manifest
        do { manifest = try Manifest.read(layout.manifest, on: disk) } catch {
            switch error {
            case .damaged, .notARecording: try readWithoutManifest(error)
            case .system(let cause) where cause.isNotFound: try readWithoutManifest(error)
            default: throw error
            }
            return
        }
        if manifest.header.recording != identity.recording {
            manifestDamage = .damaged(
                path: layout.manifest,
                offset: 16,
                error: .invalid(structure: "manifest", field: "recording", value: 0)
            )
        } else if manifest.isDamaged, let error = manifest.tail {
            manifestDamage = .damaged(
                path: layout.manifest,
                offset: manifest.validBytes,
                error: error
            )
        }
        merge(manifest.segments.map { SegmentDescriptor($0, layout: layout) })
    }

    /// The segments by their file names, when the manifest cannot be used.
    private func readWithoutManifest(_ error: LogError) throws(LogError) {
        manifestDamage = error
        let names: [String]
        do throws(SystemError) { names = try disk.list(layout.segments) } catch {
            throw .system(error)
        }
        merge(
            names.compactMap { name in
                RecordingLayout.parseSegmentName(name).map {
                    SegmentDescriptor(
                        ordinal: $0.ordinal,
                        firstSequence: Sequence($0.firstSequence),
                        path: layout.segments + "/" + name
                    )
                }
            }
        )
    }

    /// Keeps what is known of segments that have not changed.
    private func merge(_ fresh: [SegmentDescriptor]) {
        segments = fresh.map { new in
            guard let old = segments.first(where: { $0.ordinal == new.ordinal }),
                old.isClosed == new.isClosed
            else { return new }
            var kept = old
            kept.limit = new.limit
            return kept
        }
    }

    /// The index of a segment; those of the last few sealed ones are kept.
    ///
    /// - Throws: `damaged` when the header cannot be believed, or `system`.
    func walk(_ segment: SegmentDescriptor) throws(LogError) -> BlockWalk {
        if let known = walks.first(where: { $0.ordinal == segment.ordinal }) { return known.walk }
        let walk = try BlockWalk(reader: self, segment: segment)
        guard segment.isSealed else { return walk }
        if walks.count >= Self.segmentsKept { walks.removeFirst() }
        walks.append((segment.ordinal, walk))
        return walk
    }

    private static let segmentsKept = 8
    private var walks: [(ordinal: UInt64, walk: BlockWalk)] = []
    private var opened: [OpenSegment] = []

    /// Opens a segment and reads its header, and the index when it is sealed. The last few sealed
    /// ones stay open.
    ///
    /// - Throws: `damaged` when the header cannot be believed, or `system`.
    func open(_ segment: SegmentDescriptor) throws(LogError) -> OpenSegment {
        if let known = opened.first(where: { $0.header.ordinal == segment.ordinal }) {
            return known
        }
        let open = try openFresh(segment)
        guard segment.isSealed, open.seal != nil else { return open }
        if opened.count >= Self.segmentsKept { opened.removeFirst() }
        opened.append(open)
        return open
    }

    private func openFresh(_ segment: SegmentDescriptor) throws(LogError) -> OpenSegment {
        let file: any File
        let head: [UInt8]
        let size: UInt64
        do throws(SystemError) {
            file = try disk.open(segment.path, .readOnly)
            head = try file.read(FormatLimits.segmentHeaderBytes, at: 0)
            size = try file.size()
        } catch { throw .system(error) }
        let header: SegmentHeader
        let link: UInt64
        do {
            (header, link) = try head.span.bytes.withUnsafeBytes { bytes throws(FormatError) in
                try SegmentHeader.decode(bytes)
            }
        } catch {
            throw .damaged(path: segment.path, offset: 0, error: error)
        }
        guard header.recording == identity.recording, header.ordinal == segment.ordinal,
            header.firstSequence == segment.firstSequence
        else {
            throw .damaged(
                path: segment.path,
                offset: 16,
                error: .invalid(
                    structure: "segment header",
                    field: "identity",
                    value: header.ordinal
                )
            )
        }
        var open = OpenSegment(file: file, header: header, link: link, fileBytes: size)
        open.readSeal(path: segment.path)
        return open
    }

    /// The first and last sequence that the recording can deliver, holes included; the last one
    /// of an active segment is found by walking its block headers.
    ///
    /// - Throws: `damaged` or `system`.
    package func sequenceRange() throws(LogError) -> (first: Sequence, last: Sequence)? {
        guard let first = segments.first?.firstSequence else { return nil }
        var last = first.previous
        for segment in segments.reversed() {
            if let known = segment.lastSequence {
                last = known
                break
            }
            let walk = try self.walk(segment)
            if let found = walk.entries.last(where: { $0.recordCount > 0 }), walk.last >= first {
                _ = found
                last = walk.last
                break
            }
        }
        return last >= first ? (first, last) : nil
    }
}

/// One segment as the manifest names it.
package struct SegmentDescriptor: Sendable, Equatable {
    package let ordinal: UInt64
    package let firstSequence: Sequence
    package let path: String
    /// Records from here on do not count, because another segment took over; nil without limit.
    package var limit: Sequence?
    /// What the manifest says of its end; nil while it is not sealed.
    package var sealed: ManifestEntry?
    /// The salt by the manifest; nil without one.
    package var salt: UInt64?

    /// What the manifest says when recovery found it damaged; nil otherwise.
    package var quarantined: ManifestEntry?

    /// Whether the manifest says that the segment is complete.
    package var isSealed: Bool { sealed != nil }
    /// Whether nothing will be added to it: an invalid block in it is damage.
    package var isClosed: Bool { isSealed || quarantined != nil }

    /// The last sequence that counts, if the manifest tells it.
    package var lastSequence: Sequence? {
        if let limit { return limit.previous }
        return sealed?.lastSequence ?? quarantined?.lastSequence
    }

    init(_ segment: ManifestSegment, layout: RecordingLayout) {
        ordinal = segment.ordinal
        firstSequence = segment.firstSequence
        path = layout.segment(
            ordinal: segment.ordinal,
            firstSequence: segment.firstSequence.value
        )
        limit = segment.supersededFrom
        sealed = segment.sealed
        quarantined = segment.quarantined
        salt = segment.created.salt
    }

    init(ordinal: UInt64, firstSequence: Sequence, path: String) {
        self.ordinal = ordinal
        self.firstSequence = firstSequence
        self.path = path
    }
}

/// A segment open for reading.
struct OpenSegment {
    let file: any File
    let header: SegmentHeader
    /// The link that the first block continues.
    let link: UInt64
    let fileBytes: UInt64
    /// Index and trailer, when they are there and can be believed.
    private(set) var seal: SegmentSeal?
    private(set) var indexOffset: UInt64?
    /// What is wrong with index or trailer, if anything.
    private(set) var sealDamage: (offset: UInt64, error: FormatError)?

    /// Reads index and trailer in one go where they fit.
    mutating func readSeal(path: String) {
        let size = UInt64(FormatLimits.trailerBytes)
        guard fileBytes >= size + UInt64(FormatLimits.segmentHeaderBytes) else { return }
        var place = fileBytes - size
        do {
            let bytes = try file.read(FormatLimits.trailerBytes, at: place)
            let trailer = try bytes.span.bytes.withUnsafeBytes { buffer throws(FormatError) in
                try SegmentSeal.decodeTrailer(buffer, fileBytes: fileBytes, salt: header.salt)
            }
            indexOffset = trailer.indexOffset
            place = trailer.indexOffset
            let index = try file.read(trailer.indexBytes, at: trailer.indexOffset)
            seal = try index.span.bytes.withUnsafeBytes { buffer throws(FormatError) in
                try SegmentSeal.decode(index: buffer, trailer: trailer, salt: header.salt)
            }
        } catch let error as FormatError {
            // An unsealed segment ends in blocks; whether that is right, the manifest knows.
            sealDamage = (place, error)
        } catch {
            sealDamage = (
                place,
                .truncated(structure: "segment trailer", needed: Int(size), available: 0)
            )
        }
    }

    init(file: any File, header: SegmentHeader, link: UInt64, fileBytes: UInt64) {
        self.file = file
        self.header = header
        self.link = link
        self.fileBytes = fileBytes
    }
}
