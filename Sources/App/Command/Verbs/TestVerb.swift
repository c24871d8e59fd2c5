import Folding
import Foundation
import JSONText
import Projection
import RecordModel

/// `tapedeck test`
let testVerb = Verb(
    name: "test",
    summary: "hold what monitors make of recordings against earlier",
    details: [
        "Folds each recording from its first record and compares with REC/expected: the chain digest "
            + "every N final slots (the ladder), the rows of the state and the detections. It says "
            + "which rung broke first and shows what differs. --update writes what is made now; "
            + "commit it like code.",
        "The first run with --update makes the expectation.",
    ],
    operands: [
        Operand(
            placeholder: "REC",
            kind: .recording,
            number: .some,
            help: "The directories of recordings"
        )
    ],
    flags: [
        FoldFlags.threads, FoldFlags.commitment, SharedFlags.skipDamage,
        Flag(
            name: "every",
            value: ("N", .count(1...1_000_000)),
            fallback: "as the expectation has it, or 10",
            help: "Final slots from one rung to the next"
        ),
        Flag(name: "update", help: "Accept what is made now"),
    ],
    examples: [
        .init(purpose: "in continuous integration", line: "tapedeck test recordings/*"),
        .init(purpose: "accept a change", line: "tapedeck test deck --update"),
    ],
    exitCodes: [.ok, .failed, .findings, .divergence],
    run: { arguments in
        let console = Console()
        var worst = ExitCode.ok
        var passed = 0
        for path in arguments.operands {
            let run = try RegressionRun(path, arguments)
            let outcome = arguments.has("update") ? try run.update() : try run.compare()
            try console.write(outcome.text)
            if outcome.code == .ok { passed += 1 }
            if worst == .ok || outcome.code == .divergence { worst = outcome.code }
        }
        if arguments.operands.count > 1 {
            console.say("\(passed) of \(arguments.operands.count) recordings as expected")
        }
        return worst
    }
)

/// One recording against its expectation.
private struct RegressionRun {
    struct Outcome {
        var code: ExitCode
        var text: String
    }

    private let path: String
    private let folder: URL
    private let every: UInt64
    private let ladder: DigestLadder
    private let session: FoldSession
    private let report: StateFold.Report

    init(_ path: String, _ arguments: ParsedArguments) throws {
        self.path = path
        folder = URL(filePath: path).appending(path: "expected")
        // The fallback in the flag's help.
        every = try arguments.count("every") ?? RegressionRun.storedEvery(folder) ?? 10
        ladder = DigestLadder(every: every)
        session = try FoldSession("test", path, try arguments.foldOptions(), .log)
        let ladder = ladder
        session.onFolded = { action, engine, _ in ladder.take(action, engine) }
        report = try session.run()
    }

    private static let ladderName = "ladder.txt"

    private static func storedEvery(_ folder: URL) throws -> UInt64? {
        let lines = try text(folder.appending(path: ladderName))?.split(separator: "\n")
        return lines?.first.flatMap { UInt64($0.dropFirst("every ".count)) }
    }

    /// Nil when there is no such file.
    private static func text(_ file: URL) throws -> String? {
        guard FileManager.default.fileExists(atPath: file.path) else { return nil }
        return try String(contentsOf: file, encoding: .utf8)
    }

