import MarketModel
import Projection

/// What events of pools do to tokens.
enum LifecyclePools {
    static func open(
        _ created: PoolCreated,
        of transaction: TransactionFacts,
        in state: inout LifecycleState
    ) {
        let found = state.set.find(created.token, at: state.moment.position)
        if isLegacy(created, found, in: state) {
            let place = state.findOrMake(created.token, venue: created.venue)
            guard state.set.works[place].row.phase < .migrated else { return }
            if state.set.works[place].row.phase < .complete {
                state.set.works[place].row.isCompleteInferred = true
            }
            adopt(created, place, in: &state)
            state.advance(place, .legacyPool)
            return
        }
        if created.isCanonical(in: transaction) == true {
            let place = state.findOrMake(created.token, venue: created.venue)
            guard state.set.works[place].row.migratedPosition == nil else { return }
            adopt(created, place, in: &state)
            // Otherwise the migration stands in the same transaction.
            guard transaction.hasCutLogs else { return }
            if state.set.works[place].row.phase < .complete {
                state.set.works[place].row.isCompleteInferred = true
            }
            state.advance(place, .migrated)
            return
        }
        // Anybody may open a pool of a coin that has a curve; its price is not of that pool.
        guard found == nil else { return }
        let place = state.findOrMake(created.token, venue: created.venue)
        state.set.works[place].row.origin = .pool
        adopt(created, place, in: &state)
    }

    /// Whether a pool is the end of an old curve: one on Raydium v4 before 2025-04 of a coin with a
    /// curve, or with exactly the tokens that a curve kept back.
    private static func isLegacy(
        _ created: PoolCreated,
        _ found: Int?,
        in state: LifecycleState
    ) -> Bool {
        guard created.venue == .raydiumV4, let seconds = state.moment.seconds,
            seconds < state.parameters.legacyUntil
        else { return false }
        if let found, state.set.works[found].row.curve != nil { return true }
        return created.reserves?.token == state.parameters.legacyPoolTokens
    }

    private static func adopt(
        _ created: PoolCreated,
        _ place: Int,
        in state: inout LifecycleState
    ) {
        state.set.works[place].row.pool = created.pool
        state.set.works[place].row.isPoolInferred = false
        if state.set.works[place].row.quote != created.quote {
            state.set.setQuote(place, created.quote)
        }
        if !created.venue.isConcentrated {
            state.price(place, created.reserves, venue: created.venue)
        }
    }

    static func trade(_ trade: Trade, in state: inout LifecycleState) {
        let place = state.findOrMake(trade.token, venue: trade.venue)
        inferPool(of: trade, place, in: &state)
        if state.set.works[place].row.pool == trade.pool {
            price(place, after: trade, in: &state)
            if state.set.works[place].row.phase < .poolLive {
                state.advance(place, .poolTrade)
            }
        }
        state.count(trade, of: place)
    }

    private static func price(_ place: Int, after trade: Trade, in state: inout LifecycleState) {
        // The price of concentrated liquidity is none of reserves.
        guard trade.quote == state.set.works[place].row.quote, !trade.venue.isConcentrated else {
            return
        }
        let isOfPool = state.set.works[place].market.priceVenue == trade.venue
        let known = isOfPool ? state.reserves(of: place) : nil
        let after = PoolReserves.after(trade, known: known)
        state.price(place, after?.reserves, venue: trade.venue, supply: trade.baseSupply)
    }

    /// Takes a trade's pool as the token's own when its opening was not seen: the first pool of a
    /// token without a curve; of one with a curve only a pool that pays the coin's creator, which
    /// canonical pools alone do.
    private static func inferPool(of trade: Trade, _ place: Int, in state: inout LifecycleState) {
        guard state.set.works[place].row.pool == nil else { return }
        if state.set.works[place].row.curve != nil {
            let isPaid = [trade.fees.creator, trade.fees.cashback].contains { fee in
                fee.map { $0 > 0 } == true
            }
            guard trade.venue == .pumpSwap, isPaid else { return }
            if state.set.works[place].row.phase < .complete {
                state.set.works[place].row.isCompleteInferred = true
            }
        } else {
            state.set.setQuote(place, trade.quote)
        }
        state.set.works[place].row.pool = trade.pool
        state.set.works[place].row.isPoolInferred = true
    }

    static func changeLiquidity(_ change: LiquidityChange, in state: inout LifecycleState) {
        guard !change.venue.isConcentrated, let after = change.after,
            let place = state.set.find(change.token, at: state.moment.position),
            state.set.works[place].row.pool == change.pool,
            state.set.works[place].row.quote == change.quote
        else { return }
        state.price(place, after, venue: change.venue)
    }

    static func boost(_ boost: PoolBoosted, in state: inout LifecycleState) {
        guard let place = state.set.find(boost.token, at: state.moment.position),
            state.set.works[place].row.pool == boost.pool
        else { return }
        state.set.works[place].row.isBoosted = true
        guard let vault = boost.vaultQuote,
            let tokens = boost.vaultToken ?? state.set.works[place].market.tokens
        else { return }
        let quote = LiquidityFormulas.effective(vault, boost.virtualQuote)
        state.price(place, Reserves(token: tokens, quote: quote), venue: boost.venue)
    }
}
