import CheckpointStore
import Folding
import MarketModel
import Platform
import Projection
import RecordModel
import SegmentLog

/// What retention must know of stored state, and what takes the place of segments that go: a base
/// anchor for each chain, a copy of the newest checkpoint that needs none of them.
struct StateRetention: RetainedState {
    /// A stored state that somebody goes on with.
    struct Stored {
        let chain: Chain
        let place: StatePath
        let key: StateKey
        let checkpoint: Checkpoint
    }

    private let recording: String
    private let isForced: Bool
    private let complain: @Sendable (String) -> Void
    private let disk = LinuxFileSystem()

    /// - Parameters:
    ///   - recording: the recording's folder.
    ///   - isForced: whether segments go even when nothing can stand for them.
    ///   - complain: takes a sentence for a person.
    init(
        _ recording: String,
        isForced: Bool,
        complain: @escaping @Sendable (String) -> Void
    ) {
        self.recording = RecordingLayout(recording).path
        self.isForced = isForced
        self.complain = complain
    }

    // MARK: What there is

    /// The stored states that are in use: one that this version's has overtaken is not.
    func states() throws(LogError) -> [Stored] {
        let own = StoredState(recording, FoldOptions())
        var states: [Stored] = []
        var unreadable: String?
        do throws(SystemError) {
            for (chain, place) in try StatePath.all(recording: recording, on: disk) {
                do throws(StateFile.OpenError) {
                    let overview = try StateOverview(place.path, chain: chain, on: disk)
                    guard let checkpoint = overview.checkpoint else { continue }
                    try checkOrigin(checkpoint)
                    states.append(
                        Stored(
                            chain: chain,
                            place: place,
                            key: overview.key,
                            checkpoint: checkpoint
                        )
                    )
                } catch { unreadable = error.sentence(place.path) }
            }
        } catch { throw .system(error) }
        if let unreadable {
            // Nobody knows what it needs.
            let advice = "; 'tapedeck rebuild' makes state again, derived/ is safe to delete"
            guard isForced else {
                throw .noBaseAnchor(path: recording, detail: unreadable + advice)
            }
            complain(unreadable)
        }
        guard let newest = states.first(where: { $0.key.digest == own.key.digest }) else {
            return states
        }
        return states.filter { state in
            state.key.digest == own.key.digest || state.chain != newest.chain
                || !StateOverview.isSameRequest(state.key, own.key)
                || state.checkpoint.position > newest.checkpoint.position
        }
    }

    /// Refuses what was made of other records than the log has: it can stand for none of them. What
    /// older versions made does not say.
    private func checkOrigin(_ checkpoint: Checkpoint) throws(StateFile.OpenError) {
        guard checkpoint.place != nil else { return }
        do throws(FoldError) {
            let reader: RecordingReader
            do throws(LogError) { reader = try RecordingReader(path: recording, disk: disk) } catch
            {
                throw .log(error)
            }
            if let text = try StateFold.mismatch(checkpoint, reader) { throw .otherLog(text) }
        } catch {
            if case .otherLog(let text) = error { throw .damaged("not of this log: \(text)") }
            throw .failed("\(error)")
        }
    }

    func oldestCheckpoint() throws(LogError) -> Sequence? {
        let states = try states()
        var oldest = states.map(\.checkpoint.resume)
        // Where nothing else is left of a chain, its base anchor is the oldest checkpoint.
        let layout = RecordingLayout(recording)
        for base in try RecordingIdentity.read(layout, on: disk).baseAnchors
        where !states.contains(where: { $0.chain.description == base.chain }) {
            oldest.append(base.resume)
        }
        return oldest.min()
    }

    // MARK: What stands for what goes

    func leaveBaseAnchors(
        through last: Sequence,
        named: [BaseAnchorMention]
    ) throws(LogError) -> [BaseAnchorMention]? {
        let states = try states()
        let chains = Set(states.map(\.chain) + named.compactMap { Chain($0.chain) }).sorted()
        var mentions: [BaseAnchorMention] = []
        for chain in chains {
            let usable = states.filter { $0.chain == chain && $0.checkpoint.resume > last }
            let known = named.first { $0.chain == chain.description && $0.resume > last }
            do throws(StateFile.OpenError) {
                if let mention = try leave(usable, known) {
                    mentions.append(mention)
                    continue
                }
            } catch {
                let text = error.sentence(recording)
                guard isForced else { throw .noBaseAnchor(path: recording, detail: text) }
                complain("no base anchor of \(chain): \(text)")
            }
            complain("nothing stands for what goes of \(chain): a rebuild will be partial")
        }
        return mentions
    }

    /// Keeps a base anchor that reaches far enough, or makes one of a state.
    private func leave(
        _ states: [Stored],
        _ known: BaseAnchorMention?
    ) throws(StateFile.OpenError) -> BaseAnchorMention? {
        let own = StoredState(recording, FoldOptions()).key.digest
        let isOwnThere = states.contains { $0.key.digest == own }
        if let known, let base = BaseAnchor(known), base.key == own || !isOwnThere {
            do throws(StateFile.OpenError) {
                try base.verify(recording: recording, on: disk)
                let path = BaseAnchor.folder(recording) + "/" + base.name
                let overview = try StateOverview(path, chain: base.chain, on: disk)
                if let checkpoint = overview.checkpoint { try checkOrigin(checkpoint) }
                return known
            } catch {
                complain("a base anchor is made again: \(error.sentence(known.file))")
            }
        }
        // Of this version's state, else of the one that has got furthest.
        let newest = states.max { left, right in
            if (left.key.digest == own) != (right.key.digest == own) {
                return right.key.digest == own
            }
            return left.checkpoint.position < right.checkpoint.position
        }
        guard let newest else { return nil }
        let base = try BaseAnchor.make(
            from: newest.place.path,
            chain: newest.chain,
            recording: recording,
            on: disk
        )
        if base.key == own { try check(base) }
        return base.mention
    }

    /// Looks at every row: nothing else could make them again.
    private func check(_ base: BaseAnchor) throws(StateFile.OpenError) {
        var limits = ProjectionEngine.Limits()
        limits.residentRowsMax = 1
        let engine = ProjectionEngine(base.chain, limits: limits) { store in
            ProjectorSet.make(nil, in: store)
        }
        let stored = StoredState(recording, FoldOptions())
        do throws(StorageError) {
            let path = BaseAnchor.folder(recording) + "/" + base.name
            try engine.restore(from: try stored.anchor(path))
        } catch {
            switch error {
            case .damaged(let text): throw .damaged(text + "; 'tapedeck rebuild' makes it again")
            case .failed(let text): throw .failed(text)
            }
        }
    }

    func removeBaseAnchors(except named: [BaseAnchorMention]) {
        do throws(SystemError) {
            try BaseAnchor.removeAll(
                except: Set(named.map(\.file)),
                recording: recording,
                on: disk
            )
        } catch {
            complain("old base anchors are still there: \(error)")
        }
    }
}
