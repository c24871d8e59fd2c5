import MarketModel
import Projection

/// What follows from the tables of a token.
enum TokenFigures {
    static let view = StateView(
        schema: TableSchema(
            "token_figures",
            "What follows from the tables of one token as of the last slot",
            key: [Column("token", .address, "mint, or contract")],
            columns: [
                Column("is_abandoned", .boolean, "whether nobody has traded it for long"),
                Column(
                    "idle_slots",
                    .unsigned64,
                    "slots or blocks since its last trade, or since it was first seen"
                ),
                Column(
                    "creator_sold_bps",
                    .unsigned64,
                    isOptional: true,
                    "tokens that its makers sold, of those that they bought"
                ),
                Column("net_held", .unsigned128, "tokens that traders bought and did not sell"),
                Column(
                    "top10_bps",
                    .unsigned64,
                    isOptional: true,
                    "part of them of the ten greatest; by trades alone, transfers are not seen"
                ),
                Column(
                    "market_cap_usd_cents",
                    .unsigned128,
                    isOptional: true,
                    "at the newest recorded price of the quote; nothing without one"
                ),
            ]
        ),
        tables: [TokenRow.schema.name, TokenMarketRow.schema.name, TokenTraderRow.schema.name]
    ) { (store, moment) throws(StorageError) in
        let parameters = MonitorParameters(store.chain).lifecycle
        let prices = try QuotePrices(store)
        var markets: [Address: TokenMarketRow] = [:]
        for (token, row) in try store.all(TokenMarketRow.self) { markets[token] = row }
        var holdings: [Address: Holdings] = [:]
        for (key, row) in try store.all(TokenTraderRow.self) {
            holdings[key.token, default: Holdings()].add(row.bought.minus(row.sold))
        }
        return try store.all(TokenRow.self).map { token, row in
            let market = markets[token] ?? TokenMarketRow()
            let held = holdings[token] ?? Holdings()
            let last = market.lastTrade ?? row.firstPosition
            return ListedRow({ $0.add(token) }) { writer in
                writer.add(
                    TokenFormulas.isAbandoned(
                        lastTrade: market.lastTrade,
                        first: row.firstPosition,
                        at: moment.position,
                        parameters
                    )
                )
                writer.add(moment.position > last ? moment.position - last : 0 as UInt64)
                writer.add(optional: TokenFormulas.creatorSoldBasisPoints(market)) { $0.add($1) }
                writer.add(held.sum)
                writer.add(optional: UInt64.basisPoints(held.topSum, of: held.sum)) { $0.add($1) }
                let dollars = row.quote.flatMap { quote in
                    market.marketCap.flatMap { prices.cents($0, of: quote) }
                }
                writer.add(optional: dollars) { $0.add($1) }
            }
        }
    }

    /// What traders hold by their trades.
    private struct Holdings {
        private(set) var sum: UInt128 = 0
        /// The ten greatest, rising.
        private var top: [UInt128] = []

        var topSum: UInt128 { top.reduce(0) { $0.plus($1) } }

        mutating func add(_ amount: UInt128) {
            sum = sum.plus(amount)
            guard top.count < 10 || top[0] < amount else { return }
            if top.count == 10 { top.removeFirst() }
            top.insert(amount, at: top.firstIndex { $0 > amount } ?? top.endIndex)
        }
    }
}
