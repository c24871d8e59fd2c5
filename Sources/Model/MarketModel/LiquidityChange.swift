/// Liquidity went into a pool or out of it.
package struct LiquidityChange: Hashable, Sendable {
    /// Which way.
    package enum Direction: UInt8, Hashable, Sendable {
        case add = 1
        case remove = 2
    }

    /// Where, whose, which way and how much, in native units.
    package var venue: Venue
    package var pool: Address
    package var token: Address
    package var quote: Address
    package var direction: Direction
    package var owner: Address
    package var tokenAmount: UInt128
    package var quoteAmount: UInt128
    /// Shares made or burnt; for concentrated liquidity the change of liquidity.
    package var shares: UInt128
    /// Shares before; nil where the venue does not tell.
    package var sharesBefore: UInt128?
    package var before: Reserves?
    package var after: Reserves?
    /// Concentrated liquidity: the position's lowest and highest tick, and who stands for it.
    package var lowerTick: Int32?
    package var upperTick: Int32?
    package var position: Address?
    /// Fees paid out with it, in token and quote.
    package var collected: Reserves?

    package init(
        venue: Venue,
        pool: Address,
        token: Address,
        quote: Address,
        direction: Direction,
        owner: Address,
        tokenAmount: UInt128,
        quoteAmount: UInt128,
        shares: UInt128
    ) {
        self.venue = venue
        self.pool = pool
        self.token = token
        self.quote = quote
        self.direction = direction
        self.owner = owner
        self.tokenAmount = tokenAmount
        self.quoteAmount = quoteAmount
        self.shares = shares
    }
}
