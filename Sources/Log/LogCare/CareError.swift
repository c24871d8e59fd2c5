package import SegmentLog

/// Why no recording came about.
package enum CareError: Error, Sendable {
    /// The log said so: see there. Nothing under the wanted name has changed.
    case log(LogError)
    /// The caller asked to stop. What was begun is of no use.
    case interrupted
    /// A place that must not be stepped over. Nothing was made; `recover` makes a recording of
    /// what can be read.
    case damaged(DamageReport)
    /// What was made is not what was read: a disk that lies, or a source that changed meanwhile.
    /// What was made must not be used.
    case notTheSame(detail: String)
    /// There is nothing of what was asked for.
    case nothing(detail: String)
}

extension CareError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .log(let error): "\(error)"
        case .interrupted: "interrupted; nothing was kept"
        case .damaged(let damage): "damage: \(damage)"
        case .notTheSame(let detail): "the copy is not what was read: \(detail)"
        case .nothing(let detail): detail
        }
    }
}
