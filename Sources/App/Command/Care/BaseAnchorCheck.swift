import CheckpointStore
import Platform
import RecordModel
import SegmentFormat
import SegmentLog

/// Whether the base anchors that a recording names are there, byte for byte.
struct BaseAnchorCheck {
    /// Each that is not, and a list that is none.
    let damage: [DamageReport]

    /// - Parameter reader: the recording.
    init(_ reader: RecordingReader) {
        var damage: [DamageReport] = []
        if reader.identity.hasBadBaseAnchors {
            damage.append(Self.report(reader.layout.identity, "recording.json", "base anchors"))
        }
        for mention in reader.identity.baseAnchors {
            let path = reader.layout.anchors + "/" + mention.file
            guard let base = BaseAnchor(mention) else {
                // Of a chain that a newer version knows: only that one can tell.
                continue
            }
            do throws(StateFile.OpenError) {
                try base.verify(recording: reader.layout.path, on: LinuxFileSystem())
            } catch {
                damage.append(Self.report(path, "base anchor", "checksum"))
            }
        }
        self.damage = damage
    }

    /// No record is missing: what is lost is what the records gave that are gone.
    private static func report(
        _ path: String,
        _ structure: String,
        _ field: String
    ) -> DamageReport {
        DamageReport(
            path: path,
            offset: 0,
            error: .invalid(structure: structure, field: field, value: 0),
            missingFrom: .none,
            missingThrough: .none
        )
    }
}
