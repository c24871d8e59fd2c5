/// Front-runs without a way back, back-runs, and cycles over two pools.
extension SolanaChainSynthesis {
    // MARK: Front-runs

    /// Buys right before somebody whose limit is near, and keeps what was bought.
    mutating func playFrontRun(_ venue: MarketVenue, _ context: SolanaSlotContext) {
        guard let attacker = pick(cast.attackers, on: venue.pool) else { return }
        let pair = playFrontRun(
            venue,
            attacker,
            bidsMore: true,
            gap: random.number(in: 0...1),
            shareOfVictim: random.number(in: 400...2_500),
            tolerance: random.number(in: 50...1_500),
            context
        )
        guard let (front, victim) = pair else { return }
        frontRuns.append((front, victim))
    }

    /// A buy and the buy that it may have been put before.
    mutating func playFrontRun(
        _ venue: MarketVenue,
        _ attacker: Int,
        bidsMore: Bool,
        gap: UInt64,
        shareOfVictim: UInt64,
        tolerance: UInt64,
        _ context: SolanaSlotContext
    ) -> (front: MarketFill, victim: MarketFill)? {
        let budget = max(
            amount(perMille: 20...40, of: venue),
            quote(of: venue).worth(lamports: 200_000_000)
        )
        guard let stranger = pickStrangers(1, isBuy: true, on: venue.pool).first else { return nil }
        let own = max(SolanaMath.multiply(budget, shareOfVictim, dividedBy: 1_000), 1_000_000)
        fund(stranger, budget, on: venue)
        fund(attacker, own, on: venue)
        let low = random.number(in: 10_000...500_000)
        let high = low + random.number(in: 100_000...2_000_000)
        let hasTip = bidsMore && random.chance(perMille: 500)
        var terms = MarketTerms(priorityPrice: bidsMore ? high : low)
        if hasTip { terms.tip = tip() }
        let front = trade([buy(attacker, own, venue)], terms, context)[0]
        for _ in 0..<gap { vote() }
        guard place(of: venue) != nil else { return nil }
        let order = MarketOrder(
            venue: venue,
            wallet: stranger,
            size: .spend(budget),
            tolerance: tolerance
        )
        // A tip stands in for a bid.
        let price = bidsMore && !hasTip ? low : high
        let victim = trade([order], MarketTerms(priorityPrice: price), context)[0]
        return place(of: venue) == nil ? nil : (front, victim)
    }

    /// Tells the front-runs of the slot, but for those in a crowd: from five trades of a side on
    /// nearly every pair looks like one.
    mutating func settleFrontRuns(_ context: SolanaSlotContext) {
        for (front, victim) in frontRuns {
            let crowd = books.fills(on: front.venue.pool).count {
                $0.slot == context.slot && $0.isBuy == front.isBuy && $0.wallet != cast.agent
            }
            guard crowd < 5 else { continue }
            tell(
                SynthesizedLabel(
                    kind: .possibleFrontRun,
                    slot: context.slot,
                    pool: front.venue.pool.bytes,
                    fronts: [front.signature],
                    victims: [victim.signature],
                    backs: [],
                    attacker: wallets[front.wallet].key.bytes
                )
            )
        }
        frontRuns = []
    }

    // MARK: Back-runs and cycles

    /// A cycle behind a large trade where a token trades on two venues, else a tipped sale.
    mutating func beginBackRun(_ venue: MarketVenue, _ context: SolanaSlotContext) {
        if random.chance(perMille: 500), let pair = twoVenues() {
            playCycle(behindTradeOn: pair.0, other: pair.1, triggered: true, context)
            return
        }
        guard let searcher = pick(cast.searchers, on: venue.pool) else { return }
        let bought = stockUp(searcher, on: venue, context)
        later(.backRun(searcher: searcher, tokens: bought), on: venue, context)
    }

    /// A large buy, and right behind it a sale by somebody who tips for the place.
    mutating func playTippedBackRun(
        _ venue: MarketVenue,
        _ searcher: Int,
        _ tokens: UInt64,
        _ context: SolanaSlotContext
    ) {
        guard let large = playLarge(venue, perMille: 80...140, context) else { return }
        for _ in 0..<random.number(in: 0...1) { vote() }
        guard !books.reverses(searcher, isBuy: false, on: venue.pool),
            holding(of: searcher, on: venue) >= tokens
        else { return }
        let sold = random.number(in: tokens / 2...tokens)
        let terms = MarketTerms(priorityPrice: ordinaryPrice(), tip: tip())
        let back = trade([sell(searcher, sold, venue)], terms, context)[0]
        tellBackRun(large, back)
    }

