import Folding
import MarketModel
import Projection
import RecordModel

/// `tapedeck why`
let whyVerb = Verb(
    name: "why",
    summary: "show the records behind what is known of a token or pool",
    details: [
        "Lists every event that names the entity, in the order of the chain, with the record that "
            + "brought it, its slot, its place and what it said, whether it counts (folded), and "
            + "below that the rows of all tables that have the entity as a key."
    ],
    operands: [
        SharedFlags.recording,
        Operand(
            placeholder: "ENTITY",
            kind: .text,
            help: "An address, or a transaction's signature"
        ),
    ],
    flags: FoldFlags.all + [
        FoldFlags.at,
        Flag(
            name: "last",
            value: ("N", .count(1...1_000_000)),
            fallback: "all",
            help: "Only the newest events"
        ),
    ],
    examples: [
        .init(
            purpose: "where a token's numbers come from",
            line: "tapedeck why deck 5iGzwbaBAtmDAAu7wS4Tprz6TMpJ2XnMgpqVaWqQpump"
        )
    ],
    exitCodes: [.ok, .failed, .findings],
    run: { arguments in
        let console = Console()
        let path = arguments.operands[0]
        let entity = try WhyEntity(arguments.operands[1])
        let session = try FoldSession("why", path, try arguments.foldOptions(), .log)
        let trace = EntityTrace(entity)
        session.onDecoded = { trace.decoded($0, slot: $1, at: $2) }
        session.onFolded = { action, _, _ in trace.folded(action) }
        let report = try session.run()
        let last = Int(clamping: arguments.count("last") ?? UInt64.max)  // all
        var text = trace.text(last: last)
        var hasRows = false
        for schema in session.fold.engine.store.schemas {
            let rows = try entity.rows(of: schema, session.fold.engine)
            hasRows = hasRows || !rows.isEmpty
            text += rows
        }
        try console.write(text)
        report.tell("why", console, resumption: arguments.commandLine())
        guard trace.count > 0 || hasRows else {
            throw VerbFailure(
                code: report.code == .ok ? .failed : report.code,
                message: "no event of this recording names \(arguments.operands[1])"
            )
        }
        return report.code
    }
)

/// What is asked about.
private enum WhyEntity {
    case address(Address)
    case transaction(TransactionID)

    init(_ text: String) throws {
        do throws(Base58Error) {
            self =
                text.utf8.count > 50
                ? .transaction(.solana(try Signature(text))) : .address(try Address(solana: text))
        } catch {
            throw VerbFailure(
                code: .usage,
                message: "'\(text)' is neither an address nor a signature in Base58"
            )
        }
    }

    func isNamed(by event: MarketEvent, of facts: TransactionFacts) -> Bool {
        switch self {
        case .transaction(let id): facts.id == id
        case .address(let address):
            event.addresses.contains(address) || facts.feePayer == address
        }
    }

    /// Rows that have the address in their key.
    func rows(of schema: TableSchema, _ engine: ProjectionEngine) throws -> String {
        guard case .address(let address) = self, schema.key.contains(where: { $0.type == .address })
        else { return "" }
        let table = try TablePrint(schema, engine)
        var text = ""
        for row in table.rows where row.prefix(schema.key.count).contains(.address(address)) {
            text += "\n\(schema.name)\n"
            let cells = zip(table.columns, row).compactMap { column, value in
                // Texts are written by strangers.
                value.text(on: engine.store.chain)
                    .map { ["  " + column.name, PlainText.shown($0, 200)] }
            }
            text +=
                TextGrid(header: ["  column", "value"], rows: cells, isNumber: [false, false])
                .text
        }
        return text
    }
}

/// The events that name an entity.
private final class EntityTrace {
    private struct Line {
        let slot: UInt64
        let place: EventPlace
        let sequence: Sequence
        let id: TransactionID
        let said: String
    }

    private let entity: WhyEntity
    private var lines: [Line] = []
    private var folded: Set<UInt64> = []
    /// Events found, repeated deliveries once.
    private(set) var count = 0
    private var known: Set<String> = []

    init(_ entity: WhyEntity) { self.entity = entity }

    func decoded(_ facts: TransactionFacts, slot: UInt64, at sequence: Sequence) {
        for placed in facts.events where entity.isNamed(by: placed.event, of: facts) {
            let key = "\(slot)/\(facts.id)/\(placed.place)"
            guard known.insert(key).inserted else { continue }
            count += 1
            lines.append(
                Line(
                    slot: slot,
                    place: placed.place,
                    sequence: sequence,
                    id: facts.id,
                    said: placed.event.sentence
                )
            )
        }
    }

    func folded(_ action: ChainAction) {
        switch action {
        case .apply(let bundle): folded.insert(bundle.position)
        case .undo(let position): folded.remove(position)
        case .final, .stale: break
        }
    }

    func text(last: Int) -> String {
        let sorted = lines.sorted { ($0.slot, $0.place) < ($1.slot, $1.place) }
        return TextGrid(
            header: ["record", "slot", "place", "counts", "what", "transaction"],
            rows: sorted.suffix(last).map { line in
                [
                    "\(line.sequence)", "\(line.slot)", "\(line.place)",
                    folded.contains(line.slot) ? "yes" : "no", line.said, "\(line.id)",
                ]
            },
            isNumber: [true, true, true, false, false, false]
        ).text
    }
}
