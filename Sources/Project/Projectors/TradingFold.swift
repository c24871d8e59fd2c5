import MarketModel
import Projection

/// One transaction after the other.
extension TradingProjector {
    /// Folds what one transaction did.
    func fold(
        _ facts: TransactionFacts,
        into bundle: inout TradingBundle,
        notices: inout [Notice]
    ) {
        for link in facts.links { fold(link, at: facts.index, into: &bundle) }
        var hops: [Hop] = []
        var hasRoute = false
        let mayCycle = facts.events.count > 1
        // Events are large: looked at where they are, not copied.
        let events = facts.events.span
        for index in events.indices {
            switch events[index].event {
            case .trade(let trade):
                let counts = !trade.flags.contains(.multiHop) || !hasRoute
                if trade.flags.contains(.multiHop) { hasRoute = true }
                let place = events[index].place
                let (group, leg) = fold(
                    trade,
                    place,
                    facts,
                    counts: counts,
                    into: &bundle,
                    notices: &notices
                )
                if mayCycle {
                    hops.append(Hop(step: BackRunCycle.Hop(trade), group: group, leg: leg))
                }
            case .tokenCreated(let created):
                copyTrading.note(created: created.token, at: bundle.slot)
            default:
                break
            }
        }
        if hops.count > 1, chain == .solana {
            reportCycles(hops, facts, in: &bundle, notices: &notices)
        }
    }

    /// A trade as a step of a cycle, and where its leg is.
    struct Hop {
        var step: BackRunCycle.Hop
        var group: Int
        /// Nil when the leg was beyond the bound.
        var leg: Int?
    }

