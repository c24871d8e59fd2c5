import JSONText
package import Platform
package import RecordModel
import SegmentFormat

/// What `recording.json` says: which recording this is, and which format it has. No secrets.
package struct RecordingIdentity: Equatable, Sendable {
    /// The value of the key `format`.
    static let formatName = "tapedeck-recording"

    /// Which recording it is, and the version of the format it was created with.
    package var recording: RecordingID
    package var versionMajor: UInt16
    package var versionMinor: UInt16
    /// Wall-clock nanoseconds at creation.
    package var createdAt: Int64
    /// The program that created it.
    package var tool: String
    /// Where the records come from when they were not captured here; nil for a capture.
    package var origin: String?
    /// What stands for retired segments, by file; empty when nothing was retired, or when no state
    /// had been made.
    package var baseAnchors: [BaseAnchorMention] = []
    /// Whether the list of base anchors is there and is none: nothing then stands for what is gone.
    package var hasBadBaseAnchors = false

    package init(
        recording: RecordingID,
        createdAt: Int64,
        tool: String,
        origin: String? = nil
    ) {
        self.recording = recording
        versionMajor = FormatLimits.versionMajor
        versionMinor = FormatLimits.versionMinor
        self.createdAt = createdAt
        self.tool = tool
        self.origin = origin
    }

    /// The file's bytes.
    package func encoded() -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("format")
        writer.string(Self.formatName)
        writer.key("version")
        writer.string("\(versionMajor).\(versionMinor)")
        writer.key("uuid")
        writer.string(recording.description)
        writer.key("created_ns")
        writer.integerString(createdAt)
        writer.key("tool")
        writer.string(tool)
        if let origin {
            writer.key("origin")
            writer.string(origin)
        }
        if !baseAnchors.isEmpty {
            writer.key("base_anchors")
            writer.beginArray()
            for anchor in baseAnchors { anchor.append(to: &writer) }
            writer.endArray()
        }
        writer.endObject()
        writer.endLine()
        return writer.bytes
    }

    /// Reads the file of a recording.
    ///
    /// - Throws: `notARecording`, `newerVersion`, or `system`.
    package static func read(
        _ layout: RecordingLayout,
        on disk: some FileSystem
    ) throws(LogError) -> RecordingIdentity {
        let path = layout.identity
        do throws(SystemError) {
            guard try disk.kind(of: layout.path) != nil else {
                throw SystemError(call: "open", subject: layout.path, errno: 2)
            }
        } catch { throw .system(error) }
        let bytes: [UInt8]
        do {
            bytes = try readWholeFile(
                path,
                structure: "recording.json",
                limit: FormatLimits.identityBytesMax,
                on: disk
            )
        } catch {
            if case .system(let cause) = error, cause.isNotFound || cause.errno == 20 {
                throw .notARecording(path: layout.path, reason: "it has no recording.json")
            }
            if case .damaged(_, _, let cause) = error {
                throw .notARecording(path: layout.path, reason: "its \(cause)")
            }
            throw error
        }
        return try parse(bytes, path: path)
    }

    private static func parse(
        _ bytes: [UInt8],
        path: String
    ) throws(LogError) -> RecordingIdentity {
        let root: JSONValue
        do { root = try JSONDocument.parse(bytes) } catch {
            throw .notARecording(path: path, reason: "it is not JSON: \(error)")
        }
        guard root.member("format")?.string == formatName else {
            throw .notARecording(path: path, reason: "its format is not \(formatName)")
        }
        guard let version = root.member("version")?.string,
            let (major, minor) = parseVersion(version)
        else { throw .notARecording(path: path, reason: "its version is not a version") }
        guard major <= FormatLimits.versionMajor else {
            throw .newerVersion(
                path: path,
                detail: "it has format \(version); this build reads up to "
                    + "\(FormatLimits.versionMajor).\(FormatLimits.versionMinor)"
            )
        }
        guard let text = root.member("uuid")?.string, let recording = RecordingID(text) else {
            throw .notARecording(path: path, reason: "its uuid is not a UUID")
        }
        guard let created = root.member("created_ns")?.string.flatMap({ Int64($0) }) else {
            throw .notARecording(path: path, reason: "its created_ns is not a number in a string")
        }
        var identity = RecordingIdentity(
            recording: recording,
            createdAt: created,
            tool: root.member("tool")?.string ?? "unknown",  // informative only
            origin: root.member("origin")?.string
        )
        identity.versionMajor = major
        identity.versionMinor = minor
        if let list = root.member("base_anchors") {
            let anchors = list.kind == .array ? list.elements.map { BaseAnchorMention($0) } : [nil]
            let known = anchors.compactMap(\.self)
            identity.hasBadBaseAnchors =
                known.count < anchors.count || known.count > FormatLimits.baseAnchorsMax
            if !identity.hasBadBaseAnchors { identity.baseAnchors = known }
        }
        return identity
    }

    /// Writes the file anew, in place of the one that is there, by rename. The recording must be
    /// one that this build knows whole: what a newer one added would be lost.
    ///
    /// - Parameters:
    ///   - layout: the recording.
    ///   - disk: the file system.
    /// - Throws: `newerVersion`, or `system`; the file is then one or the other.
    func replace(_ layout: RecordingLayout, on disk: some FileSystem) throws(LogError) {
        guard versionMinor <= FormatLimits.versionMinor else {
            throw .newerVersion(
                path: layout.identity,
                detail: "it has format \(versionMajor).\(versionMinor)"
            )
        }
        do throws(SystemError) {
            let temporary = layout.identity + ".new"
            if try disk.kind(of: temporary) != nil { try disk.remove(temporary) }
            let file = try disk.open(temporary, .createNew)
            try file.write(encoded(), at: 0)
            try file.syncData()
            try file.close()
            try disk.rename(temporary, to: layout.identity)
            try disk.syncDirectory(layout.path)
        } catch { throw .system(error) }
    }

    private static func parseVersion(_ text: String) -> (UInt16, UInt16)? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2,
            parts.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
            let major = UInt16(parts[0]), let minor = UInt16(parts[1]),
            major > 0
        else { return nil }
        return (major, minor)
    }
}
