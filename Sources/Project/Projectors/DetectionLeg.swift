package import MarketModel
package import Projection

/// One trade of a detection, with what it did in it: a row of its own, so that the evidence of a
/// detection can be asked for in SQL.
package struct DetectionLeg: TableRow {
    /// Which leg of which detection.
    package struct Key: Hashable, Comparable, Sendable {
        package var detection: Detection.Key
        /// In chain order, from 0.
        package var number: UInt32

        package init(detection: Detection.Key, number: UInt32) {
            self.detection = detection
            self.number = number
        }

        package static func < (left: Key, right: Key) -> Bool {
            (left.detection, left.number) < (right.detection, right.number)
        }
    }

    /// What it did. Raw values stand in rows and never change.
    package enum Role: UInt8, Hashable, Sendable, CustomStringConvertible {
        case front = 1
        case victim = 2
        case back = 3
        /// One step of a cycle.
        case hop = 4
        /// The large trade that was back-run.
        case trigger = 5
        case leader = 6
        case follower = 7

        package var description: String {
            switch self {
            case .front: "front"
            case .victim: "victim"
            case .back: "back"
            case .hop: "hop"
            case .trigger: "trigger"
            case .leader: "leader"
            case .follower: "follower"
            }
        }
    }

    /// What it did in the detection.
    package var role: Role
    /// Where the leg stands.
    package var slot: UInt64
    /// Of the last trade of the leg.
    package var place: EventPlace
    package var transaction: TransactionID
    package var pool: Address
    package var trader: Address
    package var side: Trade.Side
    package var tokenAmount: UInt128
    /// What the trader paid or got.
    package var quoteAmount: UInt128
    /// Of a victim: what it would have got more, in units of what it got. Nil when not known.
    package var loss: UInt128?

    /// The leg in a role.
    package init(_ role: Role, _ leg: TradeLeg, pool: Address, loss: UInt128? = nil) {
        self.role = role
        slot = leg.slot
        place = leg.place
        transaction = leg.transaction
        self.pool = pool
        trader = leg.trader
        side = leg.side
        tokenAmount = leg.tokenAmount
        quoteAmount = leg.traderQuoteAmount
        self.loss = loss
    }

    package static let schema = TableSchema(
        "detection_legs",
        "The trades of each detection, in chain order: its evidence",
        key: Detection.schema.key + [Column("leg", .unsigned32, "number of the leg, from 0")],
        columns: [
            Column("role", .unsigned8, "1 front ... 7 follower, see the README"),
            Column("leg_slot", .unsigned64, "slot or block of the leg"),
            Column("leg_transaction_index", .unsigned32, "its transaction's place in the block"),
            Column("leg_instruction", .unsigned16, "its last trade's top-level instruction"),
            Column("leg_inner", .unsigned16, "that trade's place among the calls below"),
            Column("leg_ordinal", .unsigned32, "its place among the events of the call"),
            Column("chain_kind", .unsigned8, "1 Solana, 2 EVM: what the transaction's bytes are"),
            Column("transaction", .signature, "the transaction"),
            Column("pool", .address, "where it traded"),
            Column("trader", .address, "whose trade it was"),
            Column("side", .unsigned8, "1 buy, 2 sell"),
            Column("tokens", .unsigned128, "tokens bought or sold"),
            Column("quote", .unsigned128, "what the trader paid or got"),
            Column("loss", .unsigned128, isOptional: true, "of a victim, in units of what it got"),
        ]
    )
}

extension DetectionLeg {
    /// Writes the key columns.
    package static func encode(_ key: Key, to writer: inout RowWriter) {
        Detection.encode(key.detection, to: &writer)
        writer.add(key.number)
    }

    /// Reads the key columns.
    package static func decodeKey(_ reader: inout RowReader) throws(RowError) -> Key {
        let detection = try Detection.decodeKey(&reader)
        return Key(detection: detection, number: try reader.unsigned32())
    }

    /// Writes the other columns.
    package func encode(to writer: inout RowWriter) {
        writer.add(role.rawValue)
        writer.add(slot)
        writer.add(place)
        writer.addNamed(transaction)
        writer.add(pool)
        writer.add(trader)
        writer.add(side.rawValue)
        writer.add(tokenAmount)
        writer.add(quoteAmount)
        writer.add(optional: loss) { $0.add($1) }
    }

    /// Reads the other columns.
    package init(from reader: inout RowReader) throws(RowError) {
        guard let role = Role(rawValue: try reader.unsigned8()) else { throw .invalid(column: 0) }
        self.role = role
        slot = try reader.unsigned64()
        place = try reader.place()
        transaction = try reader.namedTransaction()
        pool = try reader.address()
        trader = try reader.address()
        guard let side = Trade.Side(rawValue: try reader.unsigned8()) else {
            throw .invalid(column: 10)
        }
        self.side = side
        tokenAmount = try reader.unsigned128()
        quoteAmount = try reader.unsigned128()
        loss = try reader.optional { (reader) throws(RowError) in try reader.unsigned128() }
    }
}
