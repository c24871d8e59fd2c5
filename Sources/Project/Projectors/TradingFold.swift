import MarketModel
import Projection

/// One transaction after the other.
extension TradingProjector {
    /// Folds what one transaction did.
    func fold(_ facts: TransactionFacts, notices: inout [Notice]) {
        for link in facts.links { fold(link, at: facts.index) }
        var hops: [Hop] = []
        var hasRoute = false
        let mayCycle = facts.events.count > 1
        for placed in facts.events {
            switch placed.event {
            case .trade(let trade):
                let counts = !trade.flags.contains(.multiHop) || !hasRoute
                if trade.flags.contains(.multiHop) { hasRoute = true }
                let hop = fold(trade, placed.place, facts, counts: counts, notices: &notices)
                if mayCycle { hops.append(hop) }
            case .tokenCreated(let created):
                copyTrading.note(created: created.token, at: bundle.slot)
            default:
                break
            }
        }
        if hops.count > 1, chain == .solana { reportCycles(hops, facts, notices: &notices) }
    }

    /// A trade as a step of a cycle, and where its leg is.
    struct Hop {
        var step: BackRunCycle.Hop
        var group: Int
        /// Nil when the leg was beyond the bound.
        var leg: Int?
    }

    private func fold(_ link: WalletLink, at transaction: UInt32) {
        guard !knownQuotes.contains(link.token), link.from != link.to else { return }
        if bundle.links[link.token] == nil { bundle.linkedTokens.append(link.token) }
        guard bundle.links[link.token]?.count ?? 0 < parameters.linksMax else { return }
        bundle.links[link.token, default: []].append(
            TradingLinks.Link(
                transaction: transaction,
                from: link.from,
                to: link.to,
                amount: link.amount
            )
        )
    }

    private func fold(
        _ trade: Trade,
        _ place: EventPlace,
        _ facts: TransactionFacts,
        counts: Bool,
        notices: inout [Notice]
    ) -> Hop {
        let group = bundle.group(of: trade, parameters)
        let measures = TradeMeasures(trade)
        var leg = TradeLeg(trade, at: place, of: facts, slot: bundle.slot, measures: measures)
        let isToken = !knownQuotes.contains(trade.token)
        weigh(&leg, trade, in: group, notices: &notices)
        bundle.groups[group].bucket.add(trade, measures)
        if !trade.flags.contains(.mayhemAgent) {
            let outcome = position(trade, in: group)
            count(trade, leg, counts: counts, outcome: outcome, isToken: isToken)
            if isToken, outcome.isFirstBuy, chain == .solana {
                foldFirstBuy(trade, leg, notices: &notices)
            }
        }
        return Hop(step: BackRunCycle.Hop(trade), group: group, leg: keep(leg, in: group))
    }

    /// Keeps a leg for detectors and people: with the one before it, when it continues that.
    private func keep(_ leg: TradeLeg, in group: Int) -> Int? {
        let last = bundle.groups[group].legs.count - 1
        if last >= 0, bundle.groups[group].legs[last].isContinued(by: leg) {
            bundle.groups[group].legs[last].append(leg)
            return last
        }
        guard last + 1 < parameters.poolLegsMax else {
            bundle.groups[group].dropped &+= 1
            return nil
        }
        bundle.groups[group].legs.append(leg)
        return last + 1
    }

    /// Marks large trades, and tells of them.
    private func weigh(
        _ leg: inout TradeLeg,
        _ trade: Trade,
        in group: Int,
        notices: inout [Notice]
    ) {
        if let before = trade.before, trade.quoteAmount > 0,
            let share = UInt64.basisPoints(trade.quoteAmount, of: before.quote),
            share >= parameters.whaleShareBasisPoints
        {
            leg.marks.insert(.whaleShare)
        }
        guard let scale = bundle.groups[group].scale, leg.isUsable else { return }
        if trade.quoteAmount >= scale.whale {
            leg.marks.insert(.whale)
            bundle.groups[group].bucket.whaleTrades &+= 1
            notices.append(notice("whale", leg, trade))
        }
        if let impact = trade.before == nil ? nil : leg.measures.impact,
            impact >= parameters.highImpactBasisPoints, trade.quoteAmount >= scale.highImpact
        {
            leg.marks.insert(.highImpact)
            bundle.groups[group].bucket.highImpactTrades &+= 1
            notices.append(notice("high_impact", leg, trade))
        }
    }

