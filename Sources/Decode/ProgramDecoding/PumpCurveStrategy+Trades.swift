import MarketModel
import RecordModel

extension PumpCurveStrategy {
    /// pump.fun's own trading agent: the SOL vault of its Mayhem program.
    static let mayhemAgent = Address(
        Bytes32(
            0xa28b_5fd2_6ab4_79a6,
            0xa9cc_6cbf_6b0b_23eb,
            0x6188_5a37_1e01_20ac,
            0xa913_beef_3d13_8a78
        )
    )

    /// The mint of what a coin is paired with; zeros and an absent field say SOL.
    static func quote(_ mint: Address?) -> Address {
        guard let mint, !mint.isZero else { return .wrappedSOL }
        return mint
    }

    /// TradeEvent, of any length since 2024.
    static func trade(
        _ fields: inout FieldReader,
        _ bytes: RawSpan,
        _ terms: Terms
    ) throws(ParseFailure) -> Trade {
        let mint = try fields.address(bytes)
        var quoteAmount = try fields.amount(bytes)
        let tokenAmount = try fields.amount(bytes)
        let isBuy = try fields.bool(bytes)
        let user = try fields.address(bytes)
        try fields.skip(8)  // timestamp
        var virtualQuote = try fields.amount(bytes)
        let virtualToken = try fields.amount(bytes)
        // Events of early 2024 end here.
        var realQuote = try fields.optionalAmount(bytes)
        let realToken = try fields.optionalAmount(bytes)
        // 2025-05
        try fields.skipOptional(32)  // who gets the protocol's fee
        try fields.skipOptional(8)
        var fees = TradeFees()
        fees.venue = try fields.optionalAmount(bytes)
        let creator = try fields.optionalAddress(bytes)
        try fields.skipOptional(8)
        fees.creator = try fields.optionalAmount(bytes)
        let instructionName = try name(&fields, bytes, &fees)
        // 2026-05
        if !fields.isAtEnd { try fields.skip(Int(try fields.uint32(bytes)) * shareholderBytes) }
        let quoteMint = try fields.optionalAddress(bytes)
        if let quoteMint, !quoteMint.isZero {
            quoteAmount = try fields.amount(bytes)
            virtualQuote = try fields.amount(bytes)
            realQuote = try fields.amount(bytes)
        } else {
            for _ in 0..<3 { try fields.skipOptional(8) }
        }
        // 2026-09: holder rewards, which say the creator's fee again; 2026-10: what of it waits
        for _ in 0..<3 { try fields.skipOptional(8) }

        var trade = Trade(
            venue: .pumpCurve,
            pool: mint,
            token: mint,
            quote: quote(quoteMint),
            side: isBuy ? .buy : .sell,
            trader: user,
            tokenAmount: tokenAmount,
            quoteAmount: quoteAmount,
            traderQuoteAmount: paid(quoteAmount, isBuy: isBuy, fees)
        )
        trade.fees = fees
        trade.after = Reserves(token: virtualToken, quote: virtualQuote)
        trade.before = before(trade)
        trade.realTokenReserves = realToken
        trade.realQuoteReserves = realQuote
        trade.creator = creator
        trade.exactness =
            terms.exactness == .unknown ? exactness(instructionName, isBuy, bytes) : terms.exactness
        trade.limit = terms.limit
        trade.curve = terms.curve
        if user == mayhemAgent { trade.flags.insert(.mayhemAgent) }
        return trade
    }

    /// From 2025-08 on: volumes, the name of the instruction, cashback and buyback.
    private static func name(
        _ fields: inout FieldReader,
        _ bytes: RawSpan,
        _ fees: inout TradeFees
    ) throws(ParseFailure) -> Range<Int>? {
        // 2025-08: whether volume is tracked, and four numbers about it
        _ = try fields.optionalBool(bytes)
        for _ in 0..<4 { try fields.skipOptional(8) }
        // 2025-10
        let name = fields.isAtEnd ? nil : try fields.text(bytes)
        // 2026-01 and 2026-02
        _ = try fields.optionalBool(bytes)
        try fields.skipOptional(8)
        fees.cashback = try fields.optionalAmount(bytes)
        // 2026-04
        try fields.skipOptional(8)
        fees.buybackInside = try fields.optionalAmount(bytes)
        return name
    }

