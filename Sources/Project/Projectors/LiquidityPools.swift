import MarketModel
import Projection

/// What trades, openings and boosts do to pools.
enum LiquidityPools {
    // MARK: Trades

    static func trade(_ trade: Trade, in state: inout LiquidityState) {
        let place = state.set.find(trade.pool) ?? make(trade, in: &state)
        let after = PoolReserves.after(trade, known: state.set.works[place].reserves)
        state.setReserves(after, of: place)
        if let virtual = trade.virtualQuote {
            state.set.works[place].state.virtualQuote = virtual
        }
        if let liquidity = trade.liquidity { state.set.works[place].state.liquidity = liquidity }
        if let price = trade.sqrtPriceX64 { state.set.works[place].state.sqrtPrice = price }
        if let tick = trade.tick { state.set.works[place].state.tick = tick }
        state.set.works[place].state.lastTrade = state.moment.position
        state.set.works[place].state.trades &+= 1
        let volume = state.set.works[place].state.volume.plus(trade.quoteAmount)
        state.set.works[place].state.volume = volume
        addFees(trade, to: &state.set.works[place])
        guard state.set.works[place].hour != nil else { return }
        switch trade.side {
        case .buy:
            state.set.works[place].hour?.buys &+= 1
            state.set.works[place].hour?.quoteBought.add(trade.quoteAmount)
        case .sell:
            state.set.works[place].hour?.sells &+= 1
            state.set.works[place].hour?.quoteSold.add(trade.quoteAmount)
        }
    }

    private static func make(_ trade: Trade, in state: inout LiquidityState) -> Int {
        var row = PoolRow(venue: trade.venue, token: trade.token, quote: trade.quote)
        row.isPartial = true
        row.isRaw = trade.flags.contains(.rawOrientation)
        return state.set.make(trade.pool, row)
    }

    /// Counts the fees of a trade by kind; one that its event does not tell is none.
    private static func addFees(_ trade: Trade, to work: inout PoolWork) {
        if let fee = inQuote(trade.fees.liquidity, of: trade) {
            work.state.feesLiquidity.add(fee)
            work.hour?.feesLiquidity.add(fee)
        }
        if let fee = inQuote(trade.fees.venue, of: trade) {
            work.state.feesVenue.add(fee)
            work.hour?.feesVenue.add(fee)
        }
        if let fee = inQuote(trade.fees.creator, of: trade) {
            work.state.feesCreator.add(fee)
            work.hour?.feesCreator.add(fee)
        }
        if let fee = inQuote(trade.fees.cashback, of: trade) {
            work.state.feesCashback.add(fee)
            work.hour?.feesCashback.add(fee)
        }
        if let fee = inQuote(trade.fees.buybackInside, of: trade) {
            work.state.feesBuyback.add(fee)
        }
    }

    /// A fee in quote: one in tokens at the price of its trade, rounded down.
    private static func inQuote(_ fee: UInt128?, of trade: Trade) -> UInt128? {
        guard let fee, fee > 0 else { return nil }
        guard trade.fees.isInToken else { return fee }
        return Exact.mulDiv(fee, trade.quoteAmount, trade.tokenAmount)?.value
    }

    // MARK: Openings

    static func open(
        _ created: PoolCreated,
        of transaction: TransactionFacts,
        in state: inout LiquidityState
    ) {
        let row = row(of: created, isCanonical: created.isCanonical(in: transaction), state.moment)
        let place: Int
        if let found = state.set.find(created.pool) {
            // Accounts may have told of it in an earlier slot; a second opening says nothing new.
            guard state.set.works[found].row.createdPosition == nil else { return }
            let first = state.set.works[found].row.firstPosition
            state.set.works[found].row = row
            state.set.works[found].row.firstPosition = first
            state.set.works[found].isRowChanged = true
            place = found
        } else {
            place = state.set.make(created.pool, row)
        }
        state.setReserves(opening(of: created), of: place)
        if let token = created.shareToken {
            state.shareTokens.put(token, PoolShareRow(pool: created.pool))
        }
        state.set.works[place].state.shares = created.shares
        if let locked = created.lockedShares {
            state.set.works[place].state.lockedShares = locked
        }
        bring(created, place, in: &state)
        tell(created, row, in: &state)
    }

