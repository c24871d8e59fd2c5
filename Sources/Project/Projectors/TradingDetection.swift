import MarketModel
import Projection

/// What is done once for each pool of a bundle, and once for each transaction with several trades.
extension TradingProjector {
    /// Looks for what is to be told, and writes minutes and newest trades.
    func finish(
        _ gathered: TradingBundle.Group,
        of bundle: TradingBundle,
        notices: inout [Notice]
    ) {
        var group = gathered
        if chain == .solana { detect(&group, of: bundle, notices: &notices) }
        recent.put(
            TradingRecent.Key(slot: bundle.slot, pool: group.pool),
            TradingRecent(
                token: group.token,
                quote: group.quote,
                legs: group.legs,
                dropped: group.dropped
            )
        )
        if group.venue.isConcentrated {
            // What a trade left behind without telling it is not known.
            if let price = group.price {
                prices.put(group.pool, TradingPrice(price))
            } else {
                prices.remove(group.pool)
            }
        }
        guard let minute = bundle.minute else { return }
        group.bucket.isTimeEstimated = bundle.isTimeEstimated
        let bucket = group.bucket
        let wallets = group.wallets
        let tokenTraders = group.tokenTraders
        poolMinutes.update(
            PoolMinute.Key(pool: group.pool, minute: minute),
            default: PoolMinute(venue: group.venue, token: group.token, quote: group.quote)
        ) { row in
            row.bucket.add(bucket)
            row.bucket.traders &+= bucket.traders
            for wallet in wallets { row.wallets.insert(wallet) }
        }
        tokenMinutes.update(
            TokenMinute.Key(token: group.token, quote: group.quote, minute: minute),
            default: TokenMinute()
        ) { row in
            row.bucket.add(bucket)
            row.bucket.traders &+= tokenTraders
        }
    }

    private func detect(
        _ group: inout TradingBundle.Group,
        of bundle: TradingBundle,
        notices: inout [Notice]
    ) {
        let earlier = earlierRows(of: group.pool, before: bundle.slot)
        // With one trade nobody can have been harmed, and nothing can have been closed.
        guard group.legs.count > 1 || !earlier.isEmpty else { return }
        var window = TradeWindow(
            pool: group.pool,
            token: group.token,
            quote: group.quote,
            earlier: earlier,
            now: group.legs,
            // Almost always there are no transfers at all.
            links: bundle.windowLinks[group.token] ?? []
        )
        let roundTrips = markRoundTrips(in: &window)
        reportSandwiches(in: &window, of: bundle, notices: &notices)
        if group.legs.count > 1 {
            reportFrontRuns(in: window, of: bundle, notices: &notices)
            reportBackRuns(in: window, of: bundle, notices: &notices)
        }
        for pair in roundTrips where !window.scan[pair.1].marks.contains(.attack) {
            flag(pair, in: window, notices: &notices)
            group.bucket.roundTrips &+= 1
        }
        group.legs = window.now
        guard window.isEarlierChanged else { return }
        for (before, after) in zip(earlier, window.earlier) where before.row != after.row {
            recent.put(TradingRecent.Key(slot: after.slot, pool: group.pool), after.row)
        }
    }

    /// The pool's trades of the slots that a wide sandwich can span, by rising slots; of the nearest
    /// slots first as many as a look back can reach.
    private func earlierRows(
        of pool: Address,
        before now: UInt64
    ) -> [(slot: UInt64, row: TradingRecent)] {
        var rows: [(slot: UInt64, row: TradingRecent)] = []
        var count = 0
        for distance in 1..<parameters.wideSlots.addingSaturated(1) {
            guard distance <= now, count < parameters.scanLegsMax else { break }
            let slot = now - distance
            if let row = recent[TradingRecent.Key(slot: slot, pool: pool)] {
                rows.append((slot, row))
                count += row.legs.count
            }
        }
        rows.reverse()
        return rows
    }

