import Assembly
import Folding
import MarketModel
import Pipeline
import Platform
import Projection
import RecordModel
import SegmentLog

/// One fold for a person: progress on standard error, an interrupt that ends it in good order, and
/// stored state beside the recording.
final class FoldSession: FoldObserver {
    let reader: RecordingReader
    let path: String
    /// The fold that is under way, or was.
    var fold: StateFold {
        guard let current else { preconditionFailure("a session whose fold could not be opened") }
        return current
    }
    /// Where the fold began.
    var start: StateOpening.Start { opening.start }
    private var current: StateFold?
    private let opening: StateOpening
    private let follows: Bool
    private let isAsKnown: Bool
    private let verb: String
    private let console = Console()
    private let clock = SystemClock()
    private let interrupt: Interrupt
    private var line: ProgressLine

    // What a verb wants to hear of; nothing by default.

    var onDecoded: ((TransactionFacts, UInt64, Sequence) -> Void)?
    var onSeen: ((AccountFact, UInt64, Sequence) -> Void)?
    var onFolded: ((ChainAction, ProjectionEngine, Sequence) -> Void)?
    var onNotice: ((Notice, Sequence) -> Void)?
    /// Told that all is folded again, from the beginning or an anchor, because some of it came
    /// late. Without it a verb that hears of anything hears of everything once.
    var onRestart: (() -> Void)?

    /// Opens the recording and its stored state.
    ///
    /// - Parameters:
    ///   - verb: what progress is called.
    ///   - path: the recording.
    ///   - options: how to fold.
    ///   - use: what is used of what is stored.
    /// - Throws: `LogError`, or `VerbFailure`.
    init(
        _ verb: String,
        _ path: String,
        _ options: FoldOptions,
        _ use: StateOpening.Use
    ) throws {
        self.verb = verb
        self.path = path
        follows = options.follows
        isAsKnown = options.through != nil
        reader = try RecordingReader(path: path, disk: LinuxFileSystem())
        interrupt = try Interrupt()
        line = ProgressLine(
            label: verb,
            unit: "bytes",
            total: try reader.segmentBytes(),
            style: console.progressStyle,
            now: clock.monotonicNanoseconds()
        )
        let relay = Relay()
        self.relay = relay
        let (reader, clock, console) = (reader, clock, console)
        opening = StateOpening(
            reader,
            options,
            use,
            clock: clock,
            complain: { console.complain("tapedeck \(verb)", $0) }
        ) { options, storage throws(FoldError) in
            try StateFold(reader, options, storage: storage, clock: clock, observer: relay)
        }
        current = try opening.open()
        relay.session = self
    }

    private let relay: Relay

    /// Folds to the end. What came too late for its slot is then known, and all that it may have
    /// changed is folded again with it in its place, unless a verb that watches cannot have that.
    ///
    /// - Returns: what was done, the last time.
    /// - Throws: `VerbFailure`.
    func run() throws -> StateFold.Report {
        defer { if let text = line.finish() { console.talk(text) } }
        var report = try runOnce()
        var tries = 0
        while report.ending == .end, let late = fold.late, mayRestart {
            guard tries < FoldSession.restartsMax, try opening.canReopen(below: late.position)
            else {
                console.complain(
                    "tapedeck \(verb)",
                    "stale from slot \(late.position) on: what would be folded again is gone"
                )
                break
            }
            tries += 1
            console.say(
                "slot \(late.position) was final when more of it came, up to record "
                    + "\(late.through): folding again with it in its place"
            )
            let awaited = fold.toAwait
            onRestart?()
            // Gone before the next one: it holds the lock of the state.
            current = nil
            current = try opening.reopen(below: late.position, awaiting: awaited)
            report = try runOnce()
        }
        if report.ending != .stopped || follows {
            for path in try opening.end(isPartial: fold.isPartial) {
                console.say("removed \(path): an older version's, which this state replaces")
            }
        }
        return report
    }

    /// Each time something later comes late, or not as late as before: it ends.
    private static let restartsMax = 8

    /// Nobody is told twice of one thing, and what was known at a record stays as it was known.
    private var mayRestart: Bool {
        if follows || isAsKnown { return false }
        return onRestart != nil || (onDecoded == nil && onFolded == nil && onNotice == nil)
    }

