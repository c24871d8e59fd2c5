package import MarketModel
package import Projection

/// Trading activity, and what in it was not fair: volumes by the minute, wallets and their positions,
/// sandwiches, front-runs, back-runs, cycles and copy trading.
///
/// One fold reads the bundle's trades once, in chain order. What is per pool is gathered first and
/// written once for each pool; detectors then look at each pool's newest trades, pools in the order in
/// which they first traded in the bundle. Detectors run on Solana alone: their rules are Solana's.
package final class TradingProjector: Projector {
    package static let name = "trading"
    package static let version: UInt32 = 2

    package let configuration: String

    let chain: Chain
    let parameters: TradingParameters
    let knownQuotes: [Address]
    let times: MonitorTimes<TradingTimes>
    let tokenMinutes: Table<TokenMinute>
    let poolMinutes: Table<PoolMinute>
    let prices: Table<TradingPrice>
    let traders: Table<TradingTrader>
    let positions: Table<TradePosition>
    let recent: Table<TradingRecent>
    let recentLinks: Table<TradingLinks>
    let detections: Table<Detection>
    let detectionLegs: Table<DetectionLeg>
    let wash: Table<TradingWash>
    let copyTrading: CopyTrading

    /// Empty; kept for the memory that it has.
    private var spare = TradingBundle()

    /// Makes its tables in a store.
    ///
    /// - Parameters:
    ///   - store: of the chain that the parameters are for.
    ///   - parameters: thresholds and defaults.
    package init(_ store: StateStore, _ parameters: MonitorParameters) {
        precondition(store.chain == parameters.chain, "parameters of \(parameters.chain)")
        chain = store.chain
        self.parameters = parameters.trading
        knownQuotes = parameters.quotes
        configuration = parameters.sharedText + parameters.trading.text(on: store.chain)
        times = MonitorTimes(store, slotMilliseconds: parameters.slotMilliseconds)
        tokenMinutes = store.table(TokenMinute.self)
        poolMinutes = store.table(PoolMinute.self)
        prices = store.table(TradingPrice.self)
        traders = store.table(TradingTrader.self)
        positions = store.table(TradePosition.self)
        recent = store.table(TradingRecent.self)
        recentLinks = store.table(TradingLinks.self)
        detections = store.table(Detection.self)
        detectionLegs = store.table(DetectionLeg.self)
        wash = store.table(TradingWash.self)
        copyTrading = CopyTrading(store, parameters.trading)
    }

    package func apply(_ bundle: Bundle, notices: inout [Notice]) {
        let (seconds, isEstimated) = times.begin(bundle)
        // Taken out of the object, so that every use of it is a plain one.
        var gathered = TradingBundle()
        swap(&gathered, &spare)
        gathered.begin(slot: bundle.position, seconds: seconds, isEstimated: isEstimated)
        for facts in bundle.transactions {
            fold(facts, into: &gathered, notices: &notices)
        }
        expire(before: bundle.position)
        writeLinks(&gathered)
        for index in gathered.groups.indices {
            finish(gathered.groups[index], of: gathered, notices: &notices)
        }
        gathered.removeAll()
        swap(&gathered, &spare)
    }

    /// Writes what was detected and tells of it.
    func report(_ key: Detection.Key, _ detection: Detection, notices: inout [Notice]) {
        var row = detection
        row.legs = []
        detections.put(key, row)
        for (number, leg) in detection.legs.enumerated() {
            detectionLegs.put(DetectionLeg.Key(detection: key, number: UInt32(number)), leg)
        }
        notices.append(detection.notice(key, on: chain))
    }

    /// A detection with its legs; nil when there is none of that key.
    package func detection(_ key: Detection.Key) -> Detection? {
        guard var found = detections[key] else { return nil }
        found.legs = (0..<found.legCount).compactMap {
            detectionLegs[DetectionLeg.Key(detection: key, number: $0)]
        }
        return found
    }

    /// Removes trades and transfers that no window reaches any more.
    private func expire(before slot: UInt64) {
        let kept = max(parameters.recentSlots, parameters.wideSlots.addingSaturated(1))
        if slot >= kept {
            let first = TradingRecent.Key(slot: 0, pool: .zero)
            let last = TradingRecent.Key(slot: slot - kept, pool: .greatest)
            for key in recent.keys(in: first...last) { recent.remove(key) }
        }
        if slot > parameters.wideSlots {
            let first = TradingLinks.Key(slot: 0, token: .zero)
            let last = TradingLinks.Key(
                slot: slot - parameters.wideSlots - 1,
                token: .greatest
            )
            for key in recentLinks.keys(in: first...last) { recentLinks.remove(key) }
        }
    }

    /// Writes the transfers of the bundle and finds those of the window.
    private func writeLinks(_ bundle: inout TradingBundle) {
        for token in bundle.linkedTokens {
            guard let links = bundle.links[token] else { continue }
            recentLinks.put(
                TradingLinks.Key(slot: bundle.slot, token: token),
                TradingLinks(links)
            )
        }
        let first = TradingLinks.Key(slot: 0, token: .zero)
        let last = TradingLinks.Key(slot: bundle.slot, token: .greatest)
        for key in recentLinks.keys(in: first...last) {
            guard let row = recentLinks[key] else { continue }
            for link in row.links {
                bundle.windowLinks[key.token, default: []]
                    .append(TradeWindow.LinkAt(slot: key.slot, link: link))
            }
        }
    }
}

/// The clock and the gaps of `TradingProjector`.
package enum TradingTimes: MonitorOwner {
    package static let clockSchema = MonitorClock<TradingTimes>.schema(named: "trading_clock")
    package static let gapSchema = MonitorGap<TradingTimes>.schema(named: "trading_gaps")
    package static let driftSchema = MonitorDrift<TradingTimes>.schema(
        named: "trading_drifts",
        subject: "pool"
    )
}

extension Address {
    /// Above all others.
    static let greatest = Address(Bytes32(words: (.max, .max, .max, .max)))
}

extension UInt64 {
    /// The sum, or the greatest number when it is above that.
    func addingSaturated(_ other: UInt64) -> UInt64 {
        let (sum, overflows) = addingReportingOverflow(other)
        return overflows ? .max : sum
    }
}
