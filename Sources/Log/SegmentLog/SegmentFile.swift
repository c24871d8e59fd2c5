import Platform
import RecordModel
import SegmentFormat

/// A segment as its file alone tells it, for what the manifest does not say.
struct SegmentFile {
    let ordinal: UInt64
    let firstSequence: Sequence
    let path: String
    /// What the manifest would say of its making; nil when the header is not one of this recording.
    let created: ManifestEntry?
    /// Whether a block with records or a hole can be read in it.
    let hasRecords: Bool

    /// The segment files of a recording that the manifest does not name, by rising ordinal.
    ///
    /// - Parameters:
    ///   - named: ordinals that the manifest names.
    ///   - layout: where the files lie.
    ///   - recording: whose headers count.
    ///   - disk: the file system.
    /// - Returns: one for each file with the name of a segment.
    /// - Throws: the error of listing or reading.
    static func unnamed(
        by named: Set<UInt64>,
        in layout: RecordingLayout,
        of recording: RecordingID,
        on disk: some FileSystem
    ) throws(SystemError) -> [SegmentFile] {
        var files: [SegmentFile] = []
        for name in try disk.list(layout.segments) {
            guard let (ordinal, first) = RecordingLayout.parseSegmentName(name),
                !named.contains(ordinal)
            else { continue }
            files.append(
                try SegmentFile(
                    ordinal: ordinal,
                    firstSequence: Sequence(first),
                    path: layout.segments + "/" + name,
                    recording: recording,
                    on: disk
                )
            )
        }
        return files.sorted { ($0.ordinal, $0.firstSequence) < ($1.ordinal, $1.firstSequence) }
    }

    private init(
        ordinal: UInt64,
        firstSequence: Sequence,
        path: String,
        recording: RecordingID,
        on disk: some FileSystem
    ) throws(SystemError) {
        self.ordinal = ordinal
        self.firstSequence = firstSequence
        self.path = path
        guard try disk.kind(of: path) == .file, let file = try Self.open(path, on: disk) else {
            (created, hasRecords) = (nil, false)
            return
        }
        let head = try file.read(FormatLimits.segmentHeaderBytes, at: 0)
        let header: SegmentHeader
        let link: UInt64
        do {
            (header, link) = try head.span.bytes.withUnsafeBytes { bytes throws(FormatError) in
                try SegmentHeader.decode(bytes)
            }
        } catch {
            // A making that was cut short, or damage: the caller decides.
            (created, hasRecords) = (nil, false)
            return
        }
        guard header.recording == recording, header.ordinal == ordinal,
            header.firstSequence == firstSequence
        else {
            (created, hasRecords) = (nil, false)
            return
        }
        created = ManifestEntry(
            kind: .created,
            ordinal: ordinal,
            writerEpoch: header.writerEpoch,
            firstSequence: firstSequence,
            supersededOrdinal: header.supersededOrdinal,
            supersededFrom: header.supersededFrom,
            salt: header.salt,
            headerLink: link
        )
        hasRecords = try Self.hasRecords(file, salt: header.salt)
        try file.close()
    }

    /// Opens a file; nil when it went away since its directory was listed, retired or put aside.
    private static func open(
        _ path: String,
        on disk: some FileSystem
    ) throws(SystemError) -> (any File)? {
        do throws(SystemError) { return try disk.open(path, .readOnly) } catch {
            if error.isNotFound { return nil }
            throw error
        }
    }

    private static func hasRecords(_ file: any File, salt: UInt64) throws(SystemError) -> Bool {
        let scanner = SegmentScanner(
            file: file,
            salt: salt,
            offset: UInt64(FormatLimits.segmentHeaderBytes),
            limit: nil
        )
        while true {
            switch try scanner.next() {
            case .end: return false
            case .invalid:
                if try !scanner.resynchronize() { return false }
            case .block(let header, _, _):
                if header.kind == .data || header.kind == .hole { return true }
            }
        }
    }
}

extension SegmentHeader {
    /// What the manifest knows of a header that cannot be read itself.
    init(_ created: ManifestEntry, recording: RecordingID) {
        self.init(
            recording: recording,
            ordinal: created.ordinal,
            writerEpoch: created.writerEpoch,
            firstSequence: created.firstSequence,
            salt: created.salt,
            previousLink: 0,
            createdAt: 0,
            supersededOrdinal: created.supersededOrdinal,
            supersededFrom: created.supersededFrom
        )
    }

    /// Reads a header and compares it with what is known of the segment.
    ///
    /// - Throws: what `decode` throws, and `invalid` when it is the header of another segment.
    static func decode(
        _ head: [UInt8],
        recording: RecordingID,
        ordinal: UInt64,
        firstSequence: Sequence
    ) throws(FormatError) -> (header: SegmentHeader, link: UInt64) {
        let (header, link) = try head.span.bytes.withUnsafeBytes { bytes throws(FormatError) in
            try SegmentHeader.decode(bytes)
        }
        guard header.recording == recording, header.ordinal == ordinal,
            header.firstSequence == firstSequence
        else {
            throw .invalid(
                structure: "segment header",
                field: "identity (the header is that of another segment): ordinal",
                value: header.ordinal
            )
        }
        return (header, link)
    }
}
