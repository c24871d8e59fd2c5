package import Projection
import RecordModel
package import SegmentLog

/// Of which log stored state is.
extension StateFold {
    /// Why a checkpoint is not of a recording: what was read for it is not what stands there.
    ///
    /// - Parameters:
    ///   - checkpoint: of stored state.
    ///   - reader: the recording.
    /// - Returns: the reason for a person; nil when the state may be used.
    /// - Throws: `log` when the recording cannot be read.
    package static func mismatch(
        _ checkpoint: Checkpoint,
        _ reader: RecordingReader
    ) throws(FoldError) -> String? {
        guard let place = checkpoint.place else { return "it does not say which records it read" }
        let finding: LogFinding
        do throws(LogError) { finding = try reader.finding(of: place) } catch { throw .log(error) }
        let record = "record \(place.sequence) of writer epoch \(place.writerEpoch)"
        return switch finding {
        case .same: nil
        case .otherRecording(let found): "it is of recording \(place.recording), not of \(found)"
        case .keptThrough(let last):
            "it had read up to \(record), of which the log kept those up to \(last)"
        case .otherRecords: "it had read up to \(record), where the log has other records"
        }
    }
}
