import MarketModel
import Projection

/// Milestones of the market cap.
struct TokenPricing {
    private let milestones: Table<TokenMilestoneRow>
    private let parameters: LifecycleParameters

    init(_ store: StateStore, _ parameters: LifecycleParameters) {
        milestones = store.table(TokenMilestoneRow.self)
        self.parameters = parameters
    }

    /// Takes a new price.
    ///
    /// - Parameters:
    ///   - reserves: what it is made of.
    ///   - venue: where they are.
    ///   - supply: what an event told of it; nil leaves it.
    ///   - work: whose price it is.
    ///   - moment: when.
    ///   - notices: milestones are added here.
    func setPrice(
        _ reserves: Reserves,
        venue: Venue,
        supply: UInt128?,
        of work: inout TokenWork,
        at moment: MonitorMoment,
        notices: inout [Notice]
    ) {
        work.isMarketChanged = true
        work.market.priceVenue = venue
        work.market.pricePosition = moment.position
        work.market.tokens = reserves.token
        work.market.quote = reserves.quote
        if let supply { work.market.supply = supply }
        let isFirst = work.market.marketCap == nil && work.market.highestCap == nil
        work.market.marketCap = nil
        guard let supply = work.market.supply,
            let cap = Exact.mulDiv(reserves.quote, supply, reserves.token)
        else { return }
        work.market.marketCap = cap.value
        if cap.isSaturated { work.market.isSaturated = true }
        // The first cap is the highest.
        if work.market.highestCap.map({ cap.value > $0 }) ?? true {
            work.market.highestCap = cap.value
            work.market.highestPosition = moment.position
        }
        // The first cap of a token whose creation was not seen tells nothing of how it got there.
        let isSeen = !isFirst || work.row.origin == .curve
        let level = Int(work.market.milestones)
        if level < work.thresholds.count, cap.value >= work.thresholds[level] {
            rise(&work, to: cap.value, isSeen: isSeen, at: moment, notices: &notices)
        } else if parameters.rearmsMilestones, level > 0 {
            fall(&work, to: cap.value)
        }
    }

    private func rise(
        _ work: inout TokenWork,
        to cap: UInt128,
        isSeen: Bool,
        at moment: MonitorMoment,
        notices: inout [Notice]
    ) {
        while Int(work.market.milestones) < work.thresholds.count {
            let threshold = work.thresholds[Int(work.market.milestones)]
            guard cap >= threshold else { return }
            work.market.milestones += 1
            let key = TokenMilestoneKey(token: work.token, threshold: threshold)
            var row =
                milestones[key]
                ?? TokenMilestoneRow(
                    moment: moment,
                    marketCap: cap,
                    isSeen: isSeen
                )
            row.crossings &+= 1
            milestones.put(key, row)
            guard isSeen else { continue }
            notices.append(
                moment.notice(
                    "token_milestone",
                    work.token,
                    [
                        Notice.Detail("threshold", String(threshold)),
                        Notice.Detail("market_cap", String(cap)),
                        Notice.Detail("crossings", String(row.crossings)),
                    ]
                )
            )
        }
    }

    private func fall(_ work: inout TokenWork, to cap: UInt128) {
        while work.market.milestones > 0 {
            let threshold = work.thresholds[Int(work.market.milestones) - 1]
            let isBelow = Exact.isLess(cap, 100, threshold, UInt128(parameters.rearmPercent))
            guard isBelow else { return }
            work.market.milestones -= 1
        }
    }
}

extension TokenMilestoneRow {
    /// A threshold reached for the first time.
    init(moment: MonitorMoment, marketCap: UInt128, isSeen: Bool) {
        self.init()
        position = moment.position
        transaction = moment.transaction
        time = moment.seconds
        self.marketCap = marketCap
        self.isSeen = isSeen
    }
}
