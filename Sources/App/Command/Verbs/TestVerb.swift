import Folding
import Foundation
import JSONText
import Platform
import Projection
import RecordModel
import SegmentLog

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
        for (place, path) in arguments.operands.enumerated() {
            let outcome: RegressionRun.Outcome
            do {
                outcome = try RegressionRun.outcome(path, arguments)
            } catch let failure as VerbFailure where failure.code != .usage {
                // One that cannot be held against anything hides none of the others.
                console.complain("tapedeck test", failure.message)
                outcome = .init(code: failure.code, text: "")
            } catch let error as LogError {
                console.complain("tapedeck test", "\(error)")
                outcome = .init(code: .failed, text: "")
            }
            if outcome.isStopped {
                let rest = arguments.operands[place...]
                console.say("interrupted; go on with: \(arguments.commandLine(of: rest))")
                return .failed
            }
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
        /// Whether a person ended it.
        var isStopped = false
    }

    /// Holds a recording against its expectation, or makes that.
    ///
    /// - Throws: `VerbFailure`, or `LogError`.
    static func outcome(_ path: String, _ arguments: ParsedArguments) throws -> Outcome {
        let run = try RegressionRun(path, arguments)
        guard run.report.ending != .stopped else {
            return Outcome(code: .failed, text: "", isStopped: true)
        }
        guard arguments.has("update") else { return try run.compare() }
        do { return try run.update() } catch let error as CocoaError {
            let cause = error.underlying.map { "\($0)" } ?? error.localizedDescription
            throw VerbFailure(
                code: .failed,
                message: "\(run.folder.path) cannot be written: \(cause)"
            )
        }
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
        // Nothing is read or written through a link.
        let kind: FileKind?
        do throws(SystemError) { kind = try LinuxFileSystem().kind(of: folder.path) } catch {
            throw VerbFailure(code: .failed, message: "\(error)")
        }
        guard kind == nil || kind == .directory else {
            throw VerbFailure(
                code: .failed,
                message: "\(folder.path) is no folder; move it away"
            )
        }
        let stored = try RegressionRun.storedEvery(folder)
        let asked = arguments.count("every")
        if let asked, let stored, asked != stored, !arguments.has("update") {
            throw VerbFailure(
                code: .usage,
                message: "--every \(asked): the expectation of \(path) has a rung every "
                    + "\(stored) slots; --update makes another"
            )
        }
        every = asked ?? stored ?? 10  // the fallback in the flag's help
        ladder = DigestLadder(every: every)
        session = try FoldSession("test", path, try arguments.foldOptions(), .log)
        let ladder = ladder
        session.onFolded = { action, engine, _ in ladder.take(action, engine) }
        report = try session.run()
        try session.requireKnownChain(report)
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
        // It would pass for ever, whatever becomes of the recording.
        guard session.fold.engine.head != nil else { throw nothing }
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
            text: "\(path): \(ladder.rungs.count) rungs and \(files.count - 1) tables written to "
                + "\(folder.path)\n"
                + (files.count > 1
                    ? "" : "  no table has a row: the digests are all that it holds\n")
        )
    }

    private var nothing: VerbFailure {
        VerbFailure(
            code: .failed,
            message: "\(path): no whole slot was folded, so there is nothing to hold it against"
        )
    }

    /// How many columns of a table's file are its key.
    private func keyCount(_ name: String) -> Int {
        let schema = session.fold.engine.store.schemas.first { "\($0.name).csv" == name }
        guard let schema else { preconditionFailure("\(name) is of no table") }
        return schema.key.count
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
        let broken = LadderDifference(stored, files[0].text)
        if let ladder = broken.text {
            text += ladder
            if let slot = broken.slot {
                text += "    see it with: tapedeck state \(shellWord(path)) --at slot:\(slot)\n"
            }
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
            text += RowDifference(name, keyCount: keyCount(name), expected ?? "", made).text
        }
        guard !text.isEmpty || session.fold.engine.head != nil else { throw nothing }
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
}
