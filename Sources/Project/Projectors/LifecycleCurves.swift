import MarketModel
import Projection

/// What events of bonding curves do to tokens.
enum LifecycleCurves {
    // MARK: Creation

    static func create(_ created: TokenCreated, in state: inout LifecycleState) {
        let place = state.findOrMake(created.token, venue: created.venue)
        guard state.set.works[place].row.origin != .curve else { return }
        // A token with trades before its creation is no new one: it stays partial.
        let isBirth = state.set.works[place].market.lastTrade == nil
        fill(created, into: place, of: &state)
        state.curves.put(created.curve, TokenCurveRow(token: created.token))
        let text = TokenTextRow(name: created.name, symbol: created.symbol, uri: created.uri)
        state.texts.put(created.token, text)
        if isBirth {
            state.set.works[place].row.origin = .curve
            state.set.works[place].start = TokenStartRow()
            state.traders.updateCreator(of: state.set.works[place].row, at: state.moment) { row in
                row.created &+= 1
            }
            priceStart(place, of: &state)
        }
        state.advance(place, .created)
    }

    private static func fill(
        _ created: TokenCreated,
        into place: Int,
        of state: inout LifecycleState
    ) {
        state.set.setQuote(place, created.quote)
        var row = state.set.works[place].row
        row.venue = created.venue
        row.curve = created.curve
        row.user = created.user
        row.firstCreator = created.creator
        row.creator = created.creator
        row.tokenProgram = created.tokenProgram
        row.isMayhem = created.isMayhem
        row.isCashback = created.isCashback
        row.isHolderReward = created.isHolderReward
        row.startTokens = created.virtualReserves?.token
        row.startQuote = created.virtualReserves?.quote
        row.startRealTokens = created.realTokenReserves
        row.supply = created.supply
        row.createdPosition = state.moment.position
        row.createdTransaction = state.moment.transaction
        row.createdTime = state.moment.seconds
        // Only coins paired with SOL existed when events did not tell the start.
        if created.venue == .pumpCurve, created.quote == KnownQuote.wrappedSOL {
            let defaults = state.parameters
            row.isStartDefault =
                row.startTokens == nil || row.startRealTokens == nil || row.supply == nil
            row.startTokens = row.startTokens ?? defaults.startTokens
            row.startQuote = row.startQuote ?? defaults.startQuote
            row.startRealTokens = row.startRealTokens ?? defaults.startRealTokens
            row.supply = row.supply ?? defaults.supply
        }
        state.set.works[place].row = row
        state.noteEstimate(place)
    }

    private static func priceStart(_ place: Int, of state: inout LifecycleState) {
        let row = state.set.works[place].row
        state.set.works[place].isMarketChanged = true
        state.set.works[place].market.supply = row.supply
        state.set.works[place].market.realTokens = row.startRealTokens
        state.set.works[place].market.realQuote = 0
        if row.startRealTokens != nil { state.set.works[place].market.progress = 0 }
        guard let tokens = row.startTokens, let quote = row.startQuote else { return }
        state.price(place, Reserves(token: tokens, quote: quote), venue: row.venue)
    }

    // MARK: Trades

    static func trade(_ trade: Trade, in state: inout LifecycleState) {
        let place = state.findOrMake(trade.token, venue: trade.venue)
        learn(from: trade, place, of: &state)
        let after = PoolReserves.after(trade, known: state.reserves(of: place))
        state.price(place, after?.reserves, venue: trade.venue)
        // What goes beyond the curve's end leaves nothing on it.
        let isOnCurve = !trade.flags.contains(.postComplete)
        if isOnCurve {
            if let real = trade.realTokenReserves { setRealTokens(real, of: place, &state) }
            if let real = trade.realQuoteReserves { state.set.works[place].market.realQuote = real }
            if trade.realTokenReserves == 0, state.set.works[place].row.completedPosition == nil {
                state.set.works[place].emptying = state.moment.place
            }
        }
        if state.set.works[place].row.phase < .complete {
            let progress = state.set.works[place].market.progress
            let begins = begins(trade, place, of: state)
            state.advance(place, .curveTrade(progress: progress, begins: begins))
        }
        state.count(trade, of: place)
    }

    /// Whether a trade begins trading: not the agent's, and not what its makers buy within the
    /// transaction that creates it, unless the parameters say so.
    private static func begins(
        _ trade: Trade,
        _ place: Int,
        of state: borrowing LifecycleState
    ) -> Bool {
        if trade.flags.contains(.mayhemAgent) { return false }
        if state.parameters.devBuyCountsAsTrading { return true }
        guard trade.side == .buy,
            state.set.works[place].row.createdPosition == state.moment.position,
            state.set.works[place].row.createdTransaction == state.moment.transaction
        else { return true }
        return !state.traders.isMaker(trade.trader, of: state.set.works[place])
    }

