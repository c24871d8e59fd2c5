package import MarketModel
package import Projection

/// What a token is and how far its life has gone. Written when it is made and when its phase or
/// owner changes; trades alone leave it as it is. Columns mean what the schema says.
package struct TokenRow: TableRow {
    package var phase: TokenPhase = .unknown
    package var origin: TokenOrigin = .partial
    package var venue: Venue
    package var quote: Address?
    package var curve: Address?
    package var pool: Address?
    package var isPoolInferred: Bool = false
    package var user: Address?
    package var firstCreator: Address?
    package var creator: Address?
    package var tokenProgram: Address?
    package var isMayhem: Bool = false
    package var isCashback: Bool = false
    package var isHolderReward: Bool = false
    package var isBoosted: Bool = false
    package var startTokens: UInt128?
    package var startQuote: UInt128?
    package var startRealTokens: UInt128?
    package var supply: UInt128?
    package var isStartDefault: Bool = false
    package var firstPosition: UInt64 = 0
    package var createdPosition: UInt64?
    package var createdTransaction: UInt32?
    package var createdTime: Int64?
    package var nearPosition: UInt64?
    package var nearEntries: UInt32 = 0
    package var completedPosition: UInt64?
    package var completedTime: Int64?
    package var isCompleteInferred: Bool = false
    package var migratedPosition: UInt64?
    package var migratedTime: Int64?
    package var migratedTokens: UInt128?
    package var migratedQuote: UInt128?
    package var migrationFee: UInt128?
    package var livePosition: UInt64?
    package var liveTime: Int64?
    package var graduationSlots: UInt64?
    package var graduationSeconds: Int64?
    package var isTimeEstimated: Bool = false

    package init(venue: Venue) {
        self.venue = venue
    }

    package static let schema = TableSchema(
        "tokens",
        "One token: who made it, what it began with, and its phase",
        key: [
            Column("token", .address, "mint, or contract")
        ],
        columns: [
            Column(
                "phase",
                .unsigned8,
                "0 unknown, 1 created, 2 trading, 3 near graduation, 4 complete, 5 "
                    + "migrated, 6 pool live, 7 graduated to Raydium v4"
            ),
            Column(
                "origin",
                .unsigned8,
                "how it came to be known: 0 partial, first seen in the middle of its life; "
                    + "1 its creation on a curve; 2 the opening of a pool"
            ),
            Column("venue", .unsigned8, "where it was first seen"),
            Column("quote", .address, isOptional: true, "what it is priced in"),
            Column("curve", .address, isOptional: true, "account of its curve"),
            Column(
                "pool",
                .address,
                isOptional: true,
                "its pool: the canonical one, or the first that was seen of a token without a curve"
            ),
            Column(
                "is_pool_inferred",
                .boolean,
                "whether that pool was taken from a trade and not named by a migration"
            ),
            Column("user", .address, isOptional: true, "who signed its creation"),
            Column(
                "first_creator",
                .address,
                isOptional: true,
                "who got the fees of the creator when it was made"
            ),
            Column("creator", .address, isOptional: true, "who gets the fees of the creator now"),
            Column("token_program", .address, isOptional: true, "SPL Token or Token-2022"),
            Column("is_mayhem", .boolean, "whether the agent of pump.fun trades it"),
            Column("is_cashback", .boolean, "whether traders get the fee of the creator back"),
            Column("is_holder_reward", .boolean, "whether holders get the fee of the creator"),
            Column("is_boosted", .boolean, "whether its pool was boosted"),
            Column(
                "start_tokens",
                .unsigned128,
                isOptional: true,
                "virtual tokens of the curve at the start, raw units"
            ),
            Column(
                "start_quote",
                .unsigned128,
                isOptional: true,
                "virtual quote of the curve at the start, raw units"
            ),
            Column(
                "start_real_tokens",
                .unsigned128,
                isOptional: true,
                "tokens for sale on the curve at the start (R0), raw units"
            ),
            Column("supply", .unsigned128, isOptional: true, "supply at the start, raw units"),
            Column(
                "is_start_default",
                .boolean,
                "whether any of these four is a default because no event told it"
            ),
            Column("first_position", .unsigned64, "slot or block in which it was first seen"),
            Column(
                "created_position",
                .unsigned64,
                isOptional: true,
                "slot or block of its creation"
            ),
            Column(
                "created_transaction",
                .unsigned32,
                isOptional: true,
                "place of the creating transaction in it"
            ),
            Column("created_time", .signed64, isOptional: true, "its time, seconds since 1970"),
            Column(
                "near_position",
                .unsigned64,
                isOptional: true,
                "slot or block in which it first came near graduation"
            ),
            Column("near_entries", .unsigned32, "how often it came near graduation"),
            Column(
                "completed_position",
                .unsigned64,
                isOptional: true,
                "slot or block in which its curve sold out"
            ),
            Column("completed_time", .signed64, isOptional: true, "its time, seconds since 1970"),
            Column(
                "is_complete_inferred",
                .boolean,
                "whether no event said so: the last token was sold, or a pool of it was seen"
            ),
            Column(
                "migrated_position",
                .unsigned64,
                isOptional: true,
                "slot or block in which its funds went to a pool"
            ),
            Column("migrated_time", .signed64, isOptional: true, "its time, seconds since 1970"),
            Column(
                "migrated_tokens",
                .unsigned128,
                isOptional: true,
                "tokens put into the pool, raw units"
            ),
            Column(
                "migrated_quote",
                .unsigned128,
                isOptional: true,
                "quote put into the pool, raw units"
            ),
            Column(
                "migration_fee",
                .unsigned128,
                isOptional: true,
                "quote kept by the venue, raw units"
            ),
            Column(
                "live_position",
                .unsigned64,
                isOptional: true,
                "slot or block of the first trade in its pool"
            ),
            Column("live_time", .signed64, isOptional: true, "its time, seconds since 1970"),
            Column(
                "graduation_slots",
                .unsigned64,
                isOptional: true,
                "slots from creation to completion"
            ),
            Column(
                "graduation_seconds",
                .signed64,
                isOptional: true,
                "seconds from creation to completion"
            ),
            Column(
                "is_time_estimated",
                .boolean,
                "whether any time of this row was reckoned from the slot"
            ),
        ]
    )

    package static func encode(_ key: Address, to writer: inout RowWriter) { writer.add(key) }
    package static func decodeKey(_ reader: inout RowReader) throws(RowError) -> Address {
        try reader.address()
    }
    package func encode(to writer: inout RowWriter) {
        writer.add(phase.rawValue)
        writer.add(origin.rawValue)
        writer.add(venue.rawValue)
        writer.add(optional: quote) { $0.add($1) }
        writer.add(optional: curve) { $0.add($1) }
        writer.add(optional: pool) { $0.add($1) }
        writer.add(isPoolInferred)
        writer.add(optional: user) { $0.add($1) }
        writer.add(optional: firstCreator) { $0.add($1) }
        writer.add(optional: creator) { $0.add($1) }
        writer.add(optional: tokenProgram) { $0.add($1) }
        writer.add(isMayhem)
        writer.add(isCashback)
        writer.add(isHolderReward)
        writer.add(isBoosted)
        writer.add(optional: startTokens) { $0.add($1) }
        writer.add(optional: startQuote) { $0.add($1) }
        writer.add(optional: startRealTokens) { $0.add($1) }
        writer.add(optional: supply) { $0.add($1) }
        writer.add(isStartDefault)
        writer.add(firstPosition)
        writer.add(optional: createdPosition) { $0.add($1) }
        writer.add(optional: createdTransaction) { $0.add($1) }
        writer.add(optional: createdTime) { $0.add($1) }
        writer.add(optional: nearPosition) { $0.add($1) }
        writer.add(nearEntries)
        writer.add(optional: completedPosition) { $0.add($1) }
        writer.add(optional: completedTime) { $0.add($1) }
        writer.add(isCompleteInferred)
        writer.add(optional: migratedPosition) { $0.add($1) }
        writer.add(optional: migratedTime) { $0.add($1) }
        writer.add(optional: migratedTokens) { $0.add($1) }
        writer.add(optional: migratedQuote) { $0.add($1) }
        writer.add(optional: migrationFee) { $0.add($1) }
        writer.add(optional: livePosition) { $0.add($1) }
        writer.add(optional: liveTime) { $0.add($1) }
        writer.add(optional: graduationSlots) { $0.add($1) }
        writer.add(optional: graduationSeconds) { $0.add($1) }
        writer.add(isTimeEstimated)
    }
    /// Reads the columns beside the key.
    package init(from reader: inout RowReader) throws(RowError) {
        phase = try TokenPhase(from: &reader, column: 0)
        origin = try TokenOrigin(from: &reader, column: 1)
        venue = try Venue(from: &reader, column: 2)
        quote = try reader.optional { (reader) throws(RowError) in try reader.address() }
        curve = try reader.optional { (reader) throws(RowError) in try reader.address() }
        pool = try reader.optional { (reader) throws(RowError) in try reader.address() }
        isPoolInferred = try reader.boolean()
        user = try reader.optional { (reader) throws(RowError) in try reader.address() }
        firstCreator = try reader.optional { (reader) throws(RowError) in try reader.address() }
        creator = try reader.optional { (reader) throws(RowError) in try reader.address() }
        tokenProgram = try reader.optional { (reader) throws(RowError) in try reader.address() }
        isMayhem = try reader.boolean()
        isCashback = try reader.boolean()
        isHolderReward = try reader.boolean()
        isBoosted = try reader.boolean()
        startTokens = try reader.optional { (reader) throws(RowError) in try reader.unsigned128() }
        startQuote = try reader.optional { (reader) throws(RowError) in try reader.unsigned128() }
        startRealTokens = try reader.optional { (reader) throws(RowError) in
            try reader.unsigned128()
        }
        supply = try reader.optional { (reader) throws(RowError) in try reader.unsigned128() }
        isStartDefault = try reader.boolean()
        firstPosition = try reader.unsigned64()
        createdPosition = try reader.optional { (reader) throws(RowError) in try reader.unsigned64()
        }
        createdTransaction = try reader.optional { (reader) throws(RowError) in
            try reader.unsigned32()
        }
        createdTime = try reader.optional { (reader) throws(RowError) in try reader.signed64() }
        nearPosition = try reader.optional { (reader) throws(RowError) in try reader.unsigned64() }
        nearEntries = try reader.unsigned32()
        completedPosition = try reader.optional { (reader) throws(RowError) in
            try reader.unsigned64()
        }
        completedTime = try reader.optional { (reader) throws(RowError) in try reader.signed64() }
        isCompleteInferred = try reader.boolean()
        migratedPosition = try reader.optional { (reader) throws(RowError) in
            try reader.unsigned64()
        }
        migratedTime = try reader.optional { (reader) throws(RowError) in try reader.signed64() }
        migratedTokens = try reader.optional { (reader) throws(RowError) in try reader.unsigned128()
        }
        migratedQuote = try reader.optional { (reader) throws(RowError) in try reader.unsigned128()
        }
        migrationFee = try reader.optional { (reader) throws(RowError) in try reader.unsigned128() }
        livePosition = try reader.optional { (reader) throws(RowError) in try reader.unsigned64() }
        liveTime = try reader.optional { (reader) throws(RowError) in try reader.signed64() }
        graduationSlots = try reader.optional { (reader) throws(RowError) in try reader.unsigned64()
        }
        graduationSeconds = try reader.optional { (reader) throws(RowError) in try reader.signed64()
        }
        isTimeEstimated = try reader.boolean()
    }
}
