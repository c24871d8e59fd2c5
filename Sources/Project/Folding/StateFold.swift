package import Assembly
import MarketModel
import Observability
package import Pipeline
package import Platform
import ProgramDecoding
package import Projection
package import RecordModel
import SegmentFormat
package import SegmentLog

/// Folds a recording into state: the one door for rebuilding, catching up and following. Records are
/// read in log order, parsed on several threads, and assembled and folded on the caller's.
package final class StateFold {
    /// How a fold ended.
    package enum Ending: Equatable, Sendable {
        /// At the end that was asked for, or of the log.
        case end
        /// Because the observer asked.
        case stopped
        /// Before a damaged place that may not be skipped.
        case damage(String)
    }

    /// What a fold did.
    package struct Report: Sendable {
        package var ending = Ending.end
        /// The last record read.
        package var last = Sequence.none
        package var records: UInt64 = 0
        package var payloadBytes: UInt64 = 0
        /// Holes and damaged places passed.
        package var holes: UInt64 = 0
        package var damage: UInt64 = 0
        /// What parsing saw.
        package var pipeline = PipelineTally()
        /// Nanoseconds of the clock: reading and decompressing, parsing (over all threads),
        /// assembling and folding, checkpoints as far as folding waited for them, all.
        package var readNanoseconds: UInt64 = 0
        package var parseNanoseconds: UInt64 = 0
        package var foldNanoseconds: UInt64 = 0
        package var checkpointNanoseconds: UInt64 = 0
        package var tookNanoseconds: UInt64 = 0
        /// The record that reading began with, after a checkpoint; nil without one.
        package var resumedAt: Sequence?
        /// Whether the log lacks its beginning and nothing stood for it: the state is partial.
        package var lacksBeginning = false
    }

    /// The state.
    package let engine: ProjectionEngine
    /// A checkpoint must not outlive the records that it was made of.
    private var durability: ReadDurability
    private let isStored: Bool
    private let options: FoldOptions
    private let clock: any Clock
    private let observer: (any FoldObserver)?
    let chain: ChainFold
    private let start: Sequence
    /// The last record that the state depends on.
    private var place: LogPlace?
    private let filler: BatchFiller
    /// Fills batches on a thread of its own while the log is read.
    private var ahead: ReadAhead?
    private var spare: [RecordBatch] = []
    private(set) var report = Report()
    private(set) var latencies = StageLatencies()
    /// When the fold was made, by the wall clock: what was received since is live.
    private let madeAt: Int64
    /// For records that are given one by one.
    private var single: (batch: RecordBatch, parser: UpdateParser)?

    /// - Parameters:
    ///   - reader: the recording.
    ///   - options: how to fold.
    ///   - storage: where the state is kept; nil keeps it nowhere.
    ///   - clock: measures; it reaches no result.
    ///   - observer: whoever watches.
    /// - Throws: `storage` when what is stored cannot be used, `otherLog` when it is not of this
    ///   recording.
    package init(
        _ reader: RecordingReader,
        _ options: FoldOptions,
        storage: ((ProjectionEngine) throws(StorageError) -> any RowStorage)?,
        clock: any Clock,
        observer: (any FoldObserver)? = nil
    ) throws(FoldError) {
        durability = ReadDurability(reader)
        isStored = storage != nil
        self.options = options
        self.clock = clock
        madeAt = clock.wallNanoseconds()
        self.observer = observer
        var limits = options.limits
        // Whoever follows has time; without another thread all rows are waited for anyway.
        if options.helpers == 0 || options.follows { limits.rowsAheadMin = .max }
        let engine = ProjectionEngine(.solana, limits: limits) { store in
            ProjectorSet.make(options.projectors, in: store)
        }
        self.engine = engine
        var anchor: AssemblerAnchor?
        var start = Sequence.none
        if let storage {
            let checkpoint: Checkpoint?
            var rows: any RowStorage
            do throws(StorageError) { rows = try storage(engine) } catch { throw .storage(error) }
            if options.helpers > 0 {
                do throws(SystemError) { rows = try BackgroundStorage(rows) } catch {
                    throw .threads(error)
                }
            }
            // Before all rows are looked at, and before anything is made of them.
            if let stored = rows.checkpoint, let text = try StateFold.mismatch(stored, reader) {
                throw .otherLog(text)
            }
            do throws(StorageError) { checkpoint = try engine.restore(from: rows) } catch {
                throw .storage(error)
            }
            if let checkpoint {
                place = checkpoint.place
                do throws(RowError) {
                    anchor = try AssemblerAnchor(decoding: checkpoint.assembly)
                } catch { throw .storage(.damaged("the assembler's anchor: \(error)")) }
                start = checkpoint.resume
                report.resumedAt = start
            }
        }
        self.start = start
        filler = BatchFiller(reader, from: start, options, clock)
        // An older checkpoint's gaps say themselves what was missing.
        let oldest = reader.segments.first?.firstSequence ?? .first
        report.lacksBeginning = anchor == nil && oldest > .first
        chain = ChainFold(
            engine,
            after: anchor,
            options,
            lacksBeginning: report.lacksBeginning,
            clock,
            observer
        )
    }

    /// What stored state depends on beside the engine.
    ///
    /// - Parameter options: of the fold.
    /// - Returns: parts of the key.
    package static func keyParts(_ options: FoldOptions) -> [StateKey.Part] {
        [
            StateKey.Part("assembler", "\(SlotAssembler.version)"),
            StateKey.Part("decoders", "\(ProgramDecoder.version)"),
            StateKey.Part("commitment", "\(options.commitment)"),
            StateKey.Part("skips_damage", "\(options.skipsDamage)"),
        ]
    }

    /// Digest of the state as known when the last record had been read.
    package var positionDigest: StateDigest {
        engine.positionDigest(open: chain.openState)
    }

    /// What came too late and is left out of the state, although the log has it; nil when it was
    /// waited for in vain, or when nothing came late.
    package var late: LateRecords? {
        guard let late = chain.assembler.late else { return nil }
        return chain.assembler.awaited.contains { $0.covers(late) } ? nil : late
    }

    /// What is to be waited for by whoever folds the log again, as a checkpoint tells; nil when
    /// nothing of it came too late, or when waiting was in vain.
    ///
    /// - Parameter checkpoint: of stored state.
    /// - Returns: from where on state lacks what came late, and what to await.
    package static func late(
        in checkpoint: Checkpoint
    ) -> (position: UInt64, awaiting: [LateRecords])? {
        let anchor: AssemblerAnchor
        do throws(RowError) { anchor = try AssemblerAnchor(decoding: checkpoint.assembly) } catch {
            // Whoever restores from the checkpoint meets this as damage.
            return nil
        }
        guard let late = anchor.late, !anchor.awaited.contains(where: { $0.covers(late) }) else {
            return nil
        }
        return (late.position, (anchor.awaited + [late]).suffix(StateFold.awaitedMax))
    }

    /// What was waited for, and what more is to be waited for so that nothing comes late.
    package var toAwait: [LateRecords] {
        let all = chain.assembler.awaited + [chain.assembler.late].compactMap(\.self)
        // The newest: older ones are long final.
        return all.suffix(StateFold.awaitedMax)
    }

    private static let awaitedMax = 64

    /// Whether the state lacks what the log had before its oldest segment.
    package var isPartial: Bool {
        engine.gaps.contains(where: \.isLackOfBeginning)
    }

    /// The last record that was taken; `none` before the first.
    package var last: Sequence { report.last }

    /// Whether there were bundles behind the slot or time that was asked for.
    package var hasMore: Bool { !chain.leftOut.isEmpty }

    /// What the assembler saw and left out.
    package var assembly: AssemblerTally { chain.assembler.tally }

    /// How the slots that were folded are proved.
    package var evidence: EvidenceTally { chain.assembler.evidence }

    /// Folds up to the end.
    ///
    /// - Returns: what was done.
    /// - Throws: what went wrong; stored state stays as of its last checkpoint.
    package func run() throws(FoldError) -> Report {
        let began = clock.monotonicNanoseconds()
        let clock = clock
        // safety: each parser is used by the one worker of its number alone, and ParseLanes gives
        // every number to one thread.
        nonisolated(unsafe) let parsers = (0...options.helpers).map { _ in UpdateParser() }
        let lanes: ParseLanes
        do throws(SystemError) {
            lanes = try ParseLanes(helpers: options.helpers) { batch, worker in
                let began = clock.monotonicNanoseconds()
                parsers[worker].parse(batch)
                batch.parseNanoseconds = clock.monotonicNanoseconds() &- began
            }
        } catch { throw .threads(error) }
        defer { lanes.close() }
        try read(through: lanes)
        if report.ending != .stopped || options.position == nil {
            try checkpoint()
            try finishCheckpoint(waits: true)
        }
        report.tookNanoseconds = clock.monotonicNanoseconds() &- began
        return report
    }

    /// Takes one record that somebody else reads, such as a replay that paces itself; it is parsed
    /// and folded before this returns. What was in force before the first record is taken from the
    /// recording, as if reading had begun there.
    ///
    /// - Throws: what went wrong.
    package func take(
        _ envelope: RecordEnvelope,
        _ payload: UnsafeRawBufferPointer
    ) throws(FoldError) {
        let batch = try singleBatch(before: envelope.sequence)
        let began = clock.monotonicNanoseconds()
        filler.take(envelope, payload, into: batch)
        let taken = clock.monotonicNanoseconds()
        latencies.ingestion.record(taken &- began, times: batch.records)
        single?.parser.parse(batch)
        batch.parseNanoseconds = clock.monotonicNanoseconds() &- taken
        try fold(batch)
    }

    /// Takes a statement that records are missing where somebody else reads.
    ///
    /// - Parameters:
    ///   - last: the last of them.
    ///   - isDamage: whether they are damaged; otherwise they are a hole.
    /// - Throws: what went wrong.
    package func takeMissing(through last: Sequence, isDamage: Bool) throws(FoldError) {
        let batch = try singleBatch(before: last.next)
        filler.takeMissing(through: last, isDamage: isDamage, into: batch)
        try fold(batch)
    }

    /// The batch for what is given one by one; the first time it says what was in force.
    private func singleBatch(before first: Sequence) throws(FoldError) -> RecordBatch {
        if let single {
            single.batch.removeAll()
            return single.batch
        }
        let batch = RecordBatch()
        single = (batch, UpdateParser())
        do throws(LogError) { try filler.prime(into: batch, before: first) } catch {
            throw .log(error)
        }
        return batch
    }

    // MARK: Reading

    private func read(through lanes: ParseLanes) throws(FoldError) {
        // Which segments there were is not sure then: as if the first record were damaged.
        if let damage = filler.reader.manifestDamage {
            report.damage &+= 1
            guard options.skipsDamage else {
                report.ending = .damage("\(damage)")
                return
            }
            observer?.skipped("\(damage)")
        }
        // Whoever follows reads what is there and no more, and then waits itself.
        if options.helpers > 0, !options.follows {
            do throws(SystemError) { ahead = try ReadAhead(filler) } catch { throw .threads(error) }
        }
        defer {
            ahead?.close()
            ahead = nil
        }
        var pauses: UInt64 = 0
        reading: while true {
            let reading = try nextReading(lanes)
            let batch = reading.batch
            note(reading)
            let isIdle = batch.records == 0 && reading.step == .waits
            if isIdle {
                giveBack(batch)
            } else {
                pauses = 0
                if !lanes.hasRoom { try consume(lanes) }
                lanes.give(batch)
            }
            observer?.read(storedBytes: reading.storedBytes, records: report.records)
            switch reading.step {
            case .more: break
            case .waits:
                // Nothing is held back while nothing comes.
                while lanes.count > 0 { try consume(lanes) }
                guard options.follows, !isAsked else {
                    break reading
                }
                pauses = min(pauses + 1, 20)
                Platform.Thread.sleep(nanoseconds: pauses * 1_000_000)
            case .ends: break reading
            }
            if isAsked {
                report.ending = .stopped
                break
            }
        }
        while lanes.count > 0 { try consume(lanes) }
        if isAsked, report.ending == .end, options.follows { report.ending = .stopped }
    }

    private var isAsked: Bool { observer?.isAsked == true }

    /// The batch that comes next; while it is being read ahead, what was parsed is folded.
    private func nextReading(_ lanes: ParseLanes) throws(FoldError) -> BatchFiller.Reading {
        do throws(LogError) {
            guard let ahead else {
                let batch = spare.popLast() ?? RecordBatch()
                batch.removeAll()
                return try filler.fill(batch)
            }
            if lanes.hasRoom, let reading = try ahead.take(waits: lanes.count == 0) {
                return reading
            }
        } catch { throw .log(error) }
        try consume(lanes)
        return try nextReading(lanes)
    }

    private func giveBack(_ batch: RecordBatch) {
        if let ahead { ahead.giveBack(batch) } else { spare.append(batch) }
    }

    /// Takes over what was met while a batch was filled.
    private func note(_ reading: BatchFiller.Reading) {
        report.readNanoseconds &+= reading.nanoseconds
        latencies.ingestion.record(reading.nanoseconds, times: reading.batch.records)
        report.holes &+= reading.holes
        report.damage &+= reading.damage
        for text in reading.skipped { observer?.skipped(text) }
        if let text = reading.refused { report.ending = .damage(text) }
    }

    // MARK: Folding

    /// Takes the oldest batch and folds what it says.
    private func consume(_ lanes: ParseLanes) throws(FoldError) {
        guard let batch = lanes.take() else { return }
        try fold(batch)
        giveBack(batch)
        try finishCheckpoint(waits: false)
        if engine.isCheckpointDue {
            try checkpoint()
        } else if engine.isSavingAheadDue {
            do throws(StorageError) { try chain.saveAhead() } catch { throw .storage(error) }
        }
    }

    private func fold(_ batch: RecordBatch) throws(FoldError) {
        let began = clock.monotonicNanoseconds()
        let dispatched = chain.dispatch.nanoseconds
        chain.askObserver()
        do throws(StorageError) {
            for entry in batch.entries {
                for place in entry.inputs {
                    try chain.take(batch.inputs[place], at: entry.sequence)
                }
            }
        } catch { throw .storage(error) }
        let took = clock.monotonicNanoseconds() &- began
        report.foldNanoseconds &+= took
        let assembling = took &- (chain.dispatch.nanoseconds &- dispatched)
        latencies.enrichment.record(assembling, times: UInt64(batch.inputs.count))
        latencies.parsing.record(batch.parseNanoseconds, times: batch.tally.messages)
        if options.follows { noteArrival(batch) }
        report.parseNanoseconds &+= batch.parseNanoseconds
        report.records &+= batch.records
        report.payloadBytes &+= batch.payloadBytes
        report.last = max(report.last, batch.last)
        // What was stored depends on records that are only now read again.
        if let read = batch.place, place.map({ $0.sequence <= read.sequence }) ?? true {
            place = read
        }
        report.pipeline.add(batch.tally)
    }

    /// Notes how long live records took from where they were received to here.
    private func noteArrival(_ batch: RecordBatch) {
        let now = clock.wallNanoseconds()
        for entry in batch.entries where entry.receivedAt >= madeAt {
            let (took, overflow) = now.subtractingReportingOverflow(entry.receivedAt)
            // A wall clock may step back: no length is then known.
            if !overflow, took >= 0 { latencies.arrival.record(UInt64(took)) }
        }
    }

    private func checkpoint() throws(FoldError) {
        let began = clock.monotonicNanoseconds()
        let next = report.last > .none ? report.last.next : max(start, .first)
        if isStored {
            do throws(LogError) { try durability.reach(before: next) } catch { throw .log(error) }
        }
        do throws(StorageError) { try chain.checkpoint(before: next, after: place) } catch {
            throw .storage(error)
        }
        report.checkpointNanoseconds &+= clock.monotonicNanoseconds() &- began
    }

    private func finishCheckpoint(waits: Bool) throws(FoldError) {
        let began = waits ? clock.monotonicNanoseconds() : 0
        do throws(StorageError) { try engine.finishCheckpoint(waits: waits) } catch {
            throw .storage(error)
        }
        if waits { report.checkpointNanoseconds &+= clock.monotonicNanoseconds() &- began }
    }
}
