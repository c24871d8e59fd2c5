import LogCare
import Platform
import RecordModel
import SegmentLog

/// `tapedeck merge`
let mergeVerb = Verb(
    name: "merge",
    summary: "make one recording of several, by receive time",
    details: [
        "Records are ordered by the time at which they were received; equal times keep the order "
            + "of the operands. The records of one recording never change places: where its "
            + "clock went back they follow at once. Frames keep their bytes and times.",
        "OUT has numbers of its own, from 1; the ids of streams and gaps follow them. A source "
            + "keeps its name, unless another recording means something else by it: then the "
            + "later one becomes NAME-2. OUT is one run; runs of the originals become notes, and "
            + "monotonic time follows receive time. recording.json says where OUT comes from.",
        "Damage ends the merge with exit code 3 and nothing made, unless --skip-damage leaves "
            + "holes.",
    ],
    operands: [
        Operand(
            placeholder: "REC",
            kind: .recording,
            number: .some,
            help: "The directories of recordings, at most \(Merge.inputsMax)"
        )
    ],
    flags: [CareFlags.output, CareFlags.skipDamage, SharedFlags.force],
    examples: [
        .init(
            purpose: "what two recorders saw of one hour",
            line: "tapedeck merge frankfurt amsterdam -o both"
        ),
        .init(purpose: "three days in one", line: "tapedeck merge mon tue wed -o week"),
    ],
    exitCodes: [.ok, .findings],
    run: runMerge
)

private func runMerge(_ arguments: ParsedArguments) throws -> ExitCode {
    guard arguments.operands.count <= Merge.inputsMax else {
        throw UsageError(
            verb: "merge",
            message: "\(arguments.operands.count) recordings, expected at most \(Merge.inputsMax)"
        )
    }
    let run = try CareRun("merge", sources: arguments.operands, arguments)
    let readers = try arguments.operands.map { path throws(LogError) in
        try RecordingReader(path: path, disk: LinuxFileSystem())
    }
    let skipsDamage = arguments.has("skip-damage")
    let report = try run.run { output, setting throws(CareError) in
        try Merge(of: readers, skipsDamage: skipsDamage, to: output, setting).run()
    }
    let console = Console()
    for damage in report.damage { console.complain("tapedeck merge", "damage: \(damage)") }
    for change in report.renamed {
        console.say(
            "source '\(change.from)' of \(arguments.operands[change.input]) is '\(change.to)' now"
        )
    }
    let sum = report.records.reduce(0, +)
    console.say(
        "\(run.output): \(sum) records of \(readers.count) recordings, "
            + "sequences \(report.firstSequence) to \(report.lastSequence), \(report.holes) holes"
    )
    return report.damage.isEmpty ? .ok : .findings
}
