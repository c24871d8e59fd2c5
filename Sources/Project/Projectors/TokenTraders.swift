import MarketModel
import Projection

/// Who traded a token, and what its makers did.
struct TokenTraders {
    private let traders: Table<TokenTraderRow>
    private let sketches: Table<TokenSketchRow>
    private let creators: Table<TokenCreatorRow>
    private let parameters: LifecycleParameters

    init(_ store: StateStore, _ parameters: LifecycleParameters) {
        traders = store.table(TokenTraderRow.self)
        sketches = store.table(TokenSketchRow.self)
        creators = store.table(TokenCreatorRow.self)
        self.parameters = parameters
    }

    /// Counts a trade of somebody who is neither agent, curve nor pool.
    func count(_ trade: Trade, of work: inout TokenWork, at moment: MonitorMoment) {
        let isInQuote = trade.quote == work.row.quote
        let key = TokenTraderKey(token: work.token, trader: trade.trader)
        var isFirstBuy = false
        let isBeyond = work.market.traders >= parameters.exactTradersMax && traders[key] == nil
        if isBeyond {
            sketch(trade.trader, of: &work)
        } else {
            // Found and changed in one step: this is where most of the time goes.
            traders.update(key, default: TokenTraderRow()) { row in
                isFirstBuy = row.buys == 0 && trade.side == .buy
                if row.buys == 0, row.sells == 0 {
                    row.firstPosition = moment.position
                    row.firstTransaction = moment.transaction
                    work.market.traders += 1
                }
                add(trade, isInQuote: isInQuote, to: &row, of: &work, at: moment)
            }
        }
        countStart(trade, isInQuote: isInQuote, isFirstBuy: isFirstBuy, of: &work, at: moment)
        if isMaker(trade.trader, of: work) {
            countMaker(trade, isInQuote: isInQuote, of: &work, at: moment)
        }
    }

    private func add(
        _ trade: Trade,
        isInQuote: Bool,
        to row: inout TokenTraderRow,
        of work: inout TokenWork,
        at moment: MonitorMoment
    ) {
        let wasHolder = row.bought > row.sold
        switch trade.side {
        case .buy:
            row.bought = row.bought.plus(trade.tokenAmount)
            row.buys &+= 1
            if isInQuote { row.quotePaid = row.quotePaid.plus(trade.traderQuoteAmount) }
        case .sell:
            row.sold = row.sold.plus(trade.tokenAmount)
            row.sells &+= 1
            if isInQuote { row.quoteGot = row.quoteGot.plus(trade.traderQuoteAmount) }
        }
        row.lastPosition = moment.position
        let isHolder = row.bought > row.sold
        if isHolder, !wasHolder { work.market.holders += 1 }
        if wasHolder, !isHolder { work.market.holders -= 1 }
    }

    private func sketch(_ trader: Address, of work: inout TokenWork) {
        var changed: UInt64?
        sketches.update(work.token, default: TokenSketchRow()) { row in
            if row.others.insert(trader) { changed = row.others.count }
        }
        if let changed { work.market.moreTraders = changed }
    }

    private func countStart(
        _ trade: Trade,
        isInQuote: Bool,
        isFirstBuy: Bool,
        of work: inout TokenWork,
        at moment: MonitorMoment
    ) {
        guard var start = work.start, let created = work.row.createdPosition else { return }
        let slots = moment.position - created
        start.earlyTrades &+= 1
        switch trade.side {
        case .buy:
            start.earlyBuys &+= 1
            if isInQuote { start.earlyQuoteBought = start.earlyQuoteBought.plus(trade.quoteAmount) }
        case .sell:
            if isInQuote { start.earlyQuoteSold = start.earlyQuoteSold.plus(trade.quoteAmount) }
        }
        let isInCreation = slots == 0 && moment.transaction == work.row.createdTransaction
        if isFirstBuy {
            start.earlyBuyers &+= 1
            if slots == 0, !isInCreation { start.bundleBuyers &+= 1 }
            if slots > 0, slots <= parameters.sniperSlots { start.sniperBuyers &+= 1 }
        }
        if isInCreation, trade.side == .buy, isMaker(trade.trader, of: work) {
            start.devBuys &+= 1
            start.devTokens = start.devTokens.plus(trade.tokenAmount)
            start.devQuote = start.devQuote.plus(trade.quoteAmount)
        }
        work.start = start
    }

    /// Whether somebody made the token or gets the fees of its creator.
    func isMaker(_ trader: Address, of work: borrowing TokenWork) -> Bool {
        trader == work.row.creator || trader == work.row.firstCreator || trader == work.row.user
    }

    private func countMaker(
        _ trade: Trade,
        isInQuote: Bool,
        of work: inout TokenWork,
        at moment: MonitorMoment
    ) {
        switch trade.side {
        case .buy: work.market.creatorBought = work.market.creatorBought.plus(trade.tokenAmount)
        case .sell: work.market.creatorSold = work.market.creatorSold.plus(trade.tokenAmount)
        }
        updateCreator(of: work.row, at: moment) { row in
            switch trade.side {
            case .buy:
                row.buys &+= 1
                if isInQuote { row.quotePaid = row.quotePaid.plus(trade.traderQuoteAmount) }
            case .sell:
                row.sells &+= 1
                if isInQuote { row.quoteGot = row.quoteGot.plus(trade.traderQuoteAmount) }
            }
        }
    }

    /// Changes the row of a token's creator, if he is known: whoever got the fees at the creation,
    /// or, when that was not seen, whoever gets them now.
    func updateCreator(
        of token: TokenRow,
        at moment: MonitorMoment,
        _ body: (inout TokenCreatorRow) -> Void
    ) {
        guard let creator = token.firstCreator ?? token.creator else { return }
        var row = creators[creator] ?? TokenCreatorRow(firstPosition: moment.position)
        body(&row)
        row.lastPosition = moment.position
        creators.put(creator, row)
    }
}

extension TokenCreatorRow {
    /// Somebody who was not seen before.
    init(firstPosition: UInt64) {
        self.init()
        self.firstPosition = firstPosition
    }
}
