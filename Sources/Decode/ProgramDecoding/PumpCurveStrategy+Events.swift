import MarketModel
import RecordModel

extension PumpCurveStrategy {
    // The program lets 32, 13 and 200 characters pass, of at most four bytes each. What is longer
    // was not written by it and is cut.
    private static let nameBytesMax = 128
    private static let symbolBytesMax = 64
    private static let uriBytesMax = 1024

    /// CreateEvent, of any length since 2024.
    static func created(
        _ fields: inout FieldReader,
        _ bytes: RawSpan
    ) throws(ParseFailure) -> TokenCreated {
        let name = try fields.string(bytes, bytesMax: nameBytesMax)
        let symbol = try fields.string(bytes, bytesMax: symbolBytesMax)
        let uri = try fields.string(bytes, bytesMax: uriBytesMax)
        let mint = try fields.address(bytes)
        let curve = try fields.address(bytes)
        let user = try fields.address(bytes)
        // 2025-04
        let creator = try fields.optionalAddress(bytes)
        try fields.skipOptional(8)  // timestamp
        // 2025-05
        let virtualToken = try fields.optionalAmount(bytes)
        var virtualQuote = try fields.optionalAmount(bytes)
        let realToken = try fields.optionalAmount(bytes)
        let supply = try fields.optionalAmount(bytes)
        // 2025-11 and 2026-02
        let tokenProgram = try fields.optionalAddress(bytes)
        let isMayhem = try fields.optionalBool(bytes) == true
        let isCashback = try fields.optionalBool(bytes) == true
        // 2026-05
        let quoteMint = try fields.optionalAddress(bytes)
        let otherQuote = try fields.optionalAmount(bytes)
        if let quoteMint, !quoteMint.isZero { virtualQuote = otherQuote }
        // 2026-09 and 2026-10: the creator's rate, holder rewards, depth
        try fields.skipOptional(8)
        let isHolderReward = try fields.optionalBool(bytes) == true
        try fields.skipOptional(1)

        var created = TokenCreated(
            venue: .pumpCurve,
            token: mint,
            quote: quote(quoteMint),
            curve: curve,
            user: user,
            creator: creator ?? user,
            name: name,
            symbol: symbol,
            uri: uri
        )
        if let virtualToken, let virtualQuote {
            created.virtualReserves = Reserves(token: virtualToken, quote: virtualQuote)
        }
        created.realTokenReserves = realToken
        created.supply = supply
        created.tokenProgram = tokenProgram
        created.isMayhem = isMayhem
        created.isCashback = isCashback
        created.isHolderReward = isHolderReward
        return created
    }

    /// CompleteEvent.
    static func completed(
        _ fields: inout FieldReader,
        _ bytes: RawSpan
    ) throws(ParseFailure) -> CurveCompleted {
        let user = try fields.address(bytes)
        let mint = try fields.address(bytes)
        let curve = try fields.address(bytes)
        try fields.skip(8)  // timestamp
        try fields.skipOptional(32)  // quote, since 2026-05
        return CurveCompleted(venue: .pumpCurve, token: mint, curve: curve, user: user)
    }

    /// CompletePumpAmmMigrationEvent.
    static func migrated(
        _ fields: inout FieldReader,
        _ bytes: RawSpan
    ) throws(ParseFailure) -> CurveMigrated {
        let user = try fields.address(bytes)
        let mint = try fields.address(bytes)
        let tokenAmount = try fields.amount(bytes)
        let quoteAmount = try fields.amount(bytes)
        let fee = try fields.amount(bytes)
        let curve = try fields.address(bytes)
        try fields.skip(8)  // timestamp
        let pool = try fields.address(bytes)
        try fields.skipOptional(32)  // quote, since 2026-05
        return CurveMigrated(
            venue: .pumpCurve,
            token: mint,
            curve: curve,
            pool: pool,
            user: user,
            tokenAmount: tokenAmount,
            quoteAmount: quoteAmount,
            fee: fee
        )
    }

