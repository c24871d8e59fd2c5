/// Fees that had been counted when they arose were paid out; never income.
package struct FeePayout: Hashable, Sendable {
    package var venue: Venue
    /// Whose fees: a pool or coin; nil for those of a creator over all his coins.
    package var entity: Address?
    package var recipient: Address
    /// Nil where the event does not tell.
    package var quote: Address?
    package var amount: UInt128

    package init(
        venue: Venue,
        entity: Address?,
        recipient: Address,
        quote: Address?,
        amount: UInt128
    ) {
        self.venue = venue
        self.entity = entity
        self.recipient = recipient
        self.quote = quote
        self.amount = amount
    }
}