    /// A buy by a stranger that moves the price.
    mutating func playLarge(
        _ venue: MarketVenue,
        perMille: ClosedRange<UInt64>,
        _ context: SolanaSlotContext
    ) -> MarketFill? {
        guard let stranger = pickStrangers(1, isBuy: true, on: venue.pool).first else { return nil }
        let budget = amount(perMille: perMille, of: venue)
        fund(stranger, budget, on: venue)
        let large = place(stranger, .spend(budget), on: venue, context)
        return place(of: venue) == nil ? nil : large
    }

    /// The PumpSwap and the Raydium pool of one token, when neither has had a scene in this slot.
    func twoVenues() -> (MarketVenue, MarketVenue)? {
        guard let first = pools.first(where: { $0.holdings.mint == outsider.mint }),
            let second = raydium.first(where: { $0.holdings.mint == outsider.mint })
        else { return nil }
        let pair = (
            MarketVenue.pumpSwap(first.pool.address), MarketVenue.raydium(second.pool.address)
        )
        let isFree = [pair.0, pair.1].allSatisfy { venue in
            !books.isHeld(venue.pool) && !books.isUsed(venue.pool)
                && !books.fills(on: venue.pool).contains {
                    $0.slot == slot && $0.index + 4 >= transactions.count
                }
        }
        return isFree ? pair : nil
    }

    /// Buys where a token is cheap and sells where it is dear, in one transaction.
    ///
    /// - Returns: its trades; none when there was nothing to earn.
    @discardableResult
    mutating func playCycle(
        behindTradeOn venue: MarketVenue,
        other: MarketVenue,
        triggered: Bool,
        _ context: SolanaSlotContext
    ) -> [MarketFill] {
        guard let searcher = pick(cast.searchers, on: venue.pool),
            !books.hasTraded(searcher, on: other.pool)
        else { return [] }
        books.use(venue.pool)
        books.use(other.pool)
        fund(searcher, 40_000_000_000, on: venue)
        var large: MarketFill?
        if triggered {
            large = playLarge(venue, perMille: 80...140, context)
            for _ in 0..<random.number(in: 0...1) { vote() }
        }
        for (cheap, dear) in [(other, venue), (venue, other)] {
            guard let (budget, tokens) = profitableCycle(buying: cheap, selling: dear) else {
                continue
            }
            var terms = MarketTerms(priorityPrice: ordinaryPrice())
            if random.chance(perMille: 600) { terms.tip = tip() }
            let fills = trade(
                [buy(searcher, budget, cheap), sell(searcher, tokens, dear)],
                terms,
                context
            )
            tell(
                SynthesizedLabel(
                    kind: .arbitrage,
                    slot: context.slot,
                    pool: cheap.pool.bytes,
                    // Once for each hop.
                    fronts: fills.map(\.signature),
                    victims: [],
                    backs: [],
                    attacker: wallets[searcher].key.bytes
                )
            )
            // The leg on the large trade's pool goes against it.
            if let large, let back = fills.first(where: { $0.venue == venue && !$0.isBuy }) {
                tellBackRun(large, back)
            }
            return fills
        }
        return []
    }

    /// A budget with which a cycle earns something, and the tokens in between.
    private func profitableCycle(
        buying cheap: MarketVenue,
        selling dear: MarketVenue
    ) -> (budget: UInt64, tokens: UInt64)? {
        guard let reserve = quoteReserve(cheap) else { return nil }
        for share in [30, 12, 5] as [UInt64] {
            let budget = SolanaMath.multiply(reserve, share, dividedBy: 1_000)
            guard let tokens = outcome(.spend(budget), on: cheap), tokens > 0,
                let back = outcome(.sell(tokens), on: dear), back > budget
            else { continue }
            return (budget, tokens)
        }
        return nil
    }

    private mutating func tellBackRun(_ large: MarketFill, _ back: MarketFill) {
        tell(
            SynthesizedLabel(
                kind: .backRun,
                slot: back.slot,
                pool: back.venue.pool.bytes,
                fronts: [],
                victims: [large.signature],
                backs: [back.signature],
                attacker: wallets[back.wallet].key.bytes
            )
        )
    }
}
