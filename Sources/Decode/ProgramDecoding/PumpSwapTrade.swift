import MarketModel
import RecordModel

/// What BuyEvent and SellEvent of PumpSwap say, in the pool's own terms: base and quote.
struct PumpSwapTrade {
    /// Whether base left the pool.
    private var isBuy: Bool
    private var exactness: Trade.Exactness
    /// Base that left or entered the pool.
    private var base: UInt128
    /// Quote that moves the price: before any fee.
    private var net: UInt128
    /// Quote that the user paid or got.
    private var paid: UInt128
    private var limit: UInt128?
    private var vaultBase: UInt128
    private var vaultQuote: UInt128
    private var fees = TradeFees()
    private var pool: Address
    private var user: Address
    private var userBaseAccount: Address
    private var userQuoteAccount: Address
    private var virtualQuote: Int128?
    private var baseSupply: UInt128?

    private static let exactInPrefix = Array("buy_exact_quote_in".utf8)
    private static let exactOutNames = ["buy", "buy_v2"].map { Array($0.utf8) }

    /// BuyEvent, of any length since 2025-04.
    init(buy fields: inout FieldReader, _ bytes: RawSpan) throws(ParseFailure) {
        isBuy = true
        try fields.skip(8)  // timestamp
        base = try fields.amount(bytes)
        let mostQuote = try fields.amount(bytes)
        try fields.skip(16)  // the user's balances
        vaultBase = try fields.amount(bytes)
        vaultQuote = try fields.amount(bytes)
        let quoteIn = try fields.amount(bytes)
        try fields.skip(8)
        fees.liquidity = try fields.amount(bytes)
        try fields.skip(8)
        fees.venue = try fields.amount(bytes)
        try fields.skip(8)  // quote with the liquidity fee
        let userQuoteIn = try fields.amount(bytes)
        pool = try fields.address(bytes)
        user = try fields.address(bytes)
        userBaseAccount = try fields.address(bytes)
        userQuoteAccount = try fields.address(bytes)
        try fields.skip(64)  // who gets the protocol's fee
        // 2025-05
        try fields.skipOptional(32)
        try fields.skipOptional(8)
        fees.creator = try fields.optionalAmount(bytes)
        // 2025-08: whether volume is tracked, and four numbers about it
        _ = try fields.optionalBool(bytes)
        for _ in 0..<4 { try fields.skipOptional(8) }
        // 2025-10
        let leastBase = try fields.optionalAmount(bytes)
        let name = fields.isAtEnd ? nil : try fields.text(bytes)

        // In an exact-in buy the two amounts have changed places. Whatever the instruction is
        // called, what moves the price is what is left after the fees: the smaller one.
        net = min(quoteIn, userQuoteIn)
        paid = max(quoteIn, userQuoteIn)
        exactness = .unknown
        if let name, bytes.isEqual(name, PumpSwapTrade.exactInPrefix, isPrefix: true) {
            (exactness, limit) = (.exactIn, leastBase)
            (net, paid) = (userQuoteIn, quoteIn)
        } else if name.map({ name in
            PumpSwapTrade.exactOutNames.contains { bytes.isEqual(name, $0, isPrefix: false) }
            // Events without a name are older than any other kind of buy.
        }) ?? true {
            (exactness, limit) = (.exactOut, mostQuote)
            (net, paid) = (quoteIn, userQuoteIn)
        } else {
            // A hop of a route, whose limit holds for the whole of it.
            exactness = .exactIn
        }
        try readTail(&fields, bytes)
    }

    /// SellEvent, of any length since 2025-04.
    init(sell fields: inout FieldReader, _ bytes: RawSpan) throws(ParseFailure) {
        isBuy = false
        exactness = .exactIn
        try fields.skip(8)  // timestamp
        base = try fields.amount(bytes)
        limit = try fields.amount(bytes)
        try fields.skip(16)  // the user's balances
        vaultBase = try fields.amount(bytes)
        vaultQuote = try fields.amount(bytes)
        net = try fields.amount(bytes)
        try fields.skip(8)
        fees.liquidity = try fields.amount(bytes)
        try fields.skip(8)
        fees.venue = try fields.amount(bytes)
        try fields.skip(8)  // quote without the liquidity fee
        paid = try fields.amount(bytes)
        pool = try fields.address(bytes)
        user = try fields.address(bytes)
        userBaseAccount = try fields.address(bytes)
        userQuoteAccount = try fields.address(bytes)
        try fields.skip(64)  // who gets the protocol's fee
        // 2025-05
        try fields.skipOptional(32)
        try fields.skipOptional(8)
        fees.creator = try fields.optionalAmount(bytes)
        try readTail(&fields, bytes)
    }