    /// UpdateMayhemVirtualParamsEvent.
    static func reset(
        _ fields: inout FieldReader,
        _ bytes: RawSpan
    ) throws(ParseFailure) -> CurveReset {
        try fields.skip(8)  // timestamp
        let mint = try fields.address(bytes)
        let before = Reserves(token: try fields.amount(bytes), quote: try fields.amount(bytes))
        let after = Reserves(token: try fields.amount(bytes), quote: try fields.amount(bytes))
        return CurveReset(
            venue: .pumpCurve,
            token: mint,
            before: before,
            after: after,
            realTokenReserves: try fields.amount(bytes),
            realQuoteReserves: try fields.amount(bytes)
        )
    }

    /// The five events after which somebody else is the creator.
    static func creatorChanged(
        _ kind: PumpCurveEvent,
        _ fields: inout FieldReader,
        _ bytes: RawSpan
    ) throws(ParseFailure) -> CreatorChanged {
        try fields.skip(8)  // timestamp
        if kind == .adminSetCreator || kind == .adminCto { try fields.skip(32) }  // who did it
        let mint = try fields.address(bytes)
        try fields.skip(32)  // curve
        switch kind {
        case .setCreator: break
        case .setMetaplexCreator: try fields.skip(32)  // metadata
        case .migrateBondingCurveCreator: try fields.skip(64)  // sharing config, old creator
        default: try fields.skip(32)  // old creator
        }
        let creator = try fields.address(bytes)
        // AdminCtoEvent goes on with what else was changed.
        if kind == .adminCto { try fields.skipOptional(ctoBytes) }
        return CreatorChanged(venue: .pumpCurve, token: mint, creator: creator)
    }

    /// Two truths, two rates, a truth, an amount, a truth.
    private static let ctoBytes = 1 + 1 + 8 + 8 + 1 + 8 + 1

    /// CollectCreatorFeeEvent: over all coins of a creator.
    static func collected(
        _ fields: inout FieldReader,
        _ bytes: RawSpan
    ) throws(ParseFailure) -> FeePayout {
        try fields.skip(8)  // timestamp
        let creator = try fields.address(bytes)
        let amount = try fields.amount(bytes)
        let quoteMint = try fields.optionalAddress(bytes)
        return FeePayout(
            venue: .pumpCurve,
            entity: nil,
            recipient: creator,
            quote: quote(quoteMint),
            amount: amount
        )
    }

    /// SweepBondingCurveFeeEvent.
    static func swept(
        _ fields: inout FieldReader,
        _ bytes: RawSpan
    ) throws(ParseFailure) -> FeePayout {
        try fields.skip(8)  // timestamp
        let mint = try fields.address(bytes)
        try fields.skip(32)  // curve
        let quoteMint = try fields.address(bytes)
        let recipient = try fields.address(bytes)
        let amount = try fields.amount(bytes)
        try fields.skip(1)  // bucket
        return FeePayout(
            venue: .pumpCurve,
            entity: mint,
            recipient: recipient,
            quote: quote(quoteMint),
            amount: amount
        )
    }

    /// DistributeCreatorFeesEvent: to all shareholders of a coin, for whom their sharing account
    /// stands.
    static func distributed(
        _ fields: inout FieldReader,
        _ bytes: RawSpan
    ) throws(ParseFailure) -> FeePayout {
        try fields.skip(8)  // timestamp
        let mint = try fields.address(bytes)
        try fields.skip(32)  // curve
        let sharing = try fields.address(bytes)
        try fields.skip(32)  // admin
        try fields.skip(Int(try fields.uint32(bytes)) * 34)
        let amount = try fields.amount(bytes)
        let quoteMint = try fields.optionalAddress(bytes)
        return FeePayout(
            venue: .pumpCurve,
            entity: mint,
            recipient: sharing,
            quote: quote(quoteMint),
            amount: amount
        )
    }

    /// DistributeFeeToHoldersEvent: to holders that the event only counts.
    static func distributedToHolders(
        _ fields: inout FieldReader,
        _ bytes: RawSpan
    ) throws(ParseFailure) -> FeePayout {
        try fields.skip(8)  // timestamp
        let mint = try fields.address(bytes)
        let quoteMint = try fields.address(bytes)
        try fields.skip(8)  // how many
        return FeePayout(
            venue: .pumpCurve,
            entity: mint,
            recipient: .zero,
            quote: quote(quoteMint),
            amount: try fields.amount(bytes)
        )
    }
}
