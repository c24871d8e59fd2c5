import CheckpointStore
import Folding
import Foundation
import GeyserDecoding
import MarketModel
import Platform
import Projection
import RecordModel
import SegmentLog
import Synthesis

@testable import Command

/// An invented market as a recording, to be folded with and without what is stored of it.
final class StateDeck {
    let folder: TemporaryFolder
    var path: String { folder.recording }

    init(
        rotateBytes: UInt64 = 64 << 20,
        _ change: (inout SynthesisOptions) -> Void = { _ in }
    ) throws {
        folder = try TemporaryFolder()
        var options = SynthesisOptions()
        options.slots = 60
        options.ethereumBlocks = 0
        options.votesPerSlot = 1
        change(&options)
        var recording = SynthesizedRecording(options, toolVersion: "test")
        recording.rotateBytes = rotateBytes
        _ = try recording.write(
            to: path,
            disk: LinuxFileSystem(),
            schedule: SystemClock(),
            positions: nil
        )
    }

    /// With nothing recorded yet.
    init(empty: Void) throws { folder = try TemporaryFolder() }

    var reader: RecordingReader {
        get throws { try RecordingReader(path: path, disk: LinuxFileSystem()) }
    }

    /// What a fold gave: everything that can be compared.
    struct Outcome: Equatable {
        var chain: StateDigest
        var position: StateDigest
        var slot: UInt64?
        /// The summary and all tables.
        var text: String
    }

    /// Folds as a verb does.
    @discardableResult
    func fold(
        _ use: StateOpening.Use,
        _ change: (inout FoldOptions) -> Void = { _ in }
    ) throws -> (outcome: Outcome, start: StateOpening.Start) {
        var options = FoldOptions()
        options.helpers = 0
        options.limits.bundlesPerCheckpoint = 7
        change(&options)
        let session = try FoldSession("test", path, options, use)
        _ = try session.run()
        let engine = session.fold.engine
        var text = try StateSummary(engine, rowsMax: 20).text()
        for schema in engine.store.schemas {
            text += schema.name + "\n" + (try TablePrint(schema, engine).csv)
        }
        let outcome = Outcome(
            chain: engine.chainDigest,
            position: session.fold.positionDigest,
            slot: engine.head?.position,
            text: text
        )
        return (outcome, session.start)
    }

    /// Stores state as it was known at some records, so that an anchor is left of each.
    func leaveAnchors(at sequences: [UInt64]) throws {
        for sequence in sequences {
            try fold(.state(AnchorLadder())) { $0.through = Sequence(sequence) }
        }
    }

    /// Names of a folder in the recording, without SQLite's own; empty when it is not there.
    func names(_ name: String) -> [String] {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: path + "/" + name).sorted()
        } catch { return [] }
    }

    var anchors: [String] { names("derived/anchors").filter { $0.hasSuffix(".sqlite") } }

    func bytes(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(filePath: path + "/" + name)))
    }

    func write(_ bytes: [UInt8], _ name: String) throws {
        try Data(bytes).write(to: URL(filePath: path + "/" + name))
    }

    /// Slots that are folded, in order, with the time of each block.
    func slots() throws -> [(slot: UInt64, time: Int64?)] {
        let watch = Watch()
        var options = FoldOptions()
        options.helpers = 0
        let fold = try StateFold(
            try reader,
            options,
            storage: nil,
            clock: SystemClock(),
            observer: watch
        )
        _ = try fold.run()
        return watch.slots
    }

    private final class Watch: FoldObserver {
        var slots: [(slot: UInt64, time: Int64?)] = []

        func folded(_ action: ChainAction, _ engine: ProjectionEngine, at sequence: Sequence) {
            switch action {
            case .apply(let bundle): slots.append((bundle.position, bundle.time))
            case .undo: slots.removeLast()
            case .final, .stale: break
            }
        }
    }

    /// The same recording with the transactions of some slots behind everything else, as if they
    /// had been fetched after a gap had been given up.
    func delayed(_ slots: ClosedRange<UInt64>) throws -> StateDeck {
        let deck = try StateDeck(empty: ())
        var options = LogOptions()
        options.durability = .none
        let clock = ImportClock(startingAt: 0)
        let writer = try LogWriter(
            path: deck.path,
            disk: LinuxFileSystem(),
            clock: clock,
            random: SeededRandom(seed: 1),
            options: options
        )
        var held: [(RecordEnvelope, [UInt8])] = []
        var gap: Sequence?
        var isAbandoned = false
        let cursor = try RecordCursor(try reader)
        while case .record = try cursor.next() {
            let envelope = cursor.envelope
            if envelope.kind == .runStarted || envelope.kind == .runEnded { continue }
            let payload = Array(cursor.unsafePayload)
            let update =
                envelope.kind == .grpcMessageIn
                ? try UpdateSummary(of: payload.span.bytes) : nil
            if let slot = update?.slot?.number {
                if slot >= slots.lowerBound, gap == nil {
                    var fields = EventFields()
                    fields.add(.fromPosition, slots.lowerBound)
                    fields.add(.toPosition, slots.upperBound)
                    gap = try writer.append(event: .gapOpened, fields: fields).sequence
                }
                if slot > slots.upperBound + 1, let gap, !isAbandoned {
                    var fields = EventFields()
                    fields.add(.gap, gap.value)
                    _ = try writer.append(event: .gapAbandoned, fields: fields)
                    isAbandoned = true
                }
                if slots.contains(slot), update?.kind == .transaction {
                    held.append((envelope, payload))
                    continue
                }
            }
            if envelope.kind == .streamClosed {
                for (envelope, payload) in held {
                    _ = try writer.append(envelope, payload: payload.span.bytes)
                }
                held = []
            }
            _ = try writer.append(envelope, payload: payload.span.bytes)
        }
        try writer.close(cause: "test")
        return deck
    }
}
