// What a damaged recording still tells about itself when the files that say it are gone. Only for
// making a new recording of what is left: other readers refuse, so that nobody takes a guess for
// a fact.

import Platform
import RecordModel
import SegmentFormat

extension RecordingIdentity {
    /// The identity by its file, else by the manifest, else by the segments.
    ///
    /// - Returns: the identity, and why the file was not used; nil when it was.
    /// - Throws: `notARecording` when nothing tells it, `newerVersion`, or `system`.
    static func salvage(
        _ layout: RecordingLayout,
        on disk: some FileSystem
    ) throws(LogError) -> (RecordingIdentity, LogError?) {
        let damage: LogError
        do { return (try read(layout, on: disk), nil) } catch {
            guard case .notARecording = error else { throw error }
            damage = error
        }
        do {
            let manifest = try Manifest.read(layout, on: disk)
            return (RecordingIdentity(salvaged: manifest.header.recording), damage)
        } catch {
            switch error {
            case .damaged, .notARecording, .newerVersion: break
            case .system(let cause) where cause.isNotFound || cause.errno == 20: throw damage
            default: throw error
            }
        }
        guard let recording = try majority(layout, on: disk) else { throw damage }
        return (RecordingIdentity(salvaged: recording), damage)
    }

    private init(salvaged recording: RecordingID) {
        self.init(recording: recording, createdAt: 0, tool: "unknown")
    }

    /// The recording that most segments name; of equally many the one that is named first.
    private static func majority(
        _ layout: RecordingLayout,
        on disk: some FileSystem
    ) throws(LogError) -> RecordingID? {
        var votes: [(recording: RecordingID, count: Int)] = []
        do throws(SystemError) {
            guard try disk.kind(of: layout.segments) == .directory else { return nil }
            for name in try disk.list(layout.segments)
            where RecordingLayout.parseSegmentName(name) != nil {
                let path = layout.segments + "/" + name
                guard try disk.kind(of: path) == .file else { continue }
                let head = try disk.open(path, .readOnly)
                    .read(FormatLimits.segmentHeaderBytes, at: 0)
                let header: SegmentHeader
                do {
                    header = try head.span.bytes.withUnsafeBytes { bytes throws(FormatError) in
                        try SegmentHeader.decode(bytes).header
                    }
                } catch {
                    // It does not tell.
                    continue
                }
                if let index = votes.firstIndex(where: { $0.recording == header.recording }) {
                    votes[index].count += 1
                } else {
                    votes.append((header.recording, 1))
                }
            }
        } catch { throw .system(error) }
        let most = votes.map(\.count).max()
        return votes.first { $0.count == most }?.recording
    }
}

extension SegmentFile {
    /// What a manifest would say of a segment whose header is damaged, when the salt in that
    /// header still fits a block: its checksum then proves the salt.
    ///
    /// - Returns: nil when no block can be read with it.
    /// - Throws: `system`.
    static func salvage(
        _ segment: SegmentDescriptor,
        on disk: some FileSystem
    ) throws(LogError) -> ManifestEntry? {
        do throws(SystemError) {
            guard try disk.kind(of: segment.path) == .file else { return nil }
            let file = try disk.open(segment.path, .readOnly)
            let head = try file.read(FormatLimits.segmentHeaderBytes, at: 0)
            guard head.count == FormatLimits.segmentHeaderBytes else { return nil }
            let salt = head[56..<64].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            guard salt != 0 else { return nil }
            let scanner = SegmentScanner(
                file: file,
                salt: salt,
                offset: UInt64(FormatLimits.segmentHeaderBytes),
                limit: nil
            )
            while true {
                switch try scanner.next() {
                case .end: return nil
                case .invalid:
                    if try !scanner.resynchronize() { return nil }
                case .block(let header, _, _):
                    return ManifestEntry(
                        kind: .created,
                        ordinal: segment.ordinal,
                        writerEpoch: 1,
                        firstSequence: segment.firstSequence,
                        salt: salt,
                        headerLink: header.number == 1 ? header.previousLink : 0
                    )
                }
            }
        } catch { throw .system(error) }
    }
}
