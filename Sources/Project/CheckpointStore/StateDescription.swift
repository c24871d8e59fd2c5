import CSQLite
import MarketModel
import Projection
import RecordModel

/// What a state file says of itself, in four tables for people and for us: what it was made with,
/// how far it goes, what its tables and columns mean, and what was missing. One checksum covers all
/// of it.
struct StateDescription {
    /// The version of the file's layout; it is part of what a file was made with.
    static let formatVersion = 1

    let chain: Chain
    let key: StateKey
    let schemas: [TableSchema]

    /// The statements that make the four tables.
    static let creation = [
        """
        CREATE TABLE "_columns" ("table_name" TEXT NOT NULL, "place" INTEGER NOT NULL, \
        "name" TEXT NOT NULL, "type" TEXT NOT NULL, "in_key" INTEGER NOT NULL, \
        "optional" INTEGER NOT NULL, "meaning" TEXT NOT NULL, \
        PRIMARY KEY ("table_name", "place")) STRICT, WITHOUT ROWID
        """,
        """
        CREATE TABLE "_gaps" ("first" ANY NOT NULL, "last" ANY NOT NULL, \
        "group_name" TEXT NOT NULL, "status" TEXT NOT NULL, "reason" TEXT NOT NULL, \
        PRIMARY KEY ("first", "last", "group_name")) STRICT, WITHOUT ROWID
        """,
        """
        CREATE TABLE "_state" ("name" TEXT NOT NULL, "value" TEXT NOT NULL, \
        "meaning" TEXT NOT NULL, PRIMARY KEY ("name")) STRICT, WITHOUT ROWID
        """,
        """
        CREATE TABLE "_tables" ("name" TEXT NOT NULL, "row_count" ANY NOT NULL, \
        "digest" TEXT NOT NULL, "meaning" TEXT NOT NULL, \
        PRIMARY KEY ("name")) STRICT, WITHOUT ROWID
        """,
    ]

    /// The four tables with the number of their columns.
    private static let sizes = [("_columns", 7), ("_gaps", 5), ("_state", 3), ("_tables", 4)]

    /// One row of one of the four tables.
    private typealias Cells = [Cell]

    private enum Cell {
        case text(String)
        case number(UInt64)

        /// As it is read back and summed.
        var written: String {
            switch self {
            case .text(let text): text
            case .number(let number): String(number)
            }
        }
    }

    /// The statements that made what a database holds, by name.
    static func objects(_ connection: SQLiteConnection) throws(StorageError) -> [String: String] {
        let statement = try connection.prepare("SELECT name, sql FROM sqlite_schema")
        var objects: [String: String] = [:]
        while try statement.step() {
            guard let name = statement.text(0) else { throw .damaged("a table without a name") }
            // What was made by no statement of ours has a text that none of ours has.
            objects[name] = statement.text(1) ?? "unknown"
        }
        return objects
    }

    /// Makes all tables, and says what they were made with.
    func make(_ connection: SQLiteConnection) throws(StorageError) {
        for statement in StateDescription.creation { try connection.run(statement) }
        for schema in schemas { try connection.run(TableStatements.creation(schema)) }
        try write(nil, connection)
    }

    /// Says anew what the file holds.
    func write(
        _ checkpoint: Checkpoint?,
        _ connection: SQLiteConnection
    ) throws(StorageError) {
        var content: [String: [Cells]] = [
            "_columns": columnRows(),
            "_gaps": checkpoint.map(gapRows) ?? [],  // none before the first checkpoint
            "_state": stateRows(checkpoint),
            "_tables": tableRows(checkpoint),
        ]
        let digest = StateDescription.digest { name in
            content[name]?.map { $0.map(\.written) } ?? []  // all four names are there
        }
        content["_state"]?.append([
            .text("checksum"), .text(digest.description),
            .text("XXH3-128 of all that the tables with an underscore say, this row aside."),
        ])
        for (name, size) in StateDescription.sizes {
            try connection.run("DELETE FROM \"\(name)\"")
            let places = Array(repeating: "?", count: size).joined(separator: ", ")
            let statement = try connection.prepare("INSERT INTO \"\(name)\" VALUES (\(places))")
            guard let rows = content[name] else { continue }
            for row in rows {
                for (place, cell) in row.enumerated() {
                    let parameter = Int32(place + 1)
                    switch cell {
                    case .text(let text): statement.bind(text, at: parameter)
                    case .number(let number):
                        if let small = Int64(exactly: number) {
                            statement.bind(small, at: parameter)
                        } else {
                            statement.bind(String(number), at: parameter)
                        }
                    }
                }
                try statement.run()
            }
        }
    }