    /// Makes sure that the recording has data of a chain that monitors know. One that has none yet
    /// may still get some; one whose data is all of other chains never makes a state.
    ///
    /// - Parameter report: of what was folded.
    /// - Throws: `VerbFailure`; `LogError`.
    func requireKnownChain(_ report: StateFold.Report) throws {
        let frames = report.pipeline.intake.foreign
        guard report.ending == .end || follows, report.resumedAt == nil, !isAsKnown,
            report.pipeline.messages == 0, frames > 0, fold.engine.head == nil
        else { return }
        let entries = try RecordedRequests(reader).entries
        if entries.contains(where: { $0.transport != "websocket" }) { return }
        let chains = Set(entries.map { $0.chain ?? $0.transport }).sorted()
        throw VerbFailure(
            code: report.damage > 0 ? .findings : .failed,
            message: "nothing to fold: monitors read \(fold.engine.store.chain) alone, and the "
                + "\(frames) frames of \(path) are of \(chains.joined(separator: " and "))"
        )
    }

    private func runOnce() throws -> StateFold.Report {
        do throws(FoldError) { return try fold.run() } catch { throw error.failure }
    }

    var isAsked: Bool { interrupt.isAsked || isStopped }

    /// Ends the fold as an interrupt does.
    func stop() { isStopped = true }

    private var isStopped = false

    var wantsDecoded: Bool { onDecoded != nil }

    func read(storedBytes: UInt64, records: UInt64) {
        if let text = line.update(done: storedBytes, now: clock.monotonicNanoseconds()) {
            console.talk(text)
        }
    }

    func skipped(_ damage: String) {
        console.complain("tapedeck \(verb)", "skipped damage: \(damage)")
    }

    func decoded(_ facts: TransactionFacts, slot: UInt64, at sequence: Sequence) {
        onDecoded?(facts, slot, sequence)
    }

    func seen(_ account: AccountFact, slot: UInt64, at sequence: Sequence) {
        onSeen?(account, slot, sequence)
    }

    func folded(_ action: ChainAction, _ engine: ProjectionEngine, at sequence: Sequence) {
        onFolded?(action, engine, sequence)
    }

    func told(_ notice: Notice, at sequence: Sequence) { onNotice?(notice, sequence) }

    /// The fold is made before the session is whole, so what it tells passes through here.
    private final class Relay: FoldObserver {
        weak var session: FoldSession?

        var isAsked: Bool { session?.isAsked == true }
        var wantsDecoded: Bool { session?.wantsDecoded == true }
        func read(storedBytes: UInt64, records: UInt64) {
            session?.read(storedBytes: storedBytes, records: records)
        }
        func skipped(_ damage: String) { session?.skipped(damage) }
        func decoded(_ facts: TransactionFacts, slot: UInt64, at sequence: Sequence) {
            session?.decoded(facts, slot: slot, at: sequence)
        }
        func seen(_ account: AccountFact, slot: UInt64, at sequence: Sequence) {
            session?.seen(account, slot: slot, at: sequence)
        }
        func folded(_ action: ChainAction, _ engine: ProjectionEngine, at sequence: Sequence) {
            session?.folded(action, engine, at: sequence)
        }
        func told(_ notice: Notice, at sequence: Sequence) {
            session?.told(notice, at: sequence)
        }
    }
}

extension FoldError {
    /// As the end of a verb.
    var failure: any Error {
        switch self {
        case .log(let error): error
        case .storage, .otherLog, .threads: VerbFailure(code: .failed, message: "\(self)")
        }
    }
}

extension StateFold.Report {
    /// The exit code that the way of ending asks for.
    var code: ExitCode {
        switch ending {
        case .end: damage > 0 ? .findings : .ok
        case .stopped: .failed
        case .damage: .findings
        }
    }

    /// Says how a fold ended, unless it ended as it should.
    ///
    /// - Parameters:
    ///   - verb: whose fold it was.
    ///   - console: where it is said.
    ///   - resumption: the command that goes on.
    func tell(_ verb: String, _ console: Console, resumption: String) {
        switch ending {
        case .end: break
        case .stopped: console.say("interrupted; go on with: \(resumption)")
        case .damage(let text):
            console.complain(
                "tapedeck \(verb)",
                "stopped before damage: \(text); --skip-damage steps over it"
            )
        }
    }
}
