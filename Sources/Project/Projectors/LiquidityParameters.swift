package import MarketModel

/// The thresholds of `LiquidityProjector`.
package struct LiquidityParameters: Hashable, Sendable {
    /// A removal of at least this part of all shares is a drain.
    package var drainBasisPoints: UInt64 = 9_000
    /// A removal of at least this part of all shares, below a drain, is told as an unlock.
    package var unlockBasisPoints: UInt64 = 1_000
    /// Fall of TVL that is told.
    package var fallBasisPoints: UInt64 = 3_000
    /// Slots or blocks of one window of TVL; a fall is one from the highest TVL at the end of a
    /// slot in this window and the one before.
    package var fallWindow: UInt64
    /// Change of price within one slot or block that is told.
    package var moveBasisPoints: UInt64 = 2_000
    /// Pools with less quote than this are never told about, by quote; without an entry none are
    /// left out.
    package var quoteFloor: [QuoteFloor]

    /// The least amount of one quote.
    package struct QuoteFloor: Hashable, Sendable {
        package var quote: Address
        package var amount: UInt128

        package init(quote: Address, amount: UInt128) {
            self.quote = quote
            self.amount = amount
        }
    }

    /// The defaults of a chain.
    package init(_ chain: Chain) {
        switch chain {
        case .solana:
            fallWindow = 150
            quoteFloor = [
                QuoteFloor(quote: KnownQuote.wrappedSOL, amount: 1_000_000_000),
                QuoteFloor(quote: KnownQuote.usdc, amount: 150_000_000),
                QuoteFloor(quote: KnownQuote.usdt, amount: 150_000_000),
            ]
        case .evm:
            fallWindow = 30
            quoteFloor = []
        }
    }

    /// The least amount of quote in a pool that is told about.
    package func floor(of quote: Address) -> UInt128 {
        quoteFloor.first { $0.quote == quote }?.amount ?? 0  // no floor for other quotes
    }

    /// All of it in canonical form.
    package func text(on chain: Chain) -> String {
        var text = ParameterText()
        text.add("drain_bps", drainBasisPoints)
        text.add("unlock_bps", unlockBasisPoints)
        text.add("fall_bps", fallBasisPoints)
        text.add("fall_window", fallWindow)
        text.add("move_bps", moveBasisPoints)
        for floor in quoteFloor {
            text.add("quote_floor." + floor.quote.text(on: chain), floor.amount)
        }
        return text.text
    }
}
