package import MarketModel
package import Projection

/// One change of the liquidity of a pool.
package struct PoolEventRow: TableRow {
    package var kind: PoolEventKind
    package var owner: Address
    package var tokenAmount: UInt128 = 0
    package var quoteAmount: UInt128 = 0
    package var shares: UInt128 = 0
    package var sharesBefore: UInt128?
    package var share: UInt64?

    package init(kind: PoolEventKind, owner: Address) {
        self.kind = kind
        self.owner = owner
    }

    package static let schema = TableSchema(
        "liquidity_events",
        "One change of liquidity, in chain order of each pool",
        key: [
            Column("pool", .address, "account, or contract"),
            Column("slot", .unsigned64, "slot or block"),
            Column("transaction", .unsigned32, "place in it"),
            Column("instruction", .unsigned16, "as in the place of its event"),
            Column("inner", .unsigned16, "likewise"),
            Column("ordinal", .unsigned32, "likewise"),
        ],
        columns: [
            Column("kind", .unsigned8, "1 initial, 2 add, 3 remove, 4 drain, 5 burn of shares"),
            Column("owner", .address, "who did it"),
            Column("token_amount", .unsigned128, "tokens that moved"),
            Column("quote_amount", .unsigned128, "quote that moved"),
            Column("shares", .unsigned128, "shares made or redeemed, or liquidity"),
            Column("shares_before", .unsigned128, isOptional: true, "shares before it"),
            Column(
                "share",
                .unsigned64,
                isOptional: true,
                "shares * 10,000 / shares after (initial, add) or before (otherwise), rounded down"
            ),
        ]
    )

    package static func encode(_ key: PoolEventKey, to writer: inout RowWriter) {
        writer.add(key.pool)
        writer.add(key.slot)
        writer.add(key.transaction)
        writer.add(key.instruction)
        writer.add(key.inner)
        writer.add(key.ordinal)
    }
    package static func decodeKey(_ reader: inout RowReader) throws(RowError) -> PoolEventKey {
        PoolEventKey(
            pool: try reader.address(),
            slot: try reader.unsigned64(),
            transaction: try reader.unsigned32(),
            instruction: try reader.unsigned16(),
            inner: try reader.unsigned16(),
            ordinal: try reader.unsigned32()
        )
    }
    package func encode(to writer: inout RowWriter) {
        writer.add(kind.rawValue)
        writer.add(owner)
        writer.add(tokenAmount)
        writer.add(quoteAmount)
        writer.add(shares)
        writer.add(optional: sharesBefore) { $0.add($1) }
        writer.add(optional: share) { $0.add($1) }
    }
    /// Reads the columns beside the key.
    package init(from reader: inout RowReader) throws(RowError) {
        kind = try PoolEventKind(from: &reader, column: 0)
        owner = try reader.address()
        tokenAmount = try reader.unsigned128()
        quoteAmount = try reader.unsigned128()
        shares = try reader.unsigned128()
        sharesBefore = try reader.optional { (reader) throws(RowError) in try reader.unsigned128() }
        share = try reader.optional { (reader) throws(RowError) in try reader.unsigned64() }
    }
}

/// A place in the history of a pool.
package struct PoolEventKey: Hashable, Comparable, Sendable {
    package let pool: Address
    package let slot: UInt64
    package let transaction: UInt32
    package let instruction: UInt16
    package let inner: UInt16
    package let ordinal: UInt32

    package init(
        pool: Address,
        slot: UInt64,
        transaction: UInt32,
        instruction: UInt16,
        inner: UInt16,
        ordinal: UInt32
    ) {
        self.pool = pool
        self.slot = slot
        self.transaction = transaction
        self.instruction = instruction
        self.inner = inner
        self.ordinal = ordinal
    }

    package static func < (left: PoolEventKey, right: PoolEventKey) -> Bool {
        if left.pool != right.pool { return left.pool < right.pool }
        if left.slot != right.slot { return left.slot < right.slot }
        if left.transaction != right.transaction { return left.transaction < right.transaction }
        if left.instruction != right.instruction { return left.instruction < right.instruction }
        if left.inner != right.inner { return left.inner < right.inner }
        return left.ordinal < right.ordinal
    }
}
