/// Who leads, who follows, and how often: what the actors keep of it themselves.
struct CopyBook {
    struct Leader {
        /// Tokens of which nearly all was sold again, and how many of them brought a gain.
        var closed: UInt64 = 0
        var won: UInt64 = 0
        /// First buys, and those made as a leader.
        var bought: UInt64 = 0
        var led: UInt64 = 0

        /// Twenty closed tokens, half of them with a gain.
        var leads: Bool { closed >= 20 && won * 2 >= closed }
    }

    struct Follower {
        var bought: UInt64 = 0
        /// Slots from the leader's buy to the own one.
        var lags: [UInt64] = []
        var isTold = false
        /// Whether it was told as one that only looks like it.
        var isToldInnocent = false
    }

    /// Tokens that anybody has bought.
    var tokens: UInt64 = 0
    private var elders: [SolanaKey] = []
    var leaders: [Int: Leader] = [:]
    var followers: [Int: Follower] = [:]
    /// What leaders bought as such, in the newest slots.
    private(set) var leads: [MarketFill] = []
    /// How often the sniper bought after a leader.
    var sniped: [Int: Int] = [:]

    /// A token that was there before the run.
    mutating func note(elder mint: SolanaKey) {
        guard !elders.contains(mint) else { return }
        elders.append(mint)
        tokens += 1
    }

    /// As far as a follower may be behind.
    static let reach: UInt64 = 10

    mutating func note(lead fill: MarketFill) {
        leads.removeAll { $0.slot + Self.reach < fill.slot }
        leads.append(fill)
    }

    /// Whether a wallet would still be rare with one more token: it neither leads nor follows when it
    /// buys more than three in ten.
    func staysRare(_ bought: UInt64) -> Bool { (bought + 1) * 10 <= tokens * 3 }

    /// Whether follower and leader are tied by now: three tokens, half of what was led, within five
    /// slots as a rule, five times more often than chance, and neither buys nearly everything.
    func isRelation(_ follower: Follower, _ leader: Leader) -> Bool {
        let both = UInt64(follower.lags.count)
        guard both >= 3, both * 2 >= leader.led, leader.led > 0, follower.bought > 0 else {
            return false
        }
        let median = follower.lags.sorted()[(follower.lags.count - 1) / 2]
        let rare = max(leader.bought, follower.bought) * 10 <= tokens * 3
        return median <= 5 && rare && both * tokens >= 5 * leader.led * follower.bought
    }
}

/// Copy trading: leaders first show that they gain, then others buy what they buy.
extension SolanaChainSynthesis {
    private static let sol: UInt64 = 1_000_000_000

    /// What a new coin means to leaders and to the sniper.
    mutating func planLaunch(_ context: SolanaSlotContext) {
        // A record is kept for each currency: leaders have theirs in SOL.
        guard let coin = coins.last, coin.market.quote == .native else { return }
        let venue = MarketVenue.curve(coin.market.mint)
        let number = Int(clamping: launched - 1)
        let lane = number % (ActorCast.leadersAtOnce + 1)
        let group = number / ActorCast.coinsForLeaders
        let leader = cast.leaders.lowerBound + group * ActorCast.leadersAtOnce + lane
        // With older tokens around they learn on those.
        let hasLearned = cast.elders.isEmpty || copying.leaders[leader]?.leads == true
        if lane < ActorCast.leadersAtOnce, cast.leaders.contains(leader), hasLearned {
            let due = context.slot + random.number(in: 1...3)
            scenes.add(SceneSchedule.Scene(due: due, venue: venue, next: .leaderBuys(leader)))
        }
        guard options.lookAlikes > 0, options.copyTraders > 0, cast.elders.isEmpty,
            random.chance(perMille: 500)
        else { return }
        let due = context.slot + random.number(in: 1...4)
        scenes.add(SceneSchedule.Scene(due: due, venue: venue, next: .sniperBuys))
    }

