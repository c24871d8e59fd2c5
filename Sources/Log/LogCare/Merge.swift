// `merge`: several recordings as one, ordered by receive time.
//
// The order is total: by the running maximum of wall time in each recording, then by the order in
// which the recordings were named, then by sequence. So the records of one recording never change
// places, whatever its clock did. The result is one run; runs of the originals become notes, and
// monotonic time follows wall time, because the clocks of two machines have nothing in common.

package import RecordModel
import SegmentFormat
package import SegmentLog

/// What a merge made.
package struct MergeReport: Sendable {
    /// Records written for each recording, in the order in which they were named.
    package var records: [UInt64] = []
    package var firstSequence = Sequence.none
    package var lastSequence = Sequence.none
    /// Sources that have another name now: the recording's number from 0, the old and new name.
    package var renamed: [(input: Int, from: String, to: String)] = []
    /// Ranges of sequences that are missing.
    package var holes = 0
    /// Damage that was stepped over.
    package var damage: [DamageReport] = []
}

/// One merge.
package struct Merge {
    /// Recordings that may be merged at once: each costs a few open files and 2 MiB.
    package static let inputsMax = 256

    private let readers: [RecordingReader]
    private let skipsDamage: Bool
    private let output: String
    private let setting: CareSetting

    /// - Parameters:
    ///   - readers: at least one, at most `inputsMax` recordings.
    ///   - skipsDamage: whether damage becomes holes; otherwise it ends the merge.
    ///   - output: where the new recording is made; nothing may stand there.
    ///   - setting: the outside.
    package init(
        of readers: [RecordingReader],
        skipsDamage: Bool,
        to output: String,
        _ setting: CareSetting
    ) {
        precondition((1...Self.inputsMax).contains(readers.count), "\(readers.count) recordings")
        self.readers = readers
        self.skipsDamage = skipsDamage
        self.output = output
        self.setting = setting
    }

    /// One recording on its way.
    private struct Input {
        var steady: SteadyCursor
        var copy: DenseCopy
        var afterLoss: ContextAfterLoss
        var context: ContextState?
        var step: SteadyCursor.Step
        /// The running maximum of wall time, by which its next step is ordered.
        var time = Int64.min
    }

    /// Merges.
    ///
    /// - Throws: `CareError`; what stands under `output` is then of no use.
    package func run() throws(CareError) -> MergeReport {
        var report = MergeReport()
        let origin = readers.map { "\($0.recordingID)" }.joined(separator: ", ")
        let writer = try setting.writer(
            output,
            origin: "merged from \(origin)",
            start: SequencedWriter.Start()
        )
        var inputs: [Input] = []
        var total: UInt64 = 0
        for (number, reader) in readers.enumerated() {
            if let damage = DamageReport(manifestOf: reader) { try pass(damage, &report) }
            inputs.append(try open(reader, number, &report))
            total += try logging(reader.segmentBytes)
        }
        let start = next(inputs).map { inputs[$0].time } ?? 0  // nothing to merge
        try tell(.runStarted, "merged from \(origin)", writer, at: start, start)
        var names = SourceNames()
        var latest = start
        var passed: UInt64 = 0
        while let index = next(inputs) {
            latest = max(latest, inputs[index].time)
            try take(&inputs[index], &names, writer, Self.monotonic(latest, since: start), &report)
            try advance(&inputs[index], &report)
            passed += 1
            if passed % 4096 == 1 {
                try setting.checkAsked()
                let done = inputs.reduce(0) { $0 + $1.steady.cursor.storedBytesRead }
                setting.progress(done, total)
            }
        }
        try tell(.runEnded, "merged", writer, at: latest, start)
        report.records = inputs.map(\.copy.records)
        report.renamed = names.renamed
        report.firstSequence = .first
        report.lastSequence = writer.next.previous
        try logging(writer.close)
        return report
    }

    private func open(
        _ reader: RecordingReader,
        _ number: Int,
        _ report: inout MergeReport
    ) throws(CareError) -> Input {
        // An empty recording has no first one.
        let oldest = reader.segments.first?.firstSequence ?? .first
        let before = ContextBefore(reader, oldest, setting)
        let context = try before.fold { damage throws(CareError) in try pass(damage, &report) }
        var input = Input(
            steady: try SteadyCursor(reader),
            copy: DenseCopy(
                name: "\(reader.recordingID)",
                input: number,
                filter: RecordFilter(),
                keepsRuns: false
            ),
            afterLoss: ContextAfterLoss(reader),
            context: context,
            step: .end
        )
        try advance(&input, &report)
        return input
    }

    /// Moves to the next record or hole.
    private func advance(_ input: inout Input, _ report: inout MergeReport) throws(CareError) {
        while true {
            input.step = try input.steady.step()
            switch input.step {
            case .damage(let damage): try pass(damage, &report)
            case .missing(let missing):
                if let damage = missing.damage { try pass(damage, &report) }
                return
            case .record:
                input.time = max(input.time, input.steady.cursor.envelope.receivedAt)
                return
            case .end: return
            }
        }
    }

    /// The input whose turn it is; nil at the end of all.
    private func next(_ inputs: [Input]) -> Int? {
        var found: Int?
        for (index, input) in inputs.enumerated() {
            if case .end = input.step { continue }
            if let known = found, inputs[known].time <= input.time { continue }
            found = index
        }
        return found
    }

    private func take(
        _ input: inout Input,
        _ names: inout SourceNames,
        _ writer: SequencedWriter,
        _ monotonic: UInt64,
        _ report: inout MergeReport
    ) throws(CareError) {
        if let context = input.context {
            input.context = nil
            try input.copy.begin(context, &names, writer, monotonic: monotonic)
        }
        switch input.step {
        case .missing(let missing):
            try input.copy.take(missing, writer)
            input.afterLoss.lost(missing.from, through: missing.through)
            report.holes += 1
        case .record:
            let cursor = input.steady.cursor
            if let told = try input.afterLoss.told(before: cursor.envelope.sequence) {
                try input.copy.take(told.lost, &names, writer, monotonic)
            }
            try cursor.withPayload { payload throws(CareError) in
                try input.copy.take(cursor.envelope, payload, &names, writer, monotonic)
            }
        case .damage, .end: preconditionFailure("the end of a recording has no turn")
        }
    }

    private func tell(
        _ kind: RecordKind,
        _ text: String,
        _ writer: SequencedWriter,
        at time: Int64,
        _ start: Int64
    ) throws(CareError) {
        var fields = EventFields()
        if kind == .runStarted {
            fields.add(.toolVersion, setting.toolVersion)
            fields.add(.writerEpoch, UInt64(1))
            fields.add(.lastSequenceKept, UInt64(0))
            fields.add(.origin, text)
        } else {
            fields.add(.cause, text)
        }
        let monotonic = Self.monotonic(time, since: start)
        try writer.append(kind, fields, receivedAt: time, monotonic: monotonic)
    }

    private static func monotonic(_ time: Int64, since start: Int64) -> UInt64 {
        let (passed, overflow) = time.subtractingReportingOverflow(start)
        return overflow ? .max : UInt64(clamping: passed)
    }

    private func pass(
        _ damage: DamageReport,
        _ report: inout MergeReport
    ) throws(CareError) {
        guard skipsDamage else { throw .damaged(damage) }
        report.damage.append(damage)
    }
}
