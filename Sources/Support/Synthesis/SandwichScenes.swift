/// Sandwiches: a trade before those of others and one after them, by one actor.
extension SolanaChainSynthesis {
    /// Begins a sandwich within this slot, or buys the inventory for one.
    mutating func beginSandwich(_ venue: MarketVenue, _ context: SolanaSlotContext) {
        guard let attacker = pick(cast.attackers, on: venue.pool),
            let accomplice = pick(cast.accomplices, on: venue.pool)
        else { return }
        // One in six of them earns nothing.
        scenes.sandwiches += 1
        if scenes.sandwiches % 6 == 2 {
            return playSandwich(venue, attacker, isPoor: true, context)
        }
        switch random.next(below: 100) {
        case 0..<56: playSandwich(venue, attacker, isPoor: false, context)
        case 56..<66: playPair(venue, attacker, accomplice, sharesPayer: true, context)
        case 66..<76: playPair(venue, attacker, accomplice, sharesPayer: false, context)
        case 76..<88:
            let bought = stockUp(attacker, on: venue, context)
            later(.sellFirst(attacker: attacker, tokens: bought), on: venue, context)
        default:
            let bought = stockUp(accomplice, on: venue, context)
            later(.sameAmount(accomplice: accomplice, tokens: bought), on: venue, context)
        }
    }

    /// Buys what a scene some slots later needs.
    mutating func stockUp(
        _ wallet: Int,
        on venue: MarketVenue,
        _ context: SolanaSlotContext
    ) -> UInt64 {
        let budget = amount(perMille: 20...40, of: venue)
        fund(wallet, budget, on: venue)
        return place(wallet, .spend(budget), on: venue, tolerance: 3_000, context).tokens
    }

    mutating func later(
        _ next: SceneSchedule.Next,
        on venue: MarketVenue,
        _ context: SolanaSlotContext
    ) {
        // Beyond the reach of any sandwich.
        let due = context.slot + MarketBooks.reach + 1
        scenes.add(SceneSchedule.Scene(due: due, venue: venue, next: next))
    }

    // MARK: Within a slot

    /// One wallet buys, others buy, it sells. With next to nothing in between it earns nothing.
    private mutating func playSandwich(
        _ venue: MarketVenue,
        _ attacker: Int,
        isPoor: Bool,
        _ context: SolanaSlotContext
    ) {
        let terms = attackersTerms(mayTip: true)
        let budget = amount(perMille: isPoor ? 15...30 : 20...60, of: venue)
        let isSplit = random.chance(perMille: 200)
        let victims = prepareVictims(
            venue,
            isBuy: true,
            isPoor: isPoor,
            funds: budget * 2,
            attacker
        )
        var fronts: [MarketFill] = []
        for part in isSplit ? [budget / 2, budget - budget / 2] : [budget] {
            fronts += trade([buy(attacker, part, venue)], terms, context)
        }
        // Some leave a little behind. Far from their victims and without a tip they would look just
        // like somebody who changed his mind.
        let leaves = random.chance(perMille: 200)
        let spreads = !leaves || terms.tip > 0
        guard let harmed = play(victims, on: venue, spreads: spreads, context) else { return }
        var tokens = fronts.reduce(0) { $0 + $1.tokens }
        if leaves {
            tokens -= SolanaMath.multiply(tokens, random.number(in: 100...390), dividedBy: 10_000)
        }
        let back = trade([sell(attacker, tokens, venue)], terms, context)[0]
        tellSandwich(fronts, harmed, back)
    }

    /// One wallet buys and hands over, another one sells; the first may pay for both.
    private mutating func playPair(
        _ venue: MarketVenue,
        _ attacker: Int,
        _ accomplice: Int,
        sharesPayer: Bool,
        _ context: SolanaSlotContext
    ) {
        let budget = amount(perMille: 20...50, of: venue)
        let victims = prepareVictims(
            venue,
            isBuy: true,
            isPoor: false,
            funds: budget * 2,
            attacker
        )
        fund(accomplice, 1_000_000_000, on: venue)
        var terms = attackersTerms(mayTip: true)
        terms.handsOverTo = accomplice
        let fronts = trade([buy(attacker, budget, venue)], terms, context)
        guard let harmed = play(victims, on: venue, spreads: false, context) else { return }
        terms.handsOverTo = nil
        terms.payer = sharesPayer ? attacker : nil
        let back = trade([sell(accomplice, fronts[0].tokens, venue)], terms, context)[0]
        tellSandwich(fronts, harmed, back)
    }

