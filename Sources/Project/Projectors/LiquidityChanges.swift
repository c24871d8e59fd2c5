import MarketModel
import Projection

/// What deposits, withdrawals, burns and transfers of shares do.
enum LiquidityChanges {
    static func change(_ change: LiquidityChange, in state: inout LiquidityState) {
        let place = state.set.find(change.pool) ?? make(change, in: &state)
        let isConcentrated = change.venue.isConcentrated
        // Liquidity of ranges is no share of anything.
        let before =
            isConcentrated ? nil : change.sharesBefore ?? state.set.works[place].state.shares
        let event = event(change, sharesBefore: before, state.parameters)
        state.record(event, of: change.pool)
        let after = PoolReserves.after(change, known: state.set.works[place].reserves)
        state.setReserves(after, of: place)
        if let before {
            let shares =
                change.direction == .add ? before.plus(change.shares) : before.minus(change.shares)
            state.set.works[place].state.shares = shares
        }
        switch change.direction {
        case .add:
            state.set.works[place].state.adds &+= 1
            state.set.works[place].hour?.adds &+= 1
        case .remove:
            state.set.works[place].state.removes &+= 1
            state.set.works[place].hour?.removes &+= 1
        }
        move(change, place, in: &state)
        tell(event, change, place, in: &state)
    }

    private static func make(_ change: LiquidityChange, in state: inout LiquidityState) -> Int {
        var row = PoolRow(venue: change.venue, token: change.token, quote: change.quote)
        row.isPartial = true
        return state.set.make(change.pool, row)
    }

    private static func event(
        _ change: LiquidityChange,
        sharesBefore before: UInt128?,
        _ parameters: LiquidityParameters
    ) -> PoolEventRow {
        var event = PoolEventRow(
            kind: change.direction == .add ? .add : .remove,
            owner: change.owner
        )
        event.tokenAmount = change.tokenAmount
        event.quoteAmount = change.quoteAmount
        event.shares = change.shares
        event.sharesBefore = before
        guard let before else { return event }
        switch change.direction {
        case .add:
            event.share = UInt64.basisPoints(change.shares, of: before.plus(change.shares))
            if before == 0 { event.kind = .initial }
        case .remove:
            event.share = UInt64.basisPoints(change.shares, of: before)
            if let share = event.share, share >= parameters.drainBasisPoints { event.kind = .drain }
        }
        return event
    }

    private static func move(
        _ change: LiquidityChange,
        _ place: Int,
        in state: inout LiquidityState
    ) {
        let key = PoolPositionKey(
            pool: change.pool,
            owner: change.owner,
            position: change.position ?? .zero
        )
        let amounts = Reserves(token: change.tokenAmount, quote: change.quoteAmount)
        let slot = state.moment.position
        switch change.direction {
        case .add:
            state.positions.add(
                change.shares,
                cost: amounts,
                to: key,
                of: &state.set.works[place],
                at: slot
            ) { row in
                row.adds &+= 1
                row.take(change)
            }
        case .remove:
            state.positions.remove(
                change.shares,
                from: key,
                of: &state.set.works[place],
                at: slot
            ) { row in
                row.removes &+= 1
                row.tokenWithdrawn.add(amounts.token)
                row.quoteWithdrawn.add(amounts.quote)
                row.take(change)
            }
        }
    }

    private static func tell(
        _ event: PoolEventRow,
        _ change: LiquidityChange,
        _ place: Int,
        in state: inout LiquidityState
    ) {
        guard change.direction == .remove else { return }
        let row = state.set.works[place].row
        var kinds: [String] = []
        if event.kind == .drain {
            kinds.append("liquidity_drain")
        } else if let share = event.share, share >= state.parameters.unlockBasisPoints {
            kinds.append("liquidity_unlock")
        }
        if change.owner == row.creator || change.owner == row.coinCreator {
            kinds.append("creator_withdrawal")
        }
        guard !kinds.isEmpty else { return }
        var details = [
            Notice.Detail("owner", change.owner.text(on: state.moment.chain)),
            Notice.Detail("token_amount", String(change.tokenAmount)),
            Notice.Detail("quote_amount", String(change.quoteAmount)),
        ]
        if let share = event.share { details.append(Notice.Detail("share_bps", String(share))) }
        for kind in kinds {
            state.notices.append(state.moment.notice(kind, change.pool, details))
        }
    }

    /// Shares that were burnt: they stay part of all shares, and nobody can redeem them.
    static func burn(_ burn: SharesBurned, in state: inout LiquidityState) {
        guard let pool = state.shareTokens[burn.shareToken]?.pool,
            let place = state.set.find(pool)
        else { return }
        state.touch(place)
        state.set.works[place].state.burntShares.add(burn.shares)
        let cost = state.positions.remove(
            burn.shares,
            from: PoolPositionKey(pool: pool, owner: burn.owner),
            of: &state.set.works[place],
            at: state.moment.position
        )
        var event = PoolEventRow(kind: .burn, owner: burn.owner)
        event.tokenAmount = cost.token
        event.quoteAmount = cost.quote
        event.shares = burn.shares
        event.sharesBefore = state.set.works[place].state.shares
        if let shares = event.sharesBefore {
            event.share = UInt64.basisPoints(burn.shares, of: shares)
        }
        state.record(event, of: pool)
    }

    /// Shares that went from one wallet to another; what they cost goes with them.
    static func transfer(_ link: WalletLink, in state: inout LiquidityState) {
        guard let pool = state.shareTokens[link.token]?.pool, let place = state.set.find(pool)
        else { return }
        state.touch(place)
        let slot = state.moment.position
        let cost = state.positions.remove(
            link.amount,
            from: PoolPositionKey(pool: pool, owner: link.from),
            of: &state.set.works[place],
            at: slot
        )
        state.positions.add(
            link.amount,
            cost: cost,
            to: PoolPositionKey(pool: pool, owner: link.to),
            of: &state.set.works[place],
            at: slot
        )
    }
}

extension PoolPositionRow {
    /// Takes what a change of concentrated liquidity tells of its position.
    mutating func take(_ change: LiquidityChange) {
        if let lower = change.lowerTick { lowerTick = lower }
        if let upper = change.upperTick { upperTick = upper }
        if let collected = change.collected {
            tokenCollected.add(collected.token)
            quoteCollected.add(collected.quote)
        }
    }
}
