import Assembly
import CheckpointStore
import Folding
import Platform
import Projection
import RecordModel
import SegmentLog

/// Finds where a fold may begin: the newest of what is stored that is whole, that was made of this
/// log, that the log reaches back to, and that lacks nothing which came late. What is damaged is
/// never used: it is said, set aside, and the next older one is tried, at last the log itself. What
/// was made of other records than the log has goes.
final class StateOpening {
    /// Where a fold begins.
    enum Start: Equatable {
        /// With the first record that the log has.
        case log
        /// Where the last checkpoint leaves off.
        case checkpoint
        /// At an anchor of that slot.
        case anchor(UInt64)
        /// At the base anchor, which is of that slot.
        case baseAnchor(UInt64)
    }

    /// What is used of what is stored.
    enum Use {
        /// Nothing but what stands for retired segments; state is made in memory.
        case log
        /// Anchors, to look at; state is made in memory.
        case anchors
        /// The state beside the recording, which is gone on with; anchors are left by the ladder.
        case state(AnchorLadder)
    }

    typealias Opener = (ProjectionEngine) throws(StorageError) -> any RowStorage
    typealias Make = (FoldOptions, Opener?) throws(FoldError) -> StateFold

    private(set) var start = Start.log
    let stored: StoredState
    private let reader: RecordingReader
    private var options: FoldOptions
    private let use: Use
    private let disk = LinuxFileSystem()
    private let clock: any Clock
    private let complain: @Sendable (String) -> Void
    private let make: Make
    private var anchoring: AnchoringStorage?
    /// Anchors that are not of this log, as far as they were met and not dealt with.
    private var foreign: [Anchor] = []

    /// - Parameters:
    ///   - reader: the recording.
    ///   - options: how it is folded.
    ///   - use: what is used of what is stored.
    ///   - clock: measures what anchors cost.
    ///   - complain: takes a sentence for a person, on any thread.
    ///   - make: makes a fold.
    init(
        _ reader: RecordingReader,
        _ options: FoldOptions,
        _ use: Use,
        clock: any Clock,
        complain: @escaping @Sendable (String) -> Void,
        make: @escaping Make
    ) {
        self.reader = reader
        self.options = options
        self.use = use
        self.clock = clock
        self.complain = complain
        self.make = make
        stored = StoredState(reader.layout.path, options)
    }

    /// Where the log begins; above 1 older records are not there.
    private var oldest: Sequence { reader.segments.first?.firstSequence ?? .first }

    // MARK: Opening

    /// Opens what the fold begins with.
    ///
    /// - Throws: `LogError`, or `VerbFailure`.
    func open() throws -> StateFold {
        guard case .state(let ladder) = use else { return try openToLook(below: nil) }
        guard try disk.kind(of: stored.place.path) == .file else {
            return try openToStore(below: nil, ladder)
        }
        let checkpoint = try stored.overview()?.checkpoint
        if let checkpoint, let text = try mismatch(checkpoint) {
            complain("the stored state is not of this log: \(text); state is made again")
            return try openToStore(below: nil, ladder)
        }
        if let checkpoint, let (position, awaiting) = StateFold.late(in: checkpoint),
            try canReopen(below: position)
        {
            complain("slot \(position) was final when more of it came; it is folded again")
            options.awaited = awaiting
            return try openToStore(below: position, ladder)
        }
        if let checkpoint, checkpoint.resume < oldest {
            complain(
                "the stored state reads on from record \(checkpoint.resume), but the log begins "
                    + "with \(oldest): state is made again"
            )
            return try openToStore(below: nil, ladder)
        }
        if let fold = try attempt(
            "the stored state",
            { () throws(FoldError) in
                try make(options, opener(ladder))
            }
        ) {
            start = .checkpoint
            return fold
        }
        anchoring = nil
        try stored.place.setAside(on: disk)
        return try openToStore(below: nil, ladder)
    }

    /// Whether state can be made again from below a slot.
    ///
    /// - Throws: `SystemError`.
    func canReopen(below position: UInt64) throws -> Bool {
        if reader.retiredThrough == 0 { return true }
        if let base = baseAnchor(below: position), base.resume >= oldest { return true }
        for anchor in try stored.anchors.list(on: disk) where anchor.position < position {
            if whole(anchor) != nil { return true }
        }
        return false
    }

