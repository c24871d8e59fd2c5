/// What the actors are going to do, and what they have begun.
struct SceneSchedule {
    enum Kind {
        case sandwich, wide, frontRun, backRun, lookAlike
    }

    /// What comes next of a scene that has begun.
    enum Next {
        /// Victims, and in the end the way back.
        case wide(WideSandwich)
        /// Now that a wallet has an inventory.
        case sellFirst(attacker: Int, tokens: UInt64)
        case sameAmount(accomplice: Int, tokens: UInt64)
        case backRun(searcher: Int, tokens: UInt64)
        case leaderBuys(Int)
        case followerBuys(Int, after: MarketFill, leads: Bool)
        case leaderSells(Int, triesLeft: Int)
        case sniperBuys
    }

    struct Scene {
        /// The slot from which on it goes on.
        var due: UInt64
        var venue: MarketVenue
        var next: Next
    }

    private let spreads: [(kind: Kind, spread: EvenSpread)]
    private(set) var made: UInt64 = 0
    /// Scenes that wait for a pool.
    private(set) var waiting: [Kind] = []
    private(set) var begun: [Scene] = []
    /// Sandwiches that were begun.
    var sandwiches = 0
    /// Older tokens that people were sent to.
    var elders = 0
    /// Which innocent pattern comes next.
    var innocents = 0

    init(_ options: SynthesisOptions) {
        let counts: [(Kind, UInt32)] = [
            (.sandwich, options.sandwiches), (.wide, options.wideSandwiches),
            (.frontRun, options.frontRuns), (.backRun, options.backRuns),
            (.lookAlike, options.lookAlikes),
        ]
        spreads = counts.map { ($0.0, EvenSpread(count: $0.1, over: options.slots)) }
    }

    /// The next slot: what is due waits from now on.
    mutating func advance() {
        made += 1
        for (kind, spread) in spreads {
            for _ in 0..<spread.due(at: made) { waiting.append(kind) }
        }
    }

    mutating func add(_ scene: Scene) { begun.append(scene) }

    /// The first scene that is to go on by now.
    mutating func takeDue(at slot: UInt64) -> Scene? {
        guard let index = begun.firstIndex(where: { $0.due <= slot }) else { return nil }
        return begun.remove(at: index)
    }

    mutating func takeWaiting() -> Kind? { waiting.isEmpty ? nil : waiting.removeFirst() }

    mutating func putBack(_ kind: Kind) { waiting.insert(kind, at: 0) }
}

/// A sandwich whose front stands in an earlier slot.
struct WideSandwich {
    var fronts: [MarketFill]
    /// Who sells.
    var seller: Int
    /// Slots from front to back.
    var distance: UInt64
    var tip: UInt64
    var victims: Int
}

extension SolanaChainSynthesis {
    /// Scenes that are begun or go on in one slot, beyond those between the trades.
    private static let scenesPerSlotMax = 12

    mutating func beginScenes(_ context: SolanaSlotContext) {
        books.begin(slot: context.slot)
        scenes.advance()
        if !cast.elders.isEmpty { playElders(context) }
    }

    /// Goes on with one scene, or begins one.
    mutating func playNext(_ context: SolanaSlotContext) {
        if let scene = scenes.takeDue(at: context.slot) {
            goOn(scene, context)
        } else if let kind = scenes.takeWaiting(), !begin(kind, context) {
            scenes.putBack(kind)
        }
    }

    mutating func endScenes(_ context: SolanaSlotContext) {
        while let scene = scenes.takeDue(at: context.slot) { goOn(scene, context) }
        for _ in 0..<Self.scenesPerSlotMax {
            guard let kind = scenes.takeWaiting() else { break }
            guard begin(kind, context) else {
                scenes.putBack(kind)
                break
            }
        }
        settleFrontRuns(context)
    }

    private mutating func begin(_ kind: SceneSchedule.Kind, _ context: SolanaSlotContext) -> Bool {
        guard let venue = pickVenue(context) else { return false }
        books.use(venue.pool)
        space()
        switch kind {
        case .sandwich: beginSandwich(venue, context)
        case .wide: beginWide(venue, context)
        case .frontRun: playFrontRun(venue, context)
        case .backRun: beginBackRun(venue, context)
        case .lookAlike: playLookAlike(venue, context)
        }
        space()
        return true
    }

    private mutating func goOn(_ scene: SceneSchedule.Scene, _ context: SolanaSlotContext) {
        guard place(of: scene.venue) != nil else {
            books.release(scene.venue.pool)
            return
        }
        switch scene.next {
        case .wide(let wide): return goOn(wide, scene.venue, context)
        default: break
        }
        // A curve that fills up in the middle would leave a scene without its end.
        switch scene.next {
        case .sellFirst, .sameAmount, .backRun:
            guard hasRoom(scene.venue) else { return }
        default: break
        }
        // One scene on a pool at a time; this one comes a slot later.
        guard !books.isHeld(scene.venue.pool), !books.isUsed(scene.venue.pool) else {
            var later = scene
            later.due = context.slot + 1
            scenes.add(later)
            return
        }
        books.use(scene.venue.pool)
        space()
        switch scene.next {
        case .wide: break
        case .sellFirst(let attacker, let tokens):
            playSellFirst(scene.venue, attacker, tokens, context)
        case .sameAmount(let accomplice, let tokens):
            playSameAmount(scene.venue, accomplice, tokens, context)
        case .backRun(let searcher, let tokens):
            playTippedBackRun(scene.venue, searcher, tokens, context)
        case .leaderBuys(let leader): leaderBuys(leader, scene.venue, context)
        case .followerBuys(let follower, let lead, let leads):
            followerBuys(follower, after: lead, leads: leads, scene.venue, context)
        case .leaderSells(let leader, let tries):
            leaderSells(leader, scene.venue, triesLeft: tries, context)
        case .sniperBuys: sniperBuys(scene.venue, context)
        }
        space()
    }

    /// Three transactions of others, so that nothing before or after stands next to a scene.
    mutating func space() {
        for _ in 0..<3 { vote() }
    }

    /// A pool or curve on which a scene can be played, with room for all of it.
    private mutating func pickVenue(_ context: SolanaSlotContext) -> MarketVenue? {
        var venues: [MarketVenue] = []
        for coin in coins where coin.launchedAt < context.slot {
            let venue = MarketVenue.curve(coin.market.mint)
            if hasRoom(venue) { venues.append(venue) }
        }
        venues += pools.map { .pumpSwap($0.pool.address) }
        venues += raydiumWithoutElders.map { .raydium(raydium[$0].pool.address) }
        venues.removeAll { books.isHeld($0.pool) || books.isUsed($0.pool) }
        return venues.isEmpty ? nil : venues[random.index(below: venues.count)]
    }

    /// Whether a scene cannot fill the venue up.
    private func hasRoom(_ venue: MarketVenue) -> Bool {
        guard case .curve = venue else { return true }
        guard let place = place(of: venue) else { return false }
        return coins[place].market.curve.realTokens > BondingCurve.tokensForSale / 2
    }

    /// So many thousandths of what the pool's prices follow; Raydium's pools are larger and take
    /// smaller fees.
    mutating func amount(perMille range: ClosedRange<UInt64>, of venue: MarketVenue) -> UInt64 {
        let reserve = quoteReserve(venue) ?? 0  // a venue that is there
        var share = random.number(in: range)
        if case .raydium = venue { share = max(1, share / 4) }
        return max(1_000_000, SolanaMath.multiply(reserve, share, dividedBy: 1_000))
    }
}