    private func ladderText() -> String {
        var lines = ["every \(every)"]
        lines += ladder.rungs.map { "slot \($0.position) chain \($0.digest)" }
        if let head = session.fold.engine.head {
            lines.append("last \(head.position) chain \(session.fold.engine.chainDigest)")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// What is compared, by file name, in the order in which it is.
    private func made() throws -> [(name: String, text: String)] {
        let engine = session.fold.engine
        var files = [(Self.ladderName, ladderText())]
        for schema in engine.store.schemas where !schema.isOutsideDigest {
            let table = try TablePrint(schema, engine)
            guard !table.rows.isEmpty else { continue }
            files.append(("\(schema.name).csv", table.csv))
        }
        return files
    }

    /// Writes the expectation.
    func update() throws -> Outcome {
        guard report.code == .ok else { return unusable() }
        let files = try made()
        let manager = FileManager.default
        var before: Set<String> = []
        if manager.fileExists(atPath: folder.path) {
            before = Set(try manager.contentsOfDirectory(atPath: folder.path))
        } else {
            try manager.createDirectory(
                at: folder,
                withIntermediateDirectories: false,
                attributes: [.posixPermissions: 0o700]
            )
        }
        for (name, text) in files {
            try Data(text.utf8).write(to: folder.appending(path: name), options: .atomic)
        }
        for name in before.subtracting(files.map(\.name)).sorted()
        where name.hasSuffix(".csv") || name == Self.ladderName {
            try manager.removeItem(at: folder.appending(path: name))
        }
        return Outcome(
            code: .ok,
            text: "\(path): \(files.count) files written to \(folder.path)\n"
        )
    }

    private func unusable() -> Outcome {
        var text = "\(path): could not be folded to its end"
        if case .damage(let damage) = report.ending { text += ": \(damage)" }
        return Outcome(code: report.code, text: text + "\n")
    }

    /// Compares with the expectation.
    func compare() throws -> Outcome {
        guard report.code == .ok else { return unusable() }
        guard let stored = try Self.text(folder.appending(path: Self.ladderName)) else {
            throw VerbFailure(
                code: .failed,
                message: "\(path) has no expectation yet; 'tapedeck test \(shellWord(path)) "
                    + "--update' makes it"
            )
        }
        let files = try made()
        var text = ""
        if let broken = Self.firstDifference(stored, files[0].text) {
            text += "  first broken rung: expected '\(broken.expected)', made '\(broken.made)'\n"
        }
        let names = Set(files.map(\.name))
        let known = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        for name in known.sorted() where name.hasSuffix(".csv") && !names.contains(name) {
            text += "  \(name): no rows any more\n"
        }
        for (name, made) in files.dropFirst() {
            let expected = try Self.text(folder.appending(path: name))
            guard expected != made else { continue }
            // A table without a file was empty.
            text += RowDifference(name, expected ?? "", made).text
        }
        guard text.isEmpty else {
            return Outcome(
                code: .divergence,
                text: "\(path): differs\n\(text)  accept with: tapedeck test "
                    + "\(shellWord(path)) --update\n"
            )
        }
        return Outcome(
            code: .ok,
            text: "\(path): as expected, \(ladder.rungs.count) rungs, \(files.count - 1) tables\n"
        )
    }

    /// The first line that differs.
    private static func firstDifference(
        _ expected: String,
        _ made: String
    ) -> (expected: String, made: String)? {
        let left = expected.split(separator: "\n")
        let right = made.split(separator: "\n")
        for place in 0..<max(left.count, right.count) {
            let one = place < left.count ? left[place] : "nothing"
            let other = place < right.count ? right[place] : "nothing"
            if one != other { return (String(one), String(other)) }
        }
        return nil
    }
}

/// Rows of a table that came, went or changed, for people.
private struct RowDifference {
    private static let shownMax = 5

    private let name: String
    private let header: [String]
    private let expected: [String: String]
    private let made: [String: String]

    init(_ name: String, _ expected: String, _ made: String) {
        self.name = name
        let left = expected.split(separator: "\n").map(String.init)
        let right = made.split(separator: "\n").map(String.init)
        header = (right.first ?? left.first)?.split(separator: ",").map(String.init) ?? [name]
        self.expected = RowDifference.rows(left)
        self.made = RowDifference.rows(right)
    }

    /// Rows by what stands before the first comma: enough to pair nearly all of them; others are
    /// shown as gone and come.
    private static func rows(_ lines: [String]) -> [String: String] {
        var rows: [String: String] = [:]
        var seen: [String: Int] = [:]
        for line in lines.dropFirst() {
            let key = String(line.prefix { $0 != "," })
            let count = seen[key, default: 0]
            seen[key] = count + 1
            rows["\(key)#\(count)"] = line
        }
        return rows
    }

    var text: String {
        let keys = Set(expected.keys).union(made.keys).sorted()
        let changed = keys.filter { expected[$0] != made[$0] }
        var text = "  \(name): \(changed.count) rows differ\n"
        for key in changed.prefix(Self.shownMax) {
            switch (expected[key], made[key]) {
            case (nil, let row?): text += "    + \(row.prefix(160))\n"
            case (let row?, nil): text += "    - \(row.prefix(160))\n"
            case (let one?, let other?): text += change(one, other)
            case (nil, nil): continue
            }
        }
        if changed.count > Self.shownMax {
            text += "    ... and \(changed.count - Self.shownMax) more\n"
        }
        return text
    }

    private func change(_ expected: String, _ made: String) -> String {
        let left = expected.split(separator: ",", omittingEmptySubsequences: false)
        let right = made.split(separator: ",", omittingEmptySubsequences: false)
        var text = "    \(left.first ?? "?")\n"
        for place in 0..<max(left.count, right.count) {
            let one = place < left.count ? left[place] : "nothing"
            let other = place < right.count ? right[place] : "nothing"
            guard one != other else { continue }
            let column = place < header.count ? header[place] : "\(place)"
            text += "      \(column): \(one) -> \(other)\n"
        }
        return text
    }
}
