package import MarketModel
package import Projection

/// One fact from outside, as one record told it. The newest row of a namespace and key is in force.
package struct EnrichmentRow: TableRow {
    /// What it says; its sequence is that of the key.
    package var fact: OutsideFact
    /// The slot or block from which on it counts.
    package var effective: UInt64

    package init(_ fact: OutsideFact, effective: UInt64) {
        self.fact = fact
        self.effective = effective
    }

    package static let schema = TableSchema(
        "enrichments",
        "Facts from outside, as records told them: the last row of a namespace and key is in force",
        key: [Column("sequence", .unsigned64, "the record")],
        columns: [
            Column("namespace", .text, "what the key belongs to, such as price"),
            Column("name", .text, "the key: what it is about, such as SOL/USD"),
            Column("text", .text, isOptional: true, "what is known, if the record says it as text"),
            Column("bytes", .bytes, isOptional: true, "what is known, if it says it as bytes"),
            Column(
                "as_of_slot",
                .unsigned64,
                isOptional: true,
                "slot or block that it was true at, as its source says"
            ),
            Column("origin", .text, isOptional: true, "who said it"),
            Column(
                "effective_slot",
                .unsigned64,
                "slot or block from which on it counts: the first one folded behind its record"
            ),
        ],
        isOutsideDigest: true
    )

    package static func encode(_ key: UInt64, to writer: inout RowWriter) { writer.add(key) }
    package static func decodeKey(_ reader: inout RowReader) throws(RowError) -> UInt64 {
        try reader.unsigned64()
    }
    package func encode(to writer: inout RowWriter) {
        var text: String?
        var bytes: [UInt8]?
        switch fact.value {
        case .text(let value): text = value
        case .bytes(let value): bytes = value
        }
        writer.add(fact.namespace)
        writer.add(fact.key)
        writer.add(optional: text) { $0.add($1) }
        writer.add(optional: bytes) { $0.add($1) }
        writer.add(optional: fact.asOf) { $0.add($1) }
        writer.add(optional: fact.origin) { $0.add($1) }
        writer.add(effective)
    }
    /// Reads the columns beside the key, which alone has the sequence.
    package init(from reader: inout RowReader) throws(RowError) {
        let namespace = try reader.text()
        let key = try reader.text()
        let text = try reader.optional { (reader) throws(RowError) in try reader.text() }
        let bytes = try reader.optional { (reader) throws(RowError) in try reader.byteString() }
        let value: OutsideFact.Value
        switch (text, bytes) {
        case (.some(let text), nil): value = .text(text)
        case (nil, .some(let bytes)): value = .bytes(bytes)
        case (nil, nil), (.some, .some): throw .invalid(column: 3)
        }
        fact = OutsideFact(
            namespace: namespace,
            key: key,
            value: value,
            asOf: try reader.optional { (reader) throws(RowError) in try reader.unsigned64() },
            origin: try reader.optional { (reader) throws(RowError) in try reader.text() },
            sequence: 0
        )
        effective = try reader.unsigned64()
    }
}