    private static func row(
        of created: PoolCreated,
        isCanonical: Bool?,
        _ moment: MonitorMoment
    ) -> PoolRow {
        var row = PoolRow(venue: created.venue, token: created.token, quote: created.quote)
        row.isReversed = created.isReversed
        row.isRaw = created.isRawOrientation
        row.isCanonical = isCanonical
        row.index = created.index
        row.creator = created.creator
        row.coinCreator = created.coinCreator
        row.shareToken = created.shareToken
        row.tokenDecimals = created.tokenDecimals
        row.quoteDecimals = created.quoteDecimals
        row.createdPosition = moment.position
        row.createdTime = moment.seconds
        row.startToken = created.reserves?.token
        row.startQuote = created.reserves?.quote
        row.startShares = created.shares
        return row
    }

    /// What a new pool holds. Those that are opened empty hold nothing, and that is known.
    private static func opening(of created: PoolCreated) -> (reserves: Reserves, isExact: Bool)? {
        if let reserves = created.reserves { return (reserves, true) }
        switch created.venue {
        case .uniswapV2, .uniswapV3, .raydiumCLMM: return (Reserves(token: 0, quote: 0), true)
        case .pumpCurve, .launchLab, .pumpSwap, .raydiumV4, .raydiumCPMM: return nil
        }
    }

    /// The liquidity that a pool is opened with, as its creator's.
    private static func bring(_ created: PoolCreated, _ place: Int, in state: inout LiquidityState)
    {
        guard let shares = created.shares, shares > 0 else { return }
        var event = PoolEventRow(kind: .initial, owner: created.creator)
        if let reserves = created.reserves {
            event.tokenAmount = reserves.token
            event.quoteAmount = reserves.quote
        }
        event.shares = shares
        event.sharesBefore = 0
        event.share = 10_000
        state.record(event, of: created.pool)
        let locked = state.set.works[place].state.lockedShares
        state.positions.add(
            shares.minus(locked),
            cost: Reserves(token: event.tokenAmount, quote: event.quoteAmount),
            to: PoolPositionKey(pool: created.pool, owner: created.creator),
            of: &state.set.works[place],
            at: state.moment.position
        ) { $0.adds &+= 1 }
        state.set.works[place].state.adds &+= 1
        state.set.works[place].hour?.adds &+= 1
    }

    private static func tell(_ created: PoolCreated, _ row: PoolRow, in state: inout LiquidityState)
    {
        let chain = state.moment.chain
        var details = [
            Notice.Detail("venue", created.venue.description),
            Notice.Detail("token", created.token.text(on: chain)),
            Notice.Detail("quote", created.quote.text(on: chain)),
        ]
        if let reserves = created.reserves {
            details.append(Notice.Detail("token_amount", String(reserves.token)))
            details.append(Notice.Detail("quote_amount", String(reserves.quote)))
        }
        if let isCanonical = row.isCanonical {
            details.append(Notice.Detail("canonical", String(isCanonical)))
        }
        state.notices.append(state.moment.notice("pool_created", created.pool, details))
    }

    static func migrate(_ migrated: CurveMigrated, in state: inout LiquidityState) {
        guard let place = state.set.find(migrated.pool),
            state.set.works[place].row.isCanonical != true
        else { return }
        state.set.works[place].row.isCanonical = true
        state.set.works[place].isRowChanged = true
    }

    // MARK: Beside trades

    static func boost(_ boost: PoolBoosted, in state: inout LiquidityState) {
        guard let place = state.set.find(boost.pool) else { return }
        let known = state.set.works[place].state
        state.set.works[place].state.isBoosted = true
        state.set.works[place].state.virtualQuote = boost.virtualQuote
        var token = boost.vaultToken
        if token == nil, let old = known.token {
            token = boost.burned.map { old.minus($0) } ?? old
        }
        let vault =
            boost.vaultQuote
            ?? known.quote.map { LiquidityFormulas.raw($0, known.virtualQuote) }
        state.touch(place)
        guard let token, let vault else { return }
        let quote = LiquidityFormulas.effective(vault, boost.virtualQuote)
        let isExact = boost.vaultQuote != nil && boost.vaultToken != nil
        state.setReserves((Reserves(token: token, quote: quote), isExact), of: place)
    }

    static func pay(_ payout: FeePayout, in state: inout LiquidityState) {
        guard let pool = payout.entity, let place = state.set.find(pool) else { return }
        state.touch(place)
        state.set.works[place].state.feesPaidOut.add(payout.amount)
    }
}

extension UInt128 {
    /// Adds, up to the greatest number.
    mutating func add(_ other: UInt128) { self = plus(other) }
}
