package import RecordModel

/// Where each record stands on the timeline of a replay, in nanoseconds from its start.
///
/// A fold over **all** records from the start, in sequence order, whether a consumer wants them or
/// not: a record's offset then depends only on the recording and the start, and consumers that
/// skip different records agree on it.
///
/// Inside a run the offset grows with the running maximum of monotonic time, so that records which
/// several threads wrote slightly out of order do not stretch it. From one run to the next it
/// grows by the difference of the wall clock. A step is at least 0 and, unless idle times are kept,
/// at most one second.
package struct ReplayTimeline: Hashable, Sendable {
    /// The longest step unless idle times are kept, in nanoseconds.
    package static let stepMax: UInt64 = 1_000_000_000

    /// Whether waits of more than a second keep their length.
    package let keepsIdle: Bool
    /// The offset of the record fed last; 0 before the first.
    package private(set) var offset: UInt64 = 0

    private var isEmpty = true
    /// The running maxima of the run.
    private var monotonic: UInt64 = 0
    private var wall: Int64 = 0

    /// A timeline that begins with the next record.
    ///
    /// - Parameter keepsIdle: whether waits of more than a second keep their length.
    package init(keepsIdle: Bool = false) { self.keepsIdle = keepsIdle }

    /// Takes the next record in.
    ///
    /// - Parameter envelope: the record behind the one fed before, holes aside.
    /// - Returns: the record's offset.
    @discardableResult
    @inline(__always)
    package mutating func feed(_ envelope: RecordEnvelope) -> UInt64 {
        if isEmpty || envelope.kind == .runStarted {
            begin(envelope)
            return offset
        }
        if envelope.monotonic > monotonic {
            advance(by: envelope.monotonic - monotonic)
            monotonic = envelope.monotonic
        }
        if envelope.receivedAt > wall { wall = envelope.receivedAt }
        return offset
    }

    private mutating func begin(_ envelope: RecordEnvelope) {
        if !isEmpty, envelope.receivedAt > wall {
            let (step, overflow) = envelope.receivedAt.subtractingReportingOverflow(wall)
            advance(by: overflow ? .max : UInt64(step))
        }
        isEmpty = false
        monotonic = envelope.monotonic
        wall = envelope.receivedAt
    }

    @inline(__always)
    private mutating func advance(by step: UInt64) {
        let counted = keepsIdle ? step : min(step, Self.stepMax)
        let (sum, overflow) = offset.addingReportingOverflow(counted)
        offset = overflow ? .max : sum
    }
}
