package import Platform
package import Projection
package import SegmentLog

/// Why folding could not go on.
package enum FoldError: Error, Sendable {
    /// The log cannot be read on; the recording is as it was.
    case log(LogError)
    /// Stored state cannot be used or written. It may be discarded and rebuilt.
    case storage(StorageError)
    /// Stored state was made of records that the log does not have. It must not be used.
    case otherLog(String)
    /// A thread cannot be started; nothing was done.
    case threads(SystemError)
}

extension FoldError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .log(let error): "\(error)"
        case .storage(.damaged(let detail)):
            "the stored state is damaged (\(detail)); 'tapedeck rebuild --force' makes it again"
        case .storage(.failed(let detail)): "the state cannot be stored: \(detail)"
        case .otherLog(let detail):
            "the stored state is not of this log: \(detail); 'tapedeck rebuild' makes it again"
        case .threads(let error): "\(error)"
        }
    }
}
