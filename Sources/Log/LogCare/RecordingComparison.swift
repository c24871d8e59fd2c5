import RecordModel
import SegmentFormat
import SegmentLog

/// Compares a recording with one that was made of it, record by record.
///
/// The same: every record's envelope and payload, under the same sequence. What cannot be read of
/// the one must be a hole of the other, and a hole a hole.
struct RecordingComparison {
    private let source: RecordingReader
    private let made: RecordingReader
    private let last: Sequence

    /// - Parameters:
    ///   - source: the original.
    ///   - made: what was made of it.
    ///   - last: where comparing ends, itself included.
    init(of source: RecordingReader, with made: RecordingReader, through last: Sequence) {
        self.source = source
        self.made = made
        self.last = last
    }

    /// Compares.
    ///
    /// - Throws: `notTheSame` with the first difference.
    func run(_ setting: CareSetting) throws(CareError) {
        let left = try SteadyCursor(source)
        let right = try SteadyCursor(made)
        var count: UInt64 = 0
        while left.next <= last {
            switch try left.step() {
            case .end: throw .notTheSame(detail: "the source ends before \(left.next) now")
            case .damage: continue
            case .missing(let missing):
                guard case .missing(let other) = try right.step(), other.from == missing.from,
                    other.through == missing.through, other.cause == missing.cause
                else {
                    throw .notTheSame(
                        detail: "the hole \(missing.from) to \(missing.through) is not there"
                    )
                }
            case .record:
                guard case .record = try right.step(),
                    right.cursor.envelope == left.cursor.envelope,
                    right.cursor.unsafePayload.elementsEqual(left.cursor.unsafePayload)
                else {
                    throw .notTheSame(detail: "record \(left.cursor.envelope.sequence) differs")
                }
                count += 1
                if count % 4096 == 0 { try setting.checkAsked() }
            }
        }
        guard right.next == left.next else {
            throw .notTheSame(detail: "it goes to \(right.next), not to \(left.next)")
        }
    }
}
