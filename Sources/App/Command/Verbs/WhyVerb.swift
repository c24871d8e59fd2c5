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
            + "below that the rows of all tables that have the entity as a key, and the detections "
            + "that name it, with the record that made each.",
        "--field lists the records that changed one value instead, each with the value before and "
            + "after it. A slot is folded whole; what a record changed is what the value would "
            + "have been had the slot ended there. 'account' stands for an account as it was after "
            + "the slot's last transaction, 'slot' for the slot itself and how it is proved.",
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
            name: "field",
            value: ("NAME", .text),
            fallback: "all events",
            help: "One value: COLUMN or TABLE.COLUMN, as 'state --table list' names them"
        ),
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
        ),
        .init(
            purpose: "what moved it along its curve",
            line: "tapedeck why deck 5iGzwbaBAtmDAAu7wS4Tprz6TMpJ2XnMgpqVaWqQpump "
                + "--field progress"
        ),
    ],
    exitCodes: [.ok, .failed, .findings],
    run: { arguments in
        let console = Console()
        let path = arguments.operands[0]
        let entity = try WhyEntity(arguments.operands[1])
        let session = try FoldSession("why", path, try arguments.foldOptions(), .log)
        let last = Int(clamping: arguments.count("last") ?? UInt64.max)  // all
        let records = BundleRecords()
        session.onSeen = { records.seen($0, slot: $1, at: $2) }
        let answer: any WhyAnswer
        if let field = arguments.text("field") {
            let values = try ValueTrace(entity, field, records, session.fold.engine.store.schemas)
            session.onDecoded = { records.decoded($0, slot: $1, at: $2) }
            answer = values
        } else {
            let trace = EntityTrace(entity, records)
            session.onDecoded = { trace.decoded($0, slot: $1, at: $2) }
            answer = trace
        }
        var failure: (any Error)?
        session.onFolded = { action, engine, sequence in
            do { try answer.folded(action, engine, at: sequence) } catch {
                failure = error
                session.stop()
            }
            records.folded(action)
        }
        session.onRestart = {
            answer.removeAll()
            records.removeAll()
        }
        let report = try session.run()
        if let failure { throw failure }
        try session.requireKnownChain(report)
        try console.write(try answer.text(last: last, session.fold.engine))
        report.tell("why", console, resumption: arguments.commandLine())
        guard !answer.isEmpty else {
            throw VerbFailure(
                code: report.code == .ok ? .failed : report.code,
                message: "\(answer.lack) \(arguments.operands[1])"
            )
        }
        return report.code
    }
)

/// What `why` collects while a recording is folded.
protocol WhyAnswer: AnyObject {
    /// Takes what the engine has done last.
    func folded(
        _ action: ChainAction,
        _ engine: ProjectionEngine,
        at sequence: Sequence
    ) throws(StorageError)
    /// Forgets everything: all is folded again.
    func removeAll()
    /// What was found.
    func text(last: Int, _ engine: ProjectionEngine) throws -> String
    /// Whether nothing was found; valid behind `text`.
    var isEmpty: Bool { get }
    /// What there is none of, in words.
    var lack: String { get }
}

/// What is asked about.
enum WhyEntity {
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

    /// Rows that are about it.
    var rows: OwnRows {
        guard case .address(let address) = self else { return OwnRows(nil) }
        return OwnRows(address)
    }
}

/// The rows that are about an address: those that have it as a key, and detections that name it.
struct OwnRows {
    static let detections = "detections"

    private let bytes: [UInt8]

    /// - Parameter address: nil for none.
    init(_ address: Address?) { bytes = address?.bytes ?? [] }  // no row has none

    func contain(_ row: ListedRow, of schema: TableSchema) -> Bool {
        if isIn(row.key) { return true }
        return schema.name == OwnRows.detections && isIn(row.row)
    }

    private func isIn(_ row: [UInt8]) -> Bool {
        guard let first = bytes.first, row.count >= bytes.count else { return false }
        // 32 bytes that nobody can choose at will stand where an address stands.
        return (0...row.count - bytes.count).contains { offset in
            row[offset] == first && row[offset..<offset + bytes.count].elementsEqual(bytes)
        }
    }
}
