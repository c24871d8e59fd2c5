import Folding
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

    deinit {
        // A folder that stays costs nobody anything but its bytes.
        _ = try? removeTree(path)
    }

    private func removeTree(_ path: String) throws {
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
