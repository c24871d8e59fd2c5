import Assembly
import CheckpointStore
import Folding
import MarketModel
import Platform
import Projection
import RecordModel
import SegmentLog

/// One fold for a person: progress on standard error, an interrupt that ends it in good order, and
/// stored state beside the recording.
final class FoldSession: FoldObserver {
    /// Whether stored state is used and written.
    enum Storage {
        /// Nothing is read or written: the state is made anew in memory.
        case none
        /// The checkpoint beside the recording is gone on from, and renewed.
        case derived
        /// The same where that can be: somebody else may be writing it, and a recording may be
        /// read-only. The state is made anew in memory then.
        case offered
    }

    let reader: RecordingReader
    let path: String
    private(set) var fold: StateFold
    private let verb: String
    private let console = Console()
    private let clock = SystemClock()
    private let interrupt: Interrupt
    private var line: ProgressLine

    // What a verb wants to hear of; nothing by default.

    var onDecoded: ((TransactionFacts, UInt64, Sequence) -> Void)?
    var onFolded: ((ChainAction, ProjectionEngine, Sequence) -> Void)?
    var onNotice: ((Notice, Sequence) -> Void)?

    /// Opens the recording and its stored state.
    ///
    /// - Parameters:
    ///   - verb: what progress is called.
    ///   - path: the recording.
    ///   - options: how to fold.
    ///   - storage: whether stored state is used.
    /// - Throws: `LogError`, or `VerbFailure`.
    init(
        _ verb: String,
        _ path: String,
        _ options: FoldOptions,
        _ storage: Storage
    ) throws {
        self.verb = verb
        self.path = path
        self.storage = storage
        self.options = options
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
        let reader = reader
        let clock = clock
        func open(_ storage: Storage) throws(FoldError) -> StateFold {
            try StateFold(
                reader,
                options,
                storage: storage == .none ? nil : StoredState.opener(path, options),
                clock: clock,
                observer: relay
            )
        }
        do throws(FoldError) { fold = try open(storage) } catch {
            switch error {
            case .storage(.damaged(let text)):
                // A damaged checkpoint is never used: the log makes the state again.
                console.complain(
                    "tapedeck \(verb)",
                    "the stored state is damaged (\(text)); it is set aside and made again"
                )
                try StoredState.setAside(path, options)
                do throws(FoldError) { fold = try open(storage) } catch { throw error.failure }
            case .storage(.failed(let text)) where storage == .offered:
                console.say("stored state is not used (\(text)); the whole log is folded")
                do throws(FoldError) { fold = try open(.none) } catch { throw error.failure }
            default: throw error.failure
            }
        }
        relay.session = self
    }

    private let relay: Relay
    private let storage: Storage
    private let options: FoldOptions

    /// Folds to the end.
    ///
    /// - Returns: what was done.
    /// - Throws: `VerbFailure`.
    func run() throws -> StateFold.Report {
        defer { if let text = line.finish() { console.talk(text) } }
        do throws(FoldError) { return try fold.run() } catch {
            guard storage == .offered, case .storage(.failed(let text)) = error else {
                throw error.failure
            }
            // Such as a disk that became full: what is asked for needs no storage.
            console.say("the state is not stored (\(text)); the whole log is folded")
            do throws(FoldError) {
                fold = try StateFold(
                    reader,
                    options,
                    storage: nil,
                    clock: clock,
                    observer: relay
                )
                return try fold.run()
            } catch { throw error.failure }
        }
    }

    var isAsked: Bool { interrupt.isAsked }

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

    func folded(_ action: ChainAction, _ engine: ProjectionEngine, at sequence: Sequence) {
        onFolded?(action, engine, sequence)
    }

    func told(_ notice: Notice, at sequence: Sequence) { onNotice?(notice, sequence) }

    /// The fold is made before the session is whole, so what it tells passes through here.
    private final class Relay: FoldObserver {
        weak var session: FoldSession?

        var isAsked: Bool { session?.isAsked == true }
        func read(storedBytes: UInt64, records: UInt64) {
            session?.read(storedBytes: storedBytes, records: records)
        }
        func skipped(_ damage: String) { session?.skipped(damage) }
        func decoded(_ facts: TransactionFacts, slot: UInt64, at sequence: Sequence) {
            session?.decoded(facts, slot: slot, at: sequence)
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
        case .storage, .threads: VerbFailure(code: .failed, message: "\(self)")
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
