import Platform
import SegmentFormat

/// Where the parts of a recording lie. Layout: Sources/Log/README.md, "Recording".
package struct RecordingLayout: Sendable {
    /// The recording's directory, without a trailing slash.
    package let path: String

    package init(_ path: String) {
        var path = path
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        self.path = path
    }

    /// The paths of the recording's parts.
    package var identity: String { path + "/recording.json" }
    package var segments: String { path + "/segments" }
    package var manifest: String { path + "/segments/MANIFEST" }
    package var reserve: String { path + "/segments/RESERVE" }
    package var derived: String { path + "/derived" }
    package var anchors: String { path + "/anchors" }
    package var lock: String { path + "/LOCK" }
    package var pins: String { path + "/pins.json" }
    package var pinsLock: String { path + "/pins.lock" }

    /// The directory that holds the recording.
    package var parent: String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// The file of a segment.
    package func segment(ordinal: UInt64, firstSequence: UInt64) -> String {
        segments + "/" + Self.segmentName(ordinal: ordinal, firstSequence: firstSequence)
    }

    /// Nothing is read or written through a link that somebody planted in place of the folder.
    ///
    /// - Throws: `damaged` when the segments do not lie in a folder, or `system`.
    func checkSegments(on disk: some FileSystem) throws(LogError) {
        do throws(SystemError) {
            if try disk.kind(of: segments) == .directory { return }
        } catch { throw .system(error) }
        throw .damaged(
            path: segments,
            offset: 0,
            error: .wrongKind(structure: "segments", needed: "folder")
        )
    }

    static func segmentName(ordinal: UInt64, firstSequence: UInt64) -> String {
        pad(ordinal, 8) + "-" + pad(firstSequence, 20) + ".seg"
    }

    /// The ordinal and first sequence that a file name tells; nil when it is no segment's name, or
    /// tells numbers that no segment has (see `SegmentHeader`).
    package static func parseSegmentName(
        _ name: String
    ) -> (ordinal: UInt64, firstSequence: UInt64)? {
        guard name.hasSuffix(".seg") else { return nil }
        let parts = name.dropLast(4).split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let ordinal = UInt64(parts[0]), let first = UInt64(parts[1]),
            segmentName(ordinal: ordinal, firstSequence: first) == name,
            ordinal > 0, ordinal < .max, first > 0, first < .max
        else { return nil }
        return (ordinal, first)
    }

    private static func pad(_ value: UInt64, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
