import Assembly
import Folding
import JSONText
import MarketModel
import Pipeline
import Platform
import ProgramDecoding
import RecordModel

/// `tapedeck coverage`
let coverageVerb = Verb(
    name: "coverage",
    summary: "tell how much of a recording's market data is understood",
    details: [
        "Parse rate of each strategy: instructions of transactions that succeeded, and that trade, "
            + "create, migrate or move liquidity, whose amounts were read, out of all of them, with "
            + "their number n. Below that, what could not be read, and what no decoder knows, by "
            + "program, with the first record it appears in.",
        "Then how it is known that nothing of a slot is missing, for each group of subscriptions: "
            + "counted (as many transactions as its block says), barrier (every stream of the group "
            + "was there since before the slot and saw it confirmed), or unproved.",
        "Last come the four stages: what each took in, gave on, dropped and failed at, and how "
            + "long things were in it; things pass in batches, and each counts with the time of "
            + "its batch.",
        "--trades prints every decoded trade instead, one JSON object a line, to compare with "
            + "something else.",
    ],
    operands: [SharedFlags.recording],
    flags: [
        FoldFlags.threads, SharedFlags.skipDamage,
        Flag(name: "trades", help: "Print each decoded trade as NDJSON, and nothing else"),
        SharedFlags.format(["text", "json"]),
    ],
    examples: [
        .init(purpose: "is anything new on the wire?", line: "tapedeck coverage deck"),
        .init(purpose: "every trade", line: "tapedeck coverage deck --trades"),
    ],
    exitCodes: [.ok, .failed, .findings],
    run: { arguments in
        let console = Console()
        var options = try arguments.foldOptions()
        options.projectors = []
        let path = arguments.operands[0]
        let session = try FoldSession("coverage", path, options, .log)
        let printer = TradePrinter()
        if arguments.has("trades") {
            session.onDecoded = { facts, slot, _ in
                printer.add(facts, slot: slot) { try writeOutput(Array($0.utf8)) }
                if printer.hasFailed { session.stop() }
            }
        }
        let report = try session.run()
        try session.requireKnownChain(report)
        if arguments.has("trades") {
            try printer.finish { try writeOutput(Array($0.utf8)) }
        } else {
            let coverage = CoverageReport(
                report.pipeline,
                session.fold.evidence,
                StageTable(session.fold)
            )
            try console.write(
                arguments.text("format") == "json" ? coverage.json(path) : coverage.text
            )
        }
        report.tell("coverage", console, resumption: arguments.commandLine())
        return report.code
    }
)

/// Parse rates and unknowns, for people and programs.
private struct CoverageReport {
    private let tally: PipelineTally
    private let evidence: EvidenceTally
    private let stages: StageTable

    init(_ tally: PipelineTally, _ evidence: EvidenceTally, _ stages: StageTable) {
        self.tally = tally
        self.evidence = evidence
        self.stages = stages
    }

