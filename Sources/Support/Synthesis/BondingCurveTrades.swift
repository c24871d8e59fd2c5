/// What a trade on a curve calls, moves and tells. Coins that are priced in SOL are traded with the
/// first form of the instructions, others with the second, which names the quote's accounts.
extension BondingCurveMarket {
    struct TradeParts {
        var entry: Entry
        var quote: BondingCurve.Quote
        var user: SolanaWallet
        var account: SolanaKey
        var creator: SolanaWallet
        var recipient: (owner: SolanaKey, account: SolanaKey)
        var buyback: (owner: SolanaKey, account: SolanaKey)

        var isBuy: Bool { if case .sell = entry { false } else { true } }

        /// The name in the event: the same in both forms, but for what is spent.
        func instruction(_ quote: SolanaQuote) -> String {
            switch entry {
            case .buy: "buy"
            case .spend: quote == .native ? "buy_exact_sol_in" : "buy_exact_quote_in"
            case .sell: "sell"
            }
        }

        func title(_ quote: SolanaQuote) -> String {
            switch entry {
            case .buy: quote == .native ? "Buy" : "BuyV2"
            case .spend: quote == .native ? "BuyExactSolIn" : "BuyExactQuoteInV2"
            case .sell: quote == .native ? "Sell" : "SellV2"
            }
        }

        func discriminator(_ quote: SolanaQuote) -> [UInt8] {
            switch (entry, quote) {
            case (.buy, .native): [0x66, 0x06, 0x3d, 0x12, 0x01, 0xda, 0xeb, 0xea]
            case (.spend, .native): [0x38, 0xfc, 0x74, 0x08, 0x9e, 0xdf, 0xcd, 0x5f]
            case (.sell, .native): [0x33, 0xe6, 0x85, 0xa4, 0x01, 0x7f, 0x83, 0xad]
            case (.buy, .usdc): [0xb8, 0x17, 0xee, 0x61, 0x67, 0xc5, 0xd3, 0x3d]
            case (.spend, .usdc): [0xc2, 0xab, 0x1c, 0x46, 0x68, 0x4d, 0x5b, 0x2f]
            case (.sell, .usdc): [0x5d, 0xf6, 0x82, 0x3c, 0xe7, 0xe9, 0x40, 0xb2]
            }
        }

        /// The worst result that a trader with a tolerance in basis points still takes.
        func limit(_ tolerance: UInt64) -> UInt64 {
            switch entry {
            case .buy: (quote.amount + quote.fees).worsened(upBy: tolerance)
            case .spend: quote.tokens.worsened(downBy: tolerance)
            case .sell: (quote.amount - quote.fees).worsened(downBy: tolerance)
            }
        }

        /// Half of the protocol fee buys tokens back; it is part of that fee.
        func buybackFee(_ layout: SynthesisOptions.EventLayout) -> UInt64 {
            layout == .july2026 ? quote.protocolFee / 2 : 0
        }
    }

    // MARK: Calls

    /// Begins the instruction. Without slack the limit is one that the program refuses.
    func begin(
        _ parts: TradeParts,
        _ context: SolanaSlotContext,
        slack: UInt64,
        tolerance: UInt64?,
        _ draft: inout SolanaTransactionDraft
    ) {
        var data = parts.discriminator(quote)
        let price = parts.quote
        // Of what the trader pays or gets.
        let limit = tolerance.map { parts.limit($0) }
        switch parts.entry {
        case .buy(let tokens):
            data.appendLittleEndian(min(tokens, price.tokens))
            data.appendLittleEndian(
                limit ?? (slack == 0 ? price.amount / 2 : price.amount + price.fees + slack)
            )
        case .spend(let budget):
            data.appendLittleEndian(budget)
            data.appendLittleEndian(limit ?? price.tokens - price.tokens / 20)
        case .sell(let tokens):
            data.appendLittleEndian(tokens)
            data.appendLittleEndian(
                limit ?? (slack == 0 ? price.amount * 2 : price.amount - price.amount / 20)
            )
        }
        // Whether volume is tracked; the second form does not ask.
        if parts.isBuy, quote == .native { data.appendBorsh(true) }
        let roles = quote == .native ? roles(parts, context) : rolesInSecondForm(parts)
        draft.begin(SolanaAddress.pump, roles, data)
        draft.log("Instruction: \(parts.title(quote))")
        readFees(&draft)
    }