    private func notice(_ kind: String, _ leg: TradeLeg, _ trade: Trade) -> Notice {
        var details = [
            Notice.Detail("venue", trade.venue.description),
            Notice.Detail("pool", trade.pool.text(on: chain)),
            Notice.Detail("token", trade.token.text(on: chain)),
            Notice.Detail("quote", trade.quote.text(on: chain)),
            Notice.Detail("side", trade.side == .buy ? "buy" : "sell"),
            Notice.Detail("token_amount", trade.tokenAmount.description),
            Notice.Detail("quote_amount", trade.quoteAmount.description),
        ]
        if let impact = leg.measures.impact {
            details.append(Notice.Detail("impact_bps", String(impact)))
        }
        details.append(Notice.Detail("transaction", leg.transaction.description))
        return Notice(
            kind: kind,
            position: bundle.slot,
            place: leg.place,
            subject: trade.trader,
            details: details
        )
    }
}

/// Wallets and what they hold.
extension TradingProjector {
    /// What a trade did to its wallet's position.
    private struct Outcome {
        var isFirstBuy = false
        var isClosed = false
        var isWin = false
    }

    private func position(_ trade: Trade, in group: Int) -> Outcome {
        var outcome = Outcome()
        var isNew = (token: false, pool: false)
        let minute = bundle.minute
        let closed = UInt128(parameters.closedBasisPoints)
        let key = TradePosition.Key(token: trade.token, trader: trade.trader)
        let initial = TradePosition(quote: trade.quote, pool: trade.pool, slot: bundle.slot)
        positions.update(key, default: initial) { row in
            if let minute { isNew = row.note(minute: minute, pool: trade.pool) }
            outcome.isFirstBuy = trade.side == .buy && row.bought == 0 && trade.tokenAmount > 0
            guard row.quote == trade.quote else {
                row.otherTrades &+= 1
                outcome.isFirstBuy = false
                return
            }
            switch trade.side {
            case .buy:
                row.buys &+= 1
                row.bought = row.bought.plus(trade.tokenAmount)
                row.spent = row.spent.plus(trade.traderQuoteAmount)
            case .sell:
                row.sells &+= 1
                row.sold = row.sold.plus(trade.tokenAmount)
                row.received = row.received.plus(trade.traderQuoteAmount)
            }
            guard !row.isClosed, row.bought > 0,
                !Exact.isLess(row.sold, 10_000, row.bought, closed)
            else { return }
            row.isClosed = true
            outcome.isClosed = true
            outcome.isWin = row.received > row.spent
        }
        if isNew.pool { bundle.groups[group].bucket.traders &+= 1 }
        if isNew.token { bundle.groups[group].tokenTraders &+= 1 }
        return outcome
    }

    private func count(
        _ trade: Trade,
        _ leg: TradeLeg,
        counts: Bool,
        outcome: Outcome,
        isToken: Bool
    ) {
        let slot = bundle.slot
        let key = TradingTrader.Key(trader: trade.trader, quote: trade.quote)
        traders.update(key, default: TradingTrader(slot: slot)) { row in
            row.lastSlot = slot
            if counts { row.volume = row.volume.plus(trade.traderQuoteAmount) }
            switch trade.side {
            case .buy:
                if counts { row.buys &+= 1 }
                row.spent = row.spent.plus(trade.traderQuoteAmount)
            case .sell:
                if counts { row.sells &+= 1 }
                row.received = row.received.plus(trade.traderQuoteAmount)
            }
            if leg.marks.contains(.whale) { row.whaleTrades &+= 1 }
            if outcome.isClosed, isToken {
                row.closed &+= 1
                if outcome.isWin { row.wins &+= 1 }
            }
        }
    }

    private func foldFirstBuy(_ trade: Trade, _ leg: TradeLeg, notices: inout [Notice]) {
        guard let seconds = bundle.seconds, let day = bundle.day else { return }
        let buy = CopyTrading.FirstBuy(
            token: trade.token,
            pool: trade.pool,
            quote: trade.quote,
            leg: leg,
            day: day,
            time: seconds
        )
        if let (key, detection) = copyTrading.fold(buy) {
            report(key, detection, notices: &notices)
        }
    }
}
