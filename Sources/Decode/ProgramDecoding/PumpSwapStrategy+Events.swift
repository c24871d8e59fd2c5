import MarketModel
import RecordModel

extension PumpSwapStrategy {
    /// Reads every event that is neither a trade nor a change of liquidity; nil when it is none of
    /// a market.
    static func read(
        _ kind: PumpSwapEvent,
        _ fields: inout FieldReader,
        _ bytes: RawSpan,
        _ findings: inout MarketFindings
    ) throws(ParseFailure) -> MarketEvent? {
        switch kind {
        case .createPool:
            let created = try created(&fields, bytes)
            findings.addShareToken(created.shareToken)
            return .poolCreated(created)
        case .collectCoinCreatorFee: return .feePayout(try collected(&fields, bytes))
        case .sweepPoolFee: return .feePayout(try swept(&fields, bytes))
        case .claimCashback:
            return .feePayout(
                try FeePayout(cashback: &fields, bytes, venue: .pumpSwap, quote: nil)
            )
        case .boostBuyAndBurn: return .poolBoosted(try boosted(&fields, bytes))
        case .initBoost: return .poolBoosted(try boostBegun(&fields, bytes))
        case .setBondingCurveCoinCreator, .setMetaplexCoinCreator, .adminSetCoinCreator,
            .migratePoolCoinCreator:
            return .creatorChanged(try creatorChanged(kind, &fields, bytes))
        case .buy, .sell, .deposit, .withdraw: return nil
        case .adminUpdateTokenIncentives, .claimTokenIncentives, .closeUserVolumeAccumulator,
            .createConfig, .disable, .extendAccount, .initUserVolumeAccumulator,
            .reservedFeeRecipients, .syncUserVolumeAccumulator, .updateAdmin, .updateFeeConfig:
            return nil
        }
    }

    private static func created(
        _ fields: inout FieldReader,
        _ bytes: RawSpan
    ) throws(ParseFailure) -> PoolCreated {
        try fields.skip(8)  // timestamp
        let index = try fields.uint16(bytes)
        let creator = try fields.address(bytes)
        let base = try fields.address(bytes)
        let quote = try fields.address(bytes)
        let baseDecimals = try fields.uint8(bytes)
        let quoteDecimals = try fields.uint8(bytes)
        try fields.skip(16)  // what was brought
        let vaultBase = try fields.amount(bytes)
        let vaultQuote = try fields.amount(bytes)
        let locked = try fields.amount(bytes)
        let shares = try fields.amount(bytes)
        try fields.skip(8 + 1)  // shares without the locked ones; bump
        let pool = try fields.address(bytes)
        let shareToken = try fields.address(bytes)
        try fields.skip(64)  // the user's accounts
        // 2025-05
        let coinCreator = try fields.optionalAddress(bytes)
        // 2025-11, and what was added in 2026
        _ = try fields.optionalBool(bytes)
        try fields.skipOptional(8)
        _ = try fields.optionalBool(bytes)
        _ = try fields.optionalBool(bytes)

        let pair = MarketPair(base, quote)
        var created = PoolCreated(
            venue: .pumpSwap,
            pool: pool,
            token: pair.token,
            quote: pair.quote,
            isReversed: pair.isReversed,
            isRawOrientation: pair.isRaw,
            creator: creator
        )
        created.tokenDecimals = pair.isReversed ? quoteDecimals : baseDecimals
        created.quoteDecimals = pair.isReversed ? baseDecimals : quoteDecimals
        created.reserves = pair.reserves(vaultBase, vaultQuote)
        created.shareToken = shareToken
        created.shares = shares
        created.lockedShares = locked
        created.index = index
        if let coinCreator, !coinCreator.isZero { created.coinCreator = coinCreator }
        return created
    }

    /// CollectCoinCreatorFeeEvent: over all pools of a creator. Its instruction names the quote.
    private static func collected(
        _ fields: inout FieldReader,
        _ bytes: RawSpan
    ) throws(ParseFailure) -> FeePayout {
        try fields.skip(8)  // timestamp
        let creator = try fields.address(bytes)
        let amount = try fields.amount(bytes)
        try fields.skip(64)  // the accounts
        return FeePayout(
            venue: .pumpSwap,
            entity: nil,
            recipient: creator,
            quote: nil,
            amount: amount
        )
    }

