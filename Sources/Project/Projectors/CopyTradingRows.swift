package import MarketModel
package import Projection

/// Counts by day of block time, of the newest days. What is older is forgotten when a newer day comes.
package struct CopyTradingDays: Hashable, Sendable {
    /// The most days that fit.
    package static let daysMax = 8

    /// The newest day, counted from 1970.
    package private(set) var day: Int64
    /// How many days count.
    package let days: UInt8
    /// Eight counts of 32 bits: those of the newest four days, the newest in the lowest bits, and
    /// those of the four days before.
    private var newer: UInt128 = 0
    private var older: UInt128 = 0

    /// Empty counts of some days up to one.
    package init(day: Int64, days: Int) {
        self.day = day
        self.days = UInt8(max(1, min(days, CopyTradingDays.daysMax)))
    }

    /// Makes a day the newest. A day before it counts as the newest one: block time does not go back.
    package mutating func advance(to now: Int64) {
        guard now > day else { return }
        let (steps, overflows) = now.subtractingReportingOverflow(day)
        day = now
        guard !overflows, steps < Int64(days) else {
            newer = 0
            older = 0
            return
        }
        for _ in 0..<steps {
            older = older << 32 | newer >> 96
            newer <<= 32
        }
        let bits = UInt128(days) * 32
        if bits < 128 {
            newer &= (1 << bits) - 1
            older = 0
        } else if bits < 256 {
            older &= (1 << (bits - 128)) - 1
        }
    }

    /// Counts one on the newest day; at most 2^32 - 1.
    package mutating func add() {
        if UInt32(truncatingIfNeeded: newer) < .max { newer += 1 }
    }

    /// The sum over all days that are still in the window when `now` is the newest.
    package func total(at now: Int64) -> UInt64 {
        var copy = self
        copy.advance(to: now)
        return copy.counts.reduce(0) { $0 + UInt64($1) }
    }

    /// The counts, that of the newest day first.
    package var counts: [UInt32] {
        (0..<CopyTradingDays.daysMax).map { place in
            let half = place < 4 ? newer : older
            return UInt32(truncatingIfNeeded: half >> UInt128(32 * (place % 4)))
        }
    }

    static func columns(_ name: String, _ meaning: String) -> [Column] {
        [
            Column(name + "_day", .signed64, "newest day, counted from 1970"),
            Column(name + "_count", .unsigned8, "how many days are counted"),
            Column(
                name + "_newer",
                .unsigned128,
                meaning + " of the newest four days, 32 bits each, the newest lowest"
            ),
            Column(name + "_older", .unsigned128, meaning + " of the four days before"),
        ]
    }

    func encode(to writer: inout RowWriter) {
        writer.add(day)
        writer.add(days)
        writer.add(newer)
        writer.add(older)
    }

    init(from reader: inout RowReader) throws(RowError) {
        day = try reader.signed64()
        days = try reader.unsigned8()
        guard (1...8).contains(days) else { throw .invalid(column: 1) }
        newer = try reader.unsigned128()
        older = try reader.unsigned128()
    }
}

/// First buys of one wallet.
package struct CopyTradingWallet: TableRow {
    /// Of any token that it had not bought before.
    package var firstBuys: CopyTradingDays
    /// Of those, the ones made while it led.
    package var ledBuys: CopyTradingDays
    /// Sandwiches it did: such a wallet neither leads nor follows.
    package var attacks: UInt32 = 0

    package init(day: Int64, days: Int) {
        firstBuys = CopyTradingDays(day: day, days: days)
        ledBuys = CopyTradingDays(day: day, days: days)
    }

    package static let schema = TableSchema(
        "copy_wallets",
        "How many tokens a wallet bought for the first time, of the newest days",
        key: [Column("trader", .address, "the wallet")],
        columns: CopyTradingDays.columns("first_buys", "first buys of a token")
            + CopyTradingDays.columns("led_buys", "those made while the wallet led")
            + [Column("attacks", .unsigned32, "sandwiches it did")]
    )

    package static func encode(_ key: Address, to writer: inout RowWriter) { writer.add(key) }
    package static func decodeKey(_ reader: inout RowReader) throws(RowError) -> Address {
        try reader.address()
    }
    package func encode(to writer: inout RowWriter) {
        firstBuys.encode(to: &writer)
        ledBuys.encode(to: &writer)
        writer.add(attacks)
    }
    /// Reads the other columns.
    package init(from reader: inout RowReader) throws(RowError) {
        firstBuys = try CopyTradingDays(from: &reader)
        ledBuys = try CopyTradingDays(from: &reader)
        attacks = try reader.unsigned32()
    }
}

/// How many tokens there were to copy. One row, of key 0.
package struct CopyTradingTotal: TableRow {
    /// Tokens that were bought for the first time by anybody.
    package var tokens: CopyTradingDays

    package init(day: Int64, days: Int) {
        tokens = CopyTradingDays(day: day, days: days)
    }

    package static let schema = TableSchema(
        "copy_total",
        "How many tokens were bought for the first time by anybody, of the newest days",
        key: [Column("place", .unsigned8, "always 0: there is one row")],
        columns: CopyTradingDays.columns("tokens", "tokens that were new")
    )

    package static func encode(_ key: UInt8, to writer: inout RowWriter) { writer.add(key) }
    package static func decodeKey(_ reader: inout RowReader) throws(RowError) -> UInt8 {
        try reader.unsigned8()
    }
    package func encode(to writer: inout RowWriter) { tokens.encode(to: &writer) }
    /// Reads the other columns.
    package init(from reader: inout RowReader) throws(RowError) {
        tokens = try CopyTradingDays(from: &reader)
    }
}
