package import MarketModel

/// What truly happened, as those who made the recording know it. Written as NDJSON, one line each; the
/// README of the stage has the format.
package struct DetectionLabel: Hashable, Sendable {
    package var kind: DetectionClass
    /// Of the last leg.
    package var slot: UInt64
    package var pool: Address
    /// Transactions by their part in it, in chain order.
    package var fronts: [TransactionID]
    package var victims: [TransactionID]
    package var backs: [TransactionID]
    package var attacker: Address
    /// Whether front and back stand in different slots.
    package var isWide: Bool

    package init(
        kind: DetectionClass,
        slot: UInt64,
        pool: Address,
        fronts: [TransactionID],
        victims: [TransactionID],
        backs: [TransactionID],
        attacker: Address,
        isWide: Bool
    ) {
        self.kind = kind
        self.slot = slot
        self.pool = pool
        self.fronts = fronts
        self.victims = victims
        self.backs = backs
        self.attacker = attacker
        self.isWide = isWide
    }

    /// What a detection would be as a label: what people compare.
    package init(_ key: Detection.Key, _ detection: Detection) {
        kind = key.kind
        slot = key.slot
        pool = detection.pool
        fronts = []
        victims = []
        backs = []
        attacker = detection.attacker
        isWide = key.kind == .wide
        for leg in detection.legs {
            switch leg.role {
            case .front, .leader, .hop: fronts.append(leg.transaction)
            case .victim, .trigger: victims.append(leg.transaction)
            case .back, .follower: backs.append(leg.transaction)
            }
        }
    }

    /// The line without its end. No member needs escaping.
    package func line(on chain: Chain) -> String {
        func list(_ ids: [TransactionID]) -> String {
            "[" + ids.map { "\"\($0)\"" }.joined(separator: ",") + "]"
        }
        return "{\"class\":\"\(kind)\",\"slot\":\"\(slot)\",\"pool\":\"\(pool.text(on: chain))\","
            + "\"front\":\(list(fronts)),\"victims\":\(list(victims)),\"back\":\(list(backs)),"
            + "\"attacker\":\"\(attacker.text(on: chain))\",\"wide\":\(isWide)}"
    }
}
