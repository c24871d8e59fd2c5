import RecordModel
package import SegmentFormat

/// Where the cursor stands in the current block: what every record changes.
struct CursorPlace {
    var envelope = RecordEnvelope(
        kind: RecordKind(rawValue: 0),
        receivedAt: 0,
        monotonic: 0
    )
    var expected: Sequence
    /// Records below this sequence are passed over silently.
    var from: Sequence
    var block = UnsafeRawBufferPointer(start: nil, count: 0)
    var recordsLeft: UInt32 = 0
    var offset = 0
    var payload = 0..<0
    /// Something waits to be told before the next record.
    var hasPending = false
}

extension RecordCursor {
    /// What `next` found.
    package enum Step: Sendable {
        /// A record; `envelope` and `withPayload` tell it.
        case record
        /// A range of sequences that is known to be missing.
        case hole(Hole)
        /// Something that is not what was written.
        case damage(DamageReport)
        /// Nothing more is there now. A cursor that follows may be asked again later.
        case end
    }

    /// A copy of the payload.
    package var payloadBytes: [UInt8] { Array(unsafePayload) }
}