    /// Reads what the file says of itself.
    ///
    /// - Returns: the digest of the key it was made with, and its checkpoint if there is one.
    /// - Throws: `damaged` when it is not what was written.
    func read(
        _ connection: SQLiteConnection
    ) throws(StorageError) -> (key: String, checkpoint: Checkpoint?) {
        let objects = try StateDescription.objects(connection)
        let (values, content) = try StateDescription.content(connection, objects)
        guard values["chain"] == chain.description, let found = values["key"] else {
            throw .damaged("another chain")
        }
        guard found == key.digest.description else { return (found, nil) }
        for schema in schemas {
            guard objects[schema.name] == TableStatements.creation(schema) else {
                throw .damaged("table \(schema.name)")
            }
        }
        guard objects.count == schemas.count + StateDescription.sizes.count else {
            throw .damaged("tables that are not ours")
        }
        guard values["position"] != nil else { return (found, nil) }
        guard let checkpoint = StateDescription.checkpoint(values, content, on: chain) else {
            throw .damaged("the checkpoint")
        }
        return (found, checkpoint)
    }

    /// Reads what a file says of itself, whatever key it has.
    ///
    /// - Returns: the parts of its key, and its checkpoint if there is one.
    /// - Throws: `damaged` when it is not what was written, or is of another chain.
    static func overview(
        of chain: Chain,
        _ connection: SQLiteConnection
    ) throws(StorageError) -> (key: StateKey, checkpoint: Checkpoint?) {
        let (values, content) = try content(connection, try objects(connection))
        guard values["chain"] == chain.description else { throw .damaged("another chain") }
        let order = content["_state"] ?? []  // read above
        let parts = order.compactMap { row in
            row[0].hasPrefix("key ") ? StateKey.Part(String(row[0].dropFirst(4)), row[1]) : nil
        }
        let key = StateKey(parts)
        // Rows come by name, parts were hashed in an order of their own: only the digest as it
        // was written says which key it is.
        guard let digest = values["key"].flatMap({ StateDigest($0) }) else {
            throw .damaged("the key")
        }
        let found = StateKey(parts: key.parts, digest: digest)
        guard values["position"] != nil else { return (found, nil) }
        guard let checkpoint = checkpoint(values, content, on: chain) else {
            throw .damaged("the checkpoint")
        }
        return (found, checkpoint)
    }

    /// The rows of the four tables, as their checksum says that they were written.
    private static func content(
        _ connection: SQLiteConnection,
        _ objects: [String: String]
    ) throws(StorageError) -> (values: [String: String], content: [String: [[String]]]) {
        for (statement, size) in zip(creation, sizes) {
            guard objects[size.0] == statement else { throw .damaged("table \(size.0)") }
        }
        var content: [String: [[String]]] = [:]
        for (name, size) in sizes { content[name] = try rows(name, size, connection) }
        var values: [String: String] = [:]
        for row in content["_state"] ?? [] {  // read above
            values[row[0]] = row[1]
        }
        content["_state"]?.removeAll { $0[0] == "checksum" }
        // All four names are there.
        let digest = StateDescription.digest { content[$0] ?? [] }
        guard values["checksum"] == digest.description else { throw .damaged("the checksum") }
        guard values["format"] == String(formatVersion) else { throw .damaged("another format") }
        return (values, content)
    }

    private static func rows(
        _ name: String,
        _ size: Int,
        _ connection: SQLiteConnection
    ) throws(StorageError) -> [[String]] {
        let statement = try connection.prepare("SELECT * FROM \"\(name)\"")
        var rows: [[String]] = []
        while try statement.step() {
            var row: [String] = []
            for place in 0..<Int32(size) {
                if statement.type(place) == SQLITE_INTEGER {
                    row.append(String(statement.integer(place)))
                } else if let text = statement.text(place) {
                    row.append(text)
                } else {
                    throw .damaged("table \(name)")
                }
            }
            rows.append(row)
        }
        return rows
    }

    /// The checksum over the four tables' rows, sorted.
    private static func digest(_ rows: (String) -> [[String]]) -> StateDigest {
        var writer = RowWriter()
        for (name, _) in sizes {
            let sorted = rows(name).sorted { $0.lexicographicallyPrecedes($1) }
            writer.add(name)
            writer.add(UInt64(sorted.count))
            for row in sorted {
                for cell in row { writer.add([UInt8](cell.utf8)) }
            }
        }
        return writer.digest
    }
}

extension StateDescription {
    private func columnRows() -> [Cells] {
        schemas.flatMap { schema in
            (schema.key + schema.columns).enumerated().map { place, column in
                [
                    .text(schema.name), .number(UInt64(place)), .text(column.name),
                    .text(String(describing: column.type)),
                    .number(place < schema.key.count ? 1 : 0),
                    .number(column.isOptional ? 1 : 0), .text(column.meaning),
                ]
            }
        }
    }

    private func tableRows(_ checkpoint: Checkpoint?) -> [Cells] {
        schemas.map { schema in
            let table = checkpoint?.tables.first { $0.name == schema.name }
            let digest = table.map(\.digest) ?? .zero
            return [
                .text(schema.name), .number(table.map(\.rows) ?? 0),  // no checkpoint, no rows
                .text(digest.description), .text(schema.meaning),
            ]
        }
    }

