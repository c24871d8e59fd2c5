package import Platform
package import RecordModel
package import SegmentFormat

/// Reads a recording, also beside its writer. It takes no lock and changes nothing.
///
/// What it knows of the segments is a picture taken at a moment; `refresh` takes a new one.
package final class RecordingReader {
    package let layout: RecordingLayout
    package let identity: RecordingIdentity
    /// The identity that the segments carry.
    package var recordingID: RecordingID { recording }
    /// Segments that count, by rising ordinal.
    package private(set) var segments: [SegmentDescriptor] = []
    /// The highest ordinal that retention removed; 0 when nothing was.
    package private(set) var retiredThrough: UInt64 = 0
    /// What is wrong with the manifest, if anything.
    package private(set) var manifestDamage: LogError?
    /// What is wrong with `recording.json`, when the recording was opened without it.
    package private(set) var identityDamage: LogError?

    let disk: any FileSystem

    /// Opens a recording for reading.
    ///
    /// - Throws: `notARecording`, `newerVersion` or `system`.
    package init(path: String, disk: any FileSystem) throws(LogError) {
        layout = RecordingLayout(path)
        self.disk = disk
        identity = try RecordingIdentity.read(layout, on: disk)
        recording = identity.recording
        try refresh()
    }

    /// Opens what is left of a recording, also without `recording.json`.
    ///
    /// - Throws: `notARecording` when nothing tells that it is one, `newerVersion` or `system`.
    package init(salvaging path: String, disk: any FileSystem) throws(LogError) {
        layout = RecordingLayout(path)
        self.disk = disk
        (identity, identityDamage) = try RecordingIdentity.salvage(layout, on: disk)
        recording = identity.recording
        try refresh()
        for index in segments.indices where segments[index].created == nil {
            segments[index].created = try SegmentFile.salvage(segments[index], on: disk)
        }
    }

    /// Looks at the manifest again.
    ///
    /// - Throws: `system`.
    package func refresh() throws(LogError) {
        manifestDamage = nil
        folderDamage = nil
        let manifest: Manifest
        do { manifest = try Manifest.read(layout, on: disk) } catch {
            switch error {
            case .damaged(layout.segments, _, let cause): (folderDamage, segments) = (cause, [])
            case .damaged: try readWithoutManifest(error)
            default: throw error
            }
            return
        }
        recording = manifest.header.recording
        retiredThrough = manifest.retiredThrough
        if manifest.isDamaged, let error = manifest.tail {
            manifestDamage = .damaged(
                path: layout.manifest,
                offset: manifest.validBytes,
                error: error
            )
        }
        segments = manifest.segments.map { SegmentDescriptor($0, layout: layout) }
        if recording != identity.recording { try settleIdentity() }
        // A torn last entry names no segment that holds records. Whether it was torn or damaged,
        // the files tell; they are looked at once, and whenever the manifest does not end well.
        guard !hasLooked || manifest.tail != nil else { return }
        try takeUnnamed(manifest)
        hasLooked = true
    }

    /// What stands in place of the segments' folder.
    private var folderDamage: FormatError?

    /// All records are missing, because the segments do not lie in a folder; nil otherwise.
    package var folderLoss: DamageReport? {
        folderDamage.map {
            DamageReport(
                path: layout.segments,
                offset: 0,
                error: $0,
                missingFrom: .first,
                missingThrough: .none
            )
        }
    }

    /// The first segment whose ordinal is above a number; nil when there is none.
    func segment(above ordinal: UInt64) -> SegmentDescriptor? {
        let index = segments.partition { $0.ordinal > ordinal }
        return index < segments.count ? segments[index] : nil
    }

    /// Which recording the segments belong to: by the manifest, which is checksummed.
    private(set) var recording: RecordingID
    private var hasLooked = false

    /// The identity file and the manifest name different recordings: the segments decide.
    private func settleIdentity() throws(LogError) {
        let files: [SegmentFile]
        do throws(SystemError) {
            files = try SegmentFile.unnamed(by: [], in: layout, of: recording, on: disk)
        } catch { throw .system(error) }
        if files.contains(where: { $0.created != nil }) {
            manifestDamage = .damaged(
                path: layout.identity,
                offset: 0,
                error: .invalid(structure: "recording.json", field: "uuid", value: 0)
            )
            return
        }
        let error = LogError.damaged(
            path: layout.manifest,
            offset: 16,
            error: .invalid(structure: "manifest", field: "recording", value: 0)
        )
        try readWithoutManifest(error)
    }

    /// Adds segments that hold records although the manifest does not name them.
    private func takeUnnamed(_ manifest: Manifest) throws(LogError) {
        var manifest = manifest
        var found = try unnamed(by: manifest)
        guard !found.isEmpty else { return }
        // A writer at work may have named them meanwhile.
        manifest = try Manifest.read(layout, on: disk)
        let named = Set(manifest.segments.map(\.ordinal))
        found.removeAll { named.contains($0.ordinal) }
        guard !found.isEmpty else {
            segments = manifest.segments.map { SegmentDescriptor($0, layout: layout) }
            return
        }
        manifest.entries += found
        segments = manifest.segments.map { SegmentDescriptor($0, layout: layout) }
        let lost = FormatError.truncated(
            structure: "manifest",
            needed: found.count * FormatLimits.manifestEntryBytes,
            available: 0
        )
        if manifestDamage == nil {
            manifestDamage = .damaged(
                path: layout.manifest,
                offset: manifest.validBytes,
                error: manifest.tail ?? lost  // cut off between two entries
            )
        }
    }

    private func unnamed(by manifest: Manifest) throws(LogError) -> [ManifestEntry] {
        let named = Set(manifest.segments.map(\.ordinal))
        do throws(SystemError) {
            return try SegmentFile.unnamed(by: named, in: layout, of: recording, on: disk)
                .filter { $0.hasRecords && $0.ordinal > manifest.retiredThrough }
                .compactMap(\.created)
        } catch { throw .system(error) }
    }

    /// The segments by their files, when the manifest cannot be used.
    private func readWithoutManifest(_ error: LogError) throws(LogError) {
        manifestDamage = error
        recording = identity.recording
        let files: [SegmentFile]
        do throws(SystemError) {
            files = try SegmentFile.unnamed(by: [], in: layout, of: recording, on: disk)
        } catch { throw .system(error) }
        var manifest = Manifest(
            header: ManifestHeader(recording: recording, salt: 0),
            entries: files.compactMap(\.created),
            validBytes: 0,
            tail: nil,
            isDamaged: true
        )
        for file in files where file.created == nil {
            manifest.entries.append(
                ManifestEntry(
                    kind: .created,
                    ordinal: file.ordinal,
                    writerEpoch: 0,
                    firstSequence: file.firstSequence
                )
            )
        }
        segments = manifest.segments.map { SegmentDescriptor($0, layout: layout) }
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

    /// What opening its segments needs.
    var source: SegmentSource {
        SegmentSource(
            disk: disk,
            recording: recording,
            layout: layout,
            hasManifest: manifestDamage == nil
        )
    }

    private static let segmentsKept = 8
    private var walks: [(ordinal: UInt64, walk: BlockWalk)] = []
    private var opened: [OpenSegment] = []

    /// Opens a segment and reads its header, and the index when it is sealed. The last few sealed
    /// ones stay open.
    ///
    /// - Throws: `damaged` when the header cannot be believed, `rangeNotAvailable` when it was
    ///   retired, or `system`.
    func open(_ segment: SegmentDescriptor) throws(LogError) -> OpenSegment {
        if let known = opened.first(where: { $0.header.ordinal == segment.ordinal }) {
            return known
        }
        let open = try source.open(segment)
        guard segment.isSealed, open.seal != nil else { return open }
        if opened.count >= Self.segmentsKept { opened.removeFirst() }
        opened.append(open)
        return open
    }

    /// Bytes of all segment files that are there.
    ///
    /// - Throws: `system`.
    package func segmentBytes() throws(LogError) -> UInt64 {
        var sum: UInt64 = 0
        for segment in segments { sum += try bytes(of: segment) }
        return sum
    }

    /// Bytes of a segment's file; 0 when it is not there.
    ///
    /// - Throws: `system`.
    package func bytes(of segment: SegmentDescriptor) throws(LogError) -> UInt64 {
        do throws(SystemError) {
            guard try disk.kind(of: segment.path) == .file else { return 0 }
            return try disk.open(segment.path, .readOnly).size()
        } catch { throw .system(error) }
    }

    /// The first and last sequence that the recording can deliver, holes included; the last one
    /// of an active segment is found by walking its block headers, and by reading what stands
    /// behind an invalid one.
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
            let found = walk.isWhole ? walk.last : try lastDelivered(after: walk.last)
            if found >= first {
                last = found
                break
            }
        }
        return last >= first ? (first, last) : nil
    }
}

