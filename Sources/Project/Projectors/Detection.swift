package import MarketModel
package import Projection

/// One thing that was detected, with its evidence.
package struct Detection: TableRow {
    /// Where its last leg stands, and what it is: no two are equal.
    package struct Key: Hashable, Comparable, Sendable {
        package var slot: UInt64
        package var place: EventPlace
        package var kind: DetectionClass

        package init(slot: UInt64, place: EventPlace, kind: DetectionClass) {
            self.slot = slot
            self.place = place
            self.kind = kind
        }

        package static func < (left: Key, right: Key) -> Bool {
            (left.slot, left.place, left.kind) < (right.slot, right.place, right.kind)
        }
    }

    /// Where it happened; of a cycle the first pool.
    package var pool: Address
    /// What was traded.
    package var token: Address
    /// What profits are in.
    package var quote: Address
    /// Whose doing it is; of copy trading the follower.
    package var attacker: Address
    /// The other wallet: of a sandwich that of the front, when it is not the back's; of a front-run or
    /// back-run the one that was run; of copy trading the leader.
    package var other: Address?
    package var link = DetectionLink.none
    package var victims: UInt32 = 0
    /// In chain order; at most as many as the parameters allow. Rows of their own: a row that was
    /// read has none, `TradingProjector.detection` puts them back.
    package var legs: [DetectionLeg]
    /// Legs that are listed, here or in rows of their own.
    package private(set) var legCount: UInt32
    /// In quote; of a cycle in `quote` too, which is then the token it began with.
    package var gross: Int128 = 0
    /// Less `cost`, when the quote is what costs are paid in; otherwise equal to `gross`.
    package var net: Int128 = 0
    /// Fees and tips of the attacker's transactions, in the chain's native unit.
    package var cost: UInt128 = 0
    /// What the victims lost together, in quote; nil when not known.
    package var loss: UInt128?
    package var lossBasisPoints: UInt64?
    /// Whether the venue's formula gives every victim's real trade exactly.
    package var isLossExact = false
    package var severity = DetectionSeverity.unknown
    /// 0 to 100.
    package var confidence: UInt8
    /// How far the back's tokens were from the front's.
    package var inventoryBasisPoints: UInt64?
    /// The slot whose fold found it.
    package var detectedAt: UInt64
    package var time: Int64?
    /// What speaks for it, as text.
    package var evidence: String

    package init(
        pool: Address,
        token: Address,
        quote: Address,
        attacker: Address,
        legs: [DetectionLeg],
        confidence: UInt8,
        detectedAt: UInt64,
        time: Int64?,
        evidence: String
    ) {
        self.pool = pool
        self.token = token
        self.quote = quote
        self.attacker = attacker
        self.legs = legs
        legCount = UInt32(clamping: legs.count)
        self.confidence = confidence
        self.detectedAt = detectedAt
        self.time = time
        self.evidence = evidence
    }

    package static let schema = TableSchema(
        "detections",
        "What was detected, found by the place of its last leg",
        key: [
            Column("slot", .unsigned64, "slot or block of the last leg"),
            Column("transaction_index", .unsigned32, "its transaction's place in the block"),
            Column("instruction", .unsigned16, "its top-level instruction"),
            Column("inner", .unsigned16, "its place among the calls below"),
            Column("ordinal", .unsigned32, "its place among the events of the call"),
            Column("class", .unsigned8, "1 sandwich ... 7 copy trading, see the README"),
        ],
        columns: [
            Column("pool", .address, "the pool; of a cycle the first"),
            Column("token", .address, "what was traded"),
            Column("quote", .address, "what profits are in"),
            Column("attacker", .address, "whose doing it is"),
            Column("other", .address, isOptional: true, "the other wallet"),
            Column("link", .unsigned8, "what ties front and back: 0 none ... 4 same amount"),
            Column("victims", .unsigned32, "how many"),
            Column("leg_count", .unsigned32, "its legs in detection_legs"),
            Column("gross", .signed128, "profit in quote"),
            Column("net", .signed128, "less cost, where cost is in the same unit"),
            Column("cost", .unsigned128, "fees and tips, native units"),
            Column("loss", .unsigned128, isOptional: true, "of all victims, in quote"),
            Column("loss_bps", .unsigned64, isOptional: true, "of what they put in"),
            Column("is_loss_exact", .boolean, "the formula gives every victim's real trade"),
            Column("severity", .unsigned8, "0 unknown, 1 low ... 4 critical"),
            Column("confidence", .unsigned8, "0 to 100"),
            Column("inventory_bps", .unsigned64, isOptional: true, "distance of back from front"),
            Column("detected_at", .unsigned64, "slot whose fold found it"),
            Column("time", .signed64, isOptional: true, "of that slot, seconds since 1970"),
            Column("evidence", .text, "what speaks for it"),
        ]
    )
}

