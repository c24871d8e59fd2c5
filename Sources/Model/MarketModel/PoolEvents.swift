// What happens to a pool beside trades and liquidity.

/// A pool was opened.
package struct PoolCreated: Hashable, Sendable {
    package var venue: Venue
    package var pool: Address
    package var token: Address
    package var quote: Address
    /// Whether the token is the pool's second side (base and quote, coin and pc, 0 and 1 changed).
    package var isReversed: Bool
    /// No side is a known quote: the pool's own order counts.
    package var isRawOrientation: Bool
    package var creator: Address
    package var tokenDecimals: UInt8?
    package var quoteDecimals: UInt8?
    package var reserves: Reserves?
    /// The token that stands for shares; nil for concentrated liquidity.
    package var shareToken: Address?
    /// Shares made, those that stay locked included.
    package var shares: UInt128?
    /// Shares of those that nobody can ever withdraw.
    package var lockedShares: UInt128?
    /// PumpSwap: 0 for the pool of a migration.
    package var index: UInt16?
    package var coinCreator: Address?

    package init(
        venue: Venue,
        pool: Address,
        token: Address,
        quote: Address,
        isReversed: Bool,
        isRawOrientation: Bool,
        creator: Address
    ) {
        self.venue = venue
        self.pool = pool
        self.token = token
        self.quote = quote
        self.isReversed = isReversed
        self.isRawOrientation = isRawOrientation
        self.creator = creator
    }
}

/// The reserves of a pool changed without a trade or a share: a boost, or tokens burnt by one.
package struct PoolBoosted: Hashable, Sendable {
    package var venue: Venue
    package var pool: Address
    package var token: Address
    /// Quote that counts for the price and is not in the vault.
    package var virtualQuote: Int128
    /// What the vaults hold after it; nil where the event does not tell.
    package var vaultQuote: UInt128?
    package var vaultToken: UInt128?
    package var burned: UInt128?

    package init(venue: Venue, pool: Address, token: Address, virtualQuote: Int128) {
        self.venue = venue
        self.pool = pool
        self.token = token
        self.virtualQuote = virtualQuote
    }
}

/// Shares of a pool were burnt outside a withdrawal: their part is locked for ever.
package struct SharesBurned: Hashable, Sendable {
    package var shareToken: Address
    package var owner: Address
    package var shares: UInt128

    package init(shareToken: Address, owner: Address, shares: UInt128) {
        self.shareToken = shareToken
        self.owner = owner
        self.shares = shares
    }
}
