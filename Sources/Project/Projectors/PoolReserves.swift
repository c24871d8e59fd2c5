import MarketModel

/// What a pool holds after a trade or a change of liquidity.
enum PoolReserves {
    /// Reserves after a trade.
    ///
    /// - Parameters:
    ///   - trade: any trade.
    ///   - known: what the pool held before it, as far as state knows.
    /// - Returns: what the event says; otherwise what was there before (as the event says, or as
    ///   known), with what went in and out; nil when nothing is known. `isExact` when the event said
    ///   it.
    static func after(
        _ trade: Trade,
        known: Reserves?
    ) -> (reserves: Reserves, isExact: Bool)? {
        if let after = trade.after { return (after, true) }
        guard let before = trade.before ?? known else { return nil }
        return (moved(before, by: trade), false)
    }

    /// Reserves with the flows of a trade. The quote side moves by what the trader paid or got,
    /// without fees that leave the pool; so fees for liquidity stay in. Where fees are taken from the
    /// tokens of a sell, those that leave the pool are taken from the tokens.
    static func moved(_ before: Reserves, by trade: Trade) -> Reserves {
        let leaving = leavingFees(trade.fees)
        let quoteFees = trade.fees.isInToken ? 0 : leaving
        let tokenFees = trade.fees.isInToken ? leaving : 0
        switch trade.side {
        case .buy:
            return Reserves(
                token: before.token.minus(trade.tokenAmount),
                quote: before.quote.plus(trade.traderQuoteAmount.minus(quoteFees))
            )
        case .sell:
            return Reserves(
                token: before.token.plus(trade.tokenAmount.minus(tokenFees)),
                quote: before.quote.minus(trade.traderQuoteAmount.plus(quoteFees))
            )
        }
    }

    /// Reserves after a change of liquidity; like those after a trade.
    static func after(
        _ change: LiquidityChange,
        known: Reserves?
    ) -> (reserves: Reserves, isExact: Bool)? {
        if let after = change.after { return (after, true) }
        guard let before = change.before ?? known else { return nil }
        switch change.direction {
        case .add:
            return (
                Reserves(
                    token: before.token.plus(change.tokenAmount),
                    quote: before.quote.plus(change.quoteAmount)
                ), false
            )
        case .remove:
            let collected = change.collected ?? Reserves(token: 0, quote: 0)
            return (
                Reserves(
                    token: before.token.minus(change.tokenAmount.plus(collected.token)),
                    quote: before.quote.minus(change.quoteAmount.plus(collected.quote))
                ), false
            )
        }
    }

    /// Fees that do not stay in the pool. One that the event does not tell is none.
    private static func leavingFees(_ fees: TradeFees) -> UInt128 {
        var sum: UInt128 = 0
        if let venue = fees.venue { sum = sum.plus(venue) }
        if let creator = fees.creator { sum = sum.plus(creator) }
        if let cashback = fees.cashback { sum = sum.plus(cashback) }
        return sum
    }
}

extension Venue {
    /// Whether coins begin here: a bonding curve, which is no pool.
    var isCurve: Bool {
        switch self {
        case .pumpCurve, .launchLab: true
        case .pumpSwap, .raydiumV4, .raydiumCPMM, .raydiumCLMM, .uniswapV2, .uniswapV3: false
        }
    }

    /// Whether its events say to the last unit what a pool holds after them. Raydium sets a part of
    /// its fees aside that no event tells before the next one.
    var tellsExactReserves: Bool {
        switch self {
        case .pumpCurve, .pumpSwap, .launchLab, .uniswapV2: true
        case .raydiumV4, .raydiumCPMM, .raydiumCLMM, .uniswapV3: false
        }
    }

    /// Whether its liquidity is concentrated in ranges of the price.
    var isConcentrated: Bool {
        switch self {
        case .raydiumCLMM, .uniswapV3: true
        case .pumpCurve, .launchLab, .pumpSwap, .raydiumV4, .raydiumCPMM, .uniswapV2: false
        }
    }
}

extension PoolCreated {
    /// Whether the pool is the canonical one of its coin: the one that a migration within the same
    /// transaction names. Where the logs were cut, one of number 0 whose coin has a creator counts.
    /// Nil on venues that have no migrations.
    func isCanonical(in transaction: TransactionFacts) -> Bool? {
        guard venue == .pumpSwap else { return nil }
        for placed in transaction.events {
            if case .curveMigrated(let migrated) = placed.event, migrated.pool == pool {
                return true
            }
        }
        guard transaction.hasCutLogs, let coinCreator else { return false }
        return index == 0 && !coinCreator.isZero
    }
}
