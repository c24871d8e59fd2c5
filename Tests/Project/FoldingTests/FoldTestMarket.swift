import Folding
import GeyserDecoding
import MarketModel
import Platform
import Projection
import RecordModel
import SegmentLog
import Synthesis

/// An invented market as a recording in a folder that goes away.
final class FoldTestMarket {
    let path: String
    let reader: RecordingReader

    init(
        real: RealBlocks? = nil,
        _ change: (inout SynthesisOptions) -> Void
    ) throws {
        var options = SynthesisOptions()
        // Real transactions have as many blocks as they came in.
        options.slots = real.map { UInt32(clamping: $0.count) } ?? 80
        options.ethereumBlocks = 0
        options.votesPerSlot = 3
        change(&options)
        var random = SystemRandom()
        path = "/tmp/tapedeck-fold-\(random.next())"
        _ = try SynthesizedRecording(options, real: real, toolVersion: "test").write(
            to: path,
            disk: LinuxFileSystem(),
            schedule: SystemClock(),
            positions: nil
        )
        reader = try RecordingReader(path: path, disk: LinuxFileSystem())
    }

    /// One that something else has written.
    init(path: String) throws {
        self.path = path
        reader = try RecordingReader(path: path, disk: LinuxFileSystem())
    }

    deinit {
        // A folder that stays costs nobody anything but its bytes.
        _ = try? removeTree(path)
    }

    /// The same recording with more messages on its newest stream, all of its own staying in order.
    ///
    /// `body` is given a slot that is under way and a message of it, and says what comes next; beside
    /// the recording comes the record of each message that was put in.
    func joined(
        _ body: (_ slot: UInt64, _ real: [UInt8]) -> StrangeMessage?
    ) throws -> (market: FoldTestMarket, records: [Sequence]) {
        var random = SystemRandom()
        let path = "/tmp/tapedeck-fold-\(random.next())"
        var options = LogOptions()
        options.durability = .none
        let writer = try LogWriter(
            path: path,
            disk: LinuxFileSystem(),
            clock: StillClock(),
            random: SeededRandom(seed: 1),
            options: options
        )
        var newest = StreamID.none
        var records: [Sequence] = []
        var frames = 0
        let cursor = try RecordCursor(reader)
        while case .record = try cursor.next() {
            let envelope = cursor.envelope
            if envelope.kind == .runStarted || envelope.kind == .runEnded { continue }
            let payload = Array(cursor.unsafePayload)
            let copied = try writer.append(envelope, payload: payload.span.bytes).sequence
            // Streams are named by their sequences: nothing is put in before they are open.
            precondition(!records.isEmpty || copied == envelope.sequence)
            if envelope.kind == .streamOpened { newest = max(newest, copied) }
            guard envelope.kind == .grpcMessageIn, envelope.stream == newest else { continue }
            frames += 1
            guard let slot = UpdateSummary.slot(of: payload.span.bytes), frames > 400,
                frames.isMultiple(of: 40),
                let message = body(slot.number, payload)
            else { continue }
            var strange = envelope
            strange.wireByte = message.isCompressed ? 1 : 0
            records.append(
                try writer.append(strange, payload: message.bytes.span.bytes).sequence
            )
        }
        try writer.close(cause: "test")
        return (try FoldTestMarket(path: path), records)
    }

    /// Folds all of it.
    func fold(
        observer: (any FoldObserver)? = nil,
        _ change: (inout FoldOptions) -> Void = { _ in },
        storage: ((ProjectionEngine) throws(StorageError) -> any RowStorage)? = nil
    ) throws -> StateFold {
        var options = FoldOptions()
        options.helpers = 0
        change(&options)
        let fold = try StateFold(
            reader,
            options,
            storage: storage,
            clock: SystemClock(),
            observer: observer
        )
        _ = try fold.run()
        return fold
    }

    /// Folds all of it and says what was done.
    func report(
        helpers: Int = 0,
        _ change: (inout FoldOptions) -> Void = { _ in }
    ) throws -> StateFold.Report {
        var options = FoldOptions()
        options.helpers = helpers
        change(&options)
        return try StateFold(reader, options, storage: nil, clock: StillClock()).run()
    }

    /// Chain digests of slots that stand at the end, final or not, by slot.
    func standing() throws -> [UInt64: StateDigest] {
        let finals = FinalDigests()
        _ = try fold(observer: finals)
        return finals.standing
    }

    /// Chain digests of final slots, by slot.
    func finals(
        _ change: (inout FoldOptions) -> Void = { _ in }
    ) throws -> [UInt64: StateDigest] {
        let finals = FinalDigests()
        _ = try fold(observer: finals, change)
        return finals.digests
    }
}

/// A message that no good node sends.
struct StrangeMessage {
    var bytes: [UInt8]
    var isCompressed = false
}

/// Chain digests of final slots.
final class FinalDigests: FoldObserver {
    private(set) var digests: [UInt64: StateDigest] = [:]
    /// Those of all slots that were not taken back: an open gap holds finality back.
    var standing: [UInt64: StateDigest] {
        open.reduce(into: digests) { $0[$1.position] = $1.digest }
    }
    /// Slots folded and not taken back, and those taken back.
    private(set) var applied: [UInt64] = []
    private(set) var undone = 0
    private var open: [(position: UInt64, digest: StateDigest)] = []

    func folded(_ action: ChainAction, _ engine: ProjectionEngine, at sequence: Sequence) {
        switch action {
        case .apply(let bundle):
            if let head = engine.head { open.append((head.position, head.digest)) }
            applied.append(bundle.position)
        case .undo:
            open.removeLast()
            applied.removeLast()
            undone += 1
        case .final(let position):
            while let first = open.first, first.position <= position {
                digests[first.position] = first.digest
                open.removeFirst()
            }
        case .stale: break
        }
    }
}

/// A clock that stands: nothing that is measured may reach a result.
struct StillClock: Clock {
    func wallNanoseconds() -> Int64 { 0 }
    func monotonicNanoseconds() -> UInt64 { 0 }
}

/// Removes what is in a folder, folders within it included.
func removeTree(_ path: String) throws {
    let disk = LinuxFileSystem()
    for name in try disk.list(path) {
        let inner = path + "/" + name
        if try disk.kind(of: inner) == .directory {
            try removeTree(inner)
        } else {
            try disk.remove(inner)
        }
    }
}
