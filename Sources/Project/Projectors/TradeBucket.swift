package import MarketModel
import Projection

/// Sums over some trades: what a minute of a token or a pool is made of.
package struct TradeBucket: Hashable, Sendable {
    package var buys: UInt32 = 0
    package var sells: UInt32 = 0
    /// Different wallets, exactly; pump.fun's agent is none.
    package var traders: UInt32 = 0
    package var tokensBought: UInt128 = 0
    package var tokensSold: UInt128 = 0
    /// Quote that moved the pool.
    package var quoteBought: UInt128 = 0
    package var quoteSold: UInt128 = 0
    package var fees = TradeFeeSums()
    package var mayhemTrades: UInt32 = 0
    package var multiHopTrades: UInt32 = 0
    package var highImpactTrades: UInt32 = 0
    package var whaleTrades: UInt32 = 0
    package var roundTrips: UInt32 = 0
    /// The greatest impact, in basis points.
    package var impactMax: Int64?
    /// Trades whose limit is known, the sum of what those limits had left, each within 0 and 10,000,
    /// and how many of them had none.
    package var limitedTrades: UInt32 = 0
    package var toleranceSum: UInt64 = 0
    package var unprotectedTrades: UInt32 = 0
    /// Whether the minute was reckoned from the slot number.
    package var isTimeEstimated = false

    package init() {}

    /// Adds one trade, all but its wallet.
    package mutating func add(_ trade: Trade, _ measures: TradeMeasures) {
        switch trade.side {
        case .buy:
            buys &+= 1
            tokensBought = tokensBought.plus(trade.tokenAmount)
            quoteBought = quoteBought.plus(trade.quoteAmount)
        case .sell:
            sells &+= 1
            tokensSold = tokensSold.plus(trade.tokenAmount)
            quoteSold = quoteSold.plus(trade.quoteAmount)
        }
        fees.add(trade.fees)
        if trade.flags.contains(.mayhemAgent) { mayhemTrades &+= 1 }
        if trade.flags.contains(.multiHop) { multiHopTrades &+= 1 }
        if let impact = measures.impact { impactMax = max(impactMax ?? .min, impact) }
        if let tolerance = measures.tolerance {
            limitedTrades &+= 1
            toleranceSum &+= UInt64(min(max(tolerance, 0), 10_000))
            if tolerance >= 10_000 { unprotectedTrades &+= 1 }
        }
    }

    /// Adds all of another bucket but its wallets, which may be the same.
    package mutating func add(_ other: TradeBucket) {
        buys &+= other.buys
        sells &+= other.sells
        tokensBought = tokensBought.plus(other.tokensBought)
        tokensSold = tokensSold.plus(other.tokensSold)
        quoteBought = quoteBought.plus(other.quoteBought)
        quoteSold = quoteSold.plus(other.quoteSold)
        fees.add(other.fees)
        mayhemTrades &+= other.mayhemTrades
        multiHopTrades &+= other.multiHopTrades
        highImpactTrades &+= other.highImpactTrades
        whaleTrades &+= other.whaleTrades
        roundTrips &+= other.roundTrips
        if let impact = other.impactMax { impactMax = max(impactMax ?? .min, impact) }
        limitedTrades &+= other.limitedTrades
        toleranceSum &+= other.toleranceSum
        unprotectedTrades &+= other.unprotectedTrades
        if other.isTimeEstimated { isTimeEstimated = true }
    }

    /// Quote of both sides.
    package var quoteVolume: UInt128 { quoteBought.plus(quoteSold) }
    /// Tokens of both sides: with the volume, the average price by volume.
    package var tokenVolume: UInt128 { tokensBought.plus(tokensSold) }
    /// What part of the volume were buys; nil without volume.
    package var buyPressureBasisPoints: UInt64? {
        .basisPoints(quoteBought, of: quoteVolume)
    }
}

/// Fees by kind, added up.
package struct TradeFeeSums: Hashable, Sendable {
    package var liquidity: UInt128 = 0
    package var venue: UInt128 = 0
    package var creator: UInt128 = 0
    package var cashback: UInt128 = 0
    /// Inside `venue`.
    package var buyback: UInt128 = 0
    /// All kinds of fees that were paid in the token.
    package var inToken: UInt128 = 0

    package init() {}

    /// Adds the fees of one trade.
    package mutating func add(_ fees: TradeFees) {
        if fees.isInToken {
            inToken = inToken.plus(fees.total)
            return
        }
        if let fee = fees.liquidity { liquidity = liquidity.plus(fee) }
        if let fee = fees.venue { venue = venue.plus(fee) }
        if let fee = fees.creator { creator = creator.plus(fee) }
        if let fee = fees.cashback { cashback = cashback.plus(fee) }
        if let fee = fees.buybackInside { buyback = buyback.plus(fee) }
    }

    /// Adds other sums.
    package mutating func add(_ other: TradeFeeSums) {
        liquidity = liquidity.plus(other.liquidity)
        venue = venue.plus(other.venue)
        creator = creator.plus(other.creator)
        cashback = cashback.plus(other.cashback)
        buyback = buyback.plus(other.buyback)
        inToken = inToken.plus(other.inToken)
    }
}

