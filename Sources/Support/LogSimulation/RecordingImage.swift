import Platform
package import RecordModel
import SegmentFormat
import SegmentLog
package import Simulation

/// What a reader delivers of a recording, from its first sequence to its end.
package struct RecordingImage: Sendable {
    /// What came, in the order in which it came.
    package enum Item: Sendable, Equatable {
        case record(RecordEnvelope, payload: [UInt8])
        case hole(ClosedRange<UInt64>, cause: String)
        /// Damage, and what is missing by it; nil for nothing or for "from here on".
        case damage(String, missing: ClosedRange<UInt64>?, isLoss: Bool)
    }

    /// Everything, in order.
    package var items: [Item] = []
    /// Where the oldest segment that counts begins; 0 without segments.
    package var first: UInt64 = 0
    /// Bytes of a torn tail.
    package var tornBytes: UInt64 = 0
    /// What is wrong with the manifest.
    package var manifestDamage: String?
    /// Why there is no recording; nil when there is one.
    package var refusal: String?

    /// Reads a recording whole.
    ///
    /// - Parameters:
    ///   - path: the recording.
    ///   - disk: where it lies; the reader's operations neither count nor fail.
    package init(_ path: String, on disk: SimulatedFileSystem) {
        do {
            let reader = try RecordingReader(path: path, disk: disk.observer)
            if let error = reader.manifestDamage { manifestDamage = "\(error)" }
            first = reader.segments.first?.firstSequence.value ?? 0  // none yet
            let cursor = try RecordCursor(reader)
            while let item = try Self.next(cursor) {
                items.append(item)
                // Whatever the bytes are, a reader comes to an end.
                if items.count > 1_000_000 {
                    refusal = "reading does not end"
                    return
                }
            }
            tornBytes = cursor.tornBytes
        } catch { refusal = "\(error)" }
    }

    /// The next item of a cursor; nil at the end.
    static func next(_ cursor: RecordCursor) throws(LogError) -> Item? {
        switch try cursor.next() {
        case .end: return nil
        case .record: return .record(cursor.envelope, payload: cursor.payloadBytes)
        case .hole(let hole):
            return .hole(hole.from.value...hole.last.value, cause: hole.cause)
        case .damage(let damage):
            let (from, through) = (damage.missingFrom.value, damage.missingThrough.value)
            return .damage(
                "\(damage)",
                missing: damage.isLoss && through >= from ? from...through : nil,
                isLoss: damage.isLoss
            )
        }
    }
}
