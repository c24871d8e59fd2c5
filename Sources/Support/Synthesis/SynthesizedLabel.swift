import MarketModel
import RecordModel

/// Something that an actor of a synthetic market did on purpose, as the actor knows it. Written as
/// NDJSON beside a recording, one line each.
package struct SynthesizedLabel: Equatable, Sendable {
    /// What was done; raw values stand in files and never change.
    package enum Kind: String, Sendable, CaseIterable {
        case sandwich
        case sandwichUnprofitable = "sandwich_unprofitable"
        case wide
        case possibleFrontRun = "possible_frontrun"
        case backRun = "backrun"
        case arbitrage
        case copyTrading = "copy_trading"
    }

    /// Why something is innocent that looks like one of the kinds; raw values stand in files and never
    /// change.
    package enum Innocence: String, Sendable, CaseIterable {
        /// Round trip after round trip, one of them around somebody by chance.
        case marketMaker = "market_maker"
        /// Sells a part of what was bought, far behind whoever was between.
        case quickFlip = "quick_flip"
        /// Different users of one router, whose wallet trades for them.
        case router
        /// Every trade closes on another pool at once.
        case cycle
        /// Who is between belongs to the same owner.
        case oneOwner = "one_owner"
        /// pump.fun's own agent.
        case agent
        /// So many buyers at once that pairs say nothing.
        case crowd
        /// The first neither bid nor tipped more.
        case lowBid = "low_bid"
        /// Others are between the two.
        case farApart = "far_apart"
        /// The first is too small to matter.
        case tooSmall = "too_small"
        /// The second would have taken a far worse price.
        case wideLimit = "wide_limit"
        /// Nobody paid for the place.
        case noTip = "no_tip"
        /// Follows too seldom.
        case seldom
        /// Buys nearly everything.
        case sniper
    }

    package var kind: Kind
    /// Set when it only looks like its kind, and must not be detected.
    package var innocence: Innocence?
    /// Of the last trade.
    package var slot: UInt64
    /// 32 bytes: the pool or, on a bonding curve, the coin.
    package var pool: [UInt8]
    /// Signatures of 64 bytes, in chain order. Of a back-run the victim is the trade before it; of a
    /// copy the leader's buy is the front and the follower's the back.
    package var fronts: [[UInt8]]
    package var victims: [[UInt8]]
    package var backs: [[UInt8]]
    /// 32 bytes.
    package var attacker: [UInt8]

    /// The line, with its end. No member needs escaping.
    package var line: String {
        func list(_ signatures: [[UInt8]]) -> String {
            "[" + signatures.map { "\"\(Base58.encode($0))\"" }.joined(separator: ",") + "]"
        }
        let name = innocence == nil ? kind.rawValue : "look_alike"
        let reason = innocence.map {
            ",\"resembles\":\"\(kind.rawValue)\",\"why\":\"\($0.rawValue)\""
        }
        return "{\"class\":\"\(name)\",\"slot\":\"\(slot)\","
            + "\"pool\":\"\(Base58.encode(pool))\",\"front\":\(list(fronts)),"
            + "\"victims\":\(list(victims)),\"back\":\(list(backs)),"
            + "\"attacker\":\"\(Base58.encode(attacker))\",\"wide\":\(kind == .wide)"
            + (reason ?? "") + "}\n"  // only look-alikes have one
    }
}

/// Labels that wait until it is known what of them the streams brought: of what no stream brought
/// nobody can tell anything.
struct LabelBook {
    /// Longer than any message of a slot is under way.
    private static let patience: Int64 = 20_000_000_000

    private var waiting: [(since: Int64, label: SynthesizedLabel)] = []
    /// Words of the signatures of the newest blocks, and those that no stream has brought yet.
    private var blocks: [(since: Int64, signatures: [UInt64])] = []
    private var missing: Set<UInt64> = []
    private var told: [SynthesizedLabel] = []

    /// A block of the chain that is confirmed, with the labels that it completes.
    mutating func take(_ block: SolanaSlot, _ labels: [SynthesizedLabel], at time: Int64) {
        settle(waiting.prefix { $0.since + Self.patience < time }.count)
        // Labels reach back over some slots.
        let old = blocks.prefix { $0.since + 2 * Self.patience < time }
        for block in old { missing.subtract(block.signatures) }
        blocks.removeFirst(old.count)
        let signatures = block.transactions.filter(\.isMarket).map(\.signatureWord)
        missing.formUnion(signatures)
        blocks.append((time, signatures))
        for label in labels { waiting.append((time, label)) }
    }

    mutating func note(delivered signature: UInt64) { missing.remove(signature) }

    mutating func finish() -> [SynthesizedLabel] {
        settle(waiting.count)
        return told
    }

    private mutating func settle(_ count: Int) {
        for (_, label) in waiting.prefix(count) {
            var label = label
            let isWhole = (label.fronts + label.backs).allSatisfy(isDelivered)
            let hadVictims = !label.victims.isEmpty
            label.victims.removeAll { !isDelivered($0) }
            if isWhole, !hadVictims || !label.victims.isEmpty { told.append(label) }
        }
        waiting.removeFirst(count)
    }

    private func isDelivered(_ signature: [UInt8]) -> Bool {
        !missing.contains(signature.prefix(8).reduce(0) { $0 << 8 | UInt64($1) })
    }
}