    /// Opens what lacks nothing of a slot, and waits for what came late. The fold before must be
    /// gone.
    ///
    /// - Throws: `LogError`, or `VerbFailure`.
    func reopen(below position: UInt64, awaiting records: [LateRecords]) throws -> StateFold {
        anchoring = nil
        options.awaited = records
        guard case .state(let ladder) = use else { return try openToLook(below: position) }
        return try openToStore(below: position, ladder)
    }

    /// Leaves an anchor of what was stored last, and removes what this state replaces.
    ///
    /// - Parameter isPartial: whether the state lacks its beginning: it replaces nothing.
    /// - Returns: paths of states that were removed.
    /// - Throws: `SystemError`, or `VerbFailure`.
    func end(isPartial: Bool) throws -> [String] {
        guard case .state = use else { return [] }
        anchoring?.end()
        return isPartial ? [] : try stored.removeReplaced()
    }

    // MARK: To go on with it

    private func opener(_ ladder: AnchorLadder) -> Opener {
        { [self] _ throws(StorageError) in
            let file = try stored.file()
            guard ladder.bytesMax > 0 else { return file }
            let storage = AnchoringStorage(
                file,
                stored.anchors,
                AnchorCadence(),
                ladder,
                on: disk,
                clock: clock,
                tell: complain
            )
            anchoring = storage
            return storage
        }
    }

    /// Begins a state file at an anchor, a base anchor, or with nothing.
    private func openToStore(below limit: UInt64?, _ ladder: AnchorLadder) throws -> StateFold {
        for anchor in try stored.anchors.list(on: disk).reversed() {
            if let limit, anchor.position >= limit {
                // It lacks what came late.
                try disk.remove(anchor.path)
                continue
            }
            guard whole(anchor) != nil else { continue }
            try removeForeign()
            try replace(with: anchor.path)
            if let fold = try attempt(
                anchor.path,
                { () throws(FoldError) in
                    try make(options, opener(ladder))
                }
            ) {
                start = .anchor(anchor.position)
                return fold
            }
            anchoring = nil
            setAside(anchor)
        }
        try removeForeign()
        if let base = baseAnchor(below: limit), isWhole(base) {
            try replace(with: basePath(base))
            if let fold = try attempt(
                basePath(base),
                { () throws(FoldError) in
                    try make(options, opener(ladder))
                }
            ) {
                start = .baseAnchor(base.position)
                return fold
            }
            anchoring = nil
        }
        try replace(with: nil)
        start = .log
        do throws(FoldError) { return try make(options, opener(ladder)) } catch {
            throw error.failure
        }
    }

    private func replace(with anchor: String?) throws {
        do throws(StateFile.OpenError) {
            try StatePath.prepareFolder(reader.layout.path, on: disk)
            try stored.place.replace(with: anchor, on: disk)
        } catch {
            throw VerbFailure(code: .failed, message: error.sentence(stored.place.path))
        }
    }

    // MARK: To look at it

    private func openToLook(below limit: UInt64?) throws -> StateFold {
        if case .anchors = use {
            for anchor in try stored.anchors.list(on: disk).reversed()
            where isWithin(anchor.position, anchor.time, limit) && whole(anchor) != nil {
                tellForeign("not used")
                if let fold = try look(at: anchor.path) {
                    start = .anchor(anchor.position)
                    return fold
                }
                setAside(anchor)
            }
            tellForeign("not used")
        }
        if let base = baseAnchor(below: limit), isWhole(base), try isBehind(base),
            let fold = try look(at: basePath(base))
        {
            start = .baseAnchor(base.position)
            return fold
        }
        start = .log
        do throws(FoldError) { return try make(options, nil) } catch { throw error.failure }
    }

    private func look(at path: String) throws -> StateFold? {
        try attempt(path) { () throws(FoldError) in
            try make(options) { [stored] _ throws(StorageError) in try stored.anchor(path) }
        }
    }

    /// Whether an anchor is at or below the end that was asked for. Block times never fall from one
    /// slot to the next on either chain.
    private func isWithin(_ position: UInt64, _ time: Int64?, _ limit: UInt64?) -> Bool {
        if let limit, position >= limit { return false }
        if let end = options.position { return position <= end }
        guard let end = options.time else { return true }
        return time.map { $0 <= end } ?? false
    }

