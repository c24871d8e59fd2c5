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
            + "all transactions equal. 'alike' are innocent patterns that look like the class, and "
            + "'mistaken' those that were taken for it.",
        "With --min every class must have labels: where there is nothing to find, nothing is "
            + "proved. --classes lists those that must be there instead; all others may be absent, "
            + "but what there is of them is held to --min too.",
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
        Flag(
            name: "classes",
            value: ("LIST", .text),
            fallback: "all of them",
            help: "The classes that must have labels, with commas between; needs --min"
        ),
        Flag(
            name: "differences",
            help: "Print false alarms (+), misses (-) and mistaken look-alikes (~)"
        ),
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
        .init(
            purpose: "the same where only sandwiches were played",
            line: "tapedeck score deck --min 0.99 --classes sandwich,wide"
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
    let demanded = try demandedClasses(arguments)
    let labels = try LabelFile(path: file)
    var options = try arguments.foldOptions()
    options.projectors = options.projectors ?? [TradingProjector.name]
    let session = try FoldSession("score", path, options, .log)
    let report = try session.run()
    try session.requireKnownChain(report)
    let found = try detections(session.fold.engine)
    let score = DetectionScore(
        found: found,
        labels: labels.labels,
        lookAlikes: labels.lookAlikes
    )
    switch arguments.text("format") {
    case "json": try console.write(ScoreText(score).json)
    default: try console.write(ScoreText(score).text)
    }
    if arguments.has("differences") {
        let chain = session.fold.engine.store.chain
        for label in score.falseAlarms { try console.write("+\(label.line(on: chain))\n") }
        for label in score.misses { try console.write("-\(label.line(on: chain))\n") }
        for label in score.mistaken { try console.write("~\(label.line(on: chain))\n") }
    }
    report.tell("score", console, resumption: arguments.commandLine())
    guard report.code == .ok else { return report.code }
    guard let least else { return .ok }
    let complaints = score.classes.compactMap { kind, counts in
        complaint(about: kind, counts, least: least, isDemanded: demanded.contains(kind))
    }
    for text in complaints { console.complain("tapedeck score", text) }
    return complaints.isEmpty ? .ok : .divergence
}

/// What is wrong with a class, by what was demanded; nil when nothing is.
private func complaint(
    about kind: DetectionClass,
    _ counts: DetectionScore.Counts,
    least: UInt64,
    isDemanded: Bool
) -> String? {
    if let precision = counts.precisionBasisPoints, precision < least {
        return "\(kind) is below the precision demanded"
    }
    if let recall = counts.recallBasisPoints {
        return recall < least ? "\(kind) is below the recall demanded" : nil
    }
    guard isDemanded else { return nil }
    return "\(kind) has nothing to find, so nothing is proved; --classes lists what must be there"
}

/// The classes that must have labels.
private func demandedClasses(_ arguments: ParsedArguments) throws -> [DetectionClass] {
    guard let text = arguments.text("classes") else { return DetectionClass.allCases }
    guard arguments.has("min") else {
        throw VerbFailure(code: .usage, message: "--classes says what --min is for: give both")
    }
    return try text.split(separator: ",", omittingEmptySubsequences: false).map { name in
        guard let kind = DetectionClass(String(name)) else {
            let known = DetectionClass.allCases.map(\.description).joined(separator: ", ")
            throw VerbFailure(
                code: .usage,
                message: "--classes: '\(name)' is none of \(known)"
            )
        }
        return kind
    }
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
                "\(kind)", "\(counts.labels)", "\(counts.truePositives)", "\(counts.exact)",
                "\(counts.falsePositives)", "\(counts.falseNegatives)",
                share(counts.precisionBasisPoints),
                counts.recallBasisPoints.map(decimal) ?? "nothing to find",
                "\(counts.lookAlikes)", "\(counts.lookAlikesDetected)",
            ]
        }
        return TextGrid(
            header: [
                "class", "n", "hits", "exact", "false", "missed", "precision", "recall", "alike",
                "mistaken",
            ],
            rows: rows,
            isNumber: [false] + [Bool](repeating: true, count: 9)
        ).text
    }

    var json: String {
        let lines = score.classes.map { kind, counts in
            "{\"class\":\"\(kind)\",\"n\":\(counts.labels),"
                + "\"tp\":\(counts.truePositives),\"exact\":\(counts.exact),"
                + "\"fp\":\(counts.falsePositives),\"fn\":\(counts.falseNegatives),"
                + "\"precision\":\(number(counts.precisionBasisPoints)),"
                + "\"recall\":\(number(counts.recallBasisPoints)),"
                + "\"look_alikes\":\(counts.lookAlikes),"
                + "\"mistaken\":\(counts.lookAlikesDetected)}\n"
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
