import Folding
import MarketModel
import Projection
import Projectors

/// `tapedeck score`
let scoreVerb = Verb(
    name: "score",
    summary: "compare what monitors detect with what truly happened",
    details: [
        "Folds the recording and compares its detections with labels, as 'tapedeck synth' writes "
            + "them, class by class. A detection and a label are one when class and pool are equal "
            + "and at least one transaction of each part is in both; each counts once.",
        "Prints labels (n), hits, false alarms, misses, precision and recall; 'exact' are hits with "
            + "all transactions equal.",
    ],
    operands: [SharedFlags.recording],
    flags: FoldFlags.all + [
        Flag(
            name: "labels",
            value: ("FILE", .file),
            fallback: "REC.labels.ndjson",
            help: "What truly happened, one JSON object a line"
        ),
        Flag(
            name: "min",
            value: ("SHARE", .text),
            fallback: "nothing is demanded",
            help: "The least precision and recall of every class, such as 0.99; exit 4 below"
        ),
        Flag(name: "differences", help: "Print every false alarm and miss as a label"),
        SharedFlags.format(["text", "json"]),
    ],
    examples: [
        .init(
            purpose: "how good the detectors are",
            line: "tapedeck score deck"
        ),
        .init(
            purpose: "in a script: fail below 99 %",
            line: "tapedeck score deck --labels deck.labels.ndjson --min 0.99"
        ),
    ],
    exitCodes: [.ok, .failed, .findings, .divergence],
    run: runScore
)

private func runScore(_ arguments: ParsedArguments) throws -> ExitCode {
    let console = Console()
    let path = arguments.operands[0]
    let least = try arguments.text("min").map(basisPoints)
    let file = arguments.text("labels") ?? LabelPath.beside(path)
    let labels = try LabelFile(path: file).labels
    var options = try arguments.foldOptions()
    options.projectors = options.projectors ?? [TradingProjector.name]
    let session = try FoldSession("score", path, options, .log)
    let report = try session.run()
    try session.requireKnownChain(report)
    let found = try detections(session.fold.engine)
    let score = DetectionScore(found: found, labels: labels)
    switch arguments.text("format") {
    case "json": try console.write(ScoreText(score).json)
    default: try console.write(ScoreText(score).text)
    }
    if arguments.has("differences") {
        let chain = session.fold.engine.store.chain
        for label in score.falseAlarms { try console.write("+\(label.line(on: chain))\n") }
        for label in score.misses { try console.write("-\(label.line(on: chain))\n") }
    }
    report.tell("score", console, resumption: arguments.commandLine())
    guard report.code == .ok else { return report.code }
    guard let least else { return .ok }
    let low = score.classes.filter { _, counts in
        (counts.precisionBasisPoints ?? 10_000) < least  // nothing detected: nothing false
            || (counts.recallBasisPoints ?? 10_000) < least  // no labels: nothing missed
    }
    for (kind, _) in low {
        console.complain("tapedeck score", "\(kind) is below the precision or recall demanded")
    }
    return low.isEmpty ? .ok : .divergence
}

/// All detections of a state as labels.
private func detections(_ engine: ProjectionEngine) throws -> [DetectionLabel] {
    do {
        // The trading monitor has this table, and is folded unless others were asked for.
        guard let rows = try engine.store.rows(of: Detection.schema.name),
            let legRows = try engine.store.rows(of: DetectionLeg.schema.name)
        else {
            throw VerbFailure(
                code: .usage,
                message: "score needs the monitor '\(TradingProjector.name)'"
            )
        }
        return try Detection.listed(rows, legs: legRows).map {
            DetectionLabel($0.key, $0.detection)
        }
    } catch let failure as VerbFailure { throw failure } catch {
        throw VerbFailure(code: .failed, message: "the detections cannot be read: \(error)")
    }
}

/// A share of one in basis points.
private func basisPoints(_ text: String) throws -> UInt64 {
    guard let share = DecimalTime.nanoseconds(text, digitsAfterPoint: 4),
        (0...10_000).contains(share)
    else {
        throw VerbFailure(code: .usage, message: "--min \(text): expected a share such as 0.99")
    }
    return UInt64(share)
}

/// Where labels stand.
enum LabelPath {
    /// Beside a recording.
    static func beside(_ recording: String) -> String {
        var path = recording
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        return path + ".labels.ndjson"
    }
}

/// A score for people and for programs.
private struct ScoreText {
    private let score: DetectionScore

    init(_ score: DetectionScore) { self.score = score }

    var text: String {
        let rows = score.classes.map { kind, counts in
            [
                "\(kind)", "\(counts.truePositives + counts.falseNegatives)",
                "\(counts.truePositives)", "\(counts.exact)", "\(counts.falsePositives)",
                "\(counts.falseNegatives)", share(counts.precisionBasisPoints),
                share(counts.recallBasisPoints),
            ]
        }
        return TextGrid(
            header: ["class", "n", "hits", "exact", "false", "missed", "precision", "recall"],
            rows: rows,
            isNumber: [false, true, true, true, true, true, true, true]
        ).text
    }

    var json: String {
        let lines = score.classes.map { kind, counts in
            "{\"class\":\"\(kind)\",\"n\":\(counts.truePositives + counts.falseNegatives),"
                + "\"tp\":\(counts.truePositives),\"exact\":\(counts.exact),"
                + "\"fp\":\(counts.falsePositives),\"fn\":\(counts.falseNegatives),"
                + "\"precision\":\(number(counts.precisionBasisPoints)),"
                + "\"recall\":\(number(counts.recallBasisPoints))}\n"
        }
        return lines.joined()
    }

    private func share(_ basisPoints: UInt64?) -> String {
        basisPoints.map(decimal) ?? "-"
    }

    private func number(_ basisPoints: UInt64?) -> String {
        basisPoints.map(decimal) ?? "null"
    }

    /// Of one, with four digits.
    private func decimal(_ basisPoints: UInt64) -> String {
        "\(basisPoints / 10_000)." + String(String(basisPoints % 10_000 + 10_000).dropFirst())
    }
}
