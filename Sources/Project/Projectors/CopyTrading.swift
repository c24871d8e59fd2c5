import MarketModel
import Projection

/// Learns who buys what another wallet has bought, token after token.
///
/// Only wallets that lead are followed: configured ones, and those with enough closed positions of
/// which enough brought a gain. Every first buy of a token is compared with the leaders' buys of the
/// newest slots. A pair becomes a relation once, when all its conditions hold; of several leaders that
/// qualify for one follower, the one that bought earliest.
struct CopyTrading {
    /// One wallet's first buy of a token.
    struct FirstBuy {
        var token: Address
        var pool: Address
        var quote: Address
        /// Positions that the wallet has closed in this quote, and those of them with a gain.
        var closed: UInt32
        var wins: UInt32
        var day: Int64
        var time: Int64
    }

    let wallets: Table<CopyTradingWallet>
    let total: Table<CopyTradingTotal>
    let tokens: Table<CopyTradingToken>
    let pairs: Table<CopyTradingPair>
    let parameters: TradingParameters

    init(_ store: StateStore, _ parameters: TradingParameters) {
        wallets = store.table(CopyTradingWallet.self)
        total = store.table(CopyTradingTotal.self)
        tokens = store.table(CopyTradingToken.self)
        pairs = store.table(CopyTradingPair.self)
        self.parameters = parameters
    }

    /// Notes where a token was made: buys of that slot are no copies.
    func note(created token: Address, at slot: UInt64) {
        tokens.update(token, default: CopyTradingToken(createdAt: slot)) { $0.createdAt = slot }
    }

    /// Notes a sandwich: its wallet neither leads nor follows.
    func note(attacker: Address, day: Int64) {
        wallets.update(
            attacker,
            default: CopyTradingWallet(day: day, days: parameters.copyDays)
        ) { $0.attacks &+= 1 }
    }

    /// Folds a first buy.
    ///
    /// - Parameters:
    ///   - buy: what was bought.
    ///   - leg: the trade.
    /// - Returns: the relation that begins with it.
    func fold(_ buy: FirstBuy, _ leg: TradeLeg) -> (Detection.Key, Detection)? {
        var token = tokens[buy.token] ?? CopyTradingToken(createdAt: nil)
        let wasBought = token.isBought
        if !wasBought {
            token.isBought = true
            let initial = CopyTradingTotal(day: buy.day, days: parameters.copyDays)
            total.update(0, default: initial) {
                $0.tokens.advance(to: buy.day)
                $0.tokens.add()
            }
        }
        let isCreation = token.createdAt == leg.slot
        let isLeading = !isCreation && isLeader(buy, leg)
        var wallet =
            wallets[leg.trader]
            ?? CopyTradingWallet(day: buy.day, days: parameters.copyDays)
        wallet.firstBuys.advance(to: buy.day)
        wallet.firstBuys.add()
        if isLeading {
            wallet.ledBuys.advance(to: buy.day)
            wallet.ledBuys.add()
        }
        wallets.put(leg.trader, wallet)
        let relation =
            token.leads.isEmpty || isCreation ? nil : follow(buy, leg, wallet, token.leads)
        if isLeading { lead(buy, leg, in: &token) }
        if isLeading || !wasBought { tokens.put(buy.token, token) }
        return relation
    }

    /// Whether the wallet leads in the currency it buys with.
    private func isLeader(_ buy: FirstBuy, _ leg: TradeLeg) -> Bool {
        if parameters.leaders.contains(leg.trader) { return true }
        guard buy.closed >= parameters.leaderClosedMin else { return false }
        let share = UInt128(parameters.leaderWinBasisPoints)
        return UInt128(buy.wins) * 10_000 >= UInt128(buy.closed) * share
    }

    /// Remembers a leader's buy; of more than fit the earliest stay.
    private func lead(_ buy: FirstBuy, _ leg: TradeLeg, in token: inout CopyTradingToken) {
        let slot = leg.slot
        token.leads.removeAll { slot &- $0.slot > parameters.copySlots }
        guard token.leads.count < parameters.copyLeadersMax else { return }
        token.leads.append(
            CopyTradingToken.Lead(
                slot: slot,
                place: leg.place,
                transaction: leg.transaction,
                pool: buy.pool,
                trader: leg.trader,
                feePayer: leg.feePayer,
                tokenAmount: leg.tokenAmount,
                quoteAmount: leg.traderQuoteAmount
            )
        )
    }

