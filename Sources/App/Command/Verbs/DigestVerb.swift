import Folding
import MarketModel
import Projection
import RecordModel

/// `tapedeck digest`
let digestVerb = Verb(
    name: "digest",
    summary: "print what stands for the state of a recording",
    details: [
        "chain: of the tables after a slot, without sequences, times of receipt, sources or "
            + "counters: equal for different recordings of the same chain. position: with what the "
            + "assembler holds open: equal on one log only, at the same record.",
        "Stored state is neither read nor written: two builds, or two runs, compare what they make "
            + "of the log itself. With --at slot: or time: it begins at the newest anchor below, "
            + "which gives the same; --whole reads the log from its beginning all the same. Where "
            + "segments were retired it begins at the base anchor, if this version reads it.",
    ],
    operands: [SharedFlags.recording],
    flags: FoldFlags.all + [
        FoldFlags.at,
        Flag(
            name: "every",
            value: ("N", .count(1...1_000_000_000)),
            fallback: "only the last",
            help: "Print the chain digest of every N-th final slot, too; implies --whole"
        ),
        Flag(name: "whole", help: "Do not begin at an anchor"),
    ],
    examples: [
        .init(purpose: "one line to compare", line: "tapedeck digest deck"),
        .init(
            purpose: "a ladder, to see where two recordings part",
            line: "tapedeck digest deck --every 100"
        ),
    ],
    exitCodes: [.ok, .failed, .findings, .rangeNotAvailable],
    run: { arguments in
        let console = Console()
        let path = arguments.operands[0]
        let options = try arguments.foldOptions()
        let isWhole = arguments.has("whole") || arguments.has("every")
        let use = isWhole ? .log : options.use(orElse: .log)
        let session = try FoldSession("digest", path, options, use)
        let ladder = DigestLadder(every: arguments.count("every"))
        if arguments.has("every") {
            session.onFolded = { action, engine, _ in ladder.take(action, engine) }
            session.onRestart = { ladder.removeAll() }
        }
        let report = try session.run()
        try session.requireKnownChain(report)
        try options.requireReached(session, report)
        var text = ""
        if arguments.has("every") {
            for rung in ladder.rungs { text += "slot \(rung.position) chain \(rung.digest)\n" }
        }
        if let head = session.fold.engine.head {
            text += "slot \(head.position) chain \(session.fold.engine.chainDigest)\n"
        }
        text += "sequence \(report.last) position \(session.fold.positionDigest)\n"
        try console.write(text)
        report.tell("digest", console, resumption: arguments.commandLine())
        return report.code
    }
)

/// Chain digests of final slots.
final class DigestLadder {
    /// One of them.
    struct Rung: Equatable {
        let position: UInt64
        let digest: StateDigest
    }

    private(set) var rungs: [Rung] = []
    private let every: UInt64
    private var count: UInt64 = 0
    /// Bundles that are not final, the oldest first.
    private var open: [Rung] = []

    /// - Parameter every: of how many final slots one is kept; nil for none.
    init(every: UInt64?) { self.every = every ?? 0 }  // 0 keeps none

    /// Forgets everything.
    func removeAll() {
        rungs = []
        open = []
        count = 0
    }

    /// Takes what an engine has done.
    func take(_ action: ChainAction, _ engine: ProjectionEngine) {
        guard every > 0 else { return }
        switch action {
        case .apply:
            guard let head = engine.head else { return }
            open.append(Rung(position: head.position, digest: head.digest))
        case .undo: _ = open.popLast()
        case .final(let position):
            while let first = open.first, first.position <= position {
                open.removeFirst()
                count += 1
                if count.isMultiple(of: every) { rungs.append(first) }
            }
        case .stale: break
        }
    }
}
