// `cut` with a filter: what the filter takes of a range, in a new recording with numbers of its own.

package import RecordModel
import SegmentFormat
package import SegmentLog

/// One cut with a filter.
package struct FilteredCut {
    private let reader: RecordingReader
    private let first: Sequence
    private let last: Sequence?
    private let filter: RecordFilter
    private let skipsDamage: Bool
    private let output: String
    private let setting: CareSetting

    /// - Parameters:
    ///   - reader: the recording.
    ///   - first: where the cut begins.
    ///   - last: where it ends, itself included; nil for the newest.
    ///   - filter: what is taken of it.
    ///   - skipsDamage: whether damage becomes holes; otherwise it ends the cut.
    ///   - output: where the new recording is made; nothing may stand there.
    ///   - setting: the outside.
    package init(
        of reader: RecordingReader,
        from first: Sequence,
        through last: Sequence?,
        taking filter: RecordFilter,
        skipsDamage: Bool,
        to output: String,
        _ setting: CareSetting
    ) {
        self.reader = reader
        self.first = first
        self.last = last
        self.filter = filter
        self.skipsDamage = skipsDamage
        self.output = output
        self.setting = setting
    }

    /// Cuts.
    ///
    /// - Throws: `CareError`; what stands under `output` is then of no use.
    package func run() throws(CareError) -> CutReport {
        var report = CutReport()
        if let damage = DamageReport(manifestOf: reader) { try pass(damage, &report) }
        let before = ContextBefore(reader, first, setting)
        let context = try before.fold { damage throws(CareError) in try pass(damage, &report) }
        let end = last.map { "\($0)" } ?? "its end"
        let name = "\(reader.recordingID)"
        let writer = try setting.writer(
            output,
            origin: "filtered from \(name), sequences \(first) to \(end)",
            start: SequencedWriter.Start()
        )
        var copy = DenseCopy(name: name, input: 0, filter: filter, keepsRuns: true)
        var names = SourceNames()
        try copy.begin(context, &names, writer, monotonic: nil)
        report.openStreams = copy.numbers.openStreams.count
        let steady = try SteadyCursor(reader, from: first)
        var afterLoss = ContextAfterLoss(reader)
        let total = try logging(reader.segmentBytes)
        var passed: UInt64 = 0
        // Without a last record the cut goes to the end.
        loop: while last.map({ steady.next <= $0 }) ?? true {
            switch try steady.step() {
            case .end: break loop
            case .damage(let damage): try pass(damage, &report)
            case .missing(let missing):
                if let damage = missing.damage { try pass(damage, &report) }
                afterLoss.lost(missing.from, through: missing.through)
                try copy.take(missing.clipped(to: last), writer)
                report.holes += 1
            case .record:
                if let told = try afterLoss.told(before: steady.cursor.envelope.sequence) {
                    try copy.take(told.lost, &names, writer, nil)
                }
                try steady.cursor.withPayload { payload throws(CareError) in
                    try copy.take(steady.cursor.envelope, payload, &names, writer, nil)
                }
                passed += 1
                if passed % 4096 == 1 {
                    try setting.checkAsked()
                    setting.progress(steady.cursor.storedBytesRead, total)
                }
            }
        }
        guard copy.records > 0 else {
            throw .nothing(detail: "the filter takes no record of the range")
        }
        report.records = copy.records
        report.firstSequence = .first
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