extension RecordingReader {
    /// The last sequence that a cursor accounts for, in the blocks behind a known one.
    func lastDelivered(after known: Sequence) throws(LogError) -> Sequence {
        let cursor = try RecordCursor(self, from: known.next)
        do {
            while true {
                if case .end = try cursor.next() { break }
            }
        } catch {
            // Whoever reads that far is told that a newer version is needed.
            guard case .newerVersion = error else { throw error }
        }
        return cursor.expected.previous
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
    /// What the manifest says of its making; nil when it says nothing that helps reading.
    package var created: ManifestEntry?
    /// What the manifest says when recovery found it damaged; nil otherwise.
    package var quarantined: ManifestEntry?

    /// Whether the manifest says that the segment is complete.
    package var isSealed: Bool { sealed != nil }
    /// Whether nothing that counts will be added to it: an invalid block in it, below `limit` if
    /// there is one, is damage.
    package var isClosed: Bool { isSealed || quarantined != nil || limit != nil }

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
        created = segment.created.salt == 0 ? nil : segment.created
    }
}

/// A segment open for reading.
struct OpenSegment {
    let file: any File
    let header: SegmentHeader
    /// The link that the first block continues.
    let link: UInt64
    let fileBytes: UInt64
    /// Why the header is taken from the manifest; nil when it is the file's own.
    let headerDamage: FormatError?
    /// Index and trailer, when they are there and can be believed.
    var seal: SegmentSeal?
    private(set) var indexOffset: UInt64?
    /// What is wrong with index or trailer, if anything.
    private(set) var sealDamage: (offset: UInt64, error: FormatError)?

