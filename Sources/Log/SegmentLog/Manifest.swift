package import Platform
package import RecordModel
package import SegmentFormat

/// The manifest as read: its header, its entries, and what stands behind them.
package struct Manifest: Sendable {
    package var header: ManifestHeader
    package var entries: [ManifestEntry]
    /// Bytes of header and whole entries.
    package var validBytes: UInt64
    /// What follows the valid bytes, if anything: a torn entry, or damage.
    package var tail: FormatError?
    /// Whether a valid entry stands behind the invalid one: damage rather than a torn write.
    package var isDamaged: Bool

    /// What the entries say of each segment, by rising ordinal.
    package var segments: [ManifestSegment] { Self.segments(of: entries) }

    /// What the entries say of each segment that is retired, by rising ordinal.
    var retired: [ManifestSegment] {
        let retired = retiredThrough
        return Self.all(of: entries).filter { $0.ordinal <= retired }
    }

    /// What entries say of each segment that is not retired, by rising ordinal.
    static func segments(of entries: [ManifestEntry]) -> [ManifestSegment] {
        let retired = retiredThrough(entries)
        return all(of: entries).filter { $0.ordinal > retired }
    }

    private static func all(of entries: [ManifestEntry]) -> [ManifestSegment] {
        var byOrdinal: [UInt64: ManifestSegment] = [:]
        for entry in entries where entry.kind == .created {
            byOrdinal[entry.ordinal] = ManifestSegment(created: entry)
        }
        // In any order, because entries that were lost are added at the end.
        for entry in entries {
            switch entry.kind {
            case .created where entry.supersededOrdinal > 0:
                byOrdinal[entry.supersededOrdinal]?.supersededFrom = entry.supersededFrom
            case .created, .retiredThrough: continue
            case .sealed: byOrdinal[entry.ordinal]?.sealed = entry
            case .quarantined: byOrdinal[entry.ordinal]?.quarantined = entry
            }
        }
        return byOrdinal.keys.sorted().compactMap { byOrdinal[$0] }
    }

    /// The highest ordinal that retention removed.
    package var retiredThrough: UInt64 { Self.retiredThrough(entries) }

    private static func retiredThrough(_ entries: [ManifestEntry]) -> UInt64 {
        // Ordinals count from 1: 0 means that nothing was removed.
        entries.filter { $0.kind == .retiredThrough }.map(\.ordinal).max() ?? 0
    }

    /// The last sequence that retention removed; `none` when nothing was.
    package var lastRetired: Sequence {
        entries.filter { $0.kind == .retiredThrough }.map(\.lastSequence).max() ?? .none
    }

    /// Reads a manifest.
    ///
    /// - Throws: `damaged` when it is missing, no file or too large, when its header cannot be
    ///   believed, or when the segments do not lie in a folder; or `system`.
    package static func read(
        _ layout: RecordingLayout,
        on disk: some FileSystem
    ) throws(LogError) -> Manifest {
        try layout.checkSegments(on: disk)
        let path = layout.manifest
        let bytes: [UInt8]
        do {
            bytes = try readWholeFile(
                path,
                structure: "manifest",
                limit: FormatLimits.manifestBytesMax,
                on: disk
            )
        } catch {
            if case .notARecording = error {
                throw .damaged(
                    path: path,
                    offset: 0,
                    error: .invalid(
                        structure: "manifest",
                        field: "more bytes than the limit, which",
                        value: UInt64(FormatLimits.manifestBytesMax)
                    )
                )
            }
            guard case .system(let cause) = error, cause.isNotFound else { throw error }
            throw .damaged(
                path: path,
                offset: 0,
                error: .truncated(
                    structure: "manifest",
                    needed: FormatLimits.manifestHeaderBytes,
                    available: 0
                )
            )
        }
        return try bytes.span.bytes.withUnsafeBytes { buffer throws(LogError) in
            try parse(buffer, path: path)
        }
    }

    private static func parse(
        _ buffer: UnsafeRawBufferPointer,
        path: String
    ) throws(LogError) -> Manifest {
        let header: ManifestHeader
        do { header = try ManifestHeader.decode(buffer) } catch {
            // It stands in a recording of this version, so other bytes than ours are damage.
            throw .damaged(path: path, offset: 0, error: error)
        }
        var manifest = Manifest(
            header: header,
            entries: [],
            validBytes: UInt64(FormatLimits.manifestHeaderBytes),
            tail: nil,
            isDamaged: false
        )
        var offset = FormatLimits.manifestHeaderBytes
        while offset < buffer.count {
            let rest = UnsafeRawBufferPointer(rebasing: buffer[offset...])
            do {
                let entry = try ManifestEntry.decode(rest, salt: header.salt)
                // Entries behind an invalid one still count; the invalid one is then damage.
                if manifest.tail != nil { manifest.isDamaged = true }
                manifest.entries.append(entry)
                if manifest.tail == nil {
                    manifest.validBytes = UInt64(offset + FormatLimits.manifestEntryBytes)
                }
            } catch {
                if manifest.tail == nil { manifest.tail = error }
            }
            offset += FormatLimits.manifestEntryBytes
        }
        manifest.checkRetirement()
        return manifest
    }

    /// The newest segment is never retired: an entry that says so is not believed, or recovery
    /// would remove everything on its word.
    private mutating func checkRetirement() {
        let newest = entries.filter { $0.kind == .created }.map(\.ordinal).max() ?? 0  // none
        guard let wrong = entries.first(where: { Self.isAbsurd($0, newest: newest) }) else {
            return
        }
        entries.removeAll { Self.isAbsurd($0, newest: newest) }
        isDamaged = true
        tail =
            tail
            ?? .invalid(
                structure: "manifest entry",
                field: "retired through (the newest segment is never retired)",
                value: wrong.ordinal
            )
    }

    private static func isAbsurd(_ entry: ManifestEntry, newest: UInt64) -> Bool {
        entry.kind == .retiredThrough && entry.ordinal >= newest
    }
}