    private static func swept(
        _ fields: inout FieldReader,
        _ bytes: RawSpan
    ) throws(ParseFailure) -> FeePayout {
        try fields.skip(8)  // timestamp
        let pool = try fields.address(bytes)
        try fields.skip(32)  // base
        let quote = try fields.address(bytes)
        let recipient = try fields.address(bytes)
        try fields.skip(32)  // who called
        let amount = try fields.amount(bytes)
        try fields.skip(1)  // bucket
        return FeePayout(
            venue: .pumpSwap,
            entity: pool,
            recipient: recipient,
            quote: quote,
            amount: amount
        )
    }

    private static func boosted(
        _ fields: inout FieldReader,
        _ bytes: RawSpan
    ) throws(ParseFailure) -> PoolBoosted {
        try fields.skip(8)  // timestamp
        let mint = try fields.address(bytes)
        try fields.skip(32)  // curve
        let pool = try fields.address(bytes)
        try fields.skip(32 + 8 + 8)  // who called, quote asked for and used
        let burned = try fields.amount(bytes)
        let virtualQuote = try fields.int128(bytes)
        var boosted = PoolBoosted(
            venue: .pumpSwap,
            pool: pool,
            token: mint,
            virtualQuote: virtualQuote
        )
        boosted.burned = burned
        boosted.vaultQuote = try fields.amount(bytes)
        boosted.vaultToken = try fields.amount(bytes)
        try fields.skip(8)  // what is left to boost with
        return boosted
    }

    private static func boostBegun(
        _ fields: inout FieldReader,
        _ bytes: RawSpan
    ) throws(ParseFailure) -> PoolBoosted {
        try fields.skip(8)  // timestamp
        let mint = try fields.address(bytes)
        try fields.skip(32)  // curve
        let pool = try fields.address(bytes)
        let virtualQuote = try fields.int128(bytes)
        var boosted = PoolBoosted(
            venue: .pumpSwap,
            pool: pool,
            token: mint,
            virtualQuote: virtualQuote
        )
        boosted.vaultQuote = try fields.amount(bytes)
        return boosted
    }

    private static func creatorChanged(
        _ kind: PumpSwapEvent,
        _ fields: inout FieldReader,
        _ bytes: RawSpan
    ) throws(ParseFailure) -> CreatorChanged {
        try fields.skip(8)  // timestamp
        if kind == .adminSetCoinCreator { try fields.skip(32) }  // who did it
        let mint = try fields.address(bytes)
        try fields.skip(32)  // pool
        switch kind {
        case .migratePoolCoinCreator: try fields.skip(64)  // sharing config, old creator
        default: try fields.skip(32)  // curve, metadata or old creator
        }
        return CreatorChanged(
            venue: .pumpSwap,
            token: mint,
            creator: try fields.address(bytes)
        )
    }

    /// Fees of a creator that go to his vault at the curve. No event of it is published: what the
    /// emptied account held is what went.
    static func transferred(
        _ instruction: PumpSwapInstruction,
        _ call: Int,
        _ walk: ProgramWalk,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan
    ) -> FeePayout? {
        let isSecond = instruction == .transferCreatorFeesToPumpV2
        guard let account = walk.accountIndex(isSecond ? 7 : 6, of: call, transaction, bytes),
            let recipient = walk.account(isSecond ? 8 : 7, of: call, transaction, bytes),
            let before = transaction.balanceBefore(account),
            let held = SolanaTransaction.amount(before, bytes)
        else { return nil }
        let after = transaction.balanceAfter(account)
        // No balance afterwards: the account was closed.
        let left = after.flatMap { SolanaTransaction.amount($0, bytes) } ?? 0
        guard held > left else { return nil }
        return FeePayout(
            venue: .pumpSwap,
            entity: nil,
            recipient: recipient,
            quote: walk.account(isSecond ? 1 : 0, of: call, transaction, bytes),
            amount: UInt128(held - left)
        )
    }
}
