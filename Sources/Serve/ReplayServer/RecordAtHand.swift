import Platform
import RecordModel
import SegmentFormat
import SegmentLog

/// A record that can be looked at: where a cursor stands, or a copy in a segment's context.
protocol RecordAtHand {
    var envelope: RecordEnvelope { get }
    /// A copy of the payload.
    var payloadBytes: [UInt8] { get }

    /// Lends the payload during the call.
    func withPayload<Result, Failure: Error>(
        _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result
}

extension RecordCursor: RecordAtHand {}

extension ContextState.Entry: RecordAtHand {
    var payloadBytes: [UInt8] { payload }

    func withPayload<Result, Failure: Error>(
        _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(payload.span.bytes)
    }
}

extension RecordingReader {
    /// Copies of the records that were in force before the oldest one, by rising sequence: streams
    /// that were open, and in a cut the frames by which they subscribed.
    ///
    /// - Throws: `system`; nothing is told when they are damaged, which whoever reads the segment
    ///   meets as well.
    func recordsBefore() throws(LogError) -> [ContextState.Entry] {
        guard let oldest = segments.first else { return [] }
        do {
            return try context(of: oldest)?.entries ?? []  // it has not been written yet
        } catch {
            switch error {
            case .damaged: return []
            case .system(let cause) where cause.isNotFound: return []
            default: throw error
            }
        }
    }
}