    private func roles(
        _ parts: TradeParts,
        _ context: SolanaSlotContext
    ) -> [SolanaTransactionDraft.Role] {
        var roles: [SolanaTransactionDraft.Role] = [
            .readonly(SolanaAddress.pumpGlobal), .writable(parts.recipient.owner), .readonly(mint),
            .writable(address), .writable(vault), .writable(parts.account),
            .signer(parts.user.key), .readonly(SolanaAddress.system),
        ]
        let creatorVault = SolanaTransactionDraft.Role.writable(parts.creator.creatorVault)
        let token = SolanaTransactionDraft.Role.readonly(SolanaAddress.token)
        roles += parts.isBuy ? [token, creatorVault] : [creatorVault, token]
        roles += [.readonly(SolanaAddress.pumpEvents), .readonly(SolanaAddress.pump)]
        if parts.isBuy {
            roles += [.readonly(SolanaAddress.pumpVolume), .writable(parts.user.volume)]
        }
        roles += [.readonly(SolanaAddress.pumpFeeConfig), .readonly(SolanaAddress.pumpFees)]
        if context.layout == .july2026 {
            roles += [.readonly(companion), .writable(parts.buyback.owner)]
        }
        return roles
    }

    /// 27 accounts of a buy, 26 of a sale.
    private func rolesInSecondForm(_ parts: TradeParts) -> [SolanaTransactionDraft.Role] {
        var roles: [SolanaTransactionDraft.Role] = [
            .readonly(SolanaAddress.pumpGlobal), .readonly(mint), .readonly(quote.mint),
            .readonly(holdings.program), .readonly(SolanaAddress.token),
            .readonly(SolanaAddress.associatedToken), .writable(parts.recipient.owner),
            .writable(parts.recipient.account), .writable(parts.buyback.owner),
            .writable(parts.buyback.account), .writable(address), .writable(vault),
            .writable(quoteVault), .signer(parts.user.key), .writable(parts.account),
            .writable(parts.user.account(quote)), .writable(parts.creator.creatorVault),
            .writable(parts.creator.creatorAccount), .readonly(companion),
        ]
        if parts.isBuy { roles.append(.readonly(SolanaAddress.pumpVolume)) }
        roles += [
            .writable(parts.user.volume), .writable(parts.user.volumeAccount),
            .readonly(SolanaAddress.pumpFeeConfig), .readonly(SolanaAddress.pumpFees),
            .readonly(SolanaAddress.system), .readonly(SolanaAddress.pumpEvents),
            .readonly(SolanaAddress.pump),
        ]
        return roles
    }

    /// The fee program answers with three rates: LP, protocol, creator.
    private func readFees(_ draft: inout SolanaTransactionDraft) {
        var request: [UInt8] = [0xe7, 0x25, 0x7e, 0x55, 0xcf, 0x5b, 0x3f, 0x34, 0]
        request.appendLittleEndian(
            UInt128(curve.virtualQuote) * UInt128(BondingCurve.supply)
                / UInt128(curve.virtualTokens)
        )
        request.appendLittleEndian(UInt64(0))
        draft.begin(SolanaAddress.pumpFees, [.readonly(SolanaAddress.pumpFeeConfig)], request)
        draft.log("Instruction: GetFees")
        var answer: [UInt8] = []
        for points in [0, BondingCurve.protocolBasisPoints, BondingCurve.creatorBasisPoints] {
            answer.appendLittleEndian(points)
        }
        draft.log(returned: answer)
        draft.end(units: 3_136)
    }

    // MARK: Moves

    func moveBuy(
        _ parts: TradeParts,
        _ context: SolanaSlotContext,
        _ draft: inout SolanaTransactionDraft
    ) {
        let price = parts.quote
        let user = SolanaTransactionDraft.Role.signer(parts.user.key)
        let curveOwner = SolanaTransactionDraft.Role.writable(address)
        move(tokens: price.tokens, from: vault, to: parts.account, owner: curveOwner, &draft)
        for (amount, key, account) in [(price.amount, address, quoteVault)] + fees(parts, context) {
            switch quote {
            case .native: draft.transferLamports(amount, from: parts.user.key, to: key)
            case .usdc:
                move(
                    quote: amount,
                    from: parts.user.account(quote),
                    to: account,
                    owner: user,
                    &draft
                )
            }
        }
    }