    mutating func leaderBuys(_ leader: Int, _ venue: MarketVenue, _ context: SolanaSlotContext) {
        guard holding(of: leader, on: venue) == 0 else { return }
        var book = copying.leaders[leader] ?? CopyBook.Leader()
        if book.leads, !copying.staysRare(book.bought) { return }
        let budget = random.number(in: 3...9) * Self.sol / 10
        fund(leader, budget, on: venue)
        let fill = place(leader, .spend(budget), on: venue, context)
        book.bought += 1
        let leads = book.leads
        if leads {
            book.led += 1
            copying.note(lead: fill)
        }
        copying.leaders[leader] = book
        for (follower, perMille) in cast.following(leader) where leads {
            guard random.chance(perMille: perMille) else { continue }
            let due = context.slot + random.number(in: 1...3)
            scenes.add(
                SceneSchedule.Scene(
                    due: due,
                    venue: venue,
                    next: .followerBuys(follower, after: fill, leads: leads)
                )
            )
        }
        later(.leaderSells(leader, triesLeft: 3), on: venue, context)
    }

    mutating func followerBuys(
        _ follower: Int,
        after lead: MarketFill,
        leads: Bool,
        _ venue: MarketVenue,
        _ context: SolanaSlotContext
    ) {
        guard holding(of: follower, on: venue) == 0 else { return }
        let budget = random.number(in: 2...6) * Self.sol / 10
        fund(follower, budget, on: venue)
        let fill = place(follower, .spend(budget), on: venue, context)
        guard let leader = copying.leaders[lead.wallet] else { return }
        var book = copying.followers[follower] ?? CopyBook.Follower()
        defer { copying.followers[follower] = book }
        book.bought += 1
        let lag = context.slot - lead.slot
        guard leads, lag <= CopyBook.reach else { return }
        book.lags.append(lag)
        guard !book.isTold else { return }
        if copying.isRelation(book, leader) {
            book.isTold = true
            tellCopy(lead, fill, nil)
        } else if book.lags.count >= 3, !book.isToldInnocent {
            book.isToldInnocent = true
            tellCopy(lead, fill, .seldom)
        }
    }

    private mutating func tellCopy(
        _ lead: MarketFill,
        _ fill: MarketFill,
        _ why: SynthesizedLabel.Innocence?
    ) {
        tell(
            SynthesizedLabel(
                kind: .copyTrading,
                innocence: why,
                slot: fill.slot,
                pool: fill.venue.pool.bytes,
                fronts: [lead.signature],
                victims: [],
                backs: [fill.signature],
                attacker: wallets[fill.wallet].key.bytes
            )
        )
    }

    /// Sells all with a gain; while there is none, somebody else buys and the leader waits.
    mutating func leaderSells(
        _ leader: Int,
        _ venue: MarketVenue,
        triesLeft: Int,
        _ context: SolanaSlotContext
    ) {
        let held = holding(of: leader, on: venue)
        guard held > 0, let account = account(of: leader, on: venue),
            let position = books.positions[account],
            let value = outcome(.sell(held), on: venue)
        else { return }
        if value <= position.spent + position.spent / 20, triesLeft > 0 {
            _ = playLarge(venue, perMille: 30...60, context)
            let again = SceneSchedule.Next.leaderSells(leader, triesLeft: triesLeft - 1)
            let due = context.slot + 2
            scenes.add(SceneSchedule.Scene(due: due, venue: venue, next: again))
            return
        }
        guard !books.reverses(leader, isBuy: false, on: venue.pool) else { return }
        let fill = place(leader, .sell(held), on: venue, context)
        var book = copying.leaders[leader] ?? CopyBook.Leader()
        book.closed += 1
        if fill.quote > position.spent { book.won += 1 }
        copying.leaders[leader] = book
    }

    mutating func sniperBuys(_ venue: MarketVenue, _ context: SolanaSlotContext) {
        guard holding(of: cast.sniper, on: venue) == 0 else { return }
        let budget = random.number(in: 1...4) * quote(of: venue).unit / 10
        fund(cast.sniper, budget, on: venue)
        let fill = place(cast.sniper, .spend(budget), on: venue, context)
        for lead in copying.leads
        where lead.venue == venue && lead.slot + CopyBook.reach >= fill.slot {
            let times = (copying.sniped[lead.wallet] ?? 0) + 1  // never before
            copying.sniped[lead.wallet] = times
            if times == 3 { tellCopy(lead, fill, .sniper) }
        }
    }
}