/// What the manifest knows of one segment.
package struct ManifestSegment: Sendable, Equatable {
    package var created: ManifestEntry
    package var sealed: ManifestEntry?
    package var quarantined: ManifestEntry?
    /// From this sequence on another segment takes its place.
    package var supersededFrom: Sequence?

    /// The segment's number and where it begins, as stated when it was made.
    package var ordinal: UInt64 { created.ordinal }
    package var firstSequence: Sequence { created.firstSequence }

    init(created: ManifestEntry) { self.created = created }
}

/// Appends entries to the manifest, each durable when the call returns.
struct ManifestWriter {
    private let path: String
    private let segments: String
    private let header: ManifestHeader
    private var file: (any File)?
    private(set) var entries: [ManifestEntry]
    private var offset: UInt64

    /// Continues a manifest that was read, cutting what stands behind its last whole entry.
    init(
        continuing manifest: Manifest,
        layout: RecordingLayout,
        on disk: some FileSystem
    ) throws(SystemError) {
        path = layout.manifest
        segments = layout.segments
        header = manifest.header
        entries = manifest.entries
        offset = manifest.validBytes
        let file = try disk.open(path, .readWrite)
        if try file.size() > offset { try file.truncate(to: offset) }
        // The sync of the last entry may have failed in the process before: then it can be read
        // until the power goes, but only writing it again makes it durable.
        if let last = entries.last {
            let bytes = last.encoded(salt: header.salt)
            try file.write(bytes, at: offset - UInt64(bytes.count))
        }
        try file.syncData()
        self.file = file
    }

    /// Makes the manifest of a new recording.
    init(
        header: ManifestHeader,
        layout: RecordingLayout,
        on disk: some FileSystem
    ) throws(SystemError) {
        path = layout.manifest
        segments = layout.segments
        self.header = header
        entries = []
        let bytes = header.encoded()
        let file = try disk.open(path, .createNew)
        try file.write(bytes, at: 0)
        try file.syncData()
        try disk.syncDirectory(segments)
        offset = UInt64(bytes.count)
        self.file = file
    }

    /// Adds an entry and makes it durable.
    ///
    /// After a failure the file is never used again: the next call writes the whole manifest anew
    /// beside it and renames it.
    mutating func append(_ entry: ManifestEntry, on disk: some FileSystem) throws(SystemError) {
        guard let file else {
            try rewrite(adding: entry, on: disk)
            return
        }
        let bytes = entry.encoded(salt: header.salt)
        do throws(SystemError) {
            try file.write(bytes, at: offset)
            try file.syncData()
        } catch {
            self.file = nil
            try rewrite(adding: entry, on: disk)
            return
        }
        offset += UInt64(bytes.count)
        entries.append(entry)
    }

    private mutating func rewrite(
        adding entry: ManifestEntry,
        on disk: some FileSystem
    ) throws(SystemError) {
        let temporary = path + ".new"
        if try disk.kind(of: temporary) != nil { try disk.remove(temporary) }
        let fresh = try disk.open(temporary, .createNew)
        var bytes = header.encoded()
        for old in entries + [entry] { bytes += old.encoded(salt: header.salt) }
        try fresh.write(bytes, at: 0)
        try fresh.syncData()
        try disk.rename(temporary, to: path)
        try disk.syncDirectory(segments)
        entries.append(entry)
        offset = UInt64(bytes.count)
        file = fresh
    }

    mutating func close() throws(SystemError) {
        let open = file
        file = nil
        try open?.close()
    }
}

/// Reads a small file whole. What is no file is not opened: a pipe would wait for ever.
///
/// - Throws: `notARecording` when it is larger than `limit`, `damaged` when something else stands
///   in its place, or `system`.
func readWholeFile(
    _ path: String,
    structure: String,
    limit: Int,
    on disk: some FileSystem
) throws(LogError) -> [UInt8] {
    var isThere = false
    do throws(SystemError) {
        let kind = try disk.kind(of: path)
        if kind == .file || kind == nil {
            let file = try disk.open(path, .readOnly)
            isThere = true
            let size = try file.size()
            if let count = Int(exactly: size), count <= limit {
                let bytes = try file.read(count, at: 0)
                try file.close()
                return bytes
            }
        }
    } catch {
        // A link that was put there meanwhile is as one that was there before.
        guard error.isSymbolicLink else { throw .system(error) }
    }
    guard isThere else {
        throw .damaged(
            path: path,
            offset: 0,
            error: .wrongKind(structure: structure, needed: "regular file")
        )
    }
    throw .notARecording(path: path, reason: "it is larger than the limit of \(limit) bytes")
}