    /// Sells before others sell, and buys the same amount back.
    mutating func playSellFirst(
        _ venue: MarketVenue,
        _ attacker: Int,
        _ tokens: UInt64,
        _ context: SolanaSlotContext
    ) {
        let sellers = pickStrangers(40, isBuy: false, on: venue.pool).filter {
            holding(of: $0, on: venue) > tokens / 2
        }
        guard !books.hasTraded(attacker, on: venue.pool), let victim = sellers.first,
            holding(of: attacker, on: venue) >= tokens
        else { return }
        let front = trade([sell(attacker, tokens, venue)], attackersTerms(mayTip: true), context)
        // Nobody gives a whole position up.
        let sold = min(holding(of: victim, on: venue) / 2, tokens * 2)
        let harmed = [
            place(
                victim,
                .sell(sold),
                on: venue,
                tolerance: random.number(in: 300...2_500),
                context
            )
        ]
        let size: MarketOrder.Size
        if case .raydium = venue {
            // What brings back nearly as much as was sold.
            size = .spend(front[0].quote - front[0].quote / 500)
        } else {
            size = .buy(tokens)
        }
        fund(attacker, front[0].quote * 2, on: venue)
        let order = MarketOrder(venue: venue, wallet: attacker, size: size, tolerance: 500)
        let back = trade([order], attackersTerms(mayTip: true), context)[0]
        guard near(front[0].tokens, back.tokens, basisPoints: 500) else { return }
        tellSandwich(front, harmed, back)
    }

    /// Two wallets that nothing ties together but the amount: one buys exactly what the other sells.
    mutating func playSameAmount(
        _ venue: MarketVenue,
        _ accomplice: Int,
        _ tokens: UInt64,
        _ context: SolanaSlotContext
    ) {
        if case .raydium = venue { return }
        guard let attacker = pick(cast.attackers, on: venue.pool),
            !books.hasTraded(accomplice, on: venue.pool),
            holding(of: accomplice, on: venue) >= tokens
        else { return }
        let victims = prepareVictims(
            venue,
            isBuy: true,
            isPoor: false,
            funds: (quoteReserve(venue) ?? 0) / 4,  // a venue that is there
            attacker
        )
        let order = MarketOrder(venue: venue, wallet: attacker, size: .buy(tokens), tolerance: 800)
        let fronts = trade([order], attackersTerms(mayTip: true), context)
        guard let harmed = play(victims, on: venue, spreads: false, context) else { return }
        let back = trade(
            [sell(accomplice, tokens, venue)],
            attackersTerms(mayTip: true),
            context
        )[0]
        tellSandwich(fronts, harmed, back)
    }

    // MARK: Over several slots

    mutating func beginWide(_ venue: MarketVenue, _ context: SolanaSlotContext) {
        guard let attacker = pick(cast.attackers, on: venue.pool),
            let accomplice = pick(cast.accomplices, on: venue.pool)
        else { return }
        let budget = amount(perMille: 20...50, of: venue)
        fund(attacker, budget * 2, on: venue)
        fund(accomplice, 1_000_000_000, on: venue)
        let hasTwo = random.chance(perMille: 150)
        var terms = attackersTerms(mayTip: false)
        if hasTwo { terms.handsOverTo = accomplice }
        let fronts = trade([buy(attacker, budget, venue)], terms, context)
        books.hold(venue.pool)
        let wide = WideSandwich(
            fronts: fronts,
            seller: hasTwo ? accomplice : attacker,
            distance: random.number(in: hasTwo ? 1...2 : 1...MarketBooks.wideSlots),
            tip: hasTwo || random.chance(perMille: 300) ? tip() : 0,
            victims: Int(random.number(in: 1...3))
        )
        scenes.add(
            SceneSchedule.Scene(due: context.slot + 1, venue: venue, next: .wide(wide))
        )
    }

    mutating func goOn(
        _ wide: WideSandwich,
        _ venue: MarketVenue,
        _ context: SolanaSlotContext
    ) {
        var wide = wide
        let first = wide.fronts[0].slot
        let isLast = context.slot - first >= wide.distance
        let now = isLast ? wide.victims : Int(random.number(in: 0...UInt64(wide.victims)))
        space()
        let strangers = pickStrangers(now, isBuy: true, on: venue.pool)
        for stranger in strangers {
            let budget = amount(perMille: 35...70, of: venue)
            fund(stranger, budget, on: venue)
            space()
            place(stranger, .spend(budget), on: venue, context)
            guard place(of: venue) != nil else { return books.release(venue.pool) }
        }
        wide.victims -= strangers.count
        guard isLast else {
            scenes.add(
                SceneSchedule.Scene(due: context.slot + 1, venue: venue, next: .wide(wide))
            )
            return
        }
        space()
        var terms = attackersTerms(mayTip: false)
        terms.tip = wide.tip
        let tokens = wide.fronts.reduce(0) { $0 + $1.tokens }
        let between = books.fills(on: venue.pool).filter {
            $0.isBuy && $0.wallet != wide.fronts[0].wallet
                && ($0.slot, $0.index) > (first, wide.fronts[0].index)
        }
        let back = trade([sell(wide.seller, tokens, venue)], terms, context)[0]
        books.release(venue.pool)
        // Slots that were passed over may have put it out of reach; what ties two wallets is too weak
        // beyond two slots.
        let reach = wide.seller == wide.fronts[0].wallet ? MarketBooks.wideSlots : 2
        guard !between.isEmpty, back.slot - first <= reach else { return }
        tellSandwich(wide.fronts, between, back)
        space()
    }

