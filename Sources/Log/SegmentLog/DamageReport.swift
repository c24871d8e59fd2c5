package import RecordModel
package import SegmentFormat

/// A place where a recording is not what was written, and which sequences it costs.
package struct DamageReport: Sendable, Equatable {
    /// The file.
    package let path: String
    /// Where in the file.
    package let offset: UInt64
    /// What is wrong there.
    package let error: FormatError
    /// The first sequence that is missing; none when nothing is missing.
    package let missingFrom: Sequence
    /// The last sequence that is missing; none when nothing is, or when the end is not known.
    package let missingThrough: Sequence

    package init(
        path: String,
        offset: UInt64,
        error: FormatError,
        missingFrom: Sequence,
        missingThrough: Sequence
    ) {
        self.path = path
        self.offset = offset
        self.error = error
        self.missingFrom = missingFrom
        self.missingThrough = missingThrough
    }

    /// Whether sequences are missing.
    package var isLoss: Bool { missingFrom > .none }
}

extension DamageReport: CustomStringConvertible {
    package var description: String {
        let place = "\(path) at byte \(offset): \(error)"
        if !isLoss { return place + "; no record is missing" }
        if missingThrough < missingFrom {
            return place + "; records from sequence \(missingFrom) on are missing"
        }
        let count = missingThrough.value - missingFrom.value + 1
        return place + "; sequences \(missingFrom) to \(missingThrough) are missing (\(count))"
    }
}