    /// A scanner before the first block.
    var scanner: SegmentScanner {
        SegmentScanner(
            file: file,
            salt: header.salt,
            offset: UInt64(FormatLimits.segmentHeaderBytes),
            limit: indexOffset
        )
    }

    /// The segment as its file is now, by the handle that is open: its name may be gone.
    ///
    /// - Throws: the error of a read.
    func reread() throws(SystemError) -> OpenSegment {
        var fresh = OpenSegment(
            file: file,
            header: header,
            link: link,
            fileBytes: try file.size(),
            headerDamage: headerDamage
        )
        try fresh.readSeal()
        return fresh
    }

    /// Reads index and trailer in one go where they fit.
    ///
    /// - Throws: the error of a read; what is wrong with the bytes stands in `sealDamage`.
    mutating func readSeal() throws(SystemError) {
        let size = UInt64(FormatLimits.trailerBytes)
        guard fileBytes >= size + UInt64(FormatLimits.segmentHeaderBytes) else { return }
        let bytes = try file.read(FormatLimits.trailerBytes, at: fileBytes - size)
        let trailer: SegmentSeal.Trailer
        do {
            trailer = try bytes.span.bytes.withUnsafeBytes { buffer throws(FormatError) in
                try SegmentSeal.decodeTrailer(buffer, fileBytes: fileBytes, salt: header.salt)
            }
        } catch {
            // An unsealed segment ends in blocks; whether that is right, the manifest knows.
            sealDamage = (fileBytes - size, error)
            return
        }
        indexOffset = trailer.indexOffset
        let index = try file.read(trailer.indexBytes, at: trailer.indexOffset)
        do {
            seal = try index.span.bytes.withUnsafeBytes { buffer throws(FormatError) in
                try SegmentSeal.decode(index: buffer, trailer: trailer, salt: header.salt)
            }
        } catch {
            sealDamage = (trailer.indexOffset, error)
        }
    }

    init(
        file: any File,
        header: SegmentHeader,
        link: UInt64,
        fileBytes: UInt64,
        headerDamage: FormatError? = nil
    ) {
        self.file = file
        self.headerDamage = headerDamage
        self.header = header
        self.link = link
        self.fileBytes = fileBytes
    }
}
