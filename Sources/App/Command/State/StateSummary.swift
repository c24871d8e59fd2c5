import MarketModel
import Projection
import Projectors
import RecordModel

/// What a person wants to see of a state first: tokens by phase and progress, the largest pools,
/// the newest detections.
struct StateSummary {
    private let engine: ProjectionEngine
    private let rowsMax: Int
    private var chain: Chain { engine.store.chain }

    /// - Parameters:
    ///   - engine: whose state it is.
    ///   - rowsMax: rows of each part.
    init(_ engine: ProjectionEngine, rowsMax: Int) {
        self.engine = engine
        self.rowsMax = rowsMax
    }

    /// The parts whose tables are there, one below the other.
    func text() throws -> String {
        var parts = [head()]
        if let part = try tokens() { parts.append(part) }
        if let part = try pools() { parts.append(part) }
        if let part = try detections() { parts.append(part) }
        return parts.joined(separator: "\n")
    }

    private func head() -> String {
        guard let head = engine.head else {
            return "\(chain): nothing folded yet\n"
        }
        var text = "\(chain): after slot \(head.position)"
        if let time = head.time {
            let (nanoseconds, overflows) = time.multipliedReportingOverflow(by: 1_000_000_000)
            text += overflows ? ", second \(time)" : ", \(RFC3339.textInSeconds(nanoseconds))"
        }
        text += "; \(head.bundles) slots folded"
        if let settled = engine.settled { text += ", final up to \(settled.position)" }
        text += "\nchain digest \(engine.chainDigest)\n"
        if let first = engine.stale.first {
            text += "STALE from slot \(first) on: data came after it was final; rebuild\n"
        }
        for gap in engine.gaps where gap.status != .filled {
            text += "gap \(gap.first) to \(gap.last) (\(gap.status)): \(gap.reason)\n"
        }
        return text
    }

    private func table(_ name: String) throws -> TablePrint? {
        guard let schema = engine.store.schemas.first(where: { $0.name == name }) else {
            return nil
        }
        return try TablePrint(schema, engine)
    }

    // MARK: Parts

    private func tokens() throws -> String? {
        guard let tokens = try table("tokens"), let markets = try table("token_markets") else {
            return nil
        }
        let market = Dictionary(
            markets.rows.map { ($0[0], $0) },
            uniquingKeysWith: { first, _ in first }
        )
        let texts = try table("token_texts")
        let symbols = Dictionary(
            // Tokens whose creation was not seen have no texts.
            (texts?.rows ?? []).map { ($0[0], $0) },
            uniquingKeysWith: { first, _ in first }
        )
        var phases: [TokenPhase: Int] = [:]
        var rows: [(phase: TokenPhase, progress: UInt64, cells: [String])] = []
        for row in tokens.rows {
            let view = RowView(tokens, row)
            let phase =
                view.number("phase").flatMap { UInt8(exactly: $0) }
                .flatMap(TokenPhase.init) ?? .unknown  // rows hold known phases
            phases[phase, default: 0] += 1
            let more = market[row[0]].map { RowView(markets, $0) }
            let symbol = texts.flatMap { texts in
                symbols[row[0]].map { RowView(texts, $0).text("symbol") }
            }
            let progress = more?.number("progress")
            rows.append(
                (
                    phase, progress ?? 0,  // for sorting alone: unknown progress is none
                    [
                        view.text("token"), symbol.map { PlainText.shown($0, 16) } ?? "-",
                        phase.name,
                        progress.map { Percent.text(basisPoints: $0) } ?? "-",
                        more?.amount("market_cap", in: view.address("quote")) ?? "-",
                        more?.text("trades") ?? "-",
                        more?.text("traders") ?? "-", view.text("first_position"),
                    ]
                )
            )
        }
        rows.sort {
            ($0.phase, $0.progress, $1.cells[0]) > ($1.phase, $1.progress, $0.cells[0])
        }
        let counts = TokenPhase.allCases.filter { phases[$0] != nil }
            .map { "\(phases[$0, default: 0]) \($0.name)" }.joined(separator: ", ")
        return "tokens: \(rows.count)" + (counts.isEmpty ? "" : " (\(counts))") + "\n"
            + grid(
                [
                    "token", "symbol", "phase", "progress", "market cap", "trades", "traders",
                    "since slot",
                ],
                rows.map(\.cells),
                [false, false, false, true, true, true, true, true]
            )
    }

