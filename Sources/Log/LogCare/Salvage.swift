// `recover`: a new recording of everything that can be read of another one, damaged or not.
//
// Sequences stay. What is missing stands as a hole at its place; behind the last record a run of
// the tool's own says once more, as gap records, what is missing and where the evidence lies. A
// recording of which nothing is missing gets no such run: its records are exactly those of the
// original.

import Platform
package import RecordModel
package import SegmentFormat
package import SegmentLog

/// What making a recording of what can be read came to.
package struct SalvageReport: Sendable {
    /// Records kept, and their payload bytes.
    package var records: UInt64 = 0
    package var payloadBytes: UInt64 = 0
    /// What the new recording begins and ends with, without the run that tells what is missing.
    package var firstSequence = Sequence.none
    package var lastSequence = Sequence.none
    /// What the original itself says is missing.
    package var holes: [Hole] = []
    /// What could not be read, with what it costs. The end of a loss may be unknown.
    package var lost: [DamageReport] = []
    /// Damage that costs no record.
    package var harmless: [String] = []
    /// Bytes of blocks in damaged segments that are no blocks any more.
    package var damagedBytes: UInt64 = 0
    /// Bytes that the disk refused to read.
    package var unreadableBytes: UInt64 = 0
    /// Bytes behind the last whole block of a segment that was not closed.
    package var tornBytes: UInt64 = 0

    /// Whether records are missing that the original does not say are missing.
    package var hasLoss: Bool { !lost.isEmpty }

    /// How many sequences are lost, as far as the ends are known.
    package var lostSequences: UInt64 {
        lost.reduce(0) { sum, damage in
            guard damage.missingThrough >= damage.missingFrom else { return sum }
            return sum &+ (damage.missingThrough.value - damage.missingFrom.value &+ 1)
        }
    }
}

