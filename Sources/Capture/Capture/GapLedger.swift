// Gaps as records. A gap belongs to the recorder (its record names no stream); its fields name the
// source and the stream behind whose last record something may be missing.

package import RecordModel
import SegmentFormat
package import SegmentLog

/// What earlier runs left open, read from the context of a recovered recording.
package struct GapLedger: Sendable, Equatable {
    /// A stream that was open when the process before died.
    package struct LostStream: Sendable, Equatable {
        package let source: String
        package let stream: StreamID
    }

    /// Streams that need a gap now.
    package private(set) var lostStreams: [LostStream] = []
    /// By source: gaps whose upper end is not known.
    package private(set) var unbounded: [String: [RecordModel.Sequence]] = [:]
    /// Every gap that is open, by rising id.
    package private(set) var open: [OpenGap] = []

    /// A gap that is open.
    package struct OpenGap: Sendable, Equatable {
        package let gap: GapMachine.Gap
        /// Wall-clock nanoseconds of the record that tells its upper end; nil without one.
        package let boundedAt: Int64?
    }

    /// - Parameter report: what opening the log found.
    package init(_ report: RecoveryReport) {
        var bounds: [UInt64: (fields: EventFields, at: Int64)] = [:]
        for entry in report.context.entries where entry.envelope.kind == .gapBounded {
            guard let fields = Self.fields(entry.payload), let gap = fields.unsigned(.gap)
            else { continue }
            bounds[gap] = (fields, entry.envelope.receivedAt)
        }
        for entry in report.context.openGaps {
            let sequence = entry.envelope.sequence
            guard let fields = Self.fields(entry.payload) else { continue }
            let bound = bounds[sequence.value]
            let gap = GapMachine.Gap(id: sequence, opened: fields, bounds: bound?.fields)
            open.append(OpenGap(gap: gap, boundedAt: bound?.at))
            guard bound == nil, let source = gap.source else { continue }
            unbounded[source, default: []].append(sequence)
        }
        for entry in report.context.openStreams {
            // A stream without a source is not one of ours; nobody could bound its gap.
            guard let source = Self.fields(entry.payload)?.text(.source) else { continue }
            let wasAccepted = report.context.entries.contains {
                $0.envelope.kind == .streamAccepted && $0.envelope.stream == entry.envelope.sequence
            }
            if wasAccepted {
                lostStreams.append(LostStream(source: source, stream: entry.envelope.sequence))
            }
        }
    }

    /// The fields of the gap behind a stream that a crash cut off.
    ///
    /// - Parameters:
    ///   - lost: the stream.
    ///   - report: what opening the log found. The stream's own last record is not known without
    ///     reading the log, so the gap begins at the last record that was kept.
    /// - Returns: the fields of a gap-opened record.
    package static func crash(_ lost: LostStream, _ report: RecoveryReport) -> EventFields {
        var fields = EventFields()
        fields.add(.source, lost.source)
        fields.add(.fromSequence, max(lost.stream, report.lastSequenceKept).value)
        if let latest = report.latest { fields.add(.fromTime, latest) }
        fields.add(.cause, "crash")
        fields.add(.evidence, "stream \(lost.stream) was open when the run before ended")
        return fields
    }

    /// The fields of the gap behind a stream that ended badly.
    static func broken(
        _ source: String,
        _ summary: StreamRecorder.Summary,
        _ ending: StreamEnding
    ) -> EventFields {
        var fields = EventFields()
        fields.add(.source, source)
        fields.add(.fromSequence, summary.lastSequence.value)
        if let position = summary.lastPosition { fields.add(.fromPosition, position.number) }
        fields.add(.fromTime, summary.lastTime)
        fields.add(.cause, ending.cause)
        fields.add(.evidence, "stream \(summary.stream): \(ending.text)")
        return fields
    }

    /// The fields of a gap's upper end.
    static func bound(
        _ gap: RecordModel.Sequence,
        _ source: String,
        _ summary: StreamRecorder.Summary
    ) -> EventFields {
        var fields = EventFields()
        fields.add(.gap, gap.value)
        fields.add(.source, source)
        if let first = summary.firstFrame {
            fields.add(.toSequence, first.sequence.value)
            fields.add(.toTime, first.time)
            if let position = first.position { fields.add(.toPosition, position.number) }
        }
        return fields
    }

    private static func fields(_ payload: [UInt8]) -> EventFields? {
        // An event that cannot be read names nothing; it stays in the log as it is.
        do { return try EventFields(decoding: unsafe payload.span.bytes) } catch { return nil }
    }
}
