/// Innocent patterns that look like attacks: each is told as a look-alike with the reason. Cycles over
/// two pools are told as what they are too.
extension SolanaChainSynthesis {
    mutating func playLookAlike(_ venue: MarketVenue, _ context: SolanaSlotContext) {
        scenes.innocents += 1
        switch scenes.innocents % 9 {
        case 0: playMarketMaker(venue, context)
        case 1: playQuickFlip(venue, context)
        case 2: playAggregator(venue, context)
        case 3: playCrossings(venue, context)
        case 4: playWash(venue, context)
        case 5: playCrowd(venue, context)
        case 6: playAgent(venue, context)
        case 7: playNearFrontRun(venue, context)
        default: playNearBackRun(venue, context)
        }
    }

    /// Three round trips with nobody in between, and a fourth around somebody.
    private mutating func playMarketMaker(_ venue: MarketVenue, _ context: SolanaSlotContext) {
        guard let maker = pick(cast.makers, on: venue.pool),
            let stranger = pickStrangers(1, isBuy: true, on: venue.pool).first
        else { return }
        let most = amount(perMille: 8...12, of: venue)
        fund(maker, most * 6, on: venue)
        fund(stranger, most, on: venue)
        let around = Int(random.number(in: 0...3))
        for trip in 0..<4 {
            let terms = MarketTerms(priorityPrice: ordinaryPrice())
            let budget = random.number(in: most / 2...most)
            let fill = trade([buy(maker, budget, venue)], terms, context)[0]
            let between =
                trip == around ? [place(stranger, .spend(most), on: venue, context)] : []
            guard place(of: venue) != nil else { return }
            let back = trade([sell(maker, fill.tokens, venue)], terms, context)[0]
            tellInnocent(.marketMaker, fill, between, back)
        }
    }

    /// Buys and sells most of it again; a stranger happens to buy in between, further away.
    private mutating func playQuickFlip(_ venue: MarketVenue, _ context: SolanaSlotContext) {
        guard let flipper = pick(cast.flippers, on: venue.pool),
            let stranger = pickStrangers(1, isBuy: true, on: venue.pool).first
        else { return }
        let budget = amount(perMille: 10...30, of: venue)
        fund(flipper, budget, on: venue)
        fund(stranger, budget * 2, on: venue)
        let fill = place(flipper, .spend(budget), on: venue, context)
        space()
        let between = place(stranger, .spend(budget * 2), on: venue, context)
        guard place(of: venue) != nil else { return }
        space()
        let isHalf = random.chance(perMille: 300)
        let kept = isHalf ? 5_000 : random.number(in: 150...400)
        let sold = fill.tokens.worsened(downBy: kept)
        let back = place(flipper, .sell(sold), on: venue, context)
        tellInnocent(.quickFlip, fill, [between], back)
    }

    /// Two users trade through one router's wallet, and somebody between them.
    private mutating func playAggregator(_ venue: MarketVenue, _ context: SolanaSlotContext) {
        guard let vault = pick(cast.vaults, on: venue.pool) else { return }
        let users = pickStrangers(3, isBuy: true, on: venue.pool).filter {
            !books.hasTraded($0, on: venue.pool)
        }
        guard users.count == 3 else { return }
        let budget = amount(perMille: 20...40, of: venue)
        fund(vault, budget * 2, on: venue)
        for user in users { fund(user, budget * 2, on: venue) }
        func terms(_ user: Int) -> MarketTerms {
            var terms = MarketTerms(priorityPrice: ordinaryPrice())
            terms.payer = user
            terms.router = SolanaAddress.router
            terms.puppet = wallets[vault].key
            return terms
        }
        let fill = trade([buy(vault, budget, venue)], terms(users[0]), context)[0]
        let between = place(users[1], .spend(budget * 2), on: venue, context)
        guard place(of: venue) != nil else { return }
        // Not the same amount to the unit: that alone would tie the two.
        let sold = fill.tokens.worsened(downBy: random.number(in: 10...90))
        let back = trade([sell(vault, sold, venue)], terms(users[2]), context)[0]
        tellInnocent(.router, fill, [between], back)
    }

    /// Buys on one pool and sells on another around somebody's trade, and back again.
    private mutating func playCrossings(_ venue: MarketVenue, _ context: SolanaSlotContext) {
        guard let pair = twoVenues() else { return }
        let first = playCycle(behindTradeOn: pair.0, other: pair.1, triggered: false, context)
        space()
        var between: [MarketFill] = []
        if let stranger = pickStrangers(1, isBuy: true, on: pair.1.pool).first {
            let budget = amount(perMille: 100...200, of: pair.1)
            fund(stranger, budget, on: pair.1)
            between.append(place(stranger, .spend(budget), on: pair.1, context))
        }
        space()
        let last = playCycle(behindTradeOn: pair.1, other: pair.0, triggered: false, context)
        guard let front = first.first(where: { $0.venue == pair.1 }),
            let back = last.first(where: { $0.venue == pair.1 }), front.isBuy, !back.isBuy
        else { return }
        tellInnocent(.cycle, front, between, back)
    }

    /// One owner with several wallets: what is between the round trip is his as well.
    private mutating func playWash(_ venue: MarketVenue, _ context: SolanaSlotContext) {
        guard let washer = pick(cast.washers, on: venue.pool),
            let other = pick(washer + 1..<max(washer + 2, cast.washers.upperBound), on: venue.pool),
            cast.washers.contains(other)
        else { return }
        let budget = amount(perMille: 10...30, of: venue)
        fund(washer, budget * 2, on: venue)
        fund(other, budget * 2, on: venue)
        var terms = MarketTerms(priorityPrice: ordinaryPrice())
        let isLinked = random.chance(perMille: 500)
        if isLinked {
            // The second wallet gets a first share from the first one.
            terms.handsOverTo = other
            _ = trade([buy(washer, budget, venue)], terms, context)
            terms.handsOverTo = nil
        }
        let fill = trade([buy(washer, budget, venue)], terms, context)[0]
        let between = isLinked ? trade([buy(other, budget, venue)], terms, context) : []
        guard place(of: venue) != nil else { return }
        let back = trade([sell(washer, fill.tokens, venue)], terms, context)[0]
        tellInnocent(.oneOwner, fill, between, back)
    }