    private func failures(of strategy: Strategy) -> [(ParseFailure, UInt64)] {
        // A strategy that never failed has no entry.
        (tally.parse.failed[strategy] ?? [:]).sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// Decoded and all candidates.
    private func counts(of strategy: Strategy) -> (decoded: UInt64, all: UInt64) {
        let decoded = tally.parse.decoded[strategy, default: 0]
        return (decoded, failures(of: strategy).reduce(decoded) { $0 &+ $1.1 })
    }

    /// In hundredths of a percent, cut; nil without candidates.
    private func rate(_ counts: (decoded: UInt64, all: UInt64)) -> UInt64? {
        guard counts.all > 0 else { return nil }
        let product = counts.decoded.multipliedFullWidth(by: 10_000)
        return counts.all.dividingFullWidth(product).quotient
    }

    private var unknown: [(key: ParseTally.Unknown, count: UInt64, first: Sequence)] {
        tally.parse.unknown.map { key, count in
            // Whatever is unknown was met somewhere.
            (key, count, tally.firstUnknown[key] ?? .none)
        }.sorted { ($1.count, $0.first) < ($0.count, $1.first) }
    }

    var text: String {
        let strategies = Strategy.allCases.map { strategy -> [String] in
            let counts = counts(of: strategy)
            let failed = failures(of: strategy).map { "\($1) \($0)" }.joined(separator: ", ")
            return [
                "\(strategy)", rate(counts).map { Percent.text(basisPoints: $0) } ?? "-",
                "\(counts.all)", "\(counts.decoded)", failed.isEmpty ? "-" : failed,
            ]
        }
        var text = "\(tally.messages) messages, \(tally.transactions) transactions: "
        text += "\(tally.votes) votes, \(tally.failedTransactions) failed, "
        text += "\(tally.marketTransactions) of watched programs; \(tally.events) events, "
        text += "\(tally.accounts) accounts\n"
        text +=
            TextGrid(
                header: ["strategy", "parse rate", "n", "decoded", "failed"],
                rows: strategies,
                isNumber: [false, true, true, true, false]
            ).text
        let dropped = tally.dropped.sorted { $0.key < $1.key }
        if !dropped.isEmpty {
            text += "\nmessages that say nothing to monitors:\n"
            text +=
                TextGrid(
                    header: ["reason", "count", "first record"],
                    // Whatever was dropped was met somewhere.
                    rows: dropped.map { drop, count in
                        ["\(drop)", "\(count)", "\(tally.firstDropped[drop] ?? .none)"]
                    },
                    isNumber: [false, true, true]
                ).text
        }
        return text + failureText + unknownText + tailText + evidenceText + "\n" + stages.text
            + "\n"
    }

    /// What strategies knew and could not read, with the first record of each reason.
    private var failureText: String {
        let rows = Strategy.allCases.flatMap { strategy in
            failures(of: strategy).map { failure, count in
                ["\(strategy)", "\(failure)", "\(count)", "\(first(failure, of: strategy))"]
            }
        }
        guard !rows.isEmpty else { return "" }
        return "\nknown and not readable:\n"
            + TextGrid(
                header: ["strategy", "reason", "count", "first record"],
                rows: rows,
                isNumber: [false, false, true, true]
            ).text
    }

    private func first(_ failure: ParseFailure, of strategy: Strategy) -> Sequence {
        // Whatever failed was met somewhere.
        tally.firstFailed[strategy]?[failure] ?? .none
    }

    private var tailText: String {
        var text = ""
        if let first = tally.firstUnknownTail {
            text +=
                "\nevents longer than is known: \(tally.parse.unknownTailBytes) bytes, the first "
                + "in record \(first)\n"
        }
        if let first = tally.firstCallWithoutProgram {
            text +=
                "\ncalls whose program is not among the keys: "
                + "\(tally.parse.callsWithoutProgram), the first in record \(first)\n"
        }
        return text
    }

    /// How it is known that nothing of a slot is missing, for each group of subscriptions.
    private var evidenceText: String {
        func cells(_ name: String, _ counts: EvidenceTally.Counts) -> [String] {
            [name, "\(counts.counted)", "\(counts.barrier)", "\(counts.unproved)"]
        }
        return "\nslots by evidence that nothing of them is missing, and by subscription group:\n"
            + TextGrid(
                header: ["group", "counted", "barrier", "unproved"],
                rows: evidence.groups.map { cells($0.group.name, $0.counts) }
                    + [cells("whole slot", evidence.slots)],
                isNumber: [false, true, true, true]
            ).text
    }

    private var unknownText: String {
        let unknown = unknown
        guard !unknown.isEmpty else { return "\nnothing unknown\n" }
        return "\nunknown instructions and events of watched programs:\n"
            + TextGrid(
                header: ["program", "what", "discriminator", "count", "first record"],
                rows: unknown.map { key, count, first in
                    [
                        key.program.text(on: .solana), key.isEvent ? "event" : "instruction",
                        discriminator(key), "\(count)", "\(first)",
                    ]
                },
                isNumber: [false, false, false, true, true]
            ).text
    }

    private func discriminator(_ key: ParseTally.Unknown) -> String {
        let digits = String(key.discriminator, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// Messages that say nothing to monitors, by reason.
    private func writeDropped(into writer: inout JSONWriter) {
        writer.key("dropped")
        writer.beginArray()
        for (reason, count) in tally.dropped.sorted(by: { $0.key < $1.key }) {
            writer.beginObject()
            writer.key("reason")
            writer.string("\(reason)")
            writer.key("count")
            writer.integerString(count)
            writer.key("first_sequence")
            // Whatever was dropped was met somewhere.
            writer.integerString((tally.firstDropped[reason] ?? .none).value)
            writer.endObject()
        }
        writer.endArray()
    }

    private func writeTails(into writer: inout JSONWriter) {
        for (name, count, first) in [
            ("unknown_tail_bytes", tally.parse.unknownTailBytes, tally.firstUnknownTail),
            (
                "calls_without_program", tally.parse.callsWithoutProgram,
                tally.firstCallWithoutProgram
            ),
        ] {
            writer.key(name)
            writer.beginObject()
            writer.key("count")
            writer.integerString(count)
            writer.key("first_sequence")
            if let first { writer.integerString(first.value) } else { writer.null() }
            writer.endObject()
        }
    }

    /// Slots by kind of evidence, in all and for each group.
    private func writeEvidence(into writer: inout JSONWriter) {
        func write(_ counts: EvidenceTally.Counts) {
            for (name, count) in [
                ("counted", counts.counted), ("barrier", counts.barrier),
                ("unproved", counts.unproved),
            ] {
                writer.key(name)
                writer.integerString(count)
            }
        }
        writer.key("evidence")
        writer.beginObject()
        write(evidence.slots)
        writer.key("groups")
        writer.beginArray()
        for (group, counts) in evidence.groups {
            writer.beginObject()
            writer.key("group")
            writer.string(group.name)
            write(counts)
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
    }

    func json(_ path: String) -> String {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("recording")
        writer.string(path)
        for (name, value) in [
            ("messages", tally.messages), ("transactions", tally.transactions),
            ("votes", tally.votes), ("failed_transactions", tally.failedTransactions),
            ("market_transactions", tally.marketTransactions), ("events", tally.events),
            ("accounts", tally.accounts),
        ] {
            writer.key(name)
            writer.integerString(value)
        }
        writer.key("strategies")
        writer.beginArray()
        for strategy in Strategy.allCases {
            let counts = counts(of: strategy)
            writer.beginObject()
            writer.key("strategy")
            writer.string("\(strategy)")
            writer.key("n")
            writer.integerString(counts.all)
            writer.key("decoded")
            writer.integerString(counts.decoded)
            writer.key("parse_rate_bps")
            if let rate = rate(counts) { writer.integer(rate) } else { writer.null() }
            writer.key("failed")
            writer.beginObject()
            for (reason, count) in failures(of: strategy) {
                writer.key("\(reason)")
                writer.integerString(count)
            }
            writer.endObject()
            writer.key("first_failed")
            writer.beginObject()
            for (reason, _) in failures(of: strategy) {
                writer.key("\(reason)")
                writer.integerString(first(reason, of: strategy).value)
            }
            writer.endObject()
            writer.endObject()
        }
        writer.endArray()
        writeDropped(into: &writer)
        writer.key("unknown")
        writer.beginArray()
        for (key, count, first) in unknown {
            writer.beginObject()
            writer.key("program")
            writer.string(key.program.text(on: .solana))
            writer.key("kind")
            writer.string(key.isEvent ? "event" : "instruction")
            writer.key("discriminator")
            writer.string(discriminator(key))
            writer.key("count")
            writer.integerString(count)
            writer.key("first_sequence")
            writer.integerString(first.value)
            writer.endObject()
        }
        writer.endArray()
        writeTails(into: &writer)
        writeEvidence(into: &writer)
        writer.key("stages")
        stages.write(into: &writer)
        writer.endObject()
        writer.endLine()
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}