    /// Marks both legs of every round trip of the slot: a leg and the nearest one before it of the same
    /// wallet, when that one went the other way with nearly as much.
    private func markRoundTrips(in window: inout TradeWindow) -> [(Int, Int)] {
        var pairs: [(Int, Int)] = []
        let first = window.current
        let hasBoth = window.scan[first...].contains { $0.isBuy != window.scan[first].isBuy }
        guard hasBoth else { return pairs }
        for index in first..<window.count {
            guard window.scan[index].isUsable, window.scan[index].mayClose else { continue }
            var before = index - 1
            let lowest = max(first, index - parameters.scanLegsMax)
            while before >= lowest, !window.isOneActor(before, index) { before -= 1 }
            guard before >= lowest, window.scan[before].isUsable,
                window.scan[before].isBuy != window.scan[index].isBuy,
                !window[before].marks.contains(.roundTrip),
                TradeWindow.isNear(
                    window[before].tokenAmount,
                    window[index].tokenAmount,
                    basisPoints: parameters.roundTripBasisPoints
                )
            else { continue }
            window.mark(before, .roundTrip)
            window.mark(index, .roundTrip)
            pairs.append((before, index))
        }
        return pairs
    }

    /// Counts a round trip; the first of a wallet in a pool is told.
    private func flag(
        _ pair: (Int, Int),
        in window: TradeWindow,
        notices: inout [Notice]
    ) {
        let first = window[pair.0]
        let second = window[pair.1]
        let key = TradingWash.Key(pool: window.pool, trader: second.trader)
        let slot = second.slot
        let isNew = wash[key] == nil
        wash.update(key, default: TradingWash(slot: slot)) { row in
            row.roundTrips &+= 1
            row.tokens = row.tokens.plus(min(first.tokenAmount, second.tokenAmount))
            row.lastSlot = slot
        }
        guard isNew else { return }
        notices.append(
            Notice(
                kind: "wash",
                position: slot,
                place: second.place,
                subject: second.trader,
                details: [
                    Notice.Detail("pool", window.pool.text(on: chain)),
                    Notice.Detail("token", window.token.text(on: chain)),
                    Notice.Detail("first", first.transaction.description),
                    Notice.Detail("second", second.transaction.description),
                ]
            )
        )
    }
}

/// From matches to what is written.
extension TradingProjector {
    private func reportSandwiches(
        in window: inout TradeWindow,
        of bundle: TradingBundle,
        notices: inout [Notice]
    ) {
        let finder = SandwichFinder(parameters, quote: window.quote)
        for back in window.current..<window.count {
            guard let match = finder.match(back: back, in: window) else { continue }
            let loss = SandwichLoss(match, in: window)
            // A front that took nothing from anybody was none.
            if let loss, loss.quote == 0, loss.victims.allSatisfy({ $0 == 0 }) { continue }
            for front in match.fronts { window.mark(front, .attack) }
            window.mark(back, .attack)
            for victim in match.victims { window.mark(victim, .victim) }
            let (key, detection) = detection(match, loss, in: window, of: bundle)
            report(key, detection, notices: &notices)
            // Days only matter to wallets that copy, which have a time.
            let day = bundle.day ?? 0
            copyTrading.note(attacker: detection.attacker, day: day)
            if let other = detection.other { copyTrading.note(attacker: other, day: day) }
        }
    }

    private func detection(
        _ match: SandwichMatch,
        _ loss: SandwichLoss?,
        in window: TradeWindow,
        of bundle: TradingBundle
    ) -> (Detection.Key, Detection) {
        let back = window[match.back]
        var legs = match.fronts.map { DetectionLeg(.front, window[$0], pool: window.pool) }
        let room = max(0, parameters.listedLegsMax - legs.count - 1)
        for (order, victim) in match.victims.prefix(room).enumerated() {
            let lost = loss.map { order < $0.victims.count ? $0.victims[order] : 0 }
            legs.append(
                DetectionLeg(.victim, window[victim], pool: window.pool, loss: lost)
            )
        }
        legs.append(DetectionLeg(.back, back, pool: window.pool))
        let slots = back.slot &- window[match.fronts[0]].slot
        var detection = Detection(
            pool: window.pool,
            token: window.token,
            quote: window.quote,
            attacker: back.trader,
            legs: legs,
            confidence: match.confidence,
            detectedAt: bundle.slot,
            time: bundle.seconds,
            evidence: "link=\(match.link) inventory_bps=\(match.inventoryBasisPoints) "
                + "adjacent=\(match.isAdjacent ? "yes" : "no") slots=\(slots) tip=\(match.tip)"
        )
        let front = window[match.fronts[0]].trader
        if front != back.trader { detection.other = front }
        detection.link = match.link
        detection.victims = UInt32(clamping: match.victims.count)
        detection.gross = match.gross
        detection.net = match.net
        detection.cost = match.cost
        detection.loss = loss?.quote
        detection.lossBasisPoints = loss?.basisPoints
        detection.isLossExact = loss?.isExact == true
        detection.severity = DetectionSeverity(lossBasisPoints: loss?.basisPoints)
        detection.inventoryBasisPoints = match.inventoryBasisPoints
        let key = Detection.Key(slot: back.slot, place: back.place, kind: match.kind)
        return (key, detection)
    }