    /// Takes what a trade tells of a curve whose creation was not seen.
    private static func learn(from trade: Trade, _ place: Int, of state: inout LifecycleState) {
        if let creator = trade.creator, !creator.isZero, state.set.works[place].row.creator == nil {
            state.set.works[place].row.creator = creator
        }
        // A trade on the curve disproves a pool that was only inferred.
        if state.set.works[place].row.isPoolInferred {
            state.set.works[place].row.pool = nil
            state.set.works[place].row.isPoolInferred = false
            state.set.works[place].row.isCompleteInferred = false
            state.set.works[place].row.phase = .unknown
        }
        guard state.set.works[place].row.curve == nil else { return }
        let curve = trade.curve ?? trade.pool
        let seed = state.curves[curve]
        var row = state.set.works[place].row
        row.venue = trade.venue
        row.curve = curve
        if let seed {
            row.isMayhem = seed.isMayhem
            row.creator = row.creator ?? seed.creator
            row.supply = row.supply ?? seed.supply
        }
        if trade.venue == .pumpCurve {
            row.isStartDefault = true
            row.startRealTokens = row.startRealTokens ?? state.parameters.startRealTokens
            row.supply = row.supply ?? state.parameters.supply
        }
        state.set.works[place].row = row
        state.set.works[place].market.supply = row.supply
        state.set.setQuote(place, trade.quote)
        state.curves.put(curve, TokenCurveRow(token: trade.token))
    }

    static func setRealTokens(_ real: UInt128, of place: Int, _ state: inout LifecycleState) {
        state.set.works[place].isMarketChanged = true
        state.set.works[place].market.realTokens = real
        guard let start = state.set.works[place].row.startRealTokens else { return }
        // Above the start on mayhem coins, whose agent sells into the curve: then nothing is sold.
        let progress = UInt64.basisPoints(start.minus(real), of: start)
        state.set.works[place].market.progress = progress.map { UInt16(min($0, 10_000)) }
    }

    static func reset(_ reset: CurveReset, in state: inout LifecycleState) {
        let place = state.findOrMake(reset.token, venue: reset.venue)
        state.price(place, reset.after, venue: reset.venue)
        setRealTokens(reset.realTokenReserves, of: place, &state)
        state.set.works[place].market.realQuote = reset.realQuoteReserves
    }

    static func changeCreator(_ changed: CreatorChanged, in state: inout LifecycleState) {
        let place = state.findOrMake(changed.token, venue: changed.venue)
        state.set.works[place].row.creator = changed.creator
    }

    // MARK: Completion

    static func complete(_ completed: CurveCompleted, in state: inout LifecycleState) {
        let place = state.findOrMake(completed.token, venue: completed.venue)
        learn(curve: completed.curve, place, of: &state)
        state.set.works[place].emptying = nil
        guard state.set.works[place].row.completedPosition == nil else { return }
        setCompletion(of: place, &state)
        state.set.works[place].row.isCompleteInferred = false
        state.advance(place, .completed)
    }

    /// Curves that were emptied in this block and of which nothing says that they are complete.
    static func settle(_ state: inout LifecycleState) {
        let end = state.moment.place
        for place in state.set.works.indices {
            guard let emptying = state.set.works[place].emptying,
                state.set.works[place].row.completedPosition == nil
            else { continue }
            state.moment.place = emptying
            setCompletion(of: place, &state)
            state.set.works[place].row.isCompleteInferred = true
            state.advance(place, .completed)
        }
        state.moment.place = end
    }

    private static func learn(curve: Address, _ place: Int, of state: inout LifecycleState) {
        guard state.set.works[place].row.curve == nil else { return }
        state.set.works[place].row.curve = curve
        state.curves.put(curve, TokenCurveRow(token: state.set.works[place].token))
    }

    private static func setCompletion(of place: Int, _ state: inout LifecycleState) {
        let moment = state.moment
        var row = state.set.works[place].row
        row.completedPosition = moment.position
        row.completedTime = moment.seconds
        if let created = row.createdPosition {
            row.graduationSlots = moment.position.subtractingReportingOverflow(created).partialValue
        }
        if let created = row.createdTime, let seconds = moment.seconds {
            row.graduationSeconds = seconds.subtractingReportingOverflow(created).partialValue
        }
        state.set.works[place].row = row
        state.noteEstimate(place)
    }

    static func migrate(_ migrated: CurveMigrated, in state: inout LifecycleState) {
        let place = state.findOrMake(migrated.token, venue: migrated.venue)
        learn(curve: migrated.curve, place, of: &state)
        // Called again, a migration does nothing.
        guard state.set.works[place].row.migratedPosition == nil else { return }
        var row = state.set.works[place].row
        let isOpened = row.pool == migrated.pool
        row.pool = migrated.pool
        row.isPoolInferred = false
        if row.phase < .complete { row.isCompleteInferred = true }
        row.migratedPosition = state.moment.position
        row.migratedTime = state.moment.seconds
        row.migratedTokens = migrated.tokenAmount
        row.migratedQuote = migrated.quoteAmount
        row.migrationFee = migrated.fee
        state.set.works[place].row = row
        // Where the opening of the pool was seen, it has told the price.
        if !isOpened {
            let reserves = Reserves(token: migrated.tokenAmount, quote: migrated.quoteAmount)
            state.price(place, reserves, venue: .pumpSwap)
        }
        state.advance(place, .migrated)
    }
}

extension TokenCurveRow {
    /// A curve whose coin is known.
    init(token: Address) {
        self.init()
        self.token = token
    }
}
