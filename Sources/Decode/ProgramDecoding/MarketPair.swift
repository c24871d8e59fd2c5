package import MarketModel

/// Which side of a pool is the token: the first of the known quotes that stands in the pair is the
/// quote. When none does, the pool's own order counts.
package struct MarketPair: Hashable, Sendable {
    package let token: Address
    package let quote: Address
    /// Whether the token is the pool's second side.
    package let isReversed: Bool
    /// Whether no side is a known quote.
    package let isRaw: Bool

    /// From the pool's sides: base and quote, coin and pc, or 0 and 1.
    package init(_ first: Address, _ second: Address) {
        let firstRank = MarketPair.rank(first)
        let secondRank = MarketPair.rank(second)
        isReversed = firstRank < secondRank
        isRaw = firstRank == secondRank && firstRank == MarketPair.unranked
        token = isReversed ? second : first
        quote = isReversed ? first : second
    }

    private static let unranked = 3

    /// Place among the known quotes.
    private static func rank(_ mint: Address) -> Int {
        switch mint {
        case .wrappedSOL: 0
        case .usdc: 1
        case .usdt: 2
        default: unranked
        }
    }

    /// Amounts of the pool's sides as token and quote.
    package func reserves(_ first: UInt128, _ second: UInt128) -> Reserves {
        isReversed
            ? Reserves(token: second, quote: first) : Reserves(token: first, quote: second)
    }
}
