package import MarketModel
package import Projection

/// Who of those that lead has just bought a token.
package struct CopyTradingToken: TableRow {
    /// A leader's first buy.
    package struct Lead: Hashable, Sendable {
        package var slot: UInt64
        package var place: EventPlace
        package var transaction: TransactionID
        package var pool: Address
        package var trader: Address
        package var feePayer: Address?
        package var tokenAmount: UInt128
        package var quoteAmount: UInt128
    }

    /// Nil when the token was not seen being made.
    package var createdAt: UInt64?
    /// Whether anybody bought it.
    package var isBought = false
    /// Of the newest slots, in chain order.
    package var leads: [Lead] = []

    package init(createdAt: UInt64?) {
        self.createdAt = createdAt
    }

    package static let schema = TableSchema(
        "copy_tokens",
        "Where a token was made, and which leaders bought it in the newest slots",
        key: [Column("token", .address, "the token")],
        columns: [
            Column("created_at", .unsigned64, isOptional: true, "slot, when it was seen"),
            Column("is_bought", .boolean, "whether anybody has bought it"),
            Column("lead_count", .unsigned32, "buys that are kept"),
            Column(
                "leads",
                .bytes,
                "each: slot (8 bytes), place (12), kind of chain (1), transaction (64), pool and "
                    + "wallet (32 each), 1 and fee payer or 0, tokens (16), quote (16)"
            ),
        ]
    )

    package static func encode(_ key: Address, to writer: inout RowWriter) { writer.add(key) }
    package static func decodeKey(_ reader: inout RowReader) throws(RowError) -> Address {
        try reader.address()
    }

    package func encode(to writer: inout RowWriter) {
        writer.add(optional: createdAt) { $0.add($1) }
        writer.add(isBought)
        writer.add(UInt32(clamping: leads.count))
        var packed = RowWriter()
        for lead in leads {
            packed.add(lead.slot)
            packed.add(lead.place)
            packed.addNamed(lead.transaction)
            packed.add(lead.pool)
            packed.add(lead.trader)
            packed.add(optional: lead.feePayer) { $0.add($1) }
            packed.add(lead.tokenAmount)
            packed.add(lead.quoteAmount)
        }
        writer.add(packed.bytes)
    }

    /// Reads the other columns.
    package init(from reader: inout RowReader) throws(RowError) {
        createdAt = try reader.optional { (reader) throws(RowError) in try reader.unsigned64() }
        isBought = try reader.boolean()
        let count = try reader.unsigned32()
        var packed = RowReader(try reader.byteString())
        for _ in 0..<count {
            leads.append(
                Lead(
                    slot: try packed.unsigned64(),
                    place: try packed.place(),
                    transaction: try packed.namedTransaction(),
                    pool: try packed.address(),
                    trader: try packed.address(),
                    feePayer: try packed.optional { (packed) throws(RowError) in
                        try packed.address()
                    },
                    tokenAmount: try packed.unsigned128(),
                    quoteAmount: try packed.unsigned128()
                )
            )
        }
        try packed.finish()
    }
}

/// How often one wallet bought what another had bought just before.
package struct CopyTradingPair: TableRow {
    /// Leader and follower.
    package struct Key: Hashable, Comparable, Sendable {
        package var leader: Address
        package var follower: Address

        package init(leader: Address, follower: Address) {
            self.leader = leader
            self.follower = follower
        }

        /// The last words of addresses tell them apart well enough.
        package func hash(into hasher: inout Hasher) {
            hasher.combine(leader.storage.words.3)
            hasher.combine(follower.storage.words.3)
        }

        package static func < (left: Key, right: Key) -> Bool {
            (left.leader, left.follower) < (right.leader, right.follower)
        }
    }

    /// Distinct tokens by day: a wallet buys a token for the first time only once.
    package var tokens: CopyTradingDays
    /// How many follows had a lag of 0, 1, 2 ... slots, since the pair last had none in the window.
    package var lags: [UInt32]
    /// When it became a relation; told once.
    package var relatedAt: UInt64?
    /// The lift then.
    package var lift: UInt64?
    /// Follows since then.
    package var copies: UInt32 = 0
    package var lastSlot: UInt64

    /// A pair before its first follow.
    package init(day: Int64, slot: UInt64, _ parameters: TradingParameters) {
        tokens = CopyTradingDays(day: day, days: parameters.copyDays)
        lags = [UInt32](repeating: 0, count: Int(min(parameters.copySlots, 1_000)) + 1)
        lastSlot = slot
    }

    /// The median lag in slots, the lower of two; nil without follows.
    package var medianLag: UInt64? {
        let count = lags.reduce(0) { $0 + UInt64($1) }
        guard count > 0 else { return nil }
        var below: UInt64 = 0
        for (lag, times) in lags.enumerated() {
            below += UInt64(times)
            if below > (count - 1) / 2 { return UInt64(lag) }
        }
        return nil
    }

    package static let schema = TableSchema(
        "copy_pairs",
        "How often one wallet bought what a leading one had bought just before",
        key: [
            Column("leader", .address, "who bought first"),
            Column("follower", .address, "who bought after"),
        ],
        columns: CopyTradingDays.columns("tokens", "distinct tokens") + [
            Column("lags", .bytes, "follows with a lag of 0, 1, 2 ... slots, 4 bytes each"),
            Column("related_at", .unsigned64, isOptional: true, "slot of the relation"),
            Column("lift", .unsigned64, isOptional: true, "times chance, rounded down, then"),
            Column("copies", .unsigned32, "follows since then"),
            Column("last_slot", .unsigned64, "of the newest follow"),
        ]
    )

    package static func encode(_ key: Key, to writer: inout RowWriter) {
        writer.add(key.leader)
        writer.add(key.follower)
    }

    package static func decodeKey(_ reader: inout RowReader) throws(RowError) -> Key {
        Key(leader: try reader.address(), follower: try reader.address())
    }

    package func encode(to writer: inout RowWriter) {
        tokens.encode(to: &writer)
        var packed = RowWriter()
        for lag in lags { packed.add(lag) }
        writer.add(packed.bytes)
        writer.add(optional: relatedAt) { $0.add($1) }
        writer.add(optional: lift) { $0.add($1) }
        writer.add(copies)
        writer.add(lastSlot)
    }

    /// Reads the other columns.
    package init(from reader: inout RowReader) throws(RowError) {
        tokens = try CopyTradingDays(from: &reader)
        let bytes = try reader.byteString()
        guard bytes.count % 4 == 0, bytes.count <= 4_004 else { throw .invalid(column: 2) }
        var packed = RowReader(bytes)
        lags = []
        for _ in 0..<bytes.count / 4 { lags.append(try packed.unsigned32()) }
        relatedAt = try reader.optional { (reader) throws(RowError) in try reader.unsigned64() }
        lift = try reader.optional { (reader) throws(RowError) in try reader.unsigned64() }
        copies = try reader.unsigned32()
        lastSlot = try reader.unsigned64()
    }
}
