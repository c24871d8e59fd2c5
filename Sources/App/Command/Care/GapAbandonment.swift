import Capture
import LogCare
import Platform
import RecordModel
import SegmentLog

/// `gaps --abandon`: gives open gaps of a recording up that nobody writes, in a run of its own.
struct GapAbandonment {
    /// Which gaps are meant.
    enum Choice: Equatable {
        case all
        /// Sequences of gap-opened records.
        case some([Sequence])
    }

    let path: String
    let choice: Choice
    let reason: String

    /// Reads `--abandon` and `--reason`.
    ///
    /// - Returns: nil without them.
    /// - Throws: `UsageError`.
    init?(_ arguments: ParsedArguments, path: String) throws {
        let wanted = arguments.texts("abandon")
        guard !wanted.isEmpty else {
            guard arguments.has("reason") else { return nil }
            throw UsageError(
                verb: "gaps",
                message: "--reason says why of --abandon, which is missing"
            )
        }
        guard let reason = arguments.text("reason") else {
            throw UsageError(
                verb: "gaps",
                message: "--reason is missing: it is recorded why a gap is given up"
            )
        }
        self.path = path
        self.reason = reason
        if wanted == ["all"] {
            choice = .all
            return
        }
        choice = .some(
            try wanted.map { text in
                guard let number = UInt64(text), number > 0 else {
                    throw UsageError(
                        verb: "gaps",
                        message: "--abandon \(text): the number of a gap as 'tapedeck gaps' prints "
                            + "it was expected, or all"
                    )
                }
                return Sequence(number)
            }
        )
    }

    /// Does it.
    ///
    /// - Parameters:
    ///   - history: what the recording says so far; what was done is noted there.
    ///   - console: for what a person should know.
    /// - Throws: `VerbFailure` or `LogError`; `locked` while a recorder runs.
    func run(_ history: inout GapHistory, _ console: Console) throws {
        let ids = try targets(history)
        var options = LogOptions()
        options.toolVersion = toolVersion
        options.positionReader = RecordedPositions()
        let clock = SystemClock()
        let log = try LogWriter(
            path: path,
            disk: LinuxFileSystem(),
            clock: clock,
            random: SystemRandom(),
            options: options
        )
        let ledger = GapLedger(log.recovery)
        // This run ends the streams of the one before; what a recorder would say of them is said
        // here, because the next one does not know them any more.
        for lost in ledger.lostStreams {
            let fields = GapLedger.crash(lost, log.recovery)
            let gap = try log.append(event: .gapOpened, fields: fields).sequence
            console.say(
                "\(path): the run before ended without closing its stream of \(lost.source): gap "
                    + "\(gap) is open"
            )
        }
        var missing: [Sequence] = []
        for id in ids {
            guard let gap = ledger.open.first(where: { $0.gap.id == id })?.gap else {
                missing.append(id)
                continue
            }
            try log.append(event: .gapAbandoned, fields: gap.abandoned(reason))
            history.abandon(id, reason: reason, at: clock.wallNanoseconds())
        }
        try log.close(cause: "gaps abandoned")
        guard missing.isEmpty else {
            let names = missing.map(\.description).joined(separator: ", ")
            throw VerbFailure(code: .failed, message: "\(path): no longer open: gap \(names)")
        }
    }

    private func targets(_ history: GapHistory) throws -> [Sequence] {
        let open = history.gaps.filter(\.isUnsettled)
        guard case .some(let ids) = choice else {
            guard !open.isEmpty else {
                throw VerbFailure(code: .failed, message: "\(path): no gap is open")
            }
            return open.map(\.id)
        }
        for id in ids {
            guard let gap = history.gaps.first(where: { $0.id == id }) else {
                throw VerbFailure(
                    code: .failed,
                    message: "\(path) has no gap \(id); 'tapedeck gaps \(path)' lists them"
                )
            }
            guard gap.isUnsettled else {
                let reason = gap.reason.map { ": \($0)" } ?? ""  // filled, or none was told
                throw VerbFailure(
                    code: .failed,
                    message: "\(path): gap \(id) is \(gap.state.rawValue) already\(reason)"
                )
            }
        }
        return Set(ids).sorted()
    }
}