/// One making.
package struct Salvage {
    /// The cause of holes and gaps that stand for damage.
    package static let cause = "damage"

    private let source: String
    private let output: String
    private let setting: CareSetting
    private let salvageDisk: SalvageDisk
    private var report = SalvageReport()

    /// - Parameters:
    ///   - source: the recording; it is only read.
    ///   - output: where the new one is made; nothing may stand there.
    ///   - setting: the outside.
    package init(of source: String, to output: String, _ setting: CareSetting) {
        self.source = source
        self.output = output
        self.setting = setting
        salvageDisk = SalvageDisk(setting.disk)
    }

    /// Reads, writes, verifies what was written, and compares it with the source once more.
    ///
    /// - Throws: `CareError`; what stands under `output` is then of no use.
    package mutating func run() throws(CareError) -> SalvageReport {
        report = SalvageReport()
        let reader = try open()
        for damage in [reader.identityDamage, reader.manifestDamage].compactMap(\.self) {
            report.harmless.append("\(damage)")
        }
        try copy(reader)
        try countDamagedBytes(reader)
        try check()
        report.unreadableBytes = salvageDisk.unreadableBytes
        return report
    }

    private func open() throws(CareError) -> RecordingReader {
        try logging { () throws(LogError) in
            try RecordingReader(salvaging: source, disk: salvageDisk)
        }
    }

    // MARK: Copying

    private mutating func copy(_ reader: RecordingReader) throws(CareError) {
        let first = reader.segments.first?.firstSequence ?? .first  // an empty recording
        let epoch = reader.segments.compactMap { $0.created?.writerEpoch }.max() ?? 0  // unknown
        let writer = try setting.writer(
            output,
            origin: "recovered from \(reader.recordingID)",
            start: SequencedWriter.Start(
                first: first,
                writerEpoch: min(epoch, .max - 2) + 1,
                context: context(reader)
            )
        )
        report.firstSequence = writer.next
        let total = try logging(reader.segmentBytes)
        let steady = try SteadyCursor(reader)
        var afterLoss = ContextAfterLoss(reader)
        loop: while true {
            switch try steady.step() {
            case .record:
                try writer.take(afterLoss.told(before: steady.cursor.envelope.sequence))
                try keep(steady.cursor, writer, total)
            case .missing(let missing):
                afterLoss.lost(missing.from, through: missing.through)
                if let damage = missing.damage {
                    report.lost.append(damage)
                } else {
                    report.holes.append(
                        Hole(from: missing.from, count: missing.count, cause: missing.cause)
                    )
                }
                try writer.append(missing)
            case .damage(let damage) where damage.isLoss: report.lost.append(damage)
            case .damage(let damage): report.harmless.append("\(damage)")
            case .end: break loop
            }
        }
        report.lastSequence = writer.next.previous
        report.tornBytes = steady.cursor.tornBytes
        setting.progress(total, total)
        if report.hasLoss { try tell(reader, writer) }
        try logging(writer.close)
    }

    private mutating func keep(
        _ cursor: RecordCursor,
        _ writer: SequencedWriter,
        _ total: UInt64
    ) throws(CareError) {
        try logging { () throws(LogError) in
            try writer.append(cursor.envelope, payload: cursor.unsafePayload)
        }
        report.records += 1
        report.payloadBytes += UInt64(cursor.unsafePayload.count)
        if report.records % 4096 == 1 {
            try setting.checkAsked()
            setting.progress(cursor.storedBytesRead, total)
        }
    }

    /// What was in force before the first record; nothing when that cannot be read.
    private func context(_ reader: RecordingReader) -> ContextState {
        guard let segment = reader.segments.first else { return ContextState() }
        do { return try reader.context(of: segment) ?? ContextState() } catch {
            // The cursor meets and tells the same damage.
            return ContextState()
        }
    }

    // MARK: Telling what is missing

    /// A run of this tool that states every loss as a gap record.
    private func tell(
        _ reader: RecordingReader,
        _ writer: SequencedWriter
    ) throws(CareError) {
        let origin = "recovered from \(reader.recordingID)"
        let last = writer.next.previous
        var fields = EventFields()
        fields.add(.toolVersion, setting.toolVersion)
        fields.add(.lastSequenceKept, last.value)
        fields.add(.origin, origin)
        try append(.runStarted, fields, writer)
        for damage in report.lost {
            var opened = EventFields()
            opened.add(.fromSequence, damage.missingFrom.previous.value)
            opened.add(.cause, Self.cause)
            opened.add(.evidence, damage.evidence)
            opened.add(.origin, origin)
            let gap = writer.next
            try append(.gapOpened, opened, writer)
            guard damage.missingThrough >= damage.missingFrom else { continue }
            var bounded = EventFields()
            bounded.add(.gap, gap.value)
            bounded.add(.toSequence, damage.missingThrough.next.value)
            try append(.gapBounded, bounded, writer)
        }
        var ended = EventFields()
        ended.add(.cause, "recovered")
        try append(.runEnded, ended, writer)
    }

    private func append(
        _ kind: RecordKind,
        _ fields: EventFields,
        _ writer: SequencedWriter
    ) throws(CareError) {
        try writer.append(
            kind,
            fields,
            receivedAt: setting.clock.wallNanoseconds(),
            monotonic: setting.clock.monotonicNanoseconds()
        )
    }

    private mutating func countDamagedBytes(_ reader: RecordingReader) throws(CareError) {
        let paths = Set(report.lost.map(\.path))
        for segment in reader.segments where paths.contains(segment.path) {
            let blocks: SegmentBlocks
            do throws(LogError) { blocks = try SegmentBlocks(reader, segment) } catch {
                // Nothing of it can be read: all its bytes are of no use.
                report.damagedBytes += try logging { () throws(LogError) in
                    try reader.bytes(of: segment)
                }
                continue
            }
            loop: while true {
                switch try logging(blocks.next) {
                case .invalid(let bytes): report.damagedBytes += bytes
                case .end: break loop
                case .block, .rest: continue
                }
            }
        }
    }

    // MARK: Checking what was made

    private func check() throws(CareError) {
        let made = try logging { () throws(LogError) in
            try RecordingReader(path: output, disk: setting.disk)
        }
        var verifier = RecordingVerifier(made)
        let verdict = try logging { () throws(LogError) in try verifier.run() }
        if let damage = verdict.damage.first { throw .notTheSame(detail: "\(damage)") }
        try RecordingComparison(of: try open(), with: made, through: report.lastSequence).run(
            setting
        )
    }
}
