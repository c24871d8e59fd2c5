import Assembly
import MarketModel
import Pipeline
import Projection
import RecordModel

/// The last two stages for one chain: assembling, and folding what it gives.
final class ChainFold {
    let engine: ProjectionEngine
    private(set) var assembler: SlotAssembler
    /// The last slot that is folded; nil for all.
    private let position: UInt64?
    /// The last block time that is folded; nil for all.
    private let time: Int64?
    private let observer: (any FoldObserver)?
    private var actions: [ChainAction] = []
    private var notices: [Notice] = []
    /// Whether the log lacks its beginning and nothing stands for it; until that is noted.
    private var lacksBeginning: Bool
    /// Slots that were left out because they lie behind the end, the newest last.
    private var leftOut: [UInt64] = []

    /// - Parameters:
    ///   - engine: restored from its checkpoint, if there is one.
    ///   - anchor: what the checkpoint keeps of the assembler.
    ///   - options: of the fold.
    ///   - lacksBeginning: whether the log begins in the middle, and the state with it.
    ///   - observer: whoever watches.
    init(
        _ engine: ProjectionEngine,
        after anchor: AssemblerAnchor?,
        _ options: FoldOptions,
        lacksBeginning: Bool,
        _ observer: (any FoldObserver)?
    ) {
        self.engine = engine
        let configuration = AssemblerConfiguration.solana(options.commitment)
        assembler =
            anchor.map {
                SlotAssembler(configuration, resumingAfter: $0, awaiting: options.awaited)
            } ?? SlotAssembler(configuration, awaiting: options.awaited)
        self.lacksBeginning = lacksBeginning
        position = options.position
        time = options.time
        self.observer = observer
    }

    /// What the assembler holds that is no bundle yet.
    var openState: [UInt8] {
        var bytes: [UInt8] = []
        assembler.encodeOpenState(into: &bytes)
        return bytes
    }

    /// Takes one thing that a record says.
    ///
    /// - Throws: the failure of storage.
    func take(_ input: AssemblerInput, at sequence: Sequence) throws(StorageError) {
        if let observer { tell(observer, input, at: sequence) }
        assembler.take(input, at: sequence, into: &actions)
        guard !actions.isEmpty else { return }
        for action in actions {
            guard let action = withinEnd(action) else { continue }
            if lacksBeginning { noteBeginning(action) }
            try engine.take(action, at: sequence, notices: &notices)
            guard let observer else { continue }
            observer.folded(action, engine, at: sequence)
            for notice in notices { observer.told(notice, at: sequence) }
            notices.removeAll(keepingCapacity: true)
        }
        notices.removeAll(keepingCapacity: true)
        actions.removeAll(keepingCapacity: true)
    }

    /// Notes that what lies below the first slot is missing.
    private func noteBeginning(_ action: ChainAction) {
        guard case .apply(let bundle) = action else { return }
        lacksBeginning = false
        guard bundle.position > 0 else { return }
        engine.gaps.append(
            ChainGap(
                first: 0,
                last: bundle.position - 1,
                group: ChainFold.allGroups,
                status: .abandoned,
                reason: ChainFold.lackOfBeginning
            )
        )
    }

    /// What a gap is of that concerns everything.
    private static let allGroups = "all"
    private static let lackOfBeginning = "the log begins here: older segments are gone"

    /// Tells of events as they were decoded, in the order of the wire.
    private func tell(
        _ observer: any FoldObserver,
        _ input: AssemblerInput,
        at sequence: Sequence
    ) {
        switch input {
        case .transaction(_, let transaction):
            guard let facts = transaction.facts else { return }
            observer.decoded(facts, slot: transaction.slot.number, at: sequence)
        case .wholeBlock(_, let block):
            for transaction in block.transactions {
                guard let facts = transaction.facts else { continue }
                observer.decoded(facts, slot: block.header.slot.number, at: sequence)
            }
        default: return
        }
    }

    /// What of an action concerns slots up to the end; nil for nothing.
    private func withinEnd(_ action: ChainAction) -> ChainAction? {
        guard position != nil || time != nil else { return action }
        switch action {
        case .apply(let bundle):
            // What follows one that was left out lies behind the end as well, whatever its time.
            guard leftOut.isEmpty, !isBehindEnd(bundle) else {
                leftOut.append(bundle.position)
                return nil
            }
            return action
        case .undo(let position):
            guard leftOut.last != position else {
                leftOut.removeLast()
                return nil
            }
            return action
        case .final(let position):
            guard let first = leftOut.first, first <= position else { return action }
            return engine.head.map { .final(position: $0.position) }
        case .stale(let position):
            if let end = self.position, position > end { return nil }
            return action
        }
    }

    private func isBehindEnd(_ bundle: Bundle) -> Bool {
        if let position, bundle.position > position { return true }
        guard let time, let blockTime = bundle.time else { return false }
        return blockTime > time
    }

    /// Stores a checkpoint.
    ///
    /// - Parameter next: the record that comes next.
    /// - Throws: the failure of storage.
    func checkpoint(before next: Sequence) throws(StorageError) {
        // A state that ends at a slot is no state of the whole log: it is never stored.
        guard position == nil, time == nil, let anchor = assembler.anchor else { return }
        try engine.checkpoint(
            resume: assembler.resume ?? next,
            assembly: anchor.encoded
        )
    }
}
