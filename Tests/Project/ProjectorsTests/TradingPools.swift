import MarketModel

// Pools with a constant product, written from the facts on the programs: the oracle of these tests.
// Nothing here is taken from the code under test.

func ceilDivided(_ a: UInt128, _ b: UInt128, _ c: UInt128) -> UInt128 { (a * b + c - 1) / c }

/// A pool that trades, made anew by copying: a copy is what would have been.
protocol TradingPool {
    /// Buys with an exact amount before fees; the trade says what came out.
    mutating func buy(net: UInt128, by trader: Address) -> Trade
    mutating func sell(tokens: UInt128, by trader: Address) -> Trade
}

/// The curve of pump.fun: fees on top, a unit lost on every buy.
struct CurvePool: TradingPool {
    var token: Address
    var quote = TradingNames.sol
    var virtualQuote: UInt128 = 30_000_000_000
    var virtualTokens: UInt128 = 1_073_000_000_000_000
    var feeRates: (venue: UInt128, creator: UInt128) = (95, 30)

    private func trade(
        _ side: Trade.Side,
        _ tokens: UInt128,
        _ net: UInt128,
        by trader: Address,
        from before: Reserves
    ) -> Trade {
        let venue = ceilDivided(net, feeRates.venue, 10_000)
        let creator = ceilDivided(net, feeRates.creator, 10_000)
        var trade = Trade(
            venue: .pumpCurve,
            pool: token,
            token: token,
            quote: quote,
            side: side,
            trader: trader,
            tokenAmount: tokens,
            quoteAmount: net,
            traderQuoteAmount: side == .buy ? net + venue + creator : net - venue - creator
        )
        trade.fees.venue = venue
        trade.fees.creator = creator
        trade.exactness = .exactIn
        trade.before = before
        trade.after = Reserves(token: virtualTokens, quote: virtualQuote)
        return trade
    }

    mutating func buy(net: UInt128, by trader: Address) -> Trade {
        let before = Reserves(token: virtualTokens, quote: virtualQuote)
        let tokens = (net - 1) * virtualTokens / (virtualQuote + net - 1)
        virtualQuote += net
        virtualTokens -= tokens
        return trade(.buy, tokens, net, by: trader, from: before)
    }

    /// A buy that fixes the tokens.
    mutating func buy(tokens: UInt128, by trader: Address) -> Trade {
        let before = Reserves(token: virtualTokens, quote: virtualQuote)
        let net = tokens * virtualQuote / (virtualTokens - tokens) + 1
        virtualQuote += net
        virtualTokens -= tokens
        var trade = trade(.buy, tokens, net, by: trader, from: before)
        trade.exactness = .exactOut
        return trade
    }

    mutating func sell(tokens: UInt128, by trader: Address) -> Trade {
        let before = Reserves(token: virtualTokens, quote: virtualQuote)
        let net = tokens * virtualQuote / (virtualTokens + tokens)
        virtualQuote -= net
        virtualTokens += tokens
        return trade(.sell, tokens, net, by: trader, from: before)
    }
}

/// A pool of PumpSwap: the liquidity providers' fee stays in the vault.
struct SwapPool: TradingPool {
    var pool: Address
    var token: Address
    var quote = TradingNames.sol
    var tokens: UInt128 = 206_900_000_000_000
    var vault: UInt128 = 84_990_359_084
    var virtual: UInt128 = 0
    var feeRates: (liquidity: UInt128, venue: UInt128, creator: UInt128) = (20, 5, 5)

    private var effective: UInt128 { vault + virtual }

    private func trade(
        _ side: Trade.Side,
        _ amount: UInt128,
        _ net: UInt128,
        by trader: Address,
        from before: Reserves
    ) -> Trade {
        var fees = TradeFees()
        let liquidity = ceilDivided(net, feeRates.liquidity, 10_000)
        let venue = ceilDivided(net, feeRates.venue, 10_000)
        let creator = ceilDivided(net, feeRates.creator, 10_000)
        fees.liquidity = liquidity
        fees.venue = venue
        fees.creator = creator
        let all = liquidity + venue + creator
        var trade = Trade(
            venue: .pumpSwap,
            pool: pool,
            token: token,
            quote: quote,
            side: side,
            trader: trader,
            tokenAmount: amount,
            quoteAmount: net,
            traderQuoteAmount: side == .buy ? net + all : net - all
        )
        trade.fees = fees
        trade.exactness = .exactIn
        trade.before = before
        trade.after = Reserves(token: tokens, quote: effective)
        return trade
    }

    mutating func buy(net: UInt128, by trader: Address) -> Trade {
        let before = Reserves(token: tokens, quote: effective)
        let out = tokens * net / (effective + net)
        tokens -= out
        vault += net + ceilDivided(net, feeRates.liquidity, 10_000)
        return trade(.buy, out, net, by: trader, from: before)
    }

    mutating func sell(tokens amount: UInt128, by trader: Address) -> Trade {
        let before = Reserves(token: tokens, quote: effective)
        let out = effective * amount / (tokens + amount)
        tokens += amount
        vault -= out - ceilDivided(out, feeRates.liquidity, 10_000)
        return trade(.sell, amount, out, by: trader, from: before)
    }
}

/// A pool of Raydium v4: 25 of 10,000 of the input, and the whole input stays.
struct FeeOnInputPool: TradingPool {
    var pool: Address
    var token: Address
    var quote = TradingNames.sol
    var tokens: UInt128 = 5_000_000_000_000
    var vault: UInt128 = 300_000_000_000

    private func trade(
        _ side: Trade.Side,
        _ amount: UInt128,
        _ paid: UInt128,
        by trader: Address,
        from before: Reserves
    ) -> Trade {
        var trade = Trade(
            venue: .raydiumV4,
            pool: pool,
            token: token,
            quote: quote,
            side: side,
            trader: trader,
            tokenAmount: amount,
            quoteAmount: paid,
            traderQuoteAmount: paid
        )
        trade.fees.liquidity = ceilDivided(side == .buy ? paid : amount, 25, 10_000)
        trade.fees.isInToken = side == .sell
        trade.exactness = .exactIn
        trade.before = before
        trade.after = Reserves(token: tokens, quote: vault)
        return trade
    }

    mutating func buy(net: UInt128, by trader: Address) -> Trade {
        let before = Reserves(token: tokens, quote: vault)
        let priced = net - ceilDivided(net, 25, 10_000)
        let out = tokens * priced / (vault + priced)
        tokens -= out
        vault += net
        return trade(.buy, out, net, by: trader, from: before)
    }

    mutating func sell(tokens amount: UInt128, by trader: Address) -> Trade {
        let before = Reserves(token: tokens, quote: vault)
        let priced = amount - ceilDivided(amount, 25, 10_000)
        let out = vault * priced / (tokens + priced)
        tokens += amount
        vault -= out
        return trade(.sell, amount, out, by: trader, from: before)
    }
}
