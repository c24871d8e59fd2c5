package import Platform
import RecordModel
package import SegmentFormat

/// Why a recording cannot be opened, read or written.
///
/// "Not a recording", "written by a newer version" and "damaged" are three different answers.
package enum LogError: Error, Sendable {
    /// There is no recording at this path. Nothing is touched.
    case notARecording(path: String, reason: String)
    /// A newer program wrote it. Nothing is touched; install a newer build.
    case newerVersion(path: String, detail: String)
    /// Bytes of ours are damaged. Readers report it and stop or skip; nothing is ever cut.
    case damaged(path: String, offset: UInt64, error: FormatError)
    /// Another process writes the recording. Try again when it has ended.
    case locked(path: String)
    /// Something stands where a new recording should be made. Nothing is touched.
    case exists(path: String)
    /// The operating system refused. For a file being written the failure is final.
    case system(SystemError)
    /// The writer has stopped after a failure that it could not work around. Nothing that was
    /// acknowledged is lost; the process should end and be started again.
    case writerFailed(SystemError)
    /// The writer was closed already.
    case closed
    /// A payload exceeds the limit of the format. The frame is not recorded; the stream must end.
    case payloadTooLarge(bytes: Int, limit: Int)
    /// The range does not lie in the recording.
    case rangeNotAvailable(detail: String)
    /// Nothing could be made that stands for segments that were to go. None of them went.
    case noBaseAnchor(path: String, detail: String)
}

extension LogError {
    /// A record that must not be passed over and that this build does not know.
    static func newerVersion(path: String, criticalKind record: RecordEnvelope) -> LogError {
        .newerVersion(
            path: path,
            detail: "record \(record.sequence) has the critical kind \(record.kind.rawValue), "
                + "which this build does not know"
        )
    }

    /// What is wrong with a segment that cannot be opened; nil when that is no damage.
    var segmentDamage: (offset: UInt64, error: FormatError)? {
        switch self {
        case .damaged(_, let offset, let error): (offset, error)
        case .system(let cause) where cause.isNotFound:
            (0, .truncated(structure: "segment file", needed: 1, available: 0))
        default: nil
        }
    }
}

extension LogError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .notARecording(let path, let reason): "\(path) is not a recording: \(reason)"
        case .newerVersion(let path, let detail):
            "\(path): \(detail); a newer version of tapedeck is needed"
        case .damaged(let path, let offset, let error): "\(path) at byte \(offset): \(error)"
        case .locked(let path):
            "\(path) is being written by another process; stop that one first"
        case .exists(let path): "\(path) exists already and is not a recording"
        case .system(let error): "\(error)"
        case .writerFailed(let error): "the log cannot be written any more: \(error)"
        case .closed: "the log is closed"
        case .payloadTooLarge(let bytes, let limit):
            "a frame of \(bytes) bytes exceeds the limit of \(limit) bytes"
        case .rangeNotAvailable(let detail): "range not available: \(detail)"
        case .noBaseAnchor(let path, let detail): "\(path): no base anchor: \(detail)"
        }
    }
}