    /// Whether the end that was asked for does not lie before a base anchor.
    private func isBehind(_ base: BaseAnchor) throws -> Bool {
        guard options.position != nil || options.time != nil || options.through != nil else {
            return true
        }
        do throws(StateFile.OpenError) {
            let overview = try StateOverview(basePath(base), chain: base.chain, on: disk)
            guard let checkpoint = overview.checkpoint else { return false }
            if let through = options.through { return checkpoint.resume <= through }
            return isWithin(checkpoint.position, checkpoint.time, nil)
        } catch { return false }
    }

    // MARK: What may be used

    /// Why a checkpoint is not of this log; nil when it is.
    private func mismatch(_ checkpoint: Checkpoint) throws -> String? {
        do throws(FoldError) { return try StateFold.mismatch(checkpoint, reader) } catch {
            throw error.failure
        }
    }

    /// Removes the anchors that were met and are not of this log: they never will be again.
    private func removeForeign() throws {
        for anchor in foreign { try disk.remove(anchor.path) }
        tellForeign("removed")
    }

    /// Says what becomes of the anchors that were met and are not of this log.
    private func tellForeign(_ fate: String) {
        if !foreign.isEmpty {
            complain("anchors of records that this log does not have: \(foreign.count), \(fate)")
        }
        foreign = []
    }

    /// What makes a fold; nil, and said, when what it begins with must not be used.
    private func attempt(
        _ name: String,
        _ body: () throws(FoldError) -> StateFold
    ) throws -> StateFold? {
        do throws(FoldError) { return try body() } catch {
            switch error {
            case .storage(.damaged(let text)):
                complain("\(name) is damaged (\(text)); it is set aside and not used")
            case .otherLog(let text):
                complain("\(name) is not of this log: \(text); it is not used")
            default: throw error.failure
            }
            return nil
        }
    }

    /// What an anchor says of itself, if it may be begun with.
    private func whole(_ anchor: Anchor) -> Checkpoint? {
        do throws(StateFile.OpenError) {
            let overview = try StateOverview(anchor.path, chain: stored.chain, on: disk)
            guard overview.key.digest == stored.key.digest, let checkpoint = overview.checkpoint,
                checkpoint.position == anchor.position
            else { throw .damaged("it is not what its name says") }
            do throws(FoldError) {
                if try StateFold.mismatch(checkpoint, reader) != nil {
                    foreign.append(anchor)
                    return nil
                }
            } catch { throw .failed("\(error)") }
            // What lies between an older one and the log is gone; what came late is not in it.
            let isUsable = checkpoint.resume >= oldest && StateFold.late(in: checkpoint) == nil
            return isUsable ? checkpoint : nil
        } catch {
            if case .damaged = error { setAside(anchor) }
            complain("an anchor is not used: \(error.sentence(anchor.path))")
            return nil
        }
    }

    private func setAside(_ anchor: Anchor) {
        do throws(SystemError) { try stored.anchors.setAside(anchor, on: disk) } catch {
            complain("\(anchor.path) cannot be set aside: \(error)")
        }
    }

    /// The base anchor that this build reads, if the log needs one.
    private func baseAnchor(below limit: UInt64?) -> BaseAnchor? {
        guard oldest > .first else { return nil }
        return reader.identity.baseAnchors.compactMap { BaseAnchor($0) }.first { base in
            base.chain == stored.chain && base.key == stored.key.digest
                && base.resume >= oldest && (limit.map { base.position < $0 } ?? true)
        }
    }

    /// Whether a base anchor is the one that the recording names, byte for byte.
    private func isWhole(_ base: BaseAnchor) -> Bool {
        do throws(StateFile.OpenError) {
            try base.verify(recording: reader.layout.path, on: disk)
            return true
        } catch {
            complain(
                "the base anchor is not used: \(error.sentence(basePath(base))); "
                    + "'tapedeck verify' says the same"
            )
            return false
        }
    }

    private func basePath(_ base: BaseAnchor) -> String {
        BaseAnchor.folder(reader.layout.path) + "/" + base.name
    }
}

extension StateOpening.Start {
    /// For a person; nil when there is nothing to say.
    ///
    /// - Parameter report: of the fold that began there.
    /// - Returns: a sentence.
    func text(_ report: StateFold.Report) -> String? {
        guard let resumed = report.resumedAt else { return nil }
        return switch self {
        case .log: nil
        case .checkpoint: "went on from record \(resumed), where the last checkpoint leaves off"
        case .anchor(let position): "began at the anchor of slot \(position), record \(resumed)"
        case .baseAnchor(let position):
            "began at the base anchor of slot \(position), record \(resumed)"
        }
    }
}
