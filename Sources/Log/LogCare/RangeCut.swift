// `cut` of a range: the records of the range under their own sequences, and before them, as the
// context of the first segment, what was in force there. So the cut can be read, served and
// replayed alone, and `cut` then `cat` prints what `cat` of the range prints.

import Platform
package import RecordModel
import SegmentFormat
package import SegmentLog

/// What a cut holds.
package struct CutReport: Sendable {
    /// Records, and their payload bytes.
    package var records: UInt64 = 0
    package var payloadBytes: UInt64 = 0
    /// What the new recording begins and ends with.
    package var firstSequence = Sequence.none
    package var lastSequence = Sequence.none
    /// Streams that were open before the first record.
    package var openStreams = 0
    /// Sequences that are missing in it, in how many ranges.
    package var holes = 0
    /// Damage that was stepped over.
    package var damage: [DamageReport] = []
}

/// One cut.
package struct RangeCut {
    private let reader: RecordingReader
    private let first: Sequence
    private let last: Sequence?
    private let skipsDamage: Bool
    private let output: String
    private let setting: CareSetting
    private var report = CutReport()

    /// - Parameters:
    ///   - reader: the recording.
    ///   - first: where the cut begins.
    ///   - last: where it ends, itself included; nil for the newest.
    ///   - skipsDamage: whether damage becomes holes; otherwise it ends the cut.
    ///   - output: where the new recording is made; nothing may stand there.
    ///   - setting: the outside.
    package init(
        of reader: RecordingReader,
        from first: Sequence,
        through last: Sequence?,
        skipsDamage: Bool,
        to output: String,
        _ setting: CareSetting
    ) {
        self.reader = reader
        self.first = first
        self.last = last
        self.skipsDamage = skipsDamage
        self.output = output
        self.setting = setting
    }

    /// Cuts.
    ///
    /// - Throws: `CareError`; what stands under `output` is then of no use.
    package mutating func run() throws(CareError) -> CutReport {
        report = CutReport()
        if let damage = DamageReport(manifestOf: reader) { try pass(damage, &report) }
        let before = ContextBefore(reader, first, setting)
        let context = try before.fold { damage throws(CareError) in try pass(damage, &report) }
        report.openStreams = context.openStreams.count
        let end = last.map { "\($0)" } ?? "its end"
        let epoch = reader.segments.compactMap { $0.created?.writerEpoch }.max() ?? 1  // unknown
        let writer = try setting.writer(
            output,
            origin: "cut from \(reader.recordingID), sequences \(first) to \(end)",
            start: SequencedWriter.Start(first: first, writerEpoch: epoch, context: context)
        )
        report.firstSequence = first
        let steady = try SteadyCursor(reader, from: first)
        var afterLoss = ContextAfterLoss(reader)
        let total = try logging(reader.segmentBytes)
        // Without a last record the cut goes to the end.
        loop: while last.map({ steady.next <= $0 }) ?? true {
            switch try steady.step() {
            case .end: break loop
            case .damage(let damage): try pass(damage, &report)
            case .missing(let missing):
                if let damage = missing.damage { try pass(damage, &report) }
                afterLoss.lost(missing.from, through: missing.through)
                try writer.append(missing.clipped(to: last))
                report.holes += 1
            case .record:
                try writer.take(afterLoss.told(before: steady.cursor.envelope.sequence))
                try logging { () throws(LogError) in
                    try writer.append(
                        steady.cursor.envelope,
                        payload: steady.cursor.unsafePayload
                    )
                }
                report.records += 1
                report.payloadBytes += UInt64(steady.cursor.unsafePayload.count)
                if report.records % 4096 == 1 {
                    try setting.checkAsked()
                    setting.progress(steady.cursor.storedBytesRead, total)
                }
            }
        }
        guard writer.next > first else {
            throw .nothing(detail: "there is no record from sequence \(first) on")
        }
        report.lastSequence = writer.next.previous
        try logging(writer.close)
        return report
    }

    private func pass(
        _ damage: DamageReport,
        _ report: inout CutReport
    ) throws(CareError) {
        guard skipsDamage else { throw .damaged(damage) }
        report.damage.append(damage)
    }
}

/// What is in force before a record.
struct ContextBefore {
    private let reader: RecordingReader
    private let first: Sequence
    private let setting: CareSetting

    init(_ reader: RecordingReader, _ first: Sequence, _ setting: CareSetting) {
        self.reader = reader
        self.first = first
        self.setting = setting
    }

    /// What was in force, with the frames by which open streams began.
    ///
    /// - Parameter onDamage: told of damage that is passed over; throws to stop.
    /// - Returns: for the context of a recording that begins there.
    /// - Throws: `log` when the recording cannot be read, `interrupted`, or what `onDamage` throws.
    func fold(
        _ onDamage: (DamageReport) throws(CareError) -> Void
    ) throws(CareError) -> ContextState {
        var context = try foldEvents(onDamage)
        guard let oldest = context.openStreams.map(\.envelope.sequence).min(),
            let start = reader.segments.first?.firstSequence, start < first
        else { return context }
        let open = Set(context.openStreams.map(\.envelope.sequence))
        let steady = try SteadyCursor(reader, from: max(oldest, start))
        var passed: UInt64 = 0
        scan: while steady.next < first {
            switch try steady.step() {
            case .end: break scan
            // Told when the events were folded, or not of a record that is taken.
            case .missing, .damage: continue
            case .record: break
            }
            let envelope = steady.cursor.envelope
            guard envelope.sequence < first else { break scan }
            passed += 1
            if passed % 4096 == 0 { try setting.checkAsked() }
            guard envelope.kind.isDataFrame, open.contains(envelope.stream) else { continue }
            steady.cursor.withPayload { payload in
                if setting.isBeginning(envelope, payload) {
                    context.add(frame: envelope, payload: payload)
                }
            }
        }
        return context
    }

    /// Reads the context of the segment and folds the events behind it.
    private func foldEvents(
        _ onDamage: (DamageReport) throws(CareError) -> Void
    ) throws(CareError) -> ContextState {
        var index = reader.segments.lastIndex { $0.firstSequence <= first } ?? 0  // its oldest
        var context = ContextState()
        while index < reader.segments.count {
            let segment = reader.segments[index]
            do throws(LogError) {
                context = try reader.context(of: segment) ?? ContextState()
                break
            } catch {
                switch error {
                case .damaged(let path, let offset, let cause):
                    try onDamage(
                        DamageReport(
                            path: path,
                            offset: offset,
                            error: cause,
                            missingFrom: .none,
                            missingThrough: .none
                        )
                    )
                // Told where its records are missing.
                case .system(let cause) where cause.isNotFound: break
                default: throw .log(error)
                }
            }
            // The one before tells as much, with more to read.
            guard index > 0 else { break }
            index -= 1
        }
        guard index < reader.segments.count else { return context }
        let steady = try SteadyCursor(reader, from: reader.segments[index].firstSequence)
        while steady.next < first {
            switch try steady.step() {
            case .end: return context
            case .missing(let missing):
                if let damage = missing.damage { try onDamage(damage) }
            case .damage(let damage): try onDamage(damage)
            case .record:
                let envelope = steady.cursor.envelope
                guard envelope.sequence < first else { return context }
                if !envelope.kind.isDataFrame {
                    steady.cursor.withPayload { context.apply(envelope, payload: $0) }
                }
            }
        }
        return context
    }
}

extension SteadyCursor.Missing {
    /// The part of it up to a sequence.
    func clipped(to last: Sequence?) -> Self {
        guard let last, last < through else { return self }
        return Self(from: from, through: last, cause: cause, damage: damage)
    }
}
