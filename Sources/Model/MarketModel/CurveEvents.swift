// What happens to a curve beside trades.

/// A curve sold out.
package struct CurveCompleted: Hashable, Sendable {
    package var venue: Venue
    package var token: Address
    package var curve: Address
    package var user: Address

    package init(venue: Venue, token: Address, curve: Address, user: Address) {
        self.venue = venue
        self.token = token
        self.curve = curve
        self.user = user
    }
}

/// The funds of a curve went to a pool.
package struct CurveMigrated: Hashable, Sendable {
    package var venue: Venue
    package var token: Address
    package var curve: Address
    /// Where they went.
    package var pool: Address
    package var user: Address
    package var tokenAmount: UInt128
    package var quoteAmount: UInt128
    /// Kept by the venue, in units of the quote.
    package var fee: UInt128

    package init(
        venue: Venue,
        token: Address,
        curve: Address,
        pool: Address,
        user: Address,
        tokenAmount: UInt128,
        quoteAmount: UInt128,
        fee: UInt128
    ) {
        self.venue = venue
        self.token = token
        self.curve = curve
        self.pool = pool
        self.user = user
        self.tokenAmount = tokenAmount
        self.quoteAmount = quoteAmount
        self.fee = fee
    }
}

/// The virtual reserves of a curve were set outside a trade.
package struct CurveReset: Hashable, Sendable {
    package var venue: Venue
    package var token: Address
    package var before: Reserves
    package var after: Reserves
    package var realTokenReserves: UInt128
    package var realQuoteReserves: UInt128

    package init(
        venue: Venue,
        token: Address,
        before: Reserves,
        after: Reserves,
        realTokenReserves: UInt128,
        realQuoteReserves: UInt128
    ) {
        self.venue = venue
        self.token = token
        self.before = before
        self.after = after
        self.realTokenReserves = realTokenReserves
        self.realQuoteReserves = realQuoteReserves
    }
}

/// The fees of a coin go to somebody else from here on.
package struct CreatorChanged: Hashable, Sendable {
    package var venue: Venue
    package var token: Address
    package var creator: Address

    package init(venue: Venue, token: Address, creator: Address) {
        self.venue = venue
        self.token = token
        self.creator = creator
    }
}