    /// Counts a follow for every leader that bought shortly before, and tests whether a pair has become
    /// a relation, the earliest leader first.
    private func follow(
        _ buy: FirstBuy,
        _ leg: TradeLeg,
        _ wallet: CopyTradingWallet,
        _ leads: [CopyTradingToken.Lead]
    ) -> (Detection.Key, Detection)? {
        guard wallet.attacks == 0 else { return nil }
        var isRelated = false
        var relation: (Detection.Key, Detection)?
        for lead in leads {
            let (lag, isBefore) = leg.slot.subtractingReportingOverflow(lead.slot)
            guard !isBefore, lag <= parameters.copySlots, lead.trader != leg.trader,
                lag > 0 || lead.place.transaction < leg.place.transaction,
                lead.feePayer == nil || lead.feePayer != leg.feePayer
            else { continue }
            let key = CopyTradingPair.Key(leader: lead.trader, follower: leg.trader)
            var pair =
                pairs[key] ?? CopyTradingPair(day: buy.day, slot: leg.slot, parameters)
            add(lag: lag, at: buy.day, slot: leg.slot, to: &pair)
            if pair.relatedAt != nil {
                pair.copies &+= 1
                isRelated = true
            } else if !isRelated, let lift = lift(pair, lead.trader, wallet, at: buy.day) {
                pair.relatedAt = leg.slot
                pair.lift = lift
                isRelated = true
                relation = detection(buy, leg, lead, pair, lift)
            }
            pairs.put(key, pair)
        }
        return relation
    }

    private func add(
        lag: UInt64,
        at day: Int64,
        slot: UInt64,
        to pair: inout CopyTradingPair
    ) {
        if pair.tokens.total(at: day) == 0 {
            pair.lags = [UInt32](repeating: 0, count: pair.lags.count)
        }
        pair.tokens.advance(to: day)
        pair.tokens.add()
        let place = Int(min(lag, UInt64(pair.lags.count - 1)))
        pair.lags[place] &+= 1
        pair.lastSlot = slot
    }

    /// How many times more often than by chance the pair met; nil when a condition does not hold.
    private func lift(
        _ pair: CopyTradingPair,
        _ leader: Address,
        _ follower: CopyTradingWallet,
        at day: Int64
    ) -> UInt64? {
        let both = pair.tokens.total(at: day)
        guard both >= parameters.copyTokensMin, let row = wallets[leader], row.attacks == 0,
            let tokens = total[0]?.tokens.total(at: day),
            let median = pair.medianLag, median <= parameters.copyMedianSlots
        else { return nil }
        let led = row.ledBuys.total(at: day)
        let bought = follower.firstBuys.total(at: day)
        let share = UInt128(parameters.copySniperBasisPoints)
        // All counts are below 2^36, so that these products fit.
        for buys in [row.firstBuys.total(at: day), bought]
        where UInt128(buys) * 10_000 > UInt128(tokens) * share {
            return nil
        }
        guard UInt128(both) * 10_000 >= UInt128(led) * UInt128(parameters.copyRatioBasisPoints),
            led > 0, bought > 0
        else { return nil }
        let lift = UInt128(both) * UInt128(tokens) / (UInt128(led) * UInt128(bought))
        return lift >= UInt128(parameters.copyLift) ? UInt64(clamping: lift) : nil
    }

    private func detection(
        _ buy: FirstBuy,
        _ leg: TradeLeg,
        _ lead: CopyTradingToken.Lead,
        _ pair: CopyTradingPair,
        _ lift: UInt64
    ) -> (Detection.Key, Detection) {
        var first = leg
        first.slot = lead.slot
        first.place = lead.place
        first.transaction = lead.transaction
        first.trader = lead.trader
        first.tokenAmount = lead.tokenAmount
        first.traderQuoteAmount = lead.quoteAmount
        let tokens = pair.tokens.total(at: buy.day)
        // A relation has follows, and with them a median.
        let median = pair.medianLag ?? 0
        let points = 50 + 5 * min(tokens - min(tokens, 3), 6) + (median <= 2 ? 10 : 0)
        var detection = Detection(
            pool: buy.pool,
            token: buy.token,
            quote: buy.quote,
            attacker: leg.trader,
            legs: [
                DetectionLeg(.leader, first, pool: lead.pool),
                DetectionLeg(.follower, leg, pool: buy.pool),
            ],
            confidence: UInt8(min(points + (lift >= 20 ? 10 : 0), 100)),
            detectedAt: leg.slot,
            time: buy.time,
            evidence: "tokens=\(tokens) median_lag=\(median) lift=\(lift)"
        )
        detection.other = lead.trader
        let key = Detection.Key(
            slot: leg.slot,
            place: leg.place,
            kind: .copyTrading
        )
        return (key, detection)
    }
}