    func moveSell(
        _ parts: TradeParts,
        _ context: SolanaSlotContext,
        _ draft: inout SolanaTransactionDraft
    ) {
        let price = parts.quote
        let user = parts.user
        move(tokens: price.tokens, from: parts.account, to: vault, owner: .signer(user.key), &draft)
        let received = (price.amount - price.fees, user.key, user.account(quote))
        for (amount, key, account) in [received] + fees(parts, context) {
            switch quote {
            // The program owns the curve's lamports and moves them without a call.
            case .native: draft.assignLamports(amount, from: address, to: key)
            case .usdc:
                move(
                    quote: amount,
                    from: quoteVault,
                    to: account,
                    owner: .writable(address),
                    &draft
                )
            }
        }
    }

    /// Who gets which fee: SOL goes to the first key, tokens to the second.
    private func fees(
        _ parts: TradeParts,
        _ context: SolanaSlotContext
    ) -> [(UInt64, SolanaKey, SolanaKey)] {
        let buyback = parts.buybackFee(context.layout)
        let creator = parts.creator
        return [
            (parts.quote.protocolFee - buyback, parts.recipient.owner, parts.recipient.account),
            (buyback, parts.buyback.owner, parts.buyback.account),
            (parts.quote.creatorFee, creator.creatorVault, creator.creatorAccount),
        ]
    }

    func move(
        tokens amount: UInt64,
        from: SolanaKey,
        to: SolanaKey,
        owner: SolanaTransactionDraft.Role,
        _ draft: inout SolanaTransactionDraft
    ) {
        draft.transferTokens(
            amount,
            mint: mint,
            decimals: 6,
            from: from,
            to: to,
            owner: owner,
            program: holdings.program
        )
    }

    func move(
        quote amount: UInt64,
        from: SolanaKey,
        to: SolanaKey,
        owner: SolanaTransactionDraft.Role,
        _ draft: inout SolanaTransactionDraft
    ) {
        draft.transferTokens(
            amount,
            mint: quote.mint,
            decimals: quote.decimals,
            from: from,
            to: to,
            owner: owner
        )
    }

    // MARK: Events

    /// `TradeEvent`, with the reserves as they are after the trade. Amounts of SOL are zero on a coin
    /// that is priced in anything else.
    func tradeEvent(_ parts: TradeParts, _ context: SolanaSlotContext) -> [UInt8] {
        let price = parts.quote
        let isNative = quote == .native
        var event: [UInt8] = [0xbd, 0xdb, 0x7f, 0xd3, 0x4e, 0xe6, 0x61, 0xee]
        event.append(mint)
        event.appendLittleEndian(isNative ? price.amount : 0)
        event.appendLittleEndian(price.tokens)
        event.appendBorsh(parts.isBuy)
        event.append(parts.user.key)
        event.appendLittleEndian(context.timestamp)
        for value in [
            isNative ? curve.virtualQuote : 0, curve.virtualTokens,
            isNative ? curve.realQuote : 0, curve.realTokens,
        ] { event.appendLittleEndian(value) }
        event.append(parts.recipient.owner)
        event.appendLittleEndian(BondingCurve.protocolBasisPoints)
        event.appendLittleEndian(price.protocolFee)
        event.append(parts.creator.key)
        event.appendLittleEndian(BondingCurve.creatorBasisPoints)
        event.appendLittleEndian(price.creatorFee)
        event.appendBorsh(parts.isBuy)  // track volume
        for _ in 0..<3 { event.appendLittleEndian(UInt64(0)) }
        event.appendLittleEndian(parts.isBuy ? context.timestamp : 0)
        event.appendBorsh(parts.instruction(quote))
        guard context.layout == .july2026 else { return event }
        event.appendBorsh(false)  // mayhem
        event.appendLittleEndian(UInt64(0))  // cashback rate
        event.appendLittleEndian(UInt64(0))  // cashback
        event.appendLittleEndian(UInt64(5_000))  // buyback share of the protocol fee
        event.appendLittleEndian(parts.buybackFee(context.layout))
        event.appendLittleEndian(UInt32(0))  // shareholders
        event.append(quote.mintOnCurve)
        for value in [price.amount, curve.virtualQuote, curve.realQuote] {
            event.appendLittleEndian(value)
        }
        return event
    }
}
