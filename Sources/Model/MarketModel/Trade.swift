/// What a pool or curve holds on both sides, in native units.
package struct Reserves: Hashable, Sendable {
    /// Of the token.
    package var token: UInt128
    /// Of the quote, as prices are made of it: virtual parts included.
    package var quote: UInt128

    package init(token: UInt128, quote: UInt128) {
        self.token = token
        self.quote = quote
    }
}

/// What a trade paid beside the amount that moves the pool, in units of the quote unless said
/// otherwise. Nil: the event does not tell.
package struct TradeFees: Hashable, Sendable {
    /// Left in the pool for those who provide liquidity.
    package var liquidity: UInt128?
    /// To the protocol.
    package var venue: UInt128?
    /// To the coin's creator.
    package var creator: UInt128?
    /// Given back to the trader later.
    package var cashback: UInt128?
    /// The part of `venue` that buys back; inside it, never on top.
    package var buybackInside: UInt128?
    /// Whether all of them are in units of the token: the input of a sell on venues that charge
    /// their input.
    package var isInToken = false
    /// Whether the creator's is in units of the other side: Raydium CPMM can take it from what
    /// comes out while the others are taken from what goes in.
    package var isCreatorOnOtherSide = false

    package init() {}

    /// All of them but the one that lies inside another and one in other units; saturated.
    package var total: UInt128 {
        let creator = isCreatorOnOtherSide ? nil : creator
        return [liquidity, venue, creator, cashback].compactMap(\.self).reduce(0) { sum, fee in
            let (value, overflows) = sum.addingReportingOverflow(fee)
            return overflows ? .max : value
        }
    }
}

/// One exchange of a token for its quote, on any venue. Amounts in native units.
///
/// Which side is the token: the first of the known quotes (wrapped SOL, USDC, USDT) that stands in
/// the pair is the quote. When none does, the pool's own order counts and `flags` has
/// `rawOrientation`.
package struct Trade: Hashable, Sendable {
    /// From the view of the trader and the token.
    package enum Side: UInt8, Hashable, Sendable {
        case buy = 1
        case sell = 2

        /// The other one.
        package var opposite: Side { self == .buy ? .sell : .buy }
    }

    /// What the instruction fixed.
    package enum Exactness: UInt8, Hashable, Sendable {
        /// Not known: no instruction was found for the event.
        case unknown = 0
        case exactIn = 1
        case exactOut = 2
    }

    /// Remarks that change how a trade counts.
    package struct Flags: OptionSet, Hashable, Sendable {
        package let rawValue: UInt16
        package init(rawValue: UInt16) { self.rawValue = rawValue }

        /// By pump.fun's own trading agent: no human, counts for prices alone.
        package static let mayhemAgent = Flags(rawValue: 1 << 0)
        /// One of several swaps of its transaction that pass one thing on to the next.
        package static let multiHop = Flags(rawValue: 1 << 1)
        /// No side is a known quote.
        package static let rawOrientation = Flags(rawValue: 1 << 2)
        /// Logs were cut: the event comes from a call.
        package static let fromCall = Flags(rawValue: 1 << 3)
        /// Amounts are those of token balances, because no event or log tells them.
        package static let fromBalances = Flags(rawValue: 1 << 4)
        /// An amount did not fit 128 bits.
        package static let saturated = Flags(rawValue: 1 << 5)
        /// A buy that went beyond the curve's end into the pool to come (PostCompleteBuyEvent).
        package static let postComplete = Flags(rawValue: 1 << 6)
    }

    /// Where it happened.
    package var venue: Venue
    /// The pool's account. A pump.fun curve is named by its coin, because its events name that
    /// alone; `curve` has the account.
    package var pool: Address
    package var token: Address
    package var quote: Address
    package var side: Side
    /// Who traded, as the event or instruction says; may differ from the fee payer.
    package var trader: Address
    /// The top-level program that called the venue; nil when the venue itself was called.
    package var router: Address?
    package var exactness = Exactness.unknown
    /// Tokens that left or entered the pool.
    package var tokenAmount: UInt128
    /// Quote that moved the pool: without fees that do not.
    package var quoteAmount: UInt128
    /// Quote that the trader paid or got, all fees considered.
    package var traderQuoteAmount: UInt128
    package var fees = TradeFees()
    /// Nil where the venue does not tell.
    package var before: Reserves?
    package var after: Reserves?
    /// The most the trader would pay or the least he would take, in what the instruction bounds.
    package var limit: UInt128?
    package var flags: Flags = []

    // Curves only.

    /// The curve's account.
    package var curve: Address?
    /// Tokens left to buy, after the trade.
    package var realTokenReserves: UInt128?
    /// Quote that the curve really holds, after the trade.
    package var realQuoteReserves: UInt128?
    /// Who gets the creator's fee.
    package var creator: Address?

    // Concentrated liquidity only.

    /// Square root of the price of token 1 in token 0 times 2^64, after the trade.
    package var sqrtPriceX64: UInt128?
    package var liquidity: UInt128?
    package var tick: Int32?

    // PumpSwap only.

    /// Quote that counts for the price and is not in the vault; may be below zero.
    package var virtualQuote: Int128?
    /// Supply of the token as the event says.
    package var baseSupply: UInt128?

    package init(
        venue: Venue,
        pool: Address,
        token: Address,
        quote: Address,
        side: Side,
        trader: Address,
        tokenAmount: UInt128,
        quoteAmount: UInt128,
        traderQuoteAmount: UInt128
    ) {
        self.venue = venue
        self.pool = pool
        self.token = token
        self.quote = quote
        self.side = side
        self.trader = trader
        self.tokenAmount = tokenAmount
        self.quoteAmount = quoteAmount
        self.traderQuoteAmount = traderQuoteAmount
    }
}