    private func pools() throws -> String? {
        guard let pools = try table("pools"), let states = try table("pool_states") else {
            return nil
        }
        let state = Dictionary(
            states.rows.map { ($0[0], $0) },
            uniquingKeysWith: { first, _ in first }
        )
        var rows: [(tvl: UInt128, cells: [String])] = []
        for row in pools.rows {
            let view = RowView(pools, row)
            let more = state[row[0]].map { RowView(states, $0) }
            let venue = view.number("venue").flatMap { UInt8(exactly: $0) }.flatMap(Venue.init)
            // For sorting alone: a pool whose TVL is not known comes last.
            let tvl = more.flatMap { $0.wide("tvl") } ?? 0
            rows.append(
                (
                    tvl,
                    [
                        view.text("pool"), venue?.description ?? "-", view.text("token"),
                        more?.amount("tvl", in: view.address("quote")) ?? "-",
                        more?.text("trades") ?? "-",
                        more?.text("adds") ?? "-", more?.text("removes") ?? "-",
                        more?.text("owners") ?? "-",
                    ]
                )
            )
        }
        rows.sort { ($0.tvl, $1.cells[0]) > ($1.tvl, $0.cells[0]) }
        return "pools by TVL (in native units where the quote is not known): \(rows.count)\n"
            + grid(
                ["pool", "venue", "token", "tvl", "trades", "adds", "removes", "owners"],
                rows.map(\.cells),
                [false, false, false, true, true, true, true, true]
            )
    }

    private func detections() throws -> String? {
        guard let detections = try table("detections") else { return nil }
        var classes: [DetectionClass: Int] = [:]
        let rows = detections.rows.reversed().map { row -> [String] in
            let view = RowView(detections, row)
            let kind = view.number("class").flatMap { UInt8(exactly: $0) }
                .flatMap(DetectionClass.init)
            if let kind { classes[kind, default: 0] += 1 }
            let quote = view.address("quote")
            return [
                view.text("slot"), kind.map { "\($0)" } ?? "-", view.text("attacker"),
                view.text("pool"), view.text("victims"), view.amount("net", in: quote),
                view.amount("loss", in: quote), view.text("confidence"),
            ]
        }
        let counts = DetectionClass.allCases.filter { classes[$0] != nil }
            .map { "\(classes[$0, default: 0]) \($0)" }.joined(separator: ", ")
        return "detections, the newest first: \(rows.count)"
            + (counts.isEmpty ? "" : " (\(counts))") + "\n"
            + grid(
                ["slot", "class", "attacker", "pool", "victims", "net", "loss", "confidence"],
                Array(rows),
                [true, false, false, false, true, true, true, true]
            )
    }

    private func grid(_ header: [String], _ rows: [[String]], _ isNumber: [Bool]) -> String {
        guard !rows.isEmpty else { return "" }
        let shown = Array(rows.prefix(rowsMax))
        let rest = rows.count - shown.count
        return TextGrid(header: header, rows: shown, isNumber: isNumber).text
            + (rest > 0 ? "... and \(rest) more; --rows shows more, --table NAME all\n" : "")
    }
}

/// A row by the names of its columns.
struct RowView {
    private let table: TablePrint
    private let row: [ColumnValue]

    init(_ table: TablePrint, _ row: [ColumnValue]) {
        self.table = table
        self.row = row
    }

    private func value(_ name: String) -> ColumnValue {
        table.place(name).map { row[$0] } ?? .none
    }

    /// `-` for what is absent.
    func text(_ name: String) -> String { value(name).text(on: table.chain) ?? "-" }

    func address(_ name: String) -> Address? {
        guard case .address(let address) = value(name) else { return nil }
        return address
    }

    /// An amount as people write it; `-` for what is absent.
    func amount(_ name: String, in currency: Address?) -> String {
        guard case .number(let digits) = value(name) else { return "-" }
        return CurrencyAmount.text(digits, in: currency, on: table.chain)
    }

    func number(_ name: String) -> UInt64? {
        guard case .number(let digits) = value(name) else { return nil }
        return UInt64(digits)
    }

    func wide(_ name: String) -> UInt128? {
        guard case .number(let digits) = value(name) else { return nil }
        return UInt128(digits)
    }
}

/// Basis points for people.
enum Percent {
    /// `93.17 %`.
    static func text(basisPoints: UInt64) -> String {
        let rest = basisPoints % 100
        return "\(basisPoints / 100).\(rest < 10 ? "0" : "")\(rest) %"
    }
}