    private func gapRows(_ checkpoint: Checkpoint) -> [Cells] {
        checkpoint.gaps.map { gap in
            [
                .number(gap.first), .number(gap.last), .text(gap.group),
                .text(String(describing: gap.status)), .text(gap.reason),
            ]
        }
    }

    private func stateRows(_ checkpoint: Checkpoint?) -> [Cells] {
        var rows = [
            ("format", String(StateDescription.formatVersion), "Version of this layout."),
            ("chain", chain.description, "Whose state it is."),
            ("key", key.digest.description, "Digest of all that it was made with."),
        ]
        for part in key.parts { rows.append(("key \(part.name)", part.value, "Part of the key.")) }
        if let checkpoint {
            rows += [
                (
                    "position", String(checkpoint.position),
                    "State is that after this slot or block."
                ),
                ("resume", String(checkpoint.resume.value), "Sequence of the log to read on from."),
                ("chain_digest", checkpoint.chainDigest.description, "Digest of all its tables."),
                ("bundles", String(checkpoint.bundles), "Slots or blocks folded so far."),
            ]
            if let place = checkpoint.place { rows += place.rows }
            if let hash = checkpoint.hash {
                rows.append(("hash", hash.blockText(on: chain), "Hash of that block."))
            }
            if let time = checkpoint.time {
                rows.append(("time", String(time), "Its time in seconds since 1970."))
            }
            if !checkpoint.assembly.isEmpty {
                let assembly = Hex.text(checkpoint.assembly)
                rows.append(("assembly", assembly, "What the assembler goes on with."))
            }
            if !checkpoint.stale.isEmpty {
                let stale = checkpoint.stale.map { String($0) }.joined(separator: " ")
                rows.append(("stale", stale, "Settled slots or blocks that got data later."))
            }
        }
        return rows.map { [.text($0.0), .text($0.1), .text($0.2)] }
    }

    private static func checkpoint(
        _ values: [String: String],
        _ content: [String: [[String]]],
        on chain: Chain
    ) -> Checkpoint? {
        guard let position = values["position"].flatMap({ UInt64($0) }),
            let resume = values["resume"].flatMap({ UInt64($0) }),
            let digest = values["chain_digest"].flatMap({ StateDigest($0) }),
            let bundles = values["bundles"].flatMap({ UInt64($0) })
        else { return nil }
        var hash: Bytes32?
        if let text = values["hash"] {
            hash = Bytes32(blockText: text, on: chain)
            if hash == nil { return nil }
        }
        var time: Int64?
        if let text = values["time"] {
            time = Int64(text)
            if time == nil { return nil }
        }
        var place: LogPlace?
        if values[LogPlace.firstName] != nil {
            place = LogPlace(rows: values)
            if place == nil { return nil }
        }
        var checkpoint = Checkpoint(
            position: position,
            hash: hash,
            time: time,
            resume: Sequence(resume),
            place: place,
            chainDigest: digest,
            tables: [],
            bundles: bundles
        )
        if let text = values["assembly"] {
            let utf8 = Array(text.utf8)
            guard let assembly = Hex.bytes(utf8.span) else { return nil }
            checkpoint.assembly = assembly
        }
        for text in (values["stale"] ?? "").split(separator: " ") {  // none is written as nothing
            guard let position = UInt64(text) else { return nil }
            checkpoint.stale.append(position)
        }
        for row in content["_tables"] ?? [] {  // read by the caller
            guard let rows = UInt64(row[1]), let digest = StateDigest(row[2]) else { return nil }
            checkpoint.tables.append(.init(name: row[0], digest: digest, rows: rows))
        }
        for row in content["_gaps"] ?? [] {  // read by the caller
            let status: [String: ChainGap.Status] = [
                "open": .open, "filled": .filled, "abandoned": .abandoned,
            ]
            guard let first = UInt64(row[0]), let last = UInt64(row[1]),
                let status = status[row[3]]
            else { return nil }
            checkpoint.gaps.append(
                ChainGap(first: first, last: last, group: row[2], status: status, reason: row[4])
            )
        }
        checkpoint.gaps.sort()
        return checkpoint
    }
}

extension Bytes32 {
    /// A block's hash as people of that chain write it.
    func blockText(on chain: Chain) -> String {
        switch chain {
        case .solana: Base58.encode(bytes)
        case .evm: Hex.text(bytes)
        }
    }

    /// From what `blockText` gave; nil for anything else.
    init?(blockText text: String, on chain: Chain) {
        let utf8 = Array(text.utf8)
        switch chain {
        case .solana:
            guard let value = Base58.bytes32(utf8.span.bytes) else { return nil }
            self = value
        case .evm:
            guard let bytes = Hex.bytes(utf8.span), let value = Bytes32(bytes) else { return nil }
            self = value
        }
    }
}
