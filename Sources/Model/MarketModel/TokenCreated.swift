/// A coin was made, with a curve to sell it on.
package struct TokenCreated: Hashable, Sendable {
    package var venue: Venue
    package var token: Address
    package var quote: Address
    /// The curve's account.
    package var curve: Address
    /// Who signed.
    package var user: Address
    /// Who gets the creator's fee; the user where the event names nobody.
    package var creator: Address
    package var name: String
    package var symbol: String
    package var uri: String
    /// Nil in events of 2024, which do not tell: venue defaults then hold.
    package var virtualReserves: Reserves?
    /// Tokens for sale on the curve.
    package var realTokenReserves: UInt128?
    package var supply: UInt128?
    /// SPL Token or Token-2022; nil where the event does not tell.
    package var tokenProgram: Address?
    package var isMayhem = false
    package var isCashback = false
    package var isHolderReward = false

    package init(
        venue: Venue,
        token: Address,
        quote: Address,
        curve: Address,
        user: Address,
        creator: Address,
        name: String,
        symbol: String,
        uri: String
    ) {
        self.venue = venue
        self.token = token
        self.quote = quote
        self.curve = curve
        self.user = user
        self.creator = creator
        self.name = name
        self.symbol = symbol
        self.uri = uri
    }
}