    /// An address and a share in basis points.
    private static let shareholderBytes = 34
    private static let exactOutNames = ["buy", "buy_v2", "buy_v3"].map { Array($0.utf8) }
    private static let exactInPrefix = Array("buy_exact_".utf8)

    /// Without the instruction: what its name in the event tells. Sells fix what they sell.
    private static func exactness(
        _ name: Range<Int>?,
        _ isBuy: Bool,
        _ bytes: RawSpan
    ) -> Trade.Exactness {
        guard isBuy else { return .exactIn }
        guard let name else { return .unknown }
        if bytes.isEqual(name, exactInPrefix, isPrefix: true) { return .exactIn }
        return exactOutNames.contains { bytes.isEqual(name, $0, isPrefix: false) }
            ? .exactOut : .unknown
    }

    /// What the trader pays or gets: every fee is on top of the amount that moves the curve.
    private static func paid(_ amount: UInt128, isBuy: Bool, _ fees: TradeFees) -> UInt128 {
        // Sums of five numbers of 64 bits fit.
        let total = fees.total
        return isBuy ? amount + total : amount - min(amount, total)
    }

    /// Reserves before, from those after; nil when the amounts cannot be.
    private static func before(_ trade: Trade) -> Reserves? {
        guard let after = trade.after else { return nil }
        if trade.side == .buy {
            guard after.quote >= trade.quoteAmount else { return nil }
            return Reserves(
                token: after.token + trade.tokenAmount,
                quote: after.quote - trade.quoteAmount
            )
        }
        guard after.token >= trade.tokenAmount else { return nil }
        return Reserves(
            token: after.token - trade.tokenAmount,
            quote: after.quote + trade.quoteAmount
        )
    }

    /// PostCompleteBuyEvent: a buy that goes on beyond the end of the curve, at the reserves of the
    /// pool to come. The curve's own reserves stay as they are, so the trade has none.
    static func postCompleteBuy(
        _ fields: inout FieldReader,
        _ bytes: RawSpan,
        _ terms: Terms
    ) throws(ParseFailure) -> Trade {
        let user = try fields.address(bytes)
        let mint = try fields.address(bytes)
        let curve = try fields.address(bytes)
        let quoteMint = try fields.address(bytes)
        try fields.skip(8)  // timestamp
        let tokenAmount = try fields.amount(bytes)
        let quoteAmount = try fields.amount(bytes)
        var fees = TradeFees()
        try fields.skip(8)
        fees.venue = try fields.amount(bytes)
        try fields.skip(8)
        fees.creator = try fields.amount(bytes)
        fees.buybackInside = try fields.amount(bytes)
        try fields.skip(32)  // reserves of the pool to come, before and after
        var trade = Trade(
            venue: .pumpCurve,
            pool: mint,
            token: mint,
            quote: quote(quoteMint),
            side: .buy,
            trader: user,
            tokenAmount: tokenAmount,
            quoteAmount: quoteAmount,
            traderQuoteAmount: paid(quoteAmount, isBuy: true, fees)
        )
        trade.fees = fees
        trade.curve = curve
        trade.exactness = terms.exactness
        trade.flags = .postComplete
        if user == mayhemAgent { trade.flags.insert(.mayhemAgent) }
        return trade
    }
}

extension RawSpan {
    /// Whether a range that lies within holds a text, or begins with it.
    func isEqual(_ range: Range<Int>, _ text: [UInt8], isPrefix: Bool) -> Bool {
        guard isPrefix ? range.count >= text.count : range.count == text.count else { return false }
        for (offset, byte) in text.enumerated()
        where self.byte(at: range.lowerBound + offset) != byte {
            return false
        }
        return true
    }
}
