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
    package func line(on chain: Chain) -> String { line(on: chain, as: "\(kind)") + "}" }

    /// The line under a class, without the brace at its end.
    fileprivate func line(on chain: Chain, as name: String) -> String {
        func list(_ ids: [TransactionID]) -> String {
            "[" + ids.map { "\"\($0)\"" }.joined(separator: ",") + "]"
        }
        return "{\"class\":\"\(name)\",\"slot\":\"\(slot)\",\"pool\":\"\(pool.text(on: chain))\","
            + "\"front\":\(list(fronts)),\"victims\":\(list(victims)),\"back\":\(list(backs)),"
            + "\"attacker\":\"\(attacker.text(on: chain))\",\"wide\":\(isWide)"
    }
}

/// Something innocent that looks like a class, as those who made the recording know it.
package struct LookAlikeLabel: Hashable, Sendable {
    /// The class under which it stands in labels.
    package static let name = "look_alike"

    /// Its transactions, and as `kind` what it looks like.
    package var label: DetectionLabel
    /// Why it is none.
    package var why: String

    package init(label: DetectionLabel, why: String) {
        self.label = label
        self.why = why
    }

    /// The line without its end; nothing is escaped.
    package func line(on chain: Chain) -> String {
        label.line(on: chain, as: LookAlikeLabel.name)
            + ",\"resembles\":\"\(label.kind)\",\"why\":\"\(why)\"}"
    }
}
