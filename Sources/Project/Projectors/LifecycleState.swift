import MarketModel
import Projection

/// What all events of tokens share while a bundle is folded: the tokens it touches, where the fold
/// is, and what is worth telling.
struct LifecycleState {
    let parameters: LifecycleParameters
    let curves: Table<TokenCurveRow>
    let texts: Table<TokenTextRow>
    private let pricing: TokenPricing
    let traders: TokenTraders
    var set: LifecycleWorkingSet
    var moment: MonitorMoment
    var notices: [Notice] = []

    init(_ store: StateStore, _ parameters: LifecycleParameters) {
        self.parameters = parameters
        curves = store.table(TokenCurveRow.self)
        texts = store.table(TokenTextRow.self)
        pricing = TokenPricing(store, parameters)
        traders = TokenTraders(store, parameters)
        set = LifecycleWorkingSet(store, parameters)
        moment = MonitorMoment(
            chain: store.chain,
            position: 0,
            seconds: nil,
            isEstimated: true,
            place: nil
        )
    }

    /// The place of a token in the working set; its rows are made when there are none.
    mutating func findOrMake(_ token: Address, venue: Venue) -> Int {
        set.find(token, at: moment.position) ?? set.make(token, venue: venue, at: moment.position)
    }

    /// Takes a new price of a token; one without tokens is none.
    ///
    /// - Parameters:
    ///   - place: whose.
    ///   - reserves: what it is made of.
    ///   - venue: where they are.
    ///   - supply: what an event told of it; nil leaves it.
    mutating func price(
        _ place: Int,
        _ reserves: Reserves?,
        venue: Venue,
        supply: UInt128? = nil
    ) {
        guard let reserves, reserves.token > 0 else { return }
        pricing.setPrice(
            reserves,
            venue: venue,
            supply: supply,
            of: &set.works[place],
            at: moment,
            notices: &notices
        )
    }

    /// What a token's price is made of.
    func reserves(of place: Int) -> Reserves? {
        guard let token = set.works[place].market.tokens,
            let quote = set.works[place].market.quote
        else { return nil }
        return Reserves(token: token, quote: quote)
    }

    /// Counts a trade.
    mutating func count(_ trade: Trade, of place: Int) {
        set.works[place].isMarketChanged = true
        set.works[place].market.lastTrade = moment.position
        if trade.flags.contains(.saturated) { set.works[place].market.isSaturated = true }
        guard !trade.flags.contains(.mayhemAgent) else {
            set.works[place].market.agentTrades &+= 1
            return
        }
        set.works[place].market.trades &+= 1
        let isInQuote = trade.quote == set.works[place].row.quote
        switch trade.side {
        case .buy:
            set.works[place].market.buys &+= 1
            if isInQuote {
                let sum = set.works[place].market.quoteBought.plus(trade.quoteAmount)
                set.works[place].market.quoteBought = sum
            }
        case .sell:
            if isInQuote {
                let sum = set.works[place].market.quoteSold.plus(trade.quoteAmount)
                set.works[place].market.quoteSold = sum
            }
        }
        guard trade.trader != trade.pool, trade.trader != trade.curve else { return }
        traders.count(trade, of: &set.works[place], at: moment)
    }

    // MARK: Phases

    /// Moves a token to the phase that follows, counts it for its creator and tells of it.
    mutating func advance(_ place: Int, _ step: TokenStep) {
        let old = set.works[place].row.phase
        let new = old.next(after: step, parameters)
        guard new != old else { return }
        set.works[place].row.phase = new
        noteEstimate(place)
        countForCreator(place, from: old, to: new)
        switch new {
        case .nearGraduation:
            set.works[place].row.nearEntries &+= 1
            if set.works[place].row.nearPosition == nil {
                set.works[place].row.nearPosition = moment.position
            }
        case .poolLive:
            set.works[place].row.livePosition = moment.position
            set.works[place].row.liveTime = moment.seconds
        case .unknown, .created, .trading, .complete, .migrated, .raydiumLegacy:
            break
        }
        // Leaving near graduation for trading is no news.
        if new > old { notices.append(phaseNotice(place)) }
    }

    /// Marks a row that takes a time which was reckoned from its slot.
    mutating func noteEstimate(_ place: Int) {
        if moment.isEstimated, moment.seconds != nil {
            set.works[place].row.isTimeEstimated = true
        }
    }

    private mutating func countForCreator(
        _ place: Int,
        from old: TokenPhase,
        to new: TokenPhase
    ) {
        let isCompletion = old < .complete && new >= .complete
        let isMigration = old < .migrated && new >= .migrated
        guard set.works[place].row.curve != nil, isCompletion || isMigration else { return }
        traders.updateCreator(of: set.works[place].row, at: moment) { row in
            if isCompletion { row.completed &+= 1 }
            if isMigration { row.migrated &+= 1 }
        }
    }

    private func phaseNotice(_ place: Int) -> Notice {
        let work = set.works[place]
        var details = [Notice.Detail("venue", work.row.venue.description)]
        if let text = texts[work.token] { details.append(Notice.Detail("symbol", text.symbol)) }
        if let creator = work.row.creator {
            details.append(Notice.Detail("creator", creator.text(on: moment.chain)))
        }
        if let progress = work.market.progress {
            details.append(Notice.Detail("progress_bps", String(progress)))
        }
        if let cap = work.market.marketCap {
            details.append(Notice.Detail("market_cap", String(cap)))
        }
        if work.row.phase >= .complete {
            if let pool = work.row.pool {
                details.append(Notice.Detail("pool", pool.text(on: moment.chain)))
            }
            details.append(Notice.Detail("inferred", String(work.row.isCompleteInferred)))
        }
        if work.row.origin == .partial { details.append(Notice.Detail("origin", "partial")) }
        return moment.notice("token_" + work.row.phase.name, work.token, details)
    }
}
