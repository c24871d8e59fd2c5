import Assembly
import MarketModel
import Observability
import Pipeline
import Platform
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
    /// Whether the observer is told of events as they were decoded.
    private var tellsDecoded = false
    /// Measures; it reaches no result.
    private let clock: any Clock
    /// What became of the assembler's actions.
    private(set) var dispatch = DispatchTally()
    private var actions: [ChainAction] = []
    private var notices: [Notice] = []
    /// Whether the log lacks its beginning and nothing stands for it; until that is noted.
    private var lacksBeginning: Bool
    /// Slots that were left out because they lie behind the end, the newest last.
    private(set) var leftOut: [UInt64] = []

    /// - Parameters:
    ///   - engine: restored from its checkpoint, if there is one.
    ///   - anchor: what the checkpoint keeps of the assembler.
    ///   - options: of the fold.
    ///   - lacksBeginning: whether the log begins in the middle, and the state with it.
    ///   - clock: measures.
    ///   - observer: whoever watches.
    init(
        _ engine: ProjectionEngine,
        after anchor: AssemblerAnchor?,
        _ options: FoldOptions,
        lacksBeginning: Bool,
        _ clock: any Clock,
        _ observer: (any FoldObserver)?
    ) {
        self.engine = engine
        self.clock = clock
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

    /// Asks the observer what it wants to hear of what is taken next.
    func askObserver() { tellsDecoded = observer?.wantsDecoded == true }

    /// Takes one thing that a record says.
    ///
    /// - Throws: the failure of storage.
    func take(_ input: AssemblerInput, at sequence: Sequence) throws(StorageError) {
        if tellsDecoded, let observer { tell(observer, input, at: sequence) }
        assembler.take(input, at: sequence, into: &actions)
        if case .gapAbandoned(_, let reason) = input { list(assembler.abandoned, reason) }
        guard !actions.isEmpty else { return }
        let began = clock.monotonicNanoseconds()
        try act(at: sequence)
        let took = clock.monotonicNanoseconds() &- began
        dispatch.nanoseconds &+= took
        dispatch.latency.record(took, times: UInt64(actions.count))
        actions.removeAll(keepingCapacity: true)
    }

    /// Does what the assembler asked for.
    private func act(at sequence: Sequence) throws(StorageError) {
        for action in actions {
            dispatch.actions &+= 1
            guard let action = withinEnd(action) else {
                dispatch.behindEnd &+= 1
                continue
            }
            if lacksBeginning { noteBeginning(action) }
            let ignored = engine.counters.ignored
            do throws(StorageError) {
                try engine.take(action, at: sequence, notices: &notices)
            } catch {
                dispatch.failed &+= 1
                throw error
            }
            if engine.counters.ignored == ignored {
                dispatch.folded &+= 1
            } else {
                dispatch.held &+= 1
            }
            guard let observer else { continue }
            observer.folded(action, engine, at: sequence)
            for notice in notices { observer.told(notice, at: sequence) }
            notices.removeAll(keepingCapacity: true)
        }
        notices.removeAll(keepingCapacity: true)
    }

    /// Remembers a gap that was given up with the state: it says which rows may lack something.
    private func list(_ slots: ClosedRange<UInt64>?, _ reason: String) {
        guard let slots, position.map({ slots.lowerBound <= $0 }) ?? true else { return }
        engine.gaps.append(
            ChainGap(
                first: slots.lowerBound,
                last: slots.upperBound,
                group: "",
                status: .abandoned,
                reason: reason
            )
        )
        guard engine.gaps.count > Self.gapsMax else { return }
        engine.gaps.sort()
        // That the log lacks its beginning is kept by itself: it says that the state is partial.
        let place = engine.gaps[0].isLackOfBeginning ? 1 : 0
        let first = engine.gaps.remove(at: place)
        engine.gaps[place].first = first.first
        engine.gaps[place].last = max(first.last, engine.gaps[place].last)
        engine.gaps[place].reason = "several gaps"
    }

    /// Gaps that are listed one by one; of more, the lowest become one.
    private static let gapsMax = 4096

    /// Notes that what lies below the first slot is missing.
    private func noteBeginning(_ action: ChainAction) {
        guard case .apply(let bundle) = action else { return }
        lacksBeginning = false
        guard bundle.position > 0 else { return }
        engine.gaps.append(
            ChainGap(
                first: 0,
                last: bundle.position - 1,
                group: ChainGap.allGroups,
                status: .abandoned,
                reason: ChainFold.lackOfBeginning
            )
        )
    }

    private static let lackOfBeginning = "the log begins here: older segments are gone"

    /// Tells of events as they were decoded, and of accounts, in the order of the wire.
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
            for account in block.accounts { tell(observer, account, at: sequence) }
        case .account(_, let account): tell(observer, account, at: sequence)
        default: return
        }
    }

    private func tell(
        _ observer: any FoldObserver,
        _ account: AccountInput,
        at sequence: Sequence
    ) {
        guard let content = account.content else { return }
        observer.seen(
            AccountFact(account: account.account, content: content),
            slot: account.slot.number,
            at: sequence
        )
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

    /// A state that ends at a slot is no state of the whole log: it is never stored.
    private var mayStore: Bool { position == nil && time == nil }

    /// Gives storage rows ahead of the next checkpoint.
    ///
    /// - Throws: the failure of storage.
    func saveAhead() throws(StorageError) {
        if mayStore { try engine.saveAhead() }
    }

    /// Stores a checkpoint.
    ///
    /// - Parameters:
    ///   - next: the record that comes next.
    ///   - place: the last record that was read.
    /// - Throws: the failure of storage.
    func checkpoint(before next: Sequence, after place: LogPlace?) throws(StorageError) {
        guard mayStore, let anchor = assembler.anchor else { return }
        try engine.checkpoint(
            resume: assembler.resume ?? next,
            place: place,
            assembly: anchor.encoded
        )
    }
}

extension ChainGap {
    /// What a gap is of that concerns everything.
    fileprivate static let allGroups = "all"

    /// Whether it says that the log begins in the middle.
    var isLackOfBeginning: Bool {
        first == 0 && group == ChainGap.allGroups && status == .abandoned
    }
}