    /// What both events end with, from 2026-02 on.
    private mutating func readTail(
        _ fields: inout FieldReader,
        _ bytes: RawSpan
    ) throws(ParseFailure) {
        try fields.skipOptional(8)
        fees.cashback = try fields.optionalAmount(bytes)
        try fields.skipOptional(8)
        fees.buybackInside = try fields.optionalAmount(bytes)
        virtualQuote = try fields.optionalInt128(bytes)
        _ = try fields.optionalBool(bytes)
        baseSupply = try fields.optionalAmount(bytes)
        // 2026-09: holder rewards; 2026-10: what of the creator's fee waits
        for _ in 0..<3 { try fields.skipOptional(8) }
    }

    /// The trade in terms of token and quote.
    func trade(
        _ call: PumpSwapCall,
        _ walk: ProgramWalk,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan
    ) throws(ParseFailure) -> Trade {
        let pair = try pair(call, walk, transaction, bytes)
        // What providers earn stays in the quote vault.
        let lp = fees.liquidity ?? 0  // every event tells it
        let moved = isBuy ? net + lp : net - min(net, lp)
        var trade = Trade(
            venue: .pumpSwap,
            pool: pool,
            token: pair.token,
            quote: pair.quote,
            side: isBuy != pair.isReversed ? .buy : .sell,
            trader: user,
            tokenAmount: pair.isReversed ? moved : base,
            quoteAmount: pair.isReversed ? base : net,
            traderQuoteAmount: pair.isReversed ? base : paid
        )
        trade.fees = fees
        trade.fees.isInToken = pair.isReversed
        trade.exactness = exactness
        let isRoute = call.instruction == .multiHopSwap
        trade.limit = isRoute ? nil : limit
        if pair.isRaw { trade.flags.insert(.rawOrientation) }
        if let (before, after) = reserves(moved) {
            trade.before = pair.reserves(vaultBase, before)
            if let baseAfter = PumpSwapTrade.moved(vaultBase, base, isOut: isBuy) {
                trade.after = pair.reserves(baseAfter, after)
            }
        }
        if !pair.isReversed {
            trade.virtualQuote = virtualQuote
            trade.baseSupply = baseSupply
        }
        return trade
    }

    /// Quote that makes the price, before and after; nil when less than nothing.
    private func reserves(_ moved: UInt128) -> (before: UInt128, after: UInt128)? {
        // Missing means that nothing is virtual.
        let virtual = virtualQuote ?? 0
        let (sum, overflows) = Int128(vaultQuote).addingReportingOverflow(virtual)
        guard !overflows, let before = UInt128(exactly: sum),
            let after = PumpSwapTrade.moved(before, moved, isOut: !isBuy)
        else { return nil }
        return (before, after)
    }

    /// A reserve after an amount left or entered it.
    private static func moved(_ reserve: UInt128, _ amount: UInt128, isOut: Bool) -> UInt128? {
        let (result, overflows) =
            isOut
            ? reserve.subtractingReportingOverflow(amount)
            : reserve.addingReportingOverflow(amount)
        return overflows ? nil : result
    }

    /// The mints stand in the instruction; else in the balances of the user's accounts.
    private func pair(
        _ call: PumpSwapCall,
        _ walk: ProgramWalk,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan
    ) throws(ParseFailure) -> MarketPair {
        if let mints = try call.mints(of: pool, walk, transaction, bytes) {
            return MarketPair(mints.base, mints.quote)
        }
        return try MarketPair(
            userBaseAccount: userBaseAccount,
            userQuoteAccount: userQuoteAccount,
            transaction,
            bytes
        )
    }
}

extension MarketPair {
    /// From the accounts that a user trades with, by the transaction's token balances.
    init(
        userBaseAccount: Address,
        userQuoteAccount: Address,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan
    ) throws(ParseFailure) {
        guard let baseIndex = transaction.keys.firstIndex(of: userBaseAccount),
            let quoteIndex = transaction.keys.firstIndex(of: userQuoteAccount),
            let base = transaction.mint(ofAccount: baseIndex, bytes),
            let quote = transaction.mint(ofAccount: quoteIndex, bytes)
        else { throw .unknownMints }
        self.init(base, quote)
    }
}