extension Detection {
    /// Writes the key columns.
    package static func encode(_ key: Key, to writer: inout RowWriter) {
        writer.add(key.slot)
        writer.add(key.place)
        writer.add(key.kind.rawValue)
    }

    /// Reads the key columns.
    package static func decodeKey(_ reader: inout RowReader) throws(RowError) -> Key {
        let slot = try reader.unsigned64()
        let place = try reader.place()
        guard let kind = DetectionClass(rawValue: try reader.unsigned8()) else {
            throw .invalid(column: 5)
        }
        return Key(slot: slot, place: place, kind: kind)
    }

    /// Writes the other columns.
    package func encode(to writer: inout RowWriter) {
        writer.add(pool)
        writer.add(token)
        writer.add(quote)
        writer.add(attacker)
        writer.add(optional: other) { $0.add($1) }
        writer.add(link.rawValue)
        writer.add(victims)
        writer.add(legCount)
        writer.add(gross)
        writer.add(net)
        writer.add(cost)
        writer.add(optional: loss) { $0.add($1) }
        writer.add(optional: lossBasisPoints) { $0.add($1) }
        writer.add(isLossExact)
        writer.add(severity.rawValue)
        writer.add(confidence)
        writer.add(optional: inventoryBasisPoints) { $0.add($1) }
        writer.add(detectedAt)
        writer.add(optional: time) { $0.add($1) }
        writer.add(evidence)
    }

    /// Reads the other columns.
    package init(from reader: inout RowReader) throws(RowError) {
        pool = try reader.address()
        token = try reader.address()
        quote = try reader.address()
        attacker = try reader.address()
        other = try reader.optional { (reader) throws(RowError) in try reader.address() }
        guard let link = DetectionLink(rawValue: try reader.unsigned8()) else {
            throw .invalid(column: 5)
        }
        self.link = link
        victims = try reader.unsigned32()
        legCount = try reader.unsigned32()
        legs = []
        gross = try reader.signed128()
        net = try reader.signed128()
        cost = try reader.unsigned128()
        loss = try reader.optional { (reader) throws(RowError) in try reader.unsigned128() }
        lossBasisPoints = try reader.optional { (reader) throws(RowError) in
            try reader.unsigned64()
        }
        isLossExact = try reader.boolean()
        guard let severity = DetectionSeverity(rawValue: try reader.unsigned8()) else {
            throw .invalid(column: 14)
        }
        self.severity = severity
        confidence = try reader.unsigned8()
        inventoryBasisPoints = try reader.optional { (reader) throws(RowError) in
            try reader.unsigned64()
        }
        detectedAt = try reader.unsigned64()
        time = try reader.optional { (reader) throws(RowError) in try reader.signed64() }
        evidence = try reader.text()
    }

    /// What people are told of it.
    package func notice(_ key: Key, on chain: Chain) -> Notice {
        var details = [
            Notice.Detail("pool", pool.text(on: chain)),
            Notice.Detail("token", token.text(on: chain)),
            Notice.Detail("quote", quote.text(on: chain)),
            Notice.Detail("confidence", String(confidence)),
            Notice.Detail("gross", gross.description),
            Notice.Detail("net", net.description),
        ]
        if let other { details.append(Notice.Detail("other", other.text(on: chain))) }
        if victims > 0 { details.append(Notice.Detail("victims", String(victims))) }
        if let loss { details.append(Notice.Detail("loss", loss.description)) }
        if let lossBasisPoints {
            details.append(Notice.Detail("loss_bps", String(lossBasisPoints)))
            details.append(Notice.Detail("severity", severity.description))
        }
        details.append(Notice.Detail("evidence", evidence))
        for leg in legs {
            details.append(Notice.Detail(leg.role.description, leg.transaction.description))
        }
        return Notice(
            kind: key.kind.description,
            position: key.slot,
            place: key.place,
            subject: attacker,
            details: details
        )
    }
}
