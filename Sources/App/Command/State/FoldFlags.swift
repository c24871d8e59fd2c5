import Assembly
import Folding
import MarketModel
import Platform
import Projection
import RecordModel
import SegmentLog

/// The flags of all verbs that fold, and what they come to.
enum FoldFlags {
    /// `--projector NAME`
    static let projector = Flag(
        name: "projector",
        value: ("NAME", .choice(ProjectorSet.names)),
        isRepeatable: true,
        fallback: "all",
        help: "A monitor to fold; may be repeated"
    )
    /// `--commitment LEVEL`
    static let commitment = Flag(
        name: "commitment",
        value: ("LEVEL", .choice(["confirmed", "processed"])),
        fallback: "confirmed",
        help: "When a slot is folded: once it is confirmed, or as soon as it is processed"
    )
    /// `--threads N`
    static let threads = Flag(
        name: "threads",
        value: ("N", .count(1...64)),
        fallback: "as many as there are processors, at most 8",
        help: "Threads that decode and fold; never changes a result"
    )
    /// `--hot-rows N`
    static let hotRows = Flag(
        name: "hot-rows",
        value: ("N", .count(1...1_000_000_000)),
        fallback: "1000000",
        help: "Rows of one table that may stay in memory once stored; never changes a result"
    )
    /// `--batch-records N`
    static let batchRecords = Flag(
        name: "batch-records",
        value: ("N", .count(1...1024)),
        fallback: "1024",
        help: "Records that are decoded and folded at a time; never changes a result"
    )
    /// `--at R`
    static let at = Flag(
        name: "at",
        value: ("R", .range(.to)),
        fallback: "the newest",
        help: "As known at a record (seq:100), or after a slot or time, from all that the log has"
    )
    /// What every folding verb takes.
    static let all = [
        projector, commitment, threads, hotRows, batchRecords, SharedFlags.skipDamage,
    ]
}

extension ParsedArguments {
    /// How to fold.
    ///
    /// - Throws: `VerbFailure` or `UsageError`.
    func foldOptions() throws -> FoldOptions {
        var options = FoldOptions()
        let named = texts("projector")
        if !named.isEmpty { options.projectors = Set(named) }
        if text("commitment") == "processed" { options.commitment = .processed }
        // The fallback in the flag's help.
        let threads = count("threads") ?? UInt64(Processors.available(atMost: 8))
        options.helpers = Int(threads) - 1
        // Likewise.
        options.limits.residentRowsMax = Int(clamping: count("hot-rows") ?? 1_000_000)
        // Likewise: what a batch holds anyhow.
        options.batchRecordsMax = count("batch-records") ?? .max
        options.skipsDamage = has("skip-damage")
        guard let text = text("at") else { return options }
        try options.end(at: text)
        return options
    }
}

extension FoldOptions {
    /// What is used of stored state: a state of another moment is neither gone on from nor stored,
    /// but one after a slot or a time may begin at an anchor.
    ///
    /// - Parameter newest: what is used for the newest state.
    /// - Returns: what is used for this one.
    func use(orElse newest: StateOpening.Use) -> StateOpening.Use {
        if position != nil || time != nil { return .anchors }
        return through == nil ? newest : .log
    }

    /// Makes sure that the log reaches the end that was asked for: what comes beyond may change the
    /// state there, and before the first slot there is none.
    ///
    /// - Parameters:
    ///   - session: one that has folded.
    ///   - report: what it did.
    /// - Throws: `VerbFailure` with "range not available"; `LogError`.
    func requireReached(_ session: FoldSession, _ report: StateFold.Report) throws {
        guard report.ending == .end else { return }
        if let through, report.last < through {
            // It may also lie in a hole.
            let last = try session.reader.sequenceRange()?.last ?? .none  // an empty recording
            guard last < through else { return }
            throw unavailable("the recording ends with record \(last)")
        }
        guard position != nil || time != nil else { return }
        guard let head = session.fold.engine.head else {
            throw unavailable("no whole slot was there yet")
        }
        if session.fold.hasMore || head.position == position || head.time == time { return }
        let isBeyond =
            position.map { head.position < $0 } ?? false  // only a time was asked for
            || time.map { time in head.time.map { $0 < time } ?? true } ?? false  // only a slot was
        guard isBeyond else { return }
        throw unavailable("the newest whole slot is \(head.position)")
    }

    private func unavailable(_ reason: String) -> VerbFailure {
        VerbFailure(
            code: .rangeNotAvailable,
            message: "the recording has no state there: \(reason)"
        )
    }

    /// Ends at what `--at` names.
    ///
    /// - Throws: `VerbFailure` for an end that has no meaning here.
    fileprivate mutating func end(at text: String) throws {
        let (kind, rest) =
            text.split(separator: ":", maxSplits: 1).count == 2
            ? (text.prefix { $0 != ":" }, text.drop { $0 != ":" }.dropFirst())
            : (text[...], "")
        switch kind {
        case "seq":
            guard let number = UInt64(rest), number > 0 else { break }
            through = Sequence(number)
            return
        case "slot":
            guard let number = UInt64(rest) else { break }
            position = number
            return
        case "time":
            guard let nanoseconds = RFC3339.nanoseconds(String(rest)) else { break }
            time = nanoseconds / 1_000_000_000
            return
        default: break
        }
        throw VerbFailure(
            code: .usage,
            message: "--at \(text): expected seq:100, slot:5000 or time:2026-01-01T00:00:00Z"
        )
    }
}
