import CheckpointStore
import Folding
import JSONText
import MarketModel
import Projection
import Projectors
import RecordModel

/// `tapedeck state`
let stateVerb = Verb(
    name: "state",
    summary: "show what monitors know from a recording",
    details: [
        "Folds the recording, going on from the stored checkpoint when there is one, and prints "
            + "tokens by phase and progress, the largest pools and the newest detections. --table "
            + "prints a table whole; --format json or csv prints it for programs. Amounts are in "
            + "native units.",
        "Views are made of tables when they are asked for by name: pool_windows, token_windows and "
            + "venue_windows (sums of the newest minute, five minutes, hour and day, with different "
            + "wallets), pool_figures, position_figures and token_figures (yields, losses against "
            + "holding, locked shares, concentration).",
        "--at seq:N shows what was known when record N had been read; --at slot:N or time:T shows "
            + "the state of the chain after that slot, from everything in the log, whenever it came.",
    ],
    operands: [SharedFlags.recording],
    flags: FoldFlags.all + [
        FoldFlags.at,
        Flag(
            name: "table",
            value: ("NAME", .text),
            isRepeatable: true,
            fallback: "a summary; with json all tables; csv needs one",
            help: "A table or view to print whole; 'list' names them with their columns"
        ),
        Flag(
            name: "rows",
            value: ("N", .count(1...1_000_000)),
            fallback: "15",
            help: "Rows of each part of the summary"
        ),
        SharedFlags.format(["text", "json", "csv"]),
    ],
    examples: [
        .init(purpose: "what happened", line: "tapedeck state deck"),
        .init(
            purpose: "one table for a program, as of a slot",
            line: "tapedeck state deck --at slot:391500040 --table tokens --format csv"
        ),
    ],
    exitCodes: [.ok, .failed, .findings, .rangeNotAvailable],
    run: runState
)

private func runState(_ arguments: ParsedArguments) throws -> ExitCode {
    let console = Console()
    let path = arguments.operands[0]
    let options = try arguments.foldOptions()
    var use = options.use(orElse: .state(.init()))
    // It may be read-only, or kept by 'rebuild --follow': there is state to show all the same.
    if case .state = use, let hindrance = StoredState(path, options).hindrance {
        console.say("state is not stored: \(hindrance)")
        use = .anchors
    }
    let session = try FoldSession("state", path, options, use)
    let schemas = session.fold.engine.store.schemas
    let views = StateView.all.filter { $0.isMade(of: session.fold.engine.store) }.map(\.schema)
    let names = arguments.texts("table")
    if names.contains("list") {
        try console.write((schemas + views).map(\.listing).joined(separator: "\n"))
        return .ok
    }
    for name in names where !(schemas + views).contains(where: { $0.name == name }) {
        throw VerbFailure(
            code: .usage,
            message: "there is no table '\(name)'; '--table list' names them"
        )
    }
    let report = try session.run()
    try session.requireKnownChain(report)
    try options.requireReached(session, report)
    let engine = session.fold.engine
    let wanted = names.isEmpty ? schemas : (schemas + views).filter { names.contains($0.name) }
    switch arguments.text("format") {
    case "json": try console.write(try stateJSON(engine, wanted, report))
    case "csv":
        guard wanted.count == 1 else {
            throw VerbFailure(
                code: .usage,
                message: "--format csv prints one table: name it with --table"
            )
        }
        try console.write(try TablePrint(wanted[0], engine).csv)
    default:
        let rows = Int(clamping: arguments.count("rows") ?? 15)  // the fallback in the help
        let text =
            names.isEmpty
            ? try StateSummary(engine, rowsMax: rows).text()
            : try wanted.map { try TablePrint($0, engine).text }.joined(separator: "\n")
        try console.write(text)
    }
    report.tell("state", console, resumption: arguments.commandLine())
    return report.code
}

/// All of a state as one object.
private func stateJSON(
    _ engine: ProjectionEngine,
    _ schemas: [TableSchema],
    _ report: StateFold.Report
) throws -> String {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("chain")
    writer.string(engine.store.chain.description)
    writer.key("position")
    if let head = engine.head { writer.integerString(head.position) } else { writer.null() }
    writer.key("sequence")
    writer.integerString(report.last.value)
    writer.key("digest")
    writer.string(engine.chainDigest.description)
    writer.key("tables")
    writer.beginObject()
    for schema in schemas {
        writer.key(schema.name)
        try TablePrint(schema, engine).append(to: &writer)
    }
    writer.endObject()
    writer.endObject()
    writer.endLine()
    return String(decoding: writer.bytes, as: UTF8.self)
}

extension TableSchema {
    /// The table's name and columns, for people.
    fileprivate var listing: String {
        let rows = (key.map { ($0, "key") } + columns.map { ($0, "") }).map { column, mark in
            [
                "  " + column.name, "\(column.type)" + (column.isOptional ? "?" : ""), mark,
                column.meaning,
            ]
        }
        return "\(name): \(meaning)\n"
            + TextGrid(
                header: ["  column", "type", "", "meaning"],
                rows: rows,
                isNumber: [false, false, false, false]
            ).text
    }
}
