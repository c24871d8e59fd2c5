import MarketModel

/// The trade that an event of LaunchLab tells of, in the words of every market.
struct LaunchLabTrade {
    private let told: LaunchLabTradeEvent

    init(_ told: LaunchLabTradeEvent) {
        self.told = told
    }

    /// The trade.
    ///
    /// - Throws: `invalid` when amounts contradict one another, such as a buy after which less is
    ///   sold than before.
    func trade(trader: Address, token: Address, quote: Address) throws(ParseFailure) -> Trade {
        let sold =
            told.isBuy ? (told.baseBefore, told.baseAfter) : (told.baseAfter, told.baseBefore)
        let raised =
            told.isBuy ? (told.quoteBefore, told.quoteAfter) : (told.quoteAfter, told.quoteBefore)
        guard sold.0 <= sold.1, raised.0 <= raised.1 else { throw .invalid }
        let quoteAmount = UInt128(raised.1 - raised.0)
        let fees = fees
        let total = fees.total
        guard told.isBuy || total <= quoteAmount else { throw .invalid }
        var trade = Trade(
            venue: .launchLab,
            pool: told.pool,
            token: token,
            quote: quote,
            side: told.isBuy ? .buy : .sell,
            trader: trader,
            tokenAmount: UInt128(sold.1 - sold.0),
            quoteAmount: quoteAmount,
            traderQuoteAmount: told.isBuy ? quoteAmount + total : quoteAmount - total
        )
        trade.fees = fees
        trade.before = reserves(told.baseBefore, told.quoteBefore)
        trade.after = reserves(told.baseAfter, told.quoteAfter)
        trade.curve = told.pool
        trade.realQuoteReserves = UInt128(told.quoteAfter)
        if told.baseAfter <= told.tokensForSale {
            trade.realTokenReserves = UInt128(told.tokensForSale - told.baseAfter)
        }
        return trade
    }

    /// What counts for the price when so much was sold and raised; nil where more was sold than the
    /// virtual reserves had, so that they are not what the price is made of.
    private func reserves(_ sold: UInt64, _ raised: UInt64) -> Reserves? {
        guard sold <= told.virtualBase else { return nil }
        return Reserves(
            token: UInt128(told.virtualBase - sold),
            quote: UInt128(told.virtualQuote) + UInt128(raised)
        )
    }

    /// In units of the quote, always.
    private var fees: TradeFees {
        var fees = TradeFees()
        fees.venue =
            UInt128(told.protocolFee) + UInt128(told.platformFee) + UInt128(told.shareFee)
        fees.creator = told.creatorFee.map { UInt128($0) }
        return fees
    }
}
