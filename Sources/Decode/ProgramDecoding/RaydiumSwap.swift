import MarketModel

/// One swap as a pool saw it, by direction: what Raydium's programs have in common. Made into a
/// trade of a token for its quote.
///
/// Amounts are those of the vaults: all that went in, the fee included, and all that came out. So
/// reserves before plus or minus `quoteAmount` and `tokenAmount` are the reserves after. Trading
/// fees are part of what went in and never on top of it; `fees` says how much of it they are, for
/// the protocol's and the fund's parts too. What the trader paid or got differs from the vaults'
/// amounts only for tokens that charge for transfers.
struct RaydiumSwap {
    var venue: Venue
    var pool: Address
    var trader: Address
    var inputMint: Address
    var outputMint: Address
    /// Whether the input is the pool's first side: coin, or 0.
    var isFirstIn: Bool
    /// What the vaults took and gave.
    var taken: UInt128
    var given: UInt128
    /// What the trader paid and got.
    var paid: UInt128
    var received: UInt128
    /// What counted for the price on both sides, before it; nil where the venue does not tell.
    var before: (input: UInt128, output: UInt128)?
    /// In units of the input; nil where the venue does not tell.
    var tradeFee: UInt128?

    /// The trade. Exactness and limit are left to the instruction.
    func trade() -> Trade {
        let pair = isFirstIn ? MarketPair(inputMint, outputMint) : MarketPair(outputMint, inputMint)
        let isBuy = pair.token == outputMint
        var trade = Trade(
            venue: venue,
            pool: pool,
            token: pair.token,
            quote: pair.quote,
            side: isBuy ? .buy : .sell,
            trader: trader,
            tokenAmount: isBuy ? given : taken,
            quoteAmount: isBuy ? taken : given,
            traderQuoteAmount: isBuy ? paid : received
        )
        if pair.isRaw { trade.flags.insert(.rawOrientation) }
        if let before {
            trade.before = reserves(before.input, before.output, isBuy)
            // All are sums of 64 bits. A pool cannot give what it has not: then nothing is said.
            if given <= before.output {
                trade.after = reserves(before.input + taken, before.output - given, isBuy)
            }
        }
        if let tradeFee {
            trade.fees.liquidity = tradeFee
            trade.fees.isInToken = !isBuy
        }
        return trade
    }

    private func reserves(_ input: UInt128, _ output: UInt128, _ isBuy: Bool) -> Reserves {
        isBuy ? Reserves(token: output, quote: input) : Reserves(token: input, quote: output)
    }
}
