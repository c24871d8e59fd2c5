package import MarketModel

/// Formulas over what pools hold: integers throughout, rounded down unless said otherwise. State
/// keeps what they are made of; outputs and queries use them.
package enum LiquidityFormulas {
    /// Seconds of a year of 365 days.
    package static let secondsPerYear: UInt128 = 31_536_000
    /// Units of a yield: one is 10^-12.
    package static let yieldScale: UInt64 = 1_000_000_000_000

    // MARK: Reserves

    /// Quote that a price is made of: what is in the vault and what counts beside it, which may be
    /// below zero. At least zero, at most the greatest number.
    package static func effective(_ vault: UInt128, _ virtual: Int128) -> UInt128 {
        virtual < 0 ? vault.minus(virtual.magnitude) : vault.plus(virtual.magnitude)
    }

    /// Quote in the vault, of quote that a price is made of.
    package static func raw(_ effective: UInt128, _ virtual: Int128) -> UInt128 {
        virtual < 0 ? effective.plus(virtual.magnitude) : effective.minus(virtual.magnitude)
    }

    /// What some tokens are worth in quote, at the price of reserves; nil without tokens.
    package static func value(_ tokens: UInt128, at reserves: Reserves) -> UInt128? {
        Exact.mulDiv(tokens, reserves.quote, reserves.token)?.value
    }

    // MARK: TVL

    /// TVL of two equal sides: twice the quote; saturated.
    package static func twoSided(_ quote: UInt128) -> UInt128 { quote.plus(quote) }

    /// TVL of concentrated liquidity: the quote and the tokens at the price of the pool.
    ///
    /// - Parameters:
    ///   - reserves: what its vaults hold.
    ///   - sqrtPriceX64: square root of the price of side 0 in side 1, times 2^64.
    ///   - isReversed: whether the token is side 1.
    /// - Returns: in quote, each of two divisions rounded down; saturated; nil without a price.
    package static func concentrated(
        _ reserves: Reserves,
        sqrtPriceX64: UInt128,
        isReversed: Bool
    ) -> UInt128? {
        guard sqrtPriceX64 > 0 else { return nil }
        let one: UInt128 = 1 << 64
        let (times, over) = isReversed ? (one, sqrtPriceX64) : (sqrtPriceX64, one)
        guard let once = Exact.mulDiv(reserves.token, times, over),
            let twice = Exact.mulDiv(once.value, times, over)
        else { return nil }
        return reserves.quote.plus(twice.value)
    }

    /// TVL of the quote that is really there: the smaller of the quote that the price is made of and
    /// that in the vault. With a boost and waiting fees at once it is an upper bound.
    package static func real(_ effective: UInt128, _ virtual: Int128) -> UInt128 {
        twoSided(min(effective, raw(effective, virtual)))
    }

    // MARK: Shares

    /// Shares of the first deposit of a pool: the root of the product, without those that stay locked.
    package static func firstShares(_ reserves: Reserves, locked: UInt128) -> UInt128 {
        Exact.squareRoot(reserves.token, times: reserves.quote).minus(locked)
    }

    /// What a deposit of shares costs: each side rounded up; nil without shares in the pool.
    package static func deposit(
        _ shares: UInt128,
        of supply: UInt128,
        _ reserves: Reserves
    ) -> Reserves? {
        guard let token = Exact.mulDivUp(reserves.token, shares, supply),
            let quote = Exact.mulDivUp(reserves.quote, shares, supply)
        else { return nil }
        return Reserves(token: token.value, quote: quote.value)
    }

    /// What shares are worth, side by side: each rounded down; nil without shares in the pool.
    package static func withdrawal(
        _ shares: UInt128,
        of supply: UInt128,
        _ reserves: Reserves
    ) -> Reserves? {
        guard let token = Exact.mulDiv(reserves.token, shares, supply),
            let quote = Exact.mulDiv(reserves.quote, shares, supply)
        else { return nil }
        return Reserves(token: token.value, quote: quote.value)
    }

    /// Part of all shares that nobody can withdraw, in basis points; nil without shares.
    package static func lockedBasisPoints(
        locked: UInt128,
        burnt: UInt128,
        of supply: UInt128
    ) -> UInt64? {
        UInt64.basisPoints(locked.plus(burnt), of: supply)
    }

    // MARK: Income

    /// What liquidity earns in a year if it goes on as in some time, in basis points of TVL, simple:
    /// `floor(fees * year * 10,000 / (seconds * TVL))`.
    ///
    /// - Parameters:
    ///   - fees: fees for liquidity in that time, in quote.
    ///   - seconds: the time: a day, or the pool's age when it is younger.
    ///   - tvl: twice the quote.
    /// - Returns: at most 2^64 - 1; nil without time or TVL.
    package static func feeAPRBasisPoints(
        fees: UInt128,
        seconds: UInt64,
        tvl: UInt128
    ) -> UInt64? {
        // One division after the other rounds as one by the product does.
        guard tvl > 0, let part = Exact.mulDiv(fees, secondsPerYear * 10_000, UInt128(seconds))
        else { return nil }
        return UInt64(clamping: part.value / tvl)
    }

    /// What a share is worth of the pool's product: `floor(floor(sqrt(token * quote)) * 2^64 /
    /// shares)`. It grows by fees and donations alone. Nil without shares.
    package static func growth(_ reserves: Reserves, shares: UInt128) -> UInt128? {
        let root = Exact.squareRoot(reserves.token, times: reserves.quote)
        return Exact.mulDiv(root, 1 << 64, shares)?.value
    }

    /// Yield of shares by fees between two growths: `floor((later - earlier) * 10^12 / earlier)`;
    /// nil without an earlier one.
    package static func yield(from earlier: UInt128, to later: UInt128) -> Int64? {
        Exact.difference(
            later,
            1,
            minus: earlier,
            1,
            times: yieldScale,
            over: (earlier, 1)
        )
    }

    /// Loss of a position against holding what was put in, in basis points of that:
    /// `floor((hold - now) * 10,000 / hold)`, both at the price of the reserves; below zero when the
    /// position is ahead.
    ///
    /// - Parameters:
    ///   - cost: what was put in for the shares that are left.
    ///   - shares: the shares that are left.
    ///   - supply: all shares.
    ///   - reserves: what the pool holds now.
    /// - Returns: nil without shares in the pool, a price, or a cost.
    package static func lossBasisPoints(
        cost: Reserves,
        shares: UInt128,
        of supply: UInt128,
        _ reserves: Reserves
    ) -> Int64? {
        guard let position = withdrawal(shares, of: supply, reserves),
            let held = value(cost.token, at: reserves),
            let tokens = value(position.token, at: reserves)
        else { return nil }
        let hold = cost.quote.plus(held)
        let now = position.quote.plus(tokens)
        return Exact.difference(hold, 1, minus: now, 1, times: 10_000, over: (hold, 1))
    }

    // MARK: Moves

    /// Change of price from some reserves to others:
    /// `floor((quote1 * token0 - quote0 * token1) * 10,000 / (quote0 * token1))`; nil without a price.
    package static func moveBasisPoints(from: Reserves, to: Reserves) -> Int64? {
        Exact.difference(
            to.quote,
            from.token,
            minus: from.quote,
            to.token,
            times: 10_000,
            over: (from.quote, to.token)
        )
    }

    /// A part that goes with some of a whole: `floor(amount * part / whole)`, all of it when the whole
    /// is not above the part.
    package static func proportion(
        _ amount: UInt128,
        _ part: UInt128,
        of whole: UInt128
    )
        -> UInt128
    {
        guard part < whole, let quotient = Exact.mulDiv(amount, part, whole) else { return amount }
        return quotient.value
    }
}