    private func reportFrontRuns(
        in window: TradeWindow,
        of bundle: TradingBundle,
        notices: inout [Notice]
    ) {
        let finder = FrontRunFinder(parameters: parameters, quote: window.quote)
        for match in finder.matches(in: window) {
            let front = window[match.front]
            let run = window[match.victim]
            // A match has a victim with a known tolerance.
            let tolerance = run.measures.tolerance ?? 0
            var detection = Detection(
                pool: window.pool,
                token: window.token,
                quote: window.quote,
                attacker: front.trader,
                legs: [
                    DetectionLeg(.front, front, pool: window.pool),
                    DetectionLeg(.victim, run, pool: window.pool),
                ],
                confidence: match.confidence,
                detectedAt: bundle.slot,
                time: bundle.seconds,
                evidence: "priority=\(front.priorityPrice)/\(run.priorityPrice) tip=\(front.tip) "
                    + "tolerance_bps=\(tolerance)"
            )
            detection.other = run.trader
            detection.victims = 1
            detection.cost = front.fee.plus(front.tip)
            report(
                Detection.Key(slot: run.slot, place: run.place, kind: .possibleFrontRun),
                detection,
                notices: &notices
            )
        }
    }

    private func reportBackRuns(
        in window: TradeWindow,
        of bundle: TradingBundle,
        notices: inout [Notice]
    ) {
        for match in BackRunFinder(parameters: parameters).matches(in: window) {
            let large = window[match.trigger]
            let back = window[match.back]
            let isClosed = back.marks.contains(.arbitrage)
            // A match has a trigger with a known impact.
            let impact = large.measures.impact ?? 0
            var detection = Detection(
                pool: window.pool,
                token: window.token,
                quote: window.quote,
                attacker: back.trader,
                legs: [
                    DetectionLeg(.trigger, large, pool: window.pool),
                    DetectionLeg(.back, back, pool: window.pool),
                ],
                confidence: match.confidence,
                detectedAt: bundle.slot,
                time: bundle.seconds,
                evidence: "impact_bps=\(impact) closed=\(isClosed ? "yes" : "no") tip=\(back.tip)"
            )
            detection.other = large.trader
            detection.cost = back.fee.plus(back.tip)
            report(
                Detection.Key(slot: back.slot, place: back.place, kind: .backRun),
                detection,
                notices: &notices
            )
        }
    }

    /// Tells of the cycles of one transaction, and marks their legs.
    func reportCycles(
        _ hops: [Hop],
        _ facts: TransactionFacts,
        in bundle: inout TradingBundle,
        notices: inout [Notice]
    ) {
        for cycle in BackRunCycle.all(in: hops.map(\.step), parameters) {
            var legs: [DetectionLeg] = []
            for index in cycle.hops {
                guard let leg = hops[index].leg else { continue }
                let group = hops[index].group
                bundle.groups[group].legs[leg].marks.insert(.arbitrage)
                let pool = bundle.groups[group].pool
                legs.append(DetectionLeg(.hop, bundle.groups[group].legs[leg], pool: pool))
            }
            guard let first = legs.first, let last = legs.last else { continue }
            let start = bundle.groups[hops[cycle.hops[0]].group]
            var detection = Detection(
                pool: first.pool,
                token: start.token,
                quote: cycle.mint,
                attacker: facts.feePayer ?? first.trader,
                legs: Array(legs.prefix(parameters.listedLegsMax)),
                confidence: 90,
                detectedAt: bundle.slot,
                time: bundle.seconds,
                evidence: "hops=\(cycle.hops.count) tip=\(facts.tip)"
            )
            detection.gross = Int128(clamping: cycle.profit)
            detection.cost = facts.fee.plus(facts.tip)
            detection.net =
                cycle.mint == parameters.native
                ? detection.gross.minus(detection.cost) : detection.gross
            if detection.net > 0 { detection.confidence = 100 }
            report(
                Detection.Key(slot: bundle.slot, place: last.place, kind: .arbitrage),
                detection,
                notices: &notices
            )
        }
    }
}