extension TradeBucket {
    /// The columns of a bucket, in order.
    static let columns: [Column] = [
        Column("buys", .unsigned32, "trades that took tokens out of the pool"),
        Column("sells", .unsigned32, "trades that put tokens in"),
        Column("traders", .unsigned32, "different wallets, exactly; pump.fun's agent is none"),
        Column("tokens_bought", .unsigned128, "native units"),
        Column("tokens_sold", .unsigned128, "native units"),
        Column("quote_bought", .unsigned128, "quote that buys put in, fees apart"),
        Column("quote_sold", .unsigned128, "quote that sells took out, fees apart"),
        Column("fee_liquidity", .unsigned128, "to liquidity providers, in quote"),
        Column("fee_venue", .unsigned128, "to the protocol, in quote"),
        Column("fee_creator", .unsigned128, "to the coin's creator, in quote"),
        Column("fee_cashback", .unsigned128, "given back to traders, in quote"),
        Column("fee_buyback", .unsigned128, "part of fee_venue that buys back, in quote"),
        Column("fee_in_token", .unsigned128, "all fees that were paid in the token"),
        Column("mayhem_trades", .unsigned32, "trades of pump.fun's agent"),
        Column("multi_hop_trades", .unsigned32, "trades that were parts of routes"),
        Column("high_impact_trades", .unsigned32, "trades with high impact and enough quote"),
        Column("whale_trades", .unsigned32, "trades of a whale's size"),
        Column("round_trips", .unsigned32, "pairs of a buy and a sell of one wallet in one slot"),
        Column("impact_max", .signed64, isOptional: true, "greatest impact, basis points"),
        Column("limited_trades", .unsigned32, "trades whose limit is known"),
        Column("tolerance_sum", .unsigned64, "sum of what limits had left, basis points"),
        Column("unprotected_trades", .unsigned32, "trades without a limit"),
        Column("is_time_estimated", .boolean, "the minute comes from the slot number"),
    ]

    /// Writes the columns.
    ///
    /// - Parameters:
    ///   - writer: stands where they begin.
    ///   - withTraders: whether that column is one of them: sums of several minutes have none.
    func encode(to writer: inout RowWriter, withTraders: Bool = true) {
        writer.add(buys)
        writer.add(sells)
        if withTraders { writer.add(traders) }
        for amount in [tokensBought, tokensSold, quoteBought, quoteSold] { writer.add(amount) }
        for fee in [fees.liquidity, fees.venue, fees.creator, fees.cashback, fees.buyback] {
            writer.add(fee)
        }
        writer.add(fees.inToken)
        writer.add(mayhemTrades)
        writer.add(multiHopTrades)
        writer.add(highImpactTrades)
        writer.add(whaleTrades)
        writer.add(roundTrips)
        writer.add(optional: impactMax) { $0.add($1) }
        writer.add(limitedTrades)
        writer.add(toleranceSum)
        writer.add(unprotectedTrades)
        writer.add(isTimeEstimated)
    }

    /// Reads the columns.
    init(from reader: inout RowReader) throws(RowError) {
        buys = try reader.unsigned32()
        sells = try reader.unsigned32()
        traders = try reader.unsigned32()
        tokensBought = try reader.unsigned128()
        tokensSold = try reader.unsigned128()
        quoteBought = try reader.unsigned128()
        quoteSold = try reader.unsigned128()
        fees.liquidity = try reader.unsigned128()
        fees.venue = try reader.unsigned128()
        fees.creator = try reader.unsigned128()
        fees.cashback = try reader.unsigned128()
        fees.buyback = try reader.unsigned128()
        fees.inToken = try reader.unsigned128()
        mayhemTrades = try reader.unsigned32()
        multiHopTrades = try reader.unsigned32()
        highImpactTrades = try reader.unsigned32()
        whaleTrades = try reader.unsigned32()
        roundTrips = try reader.unsigned32()
        impactMax = try reader.optional { (reader) throws(RowError) in try reader.signed64() }
        limitedTrades = try reader.unsigned32()
        toleranceSum = try reader.unsigned64()
        unprotectedTrades = try reader.unsigned32()
        isTimeEstimated = try reader.boolean()
    }
}
