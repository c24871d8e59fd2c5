package import MarketModel
import Projection

/// One trade of a detection, with what it did in it.
package struct DetectionLeg: Hashable, Sendable {
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

    func pack(into writer: inout RowWriter) {
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

    init(unpacking reader: inout RowReader) throws(RowError) {
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