    // MARK: Parts

    /// Who is going to be harmed, with funds for it.
    private mutating func prepareVictims(
        _ venue: MarketVenue,
        isBuy: Bool,
        isPoor: Bool,
        funds: UInt64,
        _ attacker: Int
    ) -> [(wallet: Int, budget: UInt64)] {
        fund(attacker, funds, on: venue)
        let count = isPoor ? 1 : Int(random.number(in: 1...4))
        return pickStrangers(count, isBuy: isBuy, on: venue.pool).map { wallet in
            let budget = amount(perMille: isPoor ? 1...2 : 40...70, of: venue)
            fund(wallet, budget, on: venue)
            return (wallet, budget)
        }
    }

    /// The victims' trades; nil when the curve was full before the end.
    private mutating func play(
        _ victims: [(wallet: Int, budget: UInt64)],
        on venue: MarketVenue,
        spreads: Bool,
        _ context: SolanaSlotContext
    ) -> [MarketFill]? {
        let gap = spreads && random.chance(perMille: 250) ? random.number(in: 1...4) : 0
        var fills: [MarketFill] = []
        for victim in victims {
            for _ in 0..<gap { vote() }
            let order = MarketOrder(
                venue: venue,
                wallet: victim.wallet,
                size: .spend(victim.budget),
                tolerance: random.number(in: 100...3_500)
            )
            let terms = MarketTerms(priorityPrice: ordinaryPrice())
            fills += trade([order], terms, context)
            guard place(of: venue) != nil else { return nil }
        }
        return fills
    }

    func buy(_ wallet: Int, _ budget: UInt64, _ venue: MarketVenue) -> MarketOrder {
        MarketOrder(venue: venue, wallet: wallet, size: .spend(budget), tolerance: 800)
    }

    func sell(_ wallet: Int, _ tokens: UInt64, _ venue: MarketVenue) -> MarketOrder {
        MarketOrder(venue: venue, wallet: wallet, size: .sell(tokens), tolerance: 900)
    }

    mutating func tip() -> UInt64 { random.amount(in: 100_000...3_000_000) }

    mutating func attackersTerms(mayTip: Bool) -> MarketTerms {
        var terms = MarketTerms(priorityPrice: random.number(in: 3_000_001...6_000_000))
        if mayTip, random.chance(perMille: 600) { terms.tip = tip() }
        return terms
    }

    func near(_ measure: UInt64, _ other: UInt64, basisPoints: UInt64) -> Bool {
        let distance = measure > other ? measure - other : other - measure
        return UInt128(distance) * 10_000 <= UInt128(measure) * UInt128(basisPoints)
    }

    /// Whether a way there and back earned more than it cost.
    func hasEarned(_ fronts: [MarketFill], _ back: MarketFill) -> Bool {
        let put = fronts.reduce(Int128(0)) { $0 + Int128($1.quote) }
        // Fees and tips are SOL: of another quote they cannot be subtracted.
        let cost =
            quote(of: back.venue) == .native
            ? (fronts + [back]).reduce(Int128(0)) { $0 + Int128($1.cost) } : 0
        let gross = back.isBuy ? put - Int128(back.quote) : Int128(back.quote) - put
        return gross > cost
    }

    /// Tells a sandwich by what it earned after all it cost: a wide one that earned nothing is none.
    private mutating func tellSandwich(
        _ fronts: [MarketFill],
        _ victims: [MarketFill],
        _ back: MarketFill
    ) {
        let isWide = fronts[0].slot != back.slot
        let earned = hasEarned(fronts, back)
        if isWide, !earned { return }
        tell(
            SynthesizedLabel(
                kind: isWide ? .wide : earned ? .sandwich : .sandwichUnprofitable,
                slot: back.slot,
                pool: back.venue.pool.bytes,
                fronts: fronts.map(\.signature),
                victims: victims.map(\.signature),
                backs: [back.signature],
                attacker: wallets[back.wallet].key.bytes
            )
        )
    }
}