    /// So many buyers at once that pairs say nothing.
    private mutating func playCrowd(_ venue: MarketVenue, _ context: SolanaSlotContext) {
        let crowd = pickStrangers(8, isBuy: true, on: venue.pool)
        guard crowd.count >= 6 else { return }
        let budget = max(
            amount(perMille: 5...10, of: venue),
            quote(of: venue).worth(lamports: 150_000_000)
        )
        for wallet in crowd { fund(wallet, budget, on: venue) }
        var fills: [MarketFill] = []
        for wallet in crowd where place(of: venue) != nil {
            let tolerance = random.number(in: 50...900)
            fills.append(
                place(wallet, .spend(budget), on: venue, tolerance: tolerance, context)
            )
        }
        guard fills.count >= 5 else { return }
        tellInnocentPair(.crowd, Array(fills.dropLast()), Array(fills.dropFirst()))
    }

    /// pump.fun's agent buys before and sells behind somebody.
    private mutating func playAgent(_ venue: MarketVenue, _ context: SolanaSlotContext) {
        guard case .curve = venue, !books.hasTraded(cast.agent, on: venue.pool),
            let stranger = pickStrangers(1, isBuy: true, on: venue.pool).first
        else { return playMarketMaker(venue, context) }
        let budget = amount(perMille: 20...40, of: venue)
        fund(cast.agent, budget, on: venue)
        fund(stranger, budget * 2, on: venue)
        let terms = MarketTerms(priorityPrice: 5_000_000)
        let fill = trade([buy(cast.agent, budget, venue)], terms, context)[0]
        let between = place(stranger, .spend(budget * 2), on: venue, context)
        guard place(of: venue) != nil else { return }
        let back = trade([sell(cast.agent, fill.tokens, venue)], terms, context)[0]
        tellInnocent(.agent, fill, [between], back)
    }

    /// A pair that lacks one mark of a front-run.
    private mutating func playNearFrontRun(_ venue: MarketVenue, _ context: SolanaSlotContext) {
        guard let wallet = pick(cast.searchers, on: venue.pool) else { return }
        let lack = random.next(below: 4)
        let pair = playFrontRun(
            venue,
            wallet,
            bidsMore: lack != 0,
            gap: lack == 1 ? 3 : 0,
            shareOfVictim: lack == 2 ? 30 : 800,
            tolerance: lack == 3 ? random.number(in: 2_300...5_000) : 500,
            context
        )
        guard let (front, victim) = pair else { return }
        let reasons: [SynthesizedLabel.Innocence] = [.lowBid, .farApart, .tooSmall, .wideLimit]
        tellInnocentPair(reasons[Int(lack)], [front], [victim])
    }

    /// A large buy, and a sale behind it that pays no tip or comes later.
    private mutating func playNearBackRun(_ venue: MarketVenue, _ context: SolanaSlotContext) {
        guard let large = playLarge(venue, perMille: 80...140, context) else { return }
        let sellers = pickStrangers(40, isBuy: false, on: venue.pool).filter {
            $0 != large.wallet && holding(of: $0, on: venue) > 1_000_000
        }
        guard let seller = sellers.first else { return }
        let isLate = random.chance(perMille: 500)
        if isLate { space() }
        let sold = holding(of: seller, on: venue) / 4
        let terms = MarketTerms(priorityPrice: ordinaryPrice(), tip: isLate ? tip() : 0)
        let back = trade([sell(seller, sold, venue)], terms, context)[0]
        tell(
            SynthesizedLabel(
                kind: .backRun,
                innocence: isLate ? .farApart : .noTip,
                slot: back.slot,
                pool: venue.pool.bytes,
                fronts: [],
                victims: [large.signature],
                backs: [back.signature],
                attacker: wallets[seller].key.bytes
            )
        )
    }

    // MARK: What is told

    /// Tells a way there and back around somebody as a look-alike of a sandwich; nothing when nobody
    /// was between.
    private mutating func tellInnocent(
        _ why: SynthesizedLabel.Innocence,
        _ front: MarketFill,
        _ between: [MarketFill],
        _ back: MarketFill
    ) {
        guard !between.isEmpty else { return }
        tell(
            SynthesizedLabel(
                kind: hasEarned([front], back) ? .sandwich : .sandwichUnprofitable,
                innocence: why,
                slot: back.slot,
                pool: back.venue.pool.bytes,
                fronts: [front.signature],
                victims: between.map(\.signature),
                backs: [back.signature],
                attacker: wallets[front.wallet].key.bytes
            )
        )
    }

    /// Tells trades of one side as look-alikes of a front-run.
    private mutating func tellInnocentPair(
        _ why: SynthesizedLabel.Innocence,
        _ fronts: [MarketFill],
        _ victims: [MarketFill]
    ) {
        guard let front = fronts.first, let last = victims.last else { return }
        tell(
            SynthesizedLabel(
                kind: .possibleFrontRun,
                innocence: why,
                slot: last.slot,
                pool: last.venue.pool.bytes,
                fronts: fronts.map(\.signature),
                victims: victims.map(\.signature),
                backs: [],
                attacker: wallets[front.wallet].key.bytes
            )
        )
    }
}