    private func fold(_ link: WalletLink, at transaction: UInt32, into bundle: inout TradingBundle)
    {
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

    /// Folds one trade.
    ///
    /// - Returns: where its pool's trades are gathered, and which of them its leg is; nil beyond the
    ///   bound.
    private func fold(
        _ trade: Trade,
        _ place: EventPlace,
        _ facts: TransactionFacts,
        counts: Bool,
        into bundle: inout TradingBundle,
        notices: inout [Notice]
    ) -> (group: Int, leg: Int?) {
        let (group, isNew) = bundle.group(of: trade, parameters, knownQuotes)
        if isNew, trade.venue.isConcentrated {
            bundle.groups[group].price = prices[trade.pool]?.price
        }
        var leg = TradeLeg(
            trade,
            at: place,
            of: facts,
            slot: bundle.slot,
            measures: TradeMeasures(trade)
        )
        if trade.venue.isConcentrated { follow(trade, by: &leg, in: &bundle.groups[group]) }
        weigh(&leg, trade, into: &bundle.groups[group], notices: &notices)
        bundle.groups[group].bucket.add(trade, leg.measures)
        if !trade.flags.contains(.mayhemAgent) {
            let isToken = bundle.groups[group].isToken
            let outcome = position(trade, at: bundle.minute, slot: bundle.slot)
            if outcome.isNewInPool {
                bundle.groups[group].bucket.traders &+= 1
                bundle.groups[group].wallets.append(TraderHash.of(trade.trader))
            }
            if outcome.isNewInToken { bundle.groups[group].tokenTraders &+= 1 }
            let isWhale = leg.marks.contains(.whale)
            let record = count(
                trade,
                counts: counts,
                isWhale: isWhale,
                outcome: isToken ? outcome : Outcome(),
                slot: bundle.slot
            )
            if isToken, outcome.isFirstBuy, chain == .solana {
                foldFirstBuy(trade, leg, record, in: bundle, notices: &notices)
            }
        }
        return (group, keep(leg, in: &bundle.groups[group]))
    }

    /// Follows the price of a pool of concentrated liquidity.
    private func follow(
        _ trade: Trade,
        by leg: inout TradeLeg,
        in group: inout TradingBundle.Group
    ) {
        leg.step = ConcentratedStep(trade, after: group.price)
        group.price = trade.sqrtPriceX64.flatMap { price in
            trade.liquidity.map { ConcentratedPrice(sqrtPrice: price, liquidity: $0) }
        }
        if leg.step != nil { leg.measurePrice() }
    }

    /// Keeps a leg for detectors and people: with the one before it, when it continues that.
    private func keep(_ leg: TradeLeg, in group: inout TradingBundle.Group) -> Int? {
        let last = group.legs.count - 1
        if last >= 0, group.legs[last].isContinued(by: leg) {
            group.legs[last].append(leg)
            return last
        }
        guard last + 1 < parameters.poolLegsMax else {
            group.dropped &+= 1
            return nil
        }
        group.legs.append(leg)
        return last + 1
    }

    /// Marks large trades, and tells of them.
    private func weigh(
        _ leg: inout TradeLeg,
        _ trade: Trade,
        into group: inout TradingBundle.Group,
        notices: inout [Notice]
    ) {
        if let before = trade.before, trade.quoteAmount > 0,
            let share = UInt64.basisPoints(trade.quoteAmount, of: before.quote),
            share >= parameters.whaleShareBasisPoints
        {
            leg.marks.insert(.whaleShare)
        }
        guard let scale = group.scale, leg.isUsable else { return }
        if trade.quoteAmount >= scale.whale {
            leg.marks.insert(.whale)
            group.bucket.whaleTrades &+= 1
            notices.append(notice("whale", leg, trade))
        }
        if let impact = leg.measures.impact,
            impact >= parameters.highImpactBasisPoints, trade.quoteAmount >= scale.highImpact
        {
            leg.marks.insert(.highImpact)
            group.bucket.highImpactTrades &+= 1
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
            position: leg.slot,
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
        /// Whether the wallet had not traded the token, or in the pool, in this minute.
        var isNewInToken = false
        var isNewInPool = false
    }

    private func position(_ trade: Trade, at minute: Int64?, slot: UInt64) -> Outcome {
        var outcome = Outcome()
        let closed = UInt128(parameters.closedBasisPoints)
        let key = TradePosition.Key(token: trade.token, trader: trade.trader)
        positions.update(
            key,
            default: TradePosition(quote: trade.quote, pool: trade.pool, slot: slot)
        ) { row in
            if let minute {
                let isNew = row.note(minute: minute, pool: trade.pool)
                outcome.isNewInToken = isNew.token
                outcome.isNewInPool = isNew.pool
            }
            guard row.quote == trade.quote else {
                row.otherTrades &+= 1
                return
            }
            switch trade.side {
            case .buy:
                outcome.isFirstBuy = row.bought == 0 && trade.tokenAmount > 0
                row.buys &+= 1
                row.bought = row.bought.plus(trade.tokenAmount)
                row.spent = row.spent.plus(trade.traderQuoteAmount)
            case .sell:
                row.sells &+= 1
                row.sold = row.sold.plus(trade.tokenAmount)
                row.received = row.received.plus(trade.traderQuoteAmount)
            }
            guard !row.isClosed, row.sold > 0, row.bought > 0,
                !Exact.isLess(row.sold, 10_000, row.bought, closed)
            else { return }
            row.isClosed = true
            outcome.isClosed = true
            outcome.isWin = row.received > row.spent
        }
        return outcome
    }

    /// Adds a trade to its wallet's record.
    ///
    /// - Returns: how many positions the wallet has closed, and how many of them with a gain.
    private func count(
        _ trade: Trade,
        counts: Bool,
        isWhale: Bool,
        outcome: Outcome,
        slot: UInt64
    ) -> (closed: UInt32, wins: UInt32) {
        var record: (closed: UInt32, wins: UInt32) = (0, 0)
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
            if isWhale { row.whaleTrades &+= 1 }
            if outcome.isClosed {
                row.closed &+= 1
                if outcome.isWin { row.wins &+= 1 }
            }
            record = (row.closed, row.wins)
        }
        return record
    }

    private func foldFirstBuy(
        _ trade: Trade,
        _ leg: TradeLeg,
        _ record: (closed: UInt32, wins: UInt32),
        in bundle: TradingBundle,
        notices: inout [Notice]
    ) {
        guard let seconds = bundle.seconds, let day = bundle.day else { return }
        let buy = CopyTrading.FirstBuy(
            token: trade.token,
            pool: trade.pool,
            quote: trade.quote,
            closed: record.closed,
            wins: record.wins,
            day: day,
            time: seconds
        )
        if let (key, detection) = copyTrading.fold(buy, leg) {
            report(key, detection, notices: &notices)
        }
    }
}
